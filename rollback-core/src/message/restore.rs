//! The message of a commit that brings paths back from another commit, and that says whose edits it discards.

use bstr::{BString, ByteVec};

use super::{Context, Paths, encoding, push_line, revert, scope};
use crate::repo::Commit;

/// How many discarded commits are named; the receipt has all of them.
const NAMED: usize = 25;

pub(super) fn message(
    source: &Commit,
    paths: Paths<'_>,
    discards: &[Commit],
    context: &Context<'_>,
) -> BString {
    let mut out = BString::from("Restore ");
    out.push_str(scope::summary(paths.named, context.style));
    out.push_str(format!(" from {}\n", (context.abbreviate)(source.id)));
    out.push_str(format!("\nThis restores, as they are in commit {}:\n", source.id));
    scope::push_paths(&mut out, paths, context.style);
    if !discards.is_empty() {
        out.push_str("\nIt discards what these later commits changed there:\n");
        push_commits(&mut out, discards, context);
    }
    out
}

/// Says that everything, or `paths`, is brought back to what it is in `state`.
pub(super) fn back_to(state: &Commit, paths: Paths<'_>, undone: &[Commit], context: &Context<'_>) -> BString {
    let mut out = BString::from("Roll back ");
    if !paths.named.is_empty() {
        out.push_str(scope::summary(paths.named, context.style));
        out.push_byte(b' ');
    }
    out.push_str(format!("to {}\n", (context.abbreviate)(state.id)));
    match paths.named.is_empty() {
        true => {
            out.push_str(format!("\nThis brings all content back to what it is in commit {}.\n", state.id))
        }
        false => {
            out.push_str(format!("\nThis brings back to what it is in commit {}:\n", state.id));
            scope::push_paths(&mut out, paths, context.style);
        }
    }
    if !undone.is_empty() {
        out.push_str("\nIt takes back what these later commits changed:\n");
        push_commits(&mut out, undone, context);
    }
    out
}

fn push_commits(out: &mut BString, commits: &[Commit], context: &Context<'_>) {
    for commit in commits.iter().take(NAMED) {
        out.push_str("  ");
        // The subject of a reference keeps its commit's encoding; here, beside text of our own, it is converted.
        let converted =
            Commit { message: encoding::message_of(commit, context.style).into_owned(), ..commit.clone() };
        push_line(out, &revert::reference(&converted, context));
    }
    if commits.len() > NAMED {
        push_line(out, format!("  and {} more", commits.len() - NAMED).as_bytes());
    }
}
