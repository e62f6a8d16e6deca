//! How much of a file is in memory while it is written, and the refusal of what would be too much.
//!
//! Nothing here writes.

use super::changes::Change;
use super::content::Content;
use super::inspect::Found;
use crate::error::Result;
use crate::id::Entry;
use crate::path::RepoPath;
use crate::repo::Objects;
use crate::repo::index::Index;

/// How much of a file is in memory while it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Size {
    /// All of it.
    Whole,
    /// A piece: it is larger than `core.bigFileThreshold`, nothing converts it, and it is no delta.
    InPieces,
}

impl Size {
    /// How the file at `path` is written; without `content` nothing converts it.
    ///
    /// # Errors
    /// [`Error::TooLarge`](crate::Error::TooLarge), naming the path, where it would have to be in memory
    /// whole and may not.
    pub(crate) fn of(
        path: &RepoPath,
        entry: Entry,
        objects: &Objects,
        content: Option<&mut Content<'_>>,
    ) -> Result<Self> {
        let size = objects.blob_size(entry.id)?;
        if size > objects.streaming_threshold()?
            && content.map_or(Ok(true), |content| content.leaves_as_is(path))?
            && objects.is_stored_whole(entry.id)
        {
            return Ok(Self::InPieces);
        }
        objects.refuse_too_large(path, size).map(|()| Self::Whole)
    }
}

/// Refuses the first file that is too large to be written, before anything is.
///
/// `result` is the index whose attributes count; without one nothing is converted.
///
/// # Errors
/// As [`Size::of`].
pub(crate) fn refuse_too_large(
    objects: &Objects,
    result: Option<&Index>,
    changes: &[Change],
    found: &[Found],
) -> Result<()> {
    let limit = objects.blob_limit()?;
    let mut content = None;
    for (change, found) in changes.iter().zip(found) {
        let Some(new) = change.new.filter(|new| new.mode.is_file() && *found != Found::Skipped) else {
            continue;
        };
        // What a partial clone lacks is fetched before it is written, and looked at then.
        if objects.lacks_promised(new.id) || objects.blob_size(new.id)? <= limit {
            continue;
        }
        if let (None, Some(index)) = (&content, result) {
            content = Some(Content::of_result(objects, index, changes)?);
        }
        Size::of(&change.path, new, objects, content.as_mut())?;
    }
    Ok(())
}
