//! Colours and signs: which ones there are, and whether the place they go to can show them.
//!
//! Text is always written with its colours; the stream strips them where they are not wanted.

use anstyle::{AnsiColor, Style};

/// What a verdict, a name or a line looks like.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Palette;

impl Palette {
    pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
    pub(crate) const BAD: Style = AnsiColor::Red.on_default();
    pub(crate) const WARN: Style = AnsiColor::Yellow.on_default();
    pub(crate) const ID: Style = AnsiColor::Yellow.on_default();
    pub(crate) const NAME: Style = AnsiColor::Cyan.on_default().bold();
    pub(crate) const HEADING: Style = Style::new().bold();
    pub(crate) const QUIET: Style = Style::new().dimmed();
    pub(crate) const COMMAND: Style = AnsiColor::Cyan.on_default();
    pub(crate) const ERROR: Style = AnsiColor::Red.on_default().bold();
}

/// The text in a style.
pub(crate) fn paint(style: Style, text: impl std::fmt::Display) -> String {
    format!("{style}{text}{style:#}")
}

/// The signs that verdicts and graphs are drawn with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Signs {
    pub(crate) yes: &'static str,
    pub(crate) no: &'static str,
    pub(crate) untried: &'static str,
    pub(crate) doubt: &'static str,
    pub(crate) commit: &'static str,
    pub(crate) culprit: &'static str,
    pub(crate) good: &'static str,
    pub(crate) line: &'static str,
    pub(crate) gap: &'static str,
    pub(crate) branch_off: &'static str,
    pub(crate) join: &'static str,
    pub(crate) arrow: &'static str,
    pub(crate) ellipsis: &'static str,
    /// What a sign of life goes through; the last one stands for its end.
    pub(crate) ticks: &'static str,
}

impl Signs {
    /// For terminals that show Unicode.
    pub(crate) const UNICODE: Self = Self {
        yes: "✓",
        no: "✗",
        untried: "·",
        doubt: "?",
        commit: "○",
        culprit: "✗",
        good: "✓",
        line: "│",
        gap: "┊",
        branch_off: "├─╮",
        join: "├─╯",
        arrow: "→",
        ellipsis: "…",
        ticks: "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ ",
    };

    /// For all others.
    pub(crate) const ASCII: Self = Self {
        yes: "+",
        no: "x",
        untried: "-",
        doubt: "?",
        commit: "o",
        culprit: "X",
        good: "*",
        line: "|",
        gap: ":",
        branch_off: "|\\",
        join: "|/",
        arrow: "->",
        ellipsis: "...",
        ticks: "|/-\\ ",
    };

    /// The signs that the locale of the environment can show.
    pub(crate) fn of_environment() -> Self {
        if is_utf8_locale(|name| std::env::var(name).ok()) { Self::UNICODE } else { Self::ASCII }
    }
}

fn is_utf8_locale(variable: impl Fn(&str) -> Option<String>) -> bool {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    if cfg!(windows) && set("WT_SESSION").is_some() {
        return true;
    }
    // POSIX: the first of the three that is set decides.
    set("LC_ALL").or_else(|| set("LC_CTYPE")).or_else(|| set("LANG")).is_some_and(|locale| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_locale_variable_that_is_set_decides_about_signs() {
        let with = |all: &str, lang: &str| {
            let (all, lang) = (all.to_owned(), lang.to_owned());
            is_utf8_locale(move |name| match name {
                "LC_ALL" => Some(all.clone()),
                "LANG" => Some(lang.clone()),
                _ => None,
            })
        };
        assert!(with("", "de_DE.UTF-8"));
        assert!(with("C.utf8", "C"));
        assert!(!with("C", "de_DE.UTF-8"));
        assert!(!with("", ""));
    }
}
