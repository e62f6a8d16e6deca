//! Documents of headings, paragraphs, lists and tables, as a terminal shows them.

use rollback_core::procedure::show::Block;

use super::Look;
use crate::terminal::style::{Palette, paint};
use crate::terminal::text::{self, escape, escape_lines};

/// The blocks for a terminal.
pub(crate) fn render(blocks: &[Block], look: Look) -> String {
    let mut rendered = String::new();
    for block in blocks {
        let text = match block {
            Block::Heading { level: 1, text } => paint(Palette::NAME, escape(text)) + "\n",
            Block::Heading { text, .. } => paint(Palette::HEADING, escape(text)) + "\n",
            Block::Paragraph(paragraph) => wrapped(paragraph, "", look),
            Block::List(items) => items.iter().map(|item| list_item(item, look)).collect(),
            Block::Table { head, rows } => table(head, rows.iter().cloned(), look),
            Block::Code(code) => {
                escape_lines(code.trim_end()).lines().map(|line| format!("    {line}\n")).collect()
            }
            _ => continue,
        };
        if !rendered.is_empty() && !follows_heading(&rendered, blocks, block) {
            rendered.push('\n');
        }
        rendered.push_str(&text);
    }
    rendered
}

/// What stands under a heading belongs to it.
fn follows_heading(rendered: &str, blocks: &[Block], block: &Block) -> bool {
    let at = blocks.iter().position(|other| std::ptr::eq(other, block)).unwrap_or(0);
    !rendered.is_empty()
        && at > 0
        && matches!(blocks[at - 1], Block::Heading { level: 2.., .. })
        && !matches!(block, Block::Heading { .. })
}

fn wrapped(paragraph: &str, indent: &str, look: Look) -> String {
    let mut lines = String::new();
    for line in escape_lines(paragraph.trim()).lines() {
        for piece in text::wrap(line, look.width().saturating_sub(indent.len())) {
            lines.push_str(&format!("{indent}{piece}\n"));
        }
    }
    lines
}

fn list_item(item: &str, look: Look) -> String {
    let text = wrapped(item, "    ", look);
    format!("  {} {}", paint(Palette::QUIET, "-"), text.trim_start())
}

/// A table whose widest columns give way where the terminal is too narrow.
pub(crate) fn table(head: &[&str], rows: impl Iterator<Item = Vec<String>>, look: Look) -> String {
    let rows: Vec<Vec<String>> = rows
        .map(|row| row.iter().map(|cell| escape(&cell.replace('\n', " ")).into_owned()).collect())
        .collect();
    let widths = widths(head, &rows, look.width());
    let mut rendered = String::new();
    if head.iter().any(|name| !name.is_empty()) {
        let names = head.iter().map(|name| (*name).to_owned());
        rendered.push_str(&line(names, &widths, |cell| paint(Palette::QUIET, cell)));
    }
    for row in &rows {
        let cells: Vec<Vec<String>> =
            row.iter().zip(&widths).map(|(cell, width)| text::wrap(cell, *width)).collect();
        let height = cells.iter().map(Vec::len).max().unwrap_or(0);
        for nth in 0..height {
            let pieces = cells.iter().map(|lines| lines.get(nth).cloned().unwrap_or_default());
            rendered.push_str(&line(pieces, &widths, |cell| cell));
        }
    }
    rendered
}

fn line(cells: impl Iterator<Item = String>, widths: &[usize], style: impl Fn(String) -> String) -> String {
    let padded: Vec<_> = cells.zip(widths).map(|(cell, width)| style(text::pad(&cell, *width))).collect();
    format!("  {}\n", padded.join("  ").trim_end())
}

/// As wide as the widest cell; while the whole is too wide, the widest column shrinks.
fn widths(head: &[&str], rows: &[Vec<String>], room: usize) -> Vec<usize> {
    /// No column becomes narrower than this.
    const LEAST: usize = 12;
    let cell = |row: &Vec<String>, column: usize| row.get(column).map_or(0, |cell| text::width(cell));
    let mut widths: Vec<usize> = (0..head.len())
        .map(|column| {
            let widest = rows.iter().map(|row| cell(row, column)).max().unwrap_or(0);
            widest.max(text::width(head[column]))
        })
        .collect();
    let spent = 2 + 2 * head.len().saturating_sub(1);
    while widths.iter().sum::<usize>() + spent > room {
        match widths.iter_mut().max() {
            Some(widest) if *widest > LEAST => *widest -= 1,
            _ => break,
        }
    }
    widths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_that_is_too_wide_wraps_its_widest_column() {
        let look = Look { columns: Some(44), ..Look::plain() };
        let rows = [vec!["one".to_owned(), "a cell that says more than fits into one line".to_owned()]];
        assert_eq!(
            table(&["", ""], rows.into_iter(), look),
            "  one  a cell that says more than fits into\n       one line\n"
        );
    }

    #[test]
    fn what_stands_under_a_heading_belongs_to_it_and_nothing_steers_the_terminal() {
        let blocks = [
            Block::Heading { level: 2, text: "When".into() },
            Block::List(vec!["errors\u{1b}[2J".into()]),
            Block::Code("make test".into()),
        ];
        let text = anstream::adapter::strip_str(&render(&blocks, Look::plain())).to_string();
        assert_eq!(text, "When\n  - errors\\x1b[2J\n\n    make test\n");
    }
}
