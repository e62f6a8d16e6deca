//! The attributes of a path, from where git's merge reads them: the files of the work tree, `info/attributes`
//! and `core.attributesFile`; in a bare repository no `.gitattributes` of any commit, unless `attr.tree`
//! names a tree. A merge that renormalises takes the file at the root from the merge itself.

use bstr::{BString, ByteSlice};
use gix::attrs::StateRef;
use gix::worktree::stack::state::attributes::Source;

use super::eol::Conversion;
use crate::error::{Error, Result};
use crate::path::RepoPath;
use crate::repo::Objects;
use crate::repo::revision::tree_named;

/// The file with the attributes of a whole tree.
pub(super) const ROOT_FILE: &[u8] = b".gitattributes";

/// How long a conflict marker is where nothing says so.
const MARKER_SIZE: usize = 7;

/// What the attributes say of one path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct PathAttributes {
    pub(super) merge: State,
    /// The `diff` attribute, which also says whether a file is text.
    pub(super) diff: State,
    /// How long a conflict marker is.
    pub(super) marker_size: MarkerSize,
    pub(super) conversion: Conversion,
}

const NAMES: [&str; 9] = [
    "merge",
    "diff",
    "conflict-marker-size",
    "text",
    "crlf",
    "eol",
    "ident",
    "filter",
    "working-tree-encoding",
];

/// A number of letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MarkerSize(pub(crate) usize);

impl Default for MarkerSize {
    fn default() -> Self {
        Self(MARKER_SIZE)
    }
}

/// How long the conflict markers of each file are (`conflict-marker-size`).
pub(crate) struct MarkerSizes<'a> {
    objects: &'a Objects,
    attributes: Attributes,
}

impl<'a> MarkerSizes<'a> {
    pub(crate) fn of(objects: &'a Objects) -> Result<Self> {
        Ok(Self { objects, attributes: Attributes::new(objects.gix())? })
    }

    pub(crate) fn at(&mut self, path: &RepoPath) -> Result<MarkerSize> {
        Ok(self.attributes.of(path.as_bytes(), &self.objects.gix().objects)?.marker_size)
    }
}

/// Which drivers of the `diff` attribute say that a file is binary, or is not (`diff.<driver>.binary`).
pub(super) struct BinaryDiffs(Vec<(BString, bool)>);

impl BinaryDiffs {
    pub(super) fn of(repo: &gix::Repository) -> Self {
        let config = repo.config_snapshot();
        let sections = config.plumbing().sections_by_name("diff").into_iter().flatten();
        let mut names: Vec<BString> =
            sections.filter_map(|section| Some(section.header().subsection_name()?.to_owned())).collect();
        names.sort();
        names.dedup();
        let binary = |name: &BString| config.boolean(format!("diff.{name}.binary").as_str());
        Self(
            names
                .into_iter()
                .filter_map(|name| Some((binary(&name)?, name)))
                .map(|(on, name)| (name, on))
                .collect(),
        )
    }

    /// Whether the `diff` attribute says that a file is binary, or is not; `None` leaves it to the content.
    pub(super) fn declared(&self, diff: &State) -> Option<bool> {
        match diff {
            State::Unspecified => None,
            State::Set => Some(false),
            State::Unset => Some(true),
            State::Value(name) => self.0.iter().find(|(driver, _)| driver == name).map(|(_, binary)| *binary),
        }
    }
}

/// What the attributes say about how files are shown.
pub(crate) struct DiffAttributes {
    attributes: Attributes,
    binary: BinaryDiffs,
}

impl DiffAttributes {
    pub(crate) fn new(objects: &Objects) -> Result<Self> {
        Ok(Self { attributes: Attributes::new(objects.gix())?, binary: BinaryDiffs::of(objects.gix()) })
    }

    /// Whether the attributes of a path say that it is binary, or is not.
    pub(crate) fn declared_binary(&mut self, objects: &Objects, path: &RepoPath) -> Result<Option<bool>> {
        let attributes = self.attributes.of(path.as_bytes(), &objects.gix().objects)?;
        Ok(self.binary.declared(&attributes.diff))
    }
}

/// The state of an attribute.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum State {
    #[default]
    Unspecified,
    Set,
    Unset,
    Value(BString),
}

/// The attributes of a repository; directories are read when a path in them is asked for.
pub(super) struct Attributes {
    stack: gix::worktree::Stack,
}

impl Attributes {
    pub(super) fn new(repo: &gix::Repository) -> Result<Self> {
        let index = gix::index::State::new(repo.object_hash());
        Self::over(repo, index, Source::WorktreeThenIdMapping.adjust_for_bare(repo.is_bare()))
    }

    /// As [`Self::new`], but the file at the root is this blob, whatever the work tree has.
    pub(super) fn with_root(repo: &gix::Repository, root: gix::ObjectId) -> Result<Self> {
        let mut index = gix::index::State::new(repo.object_hash());
        let (stat, flags) = (Default::default(), gix::index::entry::Flags::empty());
        index.dangerously_push_entry(stat, root, flags, gix::index::entry::Mode::FILE, ROOT_FILE.as_bstr());
        Self::over(repo, index, Source::IdMappingThenWorktree)
    }

    /// The attributes by these sources, or of the tree that `attr.tree` names, which replaces them.
    fn over(repo: &gix::Repository, index: gix::index::State, source: Source) -> Result<Self> {
        let unreadable = |error: gix::Error| Error::internal("cannot read the attributes", error);
        let named_tree =
            repo.config_snapshot().string("attr.tree").and_then(|name| tree_named(repo, name.to_str().ok()?));
        let (index, source) = match named_tree {
            Some(tree) => {
                (repo.index_from_tree(&tree).map_err(unreadable)?.into_parts().0, Source::IdMapping)
            }
            None => (index, source),
        };
        let stack = repo.attributes_only(&index, source).map_err(unreadable)?.detach();
        Ok(Self { stack })
    }

    pub(super) fn of(&mut self, path: &[u8], objects: &impl gix::objs::Find) -> Result<PathAttributes> {
        let unreadable =
            |error: std::io::Error| Error::io("read the attributes of", path.to_path_lossy(), error);
        // Entering the folder may teach the stack names that the outcome must know.
        let _ = self.stack.at_entry(path.as_bstr(), None, objects).map_err(unreadable)?;
        let mut outcome = self.stack.selected_attribute_matches(NAMES);
        let place = self.stack.at_entry(path.as_bstr(), None, objects).map_err(unreadable)?;
        if !place.matching_attributes(&mut outcome) {
            return Ok(PathAttributes::default());
        }
        let states: Vec<State> =
            outcome.iter_selected().map(|found| State::from(found.assignment.state)).collect();
        let [merge, diff, size, text, crlf, eol, ident, filter, encoding] =
            <[State; 9]>::try_from(states).expect("as many attributes were selected");
        let marker_size = match size {
            State::Value(digits) => leading_number(&digits).filter(|size| *size > 0).map(MarkerSize),
            _ => None,
        };
        let marker_size = marker_size.unwrap_or_default();
        Ok(PathAttributes {
            merge,
            diff,
            marker_size,
            conversion: Conversion { text, crlf, eol, ident, filter, encoding },
        })
    }
}

impl From<StateRef<'_>> for State {
    fn from(state: StateRef<'_>) -> Self {
        match state {
            StateRef::Unspecified => Self::Unspecified,
            StateRef::Set => Self::Set,
            StateRef::Unset => Self::Unset,
            StateRef::Value(value) => Self::Value(value.as_bstr().to_owned()),
        }
    }
}

/// The number that a text begins with, as C's `atoi` reads it.
fn leading_number(text: &[u8]) -> Option<usize> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    text[..digits].to_str().ok()?.parse().ok()
}
