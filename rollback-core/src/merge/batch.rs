//! Many merges in one go, in the words of `git merge-tree --write-tree --stdin --no-messages`: a line
//! `BASE -- OURS THEIRS` a merge, and an answer to each in their order.

use std::io::{BufRead, Write};

use bstr::{BStr, ByteSlice};

use super::{Engine, Labels, Merged, Options, Verdict};
use crate::conflict::Conflict;
use crate::error::{Error, Result};
use crate::id::{Entry, ObjectId, TreeId};
use crate::repo::Repo;

/// How a batch is answered.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct BatchOptions {
    /// End every part of an answer with a NUL instead of a newline, and quote no path (`-z`).
    pub nul: bool,
    /// How many threads merge; 0 and 1 both mean one.
    pub threads: usize,
}

/// Answers merges until `input` ends. A merge that needs review answers as a conflict without paths.
///
/// # Errors
/// [`Error::BadRequest`] for a line that is no merge, [`Error::UnknownRevision`] for a name that is no tree, and what
/// [`Engine::merge`] fails with; the answers before it have been given. [`Error::Io`] where reading or writing fails.
pub fn answer(
    repo: &Repo,
    options: &Options,
    mut input: impl BufRead,
    mut output: impl Write,
    batch: BatchOptions,
) -> Result<()> {
    let mut engine = Engine::new(repo, options.clone())?;
    let mut line = Vec::new();
    let failed = |action, error| Error::io(action, "the batch", error);
    while input
        .read_until(b'\n', &mut line)
        .map_err(|error| failed("read", error))?
        > 0
    {
        let request = Request::parse(repo, &mut engine, line.trim().as_bstr())?;
        let merged = engine.merge(
            request.trees[0],
            request.trees[1],
            request.trees[2],
            &request.labels,
        )?;
        output
            .write_all(&spell(&merged, batch.nul))
            .map_err(|error| failed("write", error))?;
        line.clear();
    }
    output.flush().map_err(|error| failed("write", error))
}

struct Request {
    trees: [TreeId; 3],
    labels: Labels,
}

impl Request {
    fn parse(repo: &Repo, engine: &mut Engine, line: &BStr) -> Result<Self> {
        let malformed = || Error::BadRequest(format!("malformed input line: '{line}'."));
        let words: Vec<&BStr> = line
            .split_str(" ")
            .filter(|word| !word.is_empty())
            .map(ByteSlice::as_bstr)
            .collect();
        let [base, dashes, ours, theirs] = words[..] else {
            return Err(malformed());
        };
        if dashes != "--" {
            return Err(malformed());
        }
        let names = [base, ours, theirs];
        let mut trees = Vec::with_capacity(3);
        for name in names {
            trees.push(tree(repo, engine, name)?);
        }
        Ok(Self {
            trees: trees.try_into().map_err(|_| malformed())?,
            labels: Labels::new(base, ours, theirs),
        })
    }
}

/// The tree that a name stands for.
fn tree(repo: &Repo, engine: &mut Engine, name: &BStr) -> Result<TreeId> {
    if let Some(id) = name
        .to_str()
        .ok()
        .and_then(|name| name.parse::<ObjectId>().ok())
    {
        return engine.tree_behind(id);
    }
    let local = repo.local();
    let unknown = |source| Error::UnknownRevision {
        spec: name.to_string(),
        source: Some(source),
    };
    let object = local
        .rev_parse_single(name)
        .and_then(|id| id.object())
        .map_err(|error| unknown(error.into()))?;
    engine.tree_behind(ObjectId(object.id))
}

fn spell(merged: &Merged, nul: bool) -> Vec<u8> {
    let end = if nul { b'\0' } else { b'\n' };
    let mut out = Vec::new();
    out.push(if merged.verdict == Verdict::Clean {
        b'1'
    } else {
        b'0'
    });
    out.push(end);
    out.extend_from_slice(merged.tree_id.to_string().as_bytes());
    out.push(end);
    for conflict in &merged.conflicts {
        spell_stages(conflict, nul, end, &mut out);
    }
    out.push(end);
    out
}

fn spell_stages(conflict: &Conflict, nul: bool, end: u8, out: &mut Vec<u8>) {
    let stages = [
        conflict.stages.base,
        conflict.stages.ours,
        conflict.stages.theirs,
    ];
    for (number, entry) in (1..).zip(stages) {
        let Some(Entry { mode, id }) = entry else {
            continue;
        };
        out.extend_from_slice(format!("{mode} {id} {number}\t").as_bytes());
        if nul {
            out.extend_from_slice(conflict.path.as_bytes());
        } else {
            quote(conflict.path.as_bytes(), out);
        }
        out.push(end);
    }
}

/// A path as git prints it: in double quotes with escapes where it holds anything out of the ordinary.
fn quote(path: &[u8], out: &mut Vec<u8>) {
    let ordinary = |byte: &u8| (0x20..0x7f).contains(byte) && *byte != b'"' && *byte != b'\\';
    if path.iter().all(ordinary) {
        out.extend_from_slice(path);
        return;
    }
    out.push(b'"');
    for byte in path {
        match byte {
            0x07 => out.extend_from_slice(b"\\a"),
            0x08 => out.extend_from_slice(b"\\b"),
            b'\t' => out.extend_from_slice(b"\\t"),
            b'\n' => out.extend_from_slice(b"\\n"),
            0x0b => out.extend_from_slice(b"\\v"),
            0x0c => out.extend_from_slice(b"\\f"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', *byte]),
            byte if ordinary(byte) => out.push(*byte),
            byte => out.extend_from_slice(format!("\\{byte:03o}").as_bytes()),
        }
    }
    out.push(b'"');
}
