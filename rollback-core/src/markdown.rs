//! Text as a part of Markdown: what it holds is shown, and nothing of it becomes markup.

/// Text on one line that cannot break out of a cell of a table, or begin a tag, an image or a link.
///
/// ```
/// assert_eq!(rollback_core::markdown::cell("a|b\n<c>"), r"a\|b &lt;c>");
/// ```
pub fn cell(text: &str) -> String {
    let text = text.replace('\n', " ").replace('|', "\\|").replace('<', "&lt;");
    text.replace("](", "\\](").replace("![", "\\![")
}

/// Text on one line as a code span, whatever backticks it holds.
///
/// ```
/// assert_eq!(rollback_core::markdown::code("a`b"), "`` a`b ``");
/// ```
pub fn code(text: &str) -> String {
    let longest = longest_run(text);
    let ticks = "`".repeat(longest + 1);
    let space = if longest > 0 { " " } else { "" };
    format!("{ticks}{space}{}{space}{ticks}", text.replace('\n', " "))
}

/// Text as it stands, between fences longer than any within it.
///
/// ```
/// assert_eq!(rollback_core::markdown::fenced("a\nb\n"), "```\na\nb\n```");
/// ```
pub fn fenced(text: &str) -> String {
    let fence = "`".repeat(longest_run(text).max(2) + 1);
    format!("{fence}\n{}\n{fence}", text.trim_end())
}

/// The most backticks in a row.
fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_breaks_out_of_neither_a_cell_nor_a_fence() {
        assert_eq!(cell("![x](http://t)"), "\\![x\\](http://t)");
        assert_eq!(cell("a|b\n<script>"), "a\\|b &lt;script>");
        assert_eq!(code("a`<b>"), "`` a`<b> ``");
        assert_eq!(fenced("x\n```\ny\n"), "````\nx\n```\ny\n````");
    }
}
