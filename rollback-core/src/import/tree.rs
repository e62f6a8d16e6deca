//! The tree of a commit while it is built.

use std::collections::BTreeMap;

use bstr::BString;
use gix::objs::Write;

use crate::error::{Error, Result};
use crate::id::{Entry, EntryMode, ObjectId};

/// A folder: what lies in it, by name.
#[derive(Clone, Default)]
pub(super) struct Folder(BTreeMap<BString, Node>);

/// What a name in a folder stands for.
#[derive(Clone)]
pub(super) enum Node {
    Folder(Folder),
    Entry(Entry),
}

impl Folder {
    /// Puts a node where the path says; folders are made, and a file in the way of one goes.
    pub(super) fn set(&mut self, path: &[u8], node: Node) {
        match split(path) {
            (name, None) => {
                self.0.insert(name.into(), node);
            }
            (name, Some(rest)) => {
                let child = self.0.entry(name.into()).or_insert_with(|| Node::Folder(Self::default()));
                if let Node::Entry(_) = child {
                    *child = Node::Folder(Self::default());
                }
                if let Node::Folder(folder) = child {
                    folder.set(rest, node);
                }
            }
        }
    }

    /// Takes out what the path names; folders that are empty then are left out when the tree is written.
    pub(super) fn remove(&mut self, path: &[u8]) -> Option<Node> {
        match split(path) {
            (name, None) => self.0.remove(name),
            (name, Some(rest)) => match self.0.get_mut(name)? {
                Node::Folder(folder) => folder.remove(rest),
                Node::Entry(_) => None,
            },
        }
    }

    pub(super) fn find(&self, path: &[u8]) -> Option<&Node> {
        match split(path) {
            (name, None) => self.0.get(name),
            (name, Some(rest)) => match self.0.get(name)? {
                Node::Folder(folder) => folder.find(rest),
                Node::Entry(_) => None,
            },
        }
    }

    /// Writes the trees of this folder and all below it, and returns the id of its own.
    pub(super) fn write(&self, repo: &gix::Repository) -> Result<ObjectId> {
        self.write_unless_empty(repo).and_then(|id| match id {
            Some(id) => Ok(id),
            None => write_tree(repo, Vec::new()),
        })
    }

    fn write_unless_empty(&self, repo: &gix::Repository) -> Result<Option<ObjectId>> {
        let mut entries = Vec::with_capacity(self.0.len());
        for (name, node) in &self.0 {
            let entry = match node {
                Node::Entry(entry) => *entry,
                Node::Folder(folder) => match folder.write_unless_empty(repo)? {
                    Some(id) => Entry { mode: EntryMode::TREE, id },
                    None => continue,
                },
            };
            let mode = gix::objs::tree::EntryMode::try_from(u32::from(entry.mode.bits()))
                .map_err(|mode| Error::BadRequest(format!("{mode:o} is not a mode")))?;
            entries.push(gix::objs::tree::Entry { mode, filename: name.clone(), oid: entry.id.0 });
        }
        if entries.is_empty() {
            return Ok(None);
        }
        entries.sort();
        write_tree(repo, entries).map(Some)
    }
}

fn write_tree(repo: &gix::Repository, entries: Vec<gix::objs::tree::Entry>) -> Result<ObjectId> {
    repo.objects
        .write(&gix::objs::Tree { entries })
        .map(ObjectId)
        .map_err(|error| Error::internal("cannot write a tree", error))
}

fn split(path: &[u8]) -> (&[u8], Option<&[u8]>) {
    match path.iter().position(|byte| *byte == b'/') {
        Some(slash) => (&path[..slash], Some(&path[slash + 1..])),
        None => (path, None),
    }
}
