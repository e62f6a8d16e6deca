//! The message of a pick: the picked commit's own, from its subject on.

use bstr::BString;

use super::{Style, encoding, text};
use crate::repo::Commit;

pub(super) fn whole(commit: &Commit, style: &Style) -> BString {
    text::without_leading_blank_lines(&encoding::message_of(commit, style)).into()
}
