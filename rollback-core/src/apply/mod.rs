//! The only room that writes the repository: it takes a finished result and lands it.
//!
//! Nothing is decided here. The order of writes makes every moment recoverable: objects, staged files and
//! the journal first, then git's locks, then a second look at everything under them, then the swaps in
//! the work tree, then the index, and last the reference, whose rename is the commit point. What precedes
//! it is taken back on any failure; what follows is finished by [`recover`].
//!
//! Never: a file of the work tree truncated or unlinked, a lock of another process removed, an untouched
//! path written, an object named before it is on the disk.

mod anchor;
mod build;
pub(crate) mod changes;
mod commit;
mod compact;
mod conflict_cache;
pub(crate) mod content;
pub(crate) mod durable;
mod emptied;
mod exact;
pub(crate) mod folder;
mod hooks;
mod hostile;
mod index_edit;
mod inspect;
mod keep;
mod land;
#[cfg(feature = "procedures")]
mod lease;
mod lock;
pub(crate) mod log;
mod merges;
mod objects;
mod outside;
#[cfg(feature = "procedures")]
mod outside_file;
mod own;
mod plan;
mod point;
mod preflight;
mod records;
mod recover;
mod reference;
#[cfg(feature = "procedures")]
mod run_files;
mod size;
mod stage;
mod swap;
mod table_landing;
mod tables;

pub(crate) use build::words_of;
pub(crate) use commit::NewCommit;
pub(crate) use conflict_cache::ConflictCache;
pub(crate) use durable::read_if_there;
pub(crate) use exact::{Exact, FileBytes, Sides};
pub(crate) use folder::{Attributes, FileInfo, FileKind, Folder, Parent, parent_of, read_below, remove_tree};
pub(crate) use hooks::{CommitHooks, message_file, write_message_file};
pub(crate) use hostile::{check_entry, check_path};
pub(crate) use index_edit::{entries_at, same_entries};
pub(crate) use inspect::{Expected, Look, Onlooker, Standing, View, fingerprint};
pub(crate) use land::open_root;
pub(crate) use land::{LandOptions, Landing, check, check_in_the_way, land};
#[cfg(feature = "procedures")]
pub(crate) use lease::{Lease, Leased};
pub(crate) use lock::LandingLock;
pub(crate) use objects::{BlobStore, Keeping};
pub(crate) use outside::{OutsideChange, OutsideRow, OutsideThing, check_outside};
#[cfg(feature = "procedures")]
pub(crate) use outside_file::replace_outside;
pub(crate) use own::OwnFolder;
pub(crate) use preflight::{Beside, Need, preflight, refuse_unwritable};
pub(crate) use recover::{operation_left, recover};
pub(crate) use reference::RefUpdate;
#[cfg(feature = "procedures")]
pub(crate) use run_files::stays_in_its_folder;
pub(crate) use size::Size;

#[cfg(test)]
#[path = "../../tests/apply/mod.rs"]
mod tests;
