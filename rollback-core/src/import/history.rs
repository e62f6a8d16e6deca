//! The objects and references that a stream describes.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;

use bstr::{BStr, BString, ByteSlice};
use gix::objs::{Kind, Write};

use super::stream::{self, Reader};
use super::tree::{Folder, Node};
use crate::error::{Error, Result};
use crate::id::{Entry, EntryKind, EntryMode, ObjectId, TreeId};

/// What a stream comes to.
pub(super) struct History {
    /// Every branch that a command named, with the tree at its tip.
    branches: BTreeMap<BString, Tip>,
    tags: BTreeMap<BString, ObjectId>,
}

/// A commit and what lies in its tree.
#[derive(Clone)]
struct Tip {
    commit: ObjectId,
    tree: ObjectId,
    folder: Folder,
}

/// What a mark stands for.
enum Marked {
    Blob(ObjectId),
    Commit(Tip),
}

/// Reads the stream and writes its objects.
pub(super) fn read(repo: &gix::Repository, stream: &[u8]) -> Result<History> {
    let mut import = Import {
        repo,
        reader: Reader::new(stream),
        marks: HashMap::new(),
        history: History { branches: BTreeMap::new(), tags: BTreeMap::new() },
    };
    while let Some(command) = import.reader.command() {
        let (word, argument) = command.split_once_str(" ").unwrap_or((command, b""));
        match word {
            b"blob" => import.blob()?,
            b"commit" => import.commit(argument.as_bstr())?,
            b"reset" => import.reset(argument.as_bstr())?,
            b"tag" => import.tag(argument.as_bstr())?,
            b"done" => break,
            _ => return Err(import.reader.error(format!("'{}' is not understood", word.as_bstr()))),
        }
    }
    Ok(import.history)
}

impl History {
    pub(super) fn tree_of_branch(&self, branch: &str) -> Result<TreeId> {
        self.branches
            .get(format!("refs/heads/{branch}").as_bytes().as_bstr())
            .map(|tip| TreeId(tip.tree))
            .ok_or_else(|| Error::BadRequest(format!("the history has no branch '{branch}'")))
    }

    /// Writes each reference into a file of its own.
    pub(super) fn write_references(&self, git_dir: &Path) -> Result<()> {
        let branches = self.branches.iter().map(|(name, tip)| (name, tip.commit));
        for (name, id) in branches.chain(self.tags.iter().map(|(name, id)| (name, *id))) {
            let path = git_dir.join(name.to_path_lossy());
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder).map_err(|source| Error::io("create", folder, source))?;
            }
            super::write(&path, format!("{id}\n").as_bytes())?;
        }
        Ok(())
    }
}

struct Import<'a> {
    repo: &'a gix::Repository,
    reader: Reader<'a>,
    marks: HashMap<usize, Marked>,
    history: History,
}

impl<'a> Import<'a> {
    fn blob(&mut self) -> Result<()> {
        let mark = self.mark()?;
        let id = self.inline_blob()?;
        self.remember(mark, Marked::Blob(id));
        Ok(())
    }

    fn commit(&mut self, reference: &BStr) -> Result<()> {
        let name = self.reference(reference, "refs/heads/")?;
        let mark = self.mark()?;
        let author = self.reader.optional("author ");
        let committer = self.reader.required("committer ")?;
        let encoding = self.reader.optional("encoding ");
        let message = self.reader.data()?;
        let mut parents = Vec::new();
        let mut folder = Folder::default();
        let parent = match self.reader.optional("from ") {
            Some(from) => Some(self.tip(from)?),
            None => self.history.branches.get(&name).cloned(),
        };
        if let Some(parent) = parent {
            parents.push(parent.commit);
            folder = parent.folder;
        }
        while let Some(merged) = self.reader.optional("merge ") {
            parents.push(self.tip(merged)?.commit);
        }
        while let Some(change) = self.reader.change() {
            self.change(&mut folder, change)?;
        }

        let tree = folder.write(self.repo)?;
        let mut raw = format!("tree {tree}\n").into_bytes();
        parents.iter().for_each(|parent| raw.extend_from_slice(format!("parent {parent}\n").as_bytes()));
        push_header(&mut raw, "author", author.unwrap_or(committer));
        push_header(&mut raw, "committer", committer);
        if let Some(encoding) = encoding {
            push_header(&mut raw, "encoding", encoding);
        }
        raw.push(b'\n');
        raw.extend_from_slice(message);
        let tip = Tip { commit: self.write(Kind::Commit, &raw)?, tree, folder };
        self.remember(mark, Marked::Commit(tip.clone()));
        self.history.branches.insert(name, tip);
        Ok(())
    }

    fn reset(&mut self, reference: &BStr) -> Result<()> {
        let name = self.reference(reference, "refs/heads/")?;
        match self.reader.optional("from ") {
            Some(from) => {
                let tip = self.tip(from)?;
                self.history.branches.insert(name, tip);
            }
            None => {
                self.history.branches.remove(&name);
            }
        }
        Ok(())
    }

    fn tag(&mut self, tag: &BStr) -> Result<()> {
        let name = self.reference(format!("refs/tags/{tag}").as_bytes().as_bstr(), "refs/tags/")?;
        let from = self.reader.required("from ")?;
        let target = self.tip(from)?.commit;
        let tagger = self.reader.required("tagger ")?;
        let mut raw = format!("object {target}\ntype commit\n").into_bytes();
        push_header(&mut raw, "tag", tag);
        push_header(&mut raw, "tagger", tagger);
        raw.push(b'\n');
        raw.extend_from_slice(self.reader.data()?);
        let id = self.write(Kind::Tag, &raw)?;
        self.history.tags.insert(name, id);
        Ok(())
    }

    fn change(&mut self, folder: &mut Folder, change: &'a BStr) -> Result<()> {
        let (kind, argument) = change.split_at(change.len().min(2));
        match kind {
            b"M " => self.modify(folder, argument),
            b"D " => {
                let (path, _) = self.path(argument, false)?;
                folder.remove(&path);
                Ok(())
            }
            b"R " | b"C " => {
                let (from, rest) = self.path(argument, true)?;
                let (to, _) = self.path(rest, false)?;
                let node = if kind == b"R " { folder.remove(&from) } else { folder.find(&from).cloned() };
                let node = node.ok_or_else(|| self.reader.error(format!("there is no '{from}'")))?;
                folder.set(&to, node);
                Ok(())
            }
            _ if change == "deleteall" => {
                *folder = Folder::default();
                Ok(())
            }
            _ => Err(self.reader.error(format!("'{change}' is not understood"))),
        }
    }

    fn modify(&mut self, folder: &mut Folder, argument: &'a [u8]) -> Result<()> {
        let malformed = |reader: &Reader<'_>| reader.error("a mode, a blob and a path are needed");
        let (mode, rest) = argument.split_once_str(" ").ok_or_else(|| malformed(&self.reader))?;
        let (blob, path) = rest.split_once_str(" ").ok_or_else(|| malformed(&self.reader))?;
        let mode = file_mode(mode)
            .ok_or_else(|| self.reader.error(format!("'{}' is not the mode of a file", mode.as_bstr())))?;
        let (path, _) = self.path(path, false)?;
        let id = match blob {
            b"inline" => self.inline_blob()?,
            _ => match self.marked(blob)? {
                Marked::Blob(id) => *id,
                Marked::Commit(_) => return Err(self.reader.error("the mark is a commit's, not a blob's")),
            },
        };
        folder.set(&path, Node::Entry(Entry { mode, id }));
        Ok(())
    }

    fn path<'t>(
        &self,
        text: &'t [u8],
        another_follows: bool,
    ) -> Result<(std::borrow::Cow<'t, BStr>, &'t [u8])> {
        let whole =
            |path: &BStr| path.split_str("/").all(|part| !matches!(part, b"" | b"." | b".." | b".git"));
        stream::path(text, another_follows)
            .filter(|(path, _)| whole(path))
            .ok_or_else(|| self.reader.error(format!("'{}' is not a path", text.as_bstr())))
    }

    fn mark(&mut self) -> Result<Option<usize>> {
        let Some(mark) = self.reader.optional("mark :") else { return Ok(None) };
        stream::number(mark).map(Some).ok_or_else(|| self.reader.error(format!("'{mark}' is not a mark")))
    }

    fn remember(&mut self, mark: Option<usize>, what: Marked) {
        self.marks.extend(mark.map(|mark| (mark, what)));
    }

    fn marked(&self, text: &[u8]) -> Result<&Marked> {
        text.strip_prefix(b":")
            .and_then(stream::number)
            .and_then(|mark| self.marks.get(&mark))
            .ok_or_else(|| self.reader.error(format!("'{}' is not a mark that was set", text.as_bstr())))
    }

    /// The commit that a mark or a branch stands for.
    fn tip(&self, text: &BStr) -> Result<Tip> {
        if let Some(tip) = self.history.branches.get(text) {
            return Ok(tip.clone());
        }
        match self.marked(text)? {
            Marked::Commit(tip) => Ok(tip.clone()),
            Marked::Blob(_) => Err(self.reader.error("the mark is a blob's, not a commit's")),
        }
    }

    fn reference(&self, name: &BStr, below: &str) -> Result<BString> {
        let valid = name.starts_with(below.as_bytes()) && gix::validate::reference::name(name).is_ok();
        if !valid {
            return Err(self.reader.error(format!("'{name}' is not a reference below {below}")));
        }
        Ok(name.to_owned())
    }

    fn inline_blob(&mut self) -> Result<ObjectId> {
        let content = self.reader.data()?;
        self.write(Kind::Blob, content)
    }

    fn write(&self, kind: Kind, bytes: &[u8]) -> Result<ObjectId> {
        self.repo
            .objects
            .write_buf(kind, bytes)
            .map(ObjectId)
            .map_err(|error| Error::internal(format!("cannot write a {kind}"), error))
    }
}

fn push_header(raw: &mut Vec<u8>, name: &str, value: &BStr) {
    raw.extend_from_slice(name.as_bytes());
    raw.push(b' ');
    raw.extend_from_slice(value);
    raw.push(b'\n');
}

/// The mode of a file or a symbolic link; `644` and `755` are short for theirs.
fn file_mode(text: &[u8]) -> Option<EntryMode> {
    let mode = match text {
        b"644" => EntryMode::BLOB,
        b"755" => EntryMode::EXECUTABLE,
        _ => EntryMode::from_bits(u16::from_str_radix(text.to_str().ok()?, 8).ok()?),
    };
    let is_file = matches!(mode.kind(), EntryKind::Blob | EntryKind::Executable | EntryKind::Symlink);
    (is_file && mode == mode.canonical()).then_some(mode)
}
