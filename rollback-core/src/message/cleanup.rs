//! What is taken out of a message before it is committed: git's `--cleanup` and `git stripspace`.

use bstr::{BString, ByteSlice, ByteVec};
use serde::{Deserialize, Serialize};

use super::text;
use super::{MessageOptions, Style};

/// How a message is cleaned up, in git's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Cleanup {
    /// Nothing is changed.
    Verbatim,
    /// Blank lines at both ends, runs of them, and white space at line ends go.
    Whitespace,
    /// As `whitespace`, and comment lines go.
    Strip,
    /// As `whitespace`; after an editor, all from the scissors line on goes too.
    Scissors,
    /// As `strip`.
    Default,
}

impl Cleanup {
    /// The mode of this name; `None` where git knows none.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "verbatim" => Some(Self::Verbatim),
            "whitespace" => Some(Self::Whitespace),
            "strip" => Some(Self::Strip),
            "scissors" => Some(Self::Scissors),
            "default" => Some(Self::Default),
            _ => None,
        }
    }

    /// git's word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Verbatim => "verbatim",
            Self::Whitespace => "whitespace",
            Self::Strip => "strip",
            Self::Scissors => "scissors",
            Self::Default => "default",
        }
    }

    pub(super) fn apply(self, message: &[u8], style: &Style) -> BString {
        match self {
            Self::Verbatim => message.into(),
            Self::Whitespace | Self::Scissors => strip_space(message, None),
            Self::Strip | Self::Default => strip_space(message, Some(&style.comment)),
        }
    }
}

impl Style {
    /// The mode for a message that is not edited: left alone, unless something was appended to it or a mode was given.
    pub(super) fn cleanup_of_unedited(&self, options: &MessageOptions) -> Cleanup {
        let untouched = if options.text.is_some() || options.signoff || options.record_origin {
            Cleanup::Whitespace
        } else {
            Cleanup::Verbatim
        };
        options.cleanup.or(self.cleanup).unwrap_or(untouched)
    }

    /// The mode for an edited message, which is `git commit`'s.
    pub(super) fn cleanup_of_edited(&self, options: &MessageOptions) -> Cleanup {
        options.cleanup.or(self.cleanup).unwrap_or(Cleanup::Default)
    }
}

/// What is left of a message after an editor; `None` where git would refuse it as empty.
pub(super) fn of_edited(message: &[u8], cleanup: Cleanup, style: &Style) -> Option<BString> {
    let end = match cleanup {
        Cleanup::Scissors => scissors_position(message, &style.comment),
        _ => message.len(),
    };
    let kept = cleanup.apply(&message[..end], style);
    let says_something = match cleanup {
        Cleanup::Verbatim => !kept.is_empty(),
        _ => !is_empty(&kept),
    };
    says_something.then_some(kept)
}

/// Where the line that cuts a message begins; the length of the message where there is none.
pub(super) fn scissors_position(message: &[u8], comment: &[u8]) -> usize {
    let mark = scissors_line(comment);
    if message.starts_with(&mark) {
        return 0;
    }
    let mut after_line_end = BString::from("\n");
    after_line_end.push_str(&mark);
    message.find(&after_line_end).map_or(message.len(), |at| at + 1)
}

/// The line that cuts a message, with its end.
pub(super) fn scissors_line(comment: &[u8]) -> BString {
    text::commented(b"------------------------ >8 ------------------------\n", comment)
}

/// Whether a cleaned message says nothing: blank, or signed off and no more.
fn is_empty(message: &[u8]) -> bool {
    text::lines(message).all(|line| text::is_blank(line) || line.starts_with(b"Signed-off-by: "))
}

fn strip_space(message: &[u8], comment: Option<&BString>) -> BString {
    let mut out = BString::default();
    let mut blank_pending = false;
    for line in text::lines(message) {
        if comment.is_some_and(|comment| line.starts_with(comment)) {
            continue;
        }
        let kept = text::trim_end(line);
        if kept.is_empty() {
            blank_pending = true;
            continue;
        }
        if blank_pending && !out.is_empty() {
            out.push_byte(b'\n');
        }
        blank_pending = false;
        super::push_line(&mut out, kept);
    }
    out
}
