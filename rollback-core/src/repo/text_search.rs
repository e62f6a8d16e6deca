//! `:/text`: the newest commit of all references whose message matches, as git looks for it.
//!
//! References below `refs/rb` are no history of the user: what rb keeps there is never found.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};

use regex::bytes::Regex;

use super::refs::References;
use crate::error::{Error, Result};

/// The newest commit that HEAD or a reference reaches and whose message matches; `text` may begin with `!-` for the
/// opposite and `!!` for an exclamation mark, as in git.
///
/// # Errors
/// [`Error::BadRequest`] for what is no regular expression;
/// [`RepositoryError::BadReferences`](crate::error::RepositoryError::BadReferences).
pub(super) fn newest_with(repo: &gix::Repository, text: &str) -> Result<Option<gix::ObjectId>> {
    let (negated, pattern) = match text.strip_prefix('!') {
        Some(rest) if rest.starts_with('!') => (false, rest),
        Some(rest) => match rest.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => return Ok(None),
        },
        None => (false, text),
    };
    let pattern = Regex::new(&format!("(?s){pattern}"))
        .map_err(|error| Error::BadRequest(format!("':/{text}' is no regular expression: {error}")))?;
    let mut queue = Queue::default();
    for id in tips(repo)? {
        queue.push(repo, id);
    }
    while let Some(id) = queue.pop() {
        let Ok(object) = repo.find_object(id) else { continue };
        let message = message(&object.data);
        if message.is_some_and(|message| pattern.is_match(message)) != negated {
            return Ok(Some(id));
        }
        let parents: Vec<_> =
            gix::objs::CommitRefIter::from_bytes(&object.data, id.kind()).parent_ids().collect();
        parents.into_iter().for_each(|parent| queue.push(repo, parent));
    }
    Ok(None)
}

/// What stands after the header.
fn message(commit: &[u8]) -> Option<&[u8]> {
    let end = commit.windows(2).position(|pair| pair == b"\n\n")?;
    Some(&commit[end + 2..])
}

/// What HEAD and all references name that are the user's.
fn tips(repo: &gix::Repository) -> Result<Vec<gix::ObjectId>> {
    let references = References::of(repo)?;
    let mut tips: Vec<_> = references.follow(b"HEAD").ok().flatten().into_iter().map(|id| id.0).collect();
    for (name, id) in references.below("refs/")? {
        if !name.starts_with(b"refs/rb/") {
            tips.push(id.0);
        }
    }
    Ok(tips)
}

/// Commits, newest first; of equally old ones those that came first.
#[derive(Default)]
struct Queue {
    heap: BinaryHeap<(i64, Reverse<usize>, gix::ObjectId)>,
    seen: HashSet<gix::ObjectId>,
}

impl Queue {
    fn push(&mut self, repo: &gix::Repository, id: gix::ObjectId) {
        let mut id = id;
        // Tags stand for what they name.
        while self.seen.insert(id) {
            let Ok(object) = repo.find_object(id) else { return };
            match object.kind {
                gix::objs::Kind::Commit => {
                    let fields = gix::objs::CommitRefIter::from_bytes(&object.data, id.kind());
                    let seconds = fields.committer().map(|committer| committer.seconds()).unwrap_or_default();
                    self.heap.push((seconds, Reverse(self.seen.len()), id));
                    return;
                }
                gix::objs::Kind::Tag => {
                    match gix::objs::TagRefIter::from_bytes(&object.data, id.kind()).target_id() {
                        Ok(target) => id = target,
                        Err(_) => return,
                    }
                }
                _ => return,
            }
        }
    }

    fn pop(&mut self) -> Option<gix::ObjectId> {
        self.heap.pop().map(|(.., id)| id)
    }
}
