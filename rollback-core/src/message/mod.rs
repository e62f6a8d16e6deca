//! The one message writer: what the commit of a revert, a pick or a restore says, the text git would leave in
//! `MERGE_MSG`, and the reflog line.
//!
//! Of a whole revert or pick the bytes are git's own (`git revert`, `git cherry-pick`, git 2.47); the sources are
//! named at each rule. A scoped revert never says `This reverts commit …`, which would be false.
//!
//! The room is pure: it reads commits that it is handed and its style, which holds what the configuration says, and
//! returns bytes. It opens no repository, runs no editor and no hook.

mod cleanup;
mod conflicts;
mod encoding;
mod pick;
mod reflog;
mod restore;
mod revert;
mod scope;
mod style;
mod text;
mod trailers;

// The oracle is git on a system whose file names are bytes.
#[cfg(all(test, unix))]
mod tests;

pub use cleanup::Cleanup;
pub use trailers::Trailer;

pub(crate) use style::Style;

use bstr::{BString, ByteVec};
use serde::{Deserialize, Serialize};

use crate::history::Rename;
use crate::id::CommitId;
use crate::path::RepoPath;
use crate::repo::{Commit, Signature};

/// What a caller may say about the message; nothing of it is needed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
#[non_exhaustive]
pub struct MessageOptions {
    /// The whole text, in place of the one that would be written. Reason, trailers and sign-off are still added.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Whether the user edited the text: it is then final, and cleaned up as git cleans an edited message, comments
    /// and all.
    #[serde(skip_serializing_if = "is_false")]
    pub edited: bool,
    /// Why this is done: a paragraph of its own after the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Trailers to add, as `git interpret-trailers` adds them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub trailers: Vec<Trailer>,
    /// Whether the committer signs off (`-s`).
    #[serde(skip_serializing_if = "is_false")]
    pub signoff: bool,
    /// Whether a pick names the commit it was picked from (`-x`).
    #[serde(skip_serializing_if = "is_false")]
    pub record_origin: bool,
    /// Whether a revert refers to commits as `abbreviated id (subject, date)`; `None` leaves it to
    /// `revert.reference`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<bool>,
    /// How the message is cleaned up (`--cleanup`); `None` leaves it to `commit.cleanup`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cleanup: Option<Cleanup>,
}

fn is_false(value: &bool) -> bool {
    !*value
}

/// What the commit does, which decides what its message says.
#[derive(Clone, Copy, Debug)]
pub(crate) enum CommitKind<'a> {
    /// Undoes a whole commit; `mainline` is the parent it is undone against, for merges only.
    Revert { commit: &'a Commit, mainline: Option<&'a Commit> },
    /// Undoes what a commit did to some paths.
    RevertPaths { commit: &'a Commit, mainline: Option<&'a Commit>, paths: Paths<'a> },
    /// Undoes a part of what a commit did to one path; `lines` says in words which.
    RevertPart { commit: &'a Commit, mainline: Option<&'a Commit>, paths: Paths<'a>, lines: &'a str },
    /// Replays a whole commit.
    Pick { commit: &'a Commit },
    /// Replays what a commit did to some paths.
    PickPaths { commit: &'a Commit, paths: Paths<'a> },
    /// Brings paths back as they are in `source`, discarding what the commits in `discards` did to them.
    Restore { source: &'a Commit, paths: Paths<'a>, discards: &'a [Commit] },
    /// Brings everything, or `paths`, back to what it is in `state`, which takes back the commits in `undone`.
    BackTo { state: &'a Commit, paths: Paths<'a>, undone: &'a [Commit] },
}

/// The paths that a commit is about, as they are named in the commit it is about (of a restore: at the tip).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paths<'a> {
    pub(crate) named: &'a [RepoPath],
    /// Which of them have another name at the tip than in the commit.
    pub(crate) renamed: &'a [Rename],
}

/// What the writer needs to know besides the kind of commit.
pub(crate) struct Context<'a> {
    /// What the configuration says.
    pub(crate) style: &'a Style,
    /// Who signs off, if anybody does.
    pub(crate) committer: &'a Signature,
    /// The abbreviation of an id that is unique in the repository.
    pub(crate) abbreviate: &'a dyn Fn(CommitId) -> String,
}

/// A commit message as it goes into the commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    /// The bytes, in `encoding`.
    pub(crate) text: BString,
    /// The `encoding` header that the commit must carry; `None` for UTF-8.
    pub(crate) encoding: Option<BString>,
    /// The first line before it was made UTF-8, which is what git puts into the reflog.
    first_line: BString,
    /// What a hook gets to see: the text before it was cleaned up.
    draft: BString,
    cleanup: Cleanup,
}

impl Message {
    /// This text as it stands.
    pub(crate) fn of_text(text: &str, style: &Style) -> Self {
        finish(encoding::from_utf8(text.as_bytes(), style), Cleanup::Verbatim, style)
    }

    /// The text before it was cleaned up, which is what git gives to a hook.
    pub(crate) fn draft(&self) -> &[u8] {
        &self.draft
    }

    /// The message that a hook has made of the draft. Like git's own, it may be empty.
    pub(crate) fn rewritten(&self, draft: &[u8], style: &Style) -> Self {
        finish(draft.into(), self.cleanup, style)
    }

    /// The message with one more trailer.
    pub(crate) fn with_trailer(mut self, trailer: &Trailer, style: &Style) -> Self {
        self.text = trailers::add(&self.text, std::slice::from_ref(trailer), style);
        self.draft = trailers::add(&self.draft, std::slice::from_ref(trailer), style);
        self
    }

    /// The reflog entry of the commit, such as `revert: Revert "X"`; `action` is git's word for the command, or what
    /// `GIT_REFLOG_ACTION` says.
    pub(crate) fn reflog_line(&self, action: &str) -> BString {
        reflog::line(action, &self.first_line)
    }
}

/// Writes the message of a commit that is not edited.
pub(crate) fn write(kind: CommitKind<'_>, options: &MessageOptions, context: &Context<'_>) -> Message {
    let style = context.style;
    finish(draft(kind, options, context), style.cleanup_of_unedited(options), style)
}

/// The message before clean-up: what git has in `MERGE_MSG` when it stops for a conflict (less the list of conflicts)
/// and what an editor is to show.
pub(crate) fn draft(kind: CommitKind<'_>, options: &MessageOptions, context: &Context<'_>) -> BString {
    let style = context.style;
    let mut text = match &options.text {
        Some(given) => encoding::from_utf8(given.as_bytes(), style),
        None => body(kind, options, context),
    };
    if let Some(reason) = &options.reason {
        text::push_paragraph(&mut text, &encoding::from_utf8(reason.trim_end().as_bytes(), style));
    }
    if let (true, CommitKind::Pick { commit } | CommitKind::PickPaths { commit, .. }) =
        (options.record_origin, kind)
    {
        trailers::record_origin(&mut text, commit.id, style);
    }
    if !options.trailers.is_empty() {
        text = trailers::add(&text, &options.trailers, style);
    }
    if options.signoff {
        trailers::sign_off(&mut text, context.committer, style);
    }
    text
}

/// The message that lands as the draft says, or as a hook has left it.
pub(crate) fn unedited(draft: &[u8], options: &MessageOptions, style: &Style) -> Message {
    finish(draft.into(), style.cleanup_of_unedited(options), style)
}

/// The message after the user edited `draft`; `None` where nothing is left of it, which git refuses.
pub(crate) fn edited(draft: &[u8], options: &MessageOptions, style: &Style) -> Option<Message> {
    let text = cleanup::of_edited(draft, style.cleanup_of_edited(options), style)?;
    Some(finish(text, Cleanup::Verbatim, style))
}

/// The text of `MERGE_MSG` after a stop: the draft and the list of paths in conflict.
pub(crate) fn merge_msg(
    draft: &[u8],
    options: &MessageOptions,
    style: &Style,
    conflicts: &[RepoPath],
) -> BString {
    conflicts::merge_msg(draft, style.cleanup_of_unedited(options), style, conflicts)
}

/// The `author` header of the commit that a pick makes: the picked commit's, in the encoding of the new one; `None`
/// where that has none.
pub(crate) fn author_of_pick(commit: &Commit, style: &Style) -> Option<BString> {
    encoding::author_of_pick(commit, style)
}

/// The first line of a message as git takes it for a subject: leading blank lines do not count.
pub(crate) fn subject(message: &[u8]) -> &[u8] {
    text::first_line(text::without_leading_blank_lines(message))
}

fn body(kind: CommitKind<'_>, options: &MessageOptions, context: &Context<'_>) -> BString {
    let reference = options.reference.unwrap_or(context.style.reference);
    match kind {
        CommitKind::Revert { commit, mainline } if reference => {
            revert::by_reference(commit, mainline, context)
        }
        CommitKind::Revert { commit, mainline } => revert::whole(commit, mainline, context.style),
        CommitKind::RevertPaths { commit, mainline, paths } => {
            scope::revert(commit, mainline, paths, context.style)
        }
        CommitKind::RevertPart { commit, mainline, paths, lines } => {
            scope::revert_part(commit, mainline, (paths, lines), context.style)
        }
        CommitKind::Pick { commit } => pick::whole(commit, context.style),
        CommitKind::PickPaths { commit, paths } => scope::pick(commit, paths, context.style),
        CommitKind::Restore { source, paths, discards } => restore::message(source, paths, discards, context),
        CommitKind::BackTo { state, paths, undone } => restore::back_to(state, paths, undone, context),
    }
}

/// Makes the text fit for a commit in the encoding of the style.
fn finish(draft: BString, cleanup: Cleanup, style: &Style) -> Message {
    let text = cleanup.apply(&draft, style);
    let first_line = text::first_line(&text).into();
    let encoding = style.commit_encoding.clone();
    let text = if encoding.is_some() { text } else { encoding::repaired_utf8(&text) };
    Message { text, encoding, first_line, draft, cleanup }
}

/// Appends `bytes` and a line feed.
fn push_line(text: &mut BString, bytes: &[u8]) {
    text.push_str(bytes);
    text.push_byte(b'\n');
}
