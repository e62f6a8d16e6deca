//! Many merges in one go, in the words of `git merge-tree --write-tree --stdin --no-messages`: a line
//! `BASE -- OURS THEIRS` a merge, and an answer to each in their order.

use std::io::{BufRead, Write};
use std::rc::Rc;
use std::sync::mpsc;

use bstr::{BStr, ByteSlice};

use super::pack::PackFiles;
use super::{Engine, Labels, Merged, Options, Verdict};
use crate::conflict::Conflict;
use crate::error::{Error, Result, RevisionError};
use crate::id::{Entry, ObjectId, TreeId};
use crate::path::quoted_as_git;
use crate::repo::revision::object_named;
use crate::repo::{NewObjects, Repo};

/// How a batch is answered.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct BatchOptions {
    /// End every part of an answer with a NUL instead of a newline, and quote no path (`-z`).
    pub nul: bool,
    /// How many threads merge; 0 and 1 both mean one. Several read ahead: a caller that waits for an answer before the
    /// next question must ask for one.
    pub threads: usize,
}

/// Answers merges until `input` ends. A merge that needs review answers as a conflict without paths.
///
/// # Errors
/// [`Error::BadRequest`] for a line that is no merge, [`RevisionError::Unknown`] for a name that is no tree, and what
/// [`Engine::merge`] fails with; the answers before it have been given. [`Error::Io`] where reading or writing fails.
pub fn answer(
    repo: &Repo,
    options: &Options,
    input: impl BufRead,
    output: impl Write,
    batch: BatchOptions,
) -> Result<()> {
    if batch.threads > 1 {
        return answer_in_parallel(repo, options, input, output, batch);
    }
    let engine = Engine::new(repo, options.clone())?;
    answer_with(engine, repo, input, output, batch, &mut |_| Ok(()))
}

/// As [`answer`] with one thread, and hands what each merge creates to `keep` before its answer is given.
pub(crate) fn answer_and_keep(
    repo: &Repo,
    options: &Options,
    input: impl BufRead,
    output: impl Write,
    batch: BatchOptions,
    keep: &mut dyn FnMut(NewObjects) -> Result<()>,
) -> Result<()> {
    let objects = Rc::new(repo.objects());
    let engine = Engine::over(objects.clone(), options.clone())?;
    answer_with(engine, repo, input, output, batch, &mut |_| keep(objects.take_new()))
}

fn answer_with(
    mut engine: Engine,
    repo: &Repo,
    mut input: impl BufRead,
    mut output: impl Write,
    batch: BatchOptions,
    merged: &mut dyn FnMut(&Merged) -> Result<()>,
) -> Result<()> {
    let mut line = Vec::new();
    while read_line(&mut input, &mut line)? {
        let result = Request::parse(repo, &mut engine, &line)?.merge(&mut engine)?;
        merged(&result)?;
        write(&mut output, &spell(&result, batch.nul))?;
    }
    flush(&mut output)
}

fn flush(output: &mut impl Write) -> Result<()> {
    output.flush().map_err(|error| Error::io("write", "the batch", error))
}

/// How many lines a thread takes at once, and how many such batches wait for each thread.
const LINES_AT_ONCE: usize = 16;
const WAITING: usize = 4;

fn answer_in_parallel(
    repo: &Repo,
    options: &Options,
    mut input: impl BufRead,
    mut output: impl Write,
    batch: BatchOptions,
) -> Result<()> {
    let packs = PackFiles::open(&repo.local());
    std::thread::scope(|scope| {
        // Each thread has a queue of its own and batches go round, so that answers come back in order.
        let mut queues = Vec::new();
        for _ in 0..batch.threads {
            let (give, lines) = mpsc::sync_channel::<Vec<Vec<u8>>>(WAITING);
            let (answers, take) = mpsc::sync_channel::<Answer>(WAITING + 2);
            let packs = packs.clone();
            let engine = move || Engine::sharing(packs, repo, options.clone());
            let worker = move || work(repo, engine, batch.nul, &lines, &answers);
            match std::thread::Builder::new().spawn_scoped(scope, worker) {
                Ok(_) => queues.push((give, take)),
                // Fewer threads are slower, and answer the same.
                Err(_) if !queues.is_empty() => break,
                Err(error) => return Err(Error::io("start a thread for", "the merges", error)),
            }
        }
        let (mut given, mut taken) = (0, 0);
        let take = |taken: usize, output: &mut dyn Write| {
            let lost = || Error::Internal { context: "a merge thread ended early".into(), source: None };
            let answer = queues[taken % queues.len()].1.recv().map_err(|_| lost())?;
            write(output, &answer.bytes)?;
            answer.failure.map_or(Ok(()), Err)
        };
        loop {
            let mut lines = Vec::with_capacity(LINES_AT_ONCE);
            let mut line = Vec::new();
            while lines.len() < LINES_AT_ONCE && read_line(&mut input, &mut line)? {
                lines.push(std::mem::take(&mut line));
            }
            if lines.is_empty() {
                break;
            }
            if given - taken >= queues.len() * WAITING {
                take(taken, &mut output)?;
                taken += 1;
            }
            // A thread that failed has said so in its last answer, which is still to be taken.
            let _ = queues[given % queues.len()].0.send(lines);
            given += 1;
        }
        while taken < given {
            take(taken, &mut output)?;
            taken += 1;
        }
        flush(&mut output)
    })
}

/// The answers to a batch of lines, up to the one that failed.
#[derive(Default)]
struct Answer {
    bytes: Vec<u8>,
    failure: Option<Error>,
}

fn work(
    repo: &Repo,
    engine: impl FnOnce() -> Result<Engine>,
    nul: bool,
    lines: &mpsc::Receiver<Vec<Vec<u8>>>,
    answers: &mpsc::SyncSender<Answer>,
) {
    let mut engine = engine();
    for lines in lines {
        let mut answer = Answer::default();
        match &mut engine {
            Ok(engine) => answer.failure = answer_lines(repo, engine, nul, &lines, &mut answer.bytes).err(),
            Err(error) => answer.failure = Some(std::mem::replace(error, Error::Cancelled)),
        }
        let failed = answer.failure.is_some();
        // After another thread's failure no answer is read.
        if answers.send(answer).is_err() || failed {
            return;
        }
    }
}

fn answer_lines(
    repo: &Repo,
    engine: &mut Engine,
    nul: bool,
    lines: &[Vec<u8>],
    to: &mut Vec<u8>,
) -> Result<()> {
    for line in lines {
        let merged = Request::parse(repo, engine, line)?.merge(engine)?;
        to.extend(spell(&merged, nul));
    }
    Ok(())
}

fn read_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> Result<bool> {
    line.clear();
    let read = input.read_until(b'\n', line).map_err(|error| Error::io("read", "the batch", error))?;
    Ok(read > 0)
}

fn write(output: &mut (impl Write + ?Sized), answer: &[u8]) -> Result<()> {
    output.write_all(answer).map_err(|error| Error::io("write", "the batch", error))
}

struct Request {
    trees: [TreeId; 3],
    labels: Labels,
}

impl Request {
    fn parse(repo: &Repo, engine: &mut Engine, line: &[u8]) -> Result<Self> {
        let line = line.trim().as_bstr();
        let malformed = || Error::BadRequest(format!("malformed input line: '{line}'."));
        let words: Vec<&BStr> =
            line.split_str(" ").filter(|word| !word.is_empty()).map(ByteSlice::as_bstr).collect();
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

impl Request {
    fn merge(&self, engine: &mut Engine) -> Result<Merged> {
        engine.merge(self.trees[0], self.trees[1], self.trees[2], &self.labels)
    }
}

/// The tree that a name stands for.
fn tree(repo: &Repo, engine: &mut Engine, name: &BStr) -> Result<TreeId> {
    if let Some(id) = name.to_str().ok().and_then(|name| name.parse::<ObjectId>().ok()) {
        return engine.tree_behind(id);
    }
    let named = name.to_str().ok().and_then(|name| object_named(&repo.local(), name));
    let unknown = || RevisionError::Unknown { spec: name.to_string(), source: None };
    engine.tree_behind(ObjectId(named.ok_or_else(unknown)?))
}

fn spell(merged: &Merged, nul: bool) -> Vec<u8> {
    let end = if nul { b'\0' } else { b'\n' };
    let mut out = Vec::new();
    out.push(if merged.verdict == Verdict::Clean { b'1' } else { b'0' });
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
    let stages = [conflict.stages.base, conflict.stages.ours, conflict.stages.theirs];
    for (number, entry) in (1..).zip(stages) {
        let Some(Entry { mode, id }) = entry else {
            continue;
        };
        out.extend_from_slice(format!("{mode} {id} {number}\t").as_bytes());
        if nul {
            out.extend_from_slice(conflict.path.as_bytes());
        } else {
            out.extend(quoted_as_git(conflict.path.as_bytes(), true));
        }
        out.push(end);
    }
}
