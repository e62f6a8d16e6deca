//! The picture in README.md is a run of `rb revert`: `.github/assets/rb-revert.svg` is drawn from what it prints.
//!
//! Every word has a place of its own, so that columns stay columns whichever font a browser takes.
//!
//! `RB_BLESS=1 cargo test --workspace --test cli picture` draws it again.
#![cfg(unix)]

use std::fmt::Write;

use test_kit::{Fixture, mutants};

use crate::kit::{done, shell};
use crate::tutorial::without_what_varies;

const COMMAND: &str = "rb revert --file MATRIZ/__init__.py";

/// The width of a letter of 14 pixels in the usual fonts, and the height of a line.
const LETTER: f64 = 8.4;
const LINE: usize = 19;
const MARGIN: f64 = 18.0;

const FONTS: &str =
    "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono','Liberation Mono',monospace";

/// How letters look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Style {
    bold: bool,
    colour: Option<&'static str>,
}

impl Style {
    /// The style after a sequence that selects one, such as `1` or `36`.
    fn after(self, code: &str) -> Self {
        let colour = |colour| Self { colour: Some(colour), ..self };
        match code {
            "" | "0" => Self::default(),
            "1" => Self { bold: true, ..self },
            "2" => colour("#9aa1ad"),
            "31" => colour("#e06c75"),
            "32" => colour("#98c379"),
            "33" => colour("#e5c07b"),
            "36" => colour("#56b6c2"),
            other => panic!("a style that the picture does not know: {other}"),
        }
    }

    fn attributes(self) -> String {
        let mut attributes = String::new();
        if let Some(colour) = self.colour {
            attributes += &format!(" fill=\"{colour}\"");
        }
        if self.bold {
            attributes += " font-weight=\"bold\"";
        }
        attributes
    }
}

/// A word, the column it begins in, and how it looks.
#[derive(Debug)]
struct Word {
    column: usize,
    text: String,
    style: Style,
}

/// The words of each line of what was printed.
fn lines(printed: &str) -> Vec<Vec<Word>> {
    let mut style = Style::default();
    let mut words_of = |line: &str| {
        let (mut words, mut column) = (Vec::<Word>::new(), 0);
        for (at, piece) in line.split("\u{1b}[").enumerate() {
            let piece = match at {
                0 => piece,
                _ => {
                    let (codes, rest) = piece.split_once('m').expect("a sequence for a style");
                    style = codes.split(';').fold(style, Style::after);
                    rest
                }
            };
            let mut goes_on = false;
            for c in piece.chars() {
                match words.last_mut() {
                    Some(word) if goes_on && c != ' ' => word.text.push(c),
                    _ if c != ' ' => words.push(Word { column, text: c.into(), style }),
                    _ => {}
                }
                goes_on = c != ' ';
                column += 1;
            }
        }
        words
    };
    printed.lines().map(&mut words_of).collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The picture of a terminal that shows this.
fn drawn(printed: &str) -> String {
    let lines = lines(printed);
    let end = |word: &Word| word.column + word.text.chars().count();
    let columns = lines.iter().flatten().map(end).max().unwrap_or_default();
    let width = (2.0 * MARGIN + columns as f64 * LETTER).ceil();
    let height = 54 + LINE * lines.len();
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         role=\"img\" aria-label=\"A run of rb revert in a terminal\">\n\
         <rect x=\"0.5\" y=\"0.5\" width=\"{}\" height=\"{}\" rx=\"8\" fill=\"#21252b\" stroke=\"#4b515c\"/>\n\
         <circle cx=\"20\" cy=\"17\" r=\"5\" fill=\"#e06c75\"/><circle cx=\"38\" cy=\"17\" r=\"5\" fill=\"#e5c07b\"/>\
         <circle cx=\"56\" cy=\"17\" r=\"5\" fill=\"#98c379\"/>\n\
         <g font-family=\"{FONTS}\" font-size=\"14\" fill=\"#d7dae0\">\n",
        width - 1.0,
        height - 1,
    );
    for (number, words) in lines.iter().enumerate().filter(|(_, words)| !words.is_empty()) {
        let _ = write!(svg, "<text y=\"{}\">", 54 + LINE * number);
        for (at, word) in words.iter().enumerate() {
            // The blank is for those who copy the text.
            let has_blank = words.get(at + 1).is_some_and(|next| next.column > end(word));
            let blank = if has_blank { " " } else { "" };
            let x = MARGIN + word.column as f64 * LETTER;
            let _ = write!(
                svg,
                "<tspan x=\"{x:.1}\"{}>{}{blank}</tspan>",
                word.style.attributes(),
                escaped(&word.text)
            );
        }
        svg += "</text>\n";
    }
    svg + "</g>\n</svg>\n"
}

#[test]
fn the_picture_of_the_readme_is_what_rb_prints() {
    let repo = Fixture::import("matriz");
    let dates = "GIT_AUTHOR_DATE=2025-11-14T09:00:00Z GIT_COMMITTER_DATE=2025-11-14T09:00:00Z";
    let run = done(shell(&repo, &format!("{dates} {COMMAND} --color always 2>&1")));
    let picture = drawn(&format!("\u{1b}[1m$ {COMMAND}\u{1b}[0m\n\n{}", run.stdout));
    let path = mutants::project().join(".github/assets/rb-revert.svg");
    let kept = std::fs::read_to_string(&path).expect("the picture");
    if without_what_varies(&kept) == without_what_varies(&picture) {
        return;
    }
    if std::env::var_os("RB_BLESS").is_some() {
        std::fs::write(path, picture).expect("the picture can be written");
        return;
    }
    panic!("rb prints something else now; RB_BLESS=1 draws it again:\n{}", run.stdout);
}
