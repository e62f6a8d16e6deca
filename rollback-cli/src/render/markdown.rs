//! Documents of headings, paragraphs, lists and tables, as Markdown.

use std::fmt::Write;

use rollback_core::markdown::fenced;
use rollback_core::procedure::show::Block;

/// The blocks as Markdown.
pub(crate) fn render(blocks: &[Block]) -> String {
    let mut text = String::new();
    for block in blocks {
        match block {
            Block::Heading { level, text: heading } => {
                let _ = writeln!(text, "{} {}\n", "#".repeat(*level), inert(&heading.replace('\n', " ")));
            }
            Block::Paragraph(paragraph) => {
                let _ = writeln!(text, "{}\n", inert(paragraph.trim()));
            }
            Block::List(items) => {
                for item in items {
                    let _ = writeln!(text, "- {}", inert(item.trim()).replace('\n', "\n  "));
                }
                text.push('\n');
            }
            Block::Table { head, rows } => {
                let _ = writeln!(text, "| {} |", head.join(" | "));
                let _ = writeln!(text, "|{}", "---|".repeat(head.len()));
                for row in rows {
                    let cells: Vec<_> =
                        row.iter().map(|cell| inert(cell).replace('|', "\\|").replace('\n', " ")).collect();
                    let _ = writeln!(text, "| {} |", cells.join(" | "));
                }
                text.push('\n');
            }
            Block::Code(code) => {
                let _ = writeln!(text, "{}\n", fenced(code));
            }
            _ => {}
        }
    }
    text.trim_end().to_owned() + "\n"
}

/// Text as Markdown in which nothing is live but its code spans: no tag, no image, no link. It stands alone in its block:
/// beside other text its backticks could pair with others.
fn inert(text: &str) -> String {
    let mut inert = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['`', '<', ']', '!']) {
        inert.push_str(&rest[..at]);
        rest = &rest[at..];
        if rest.starts_with('`') {
            let run = rest.len() - rest.trim_start_matches('`').len();
            let end = closing(&rest[run..], run).map_or(run, |end| run + end + run);
            inert.push_str(&rest[..end]);
            rest = &rest[end..];
            continue;
        }
        inert.push_str(match (rest.as_bytes()[0], rest.as_bytes().get(1)) {
            (b'<', _) => "&lt;",
            (b']', Some(b'(' | b'[')) => "\\]",
            (b'!', Some(b'[')) => "\\!",
            (b']', _) => "]",
            _ => "!",
        });
        rest = &rest[1..];
    }
    inert + rest
}

/// Where a code span that a run of so many backticks opens is closed by as many.
fn closing(text: &str, run: usize) -> Option<usize> {
    let mut at = 0;
    while let Some(found) = text[at..].find('`') {
        let start = at + found;
        let length = text[start..].len() - text[start..].trim_start_matches('`').len();
        if length == run {
            return Some(start);
        }
        at = start + length;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_of_a_procedure_is_live_in_markdown() {
        for (text, shown) in [
            ("<img src=x>", "&lt;img src=x>"),
            ("a `code <b>` b", "a `code <b>` b"),
            ("` <b>", "` &lt;b>"),
            ("`` ` `` <b>", "`` ` `` &lt;b>"),
            ("![x](http://t)", "\\![x\\](http://t)"),
            ("[x](javascript:y)", "[x\\](javascript:y)"),
            ("done! [ok]", "done! [ok]"),
        ] {
            assert_eq!(inert(text), shown);
        }
        let fence = render(&[Block::Code("```\n<b>".into())]);
        assert_eq!(fence, "````\n```\n<b>\n````\n");
    }
}
