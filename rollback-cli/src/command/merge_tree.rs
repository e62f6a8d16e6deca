//! `rb merge-tree`: many merges over pipes, in the words of `git merge-tree --stdin`.

use std::cell::RefCell;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::rc::Rc;

use rollback_core::Error;
use rollback_core::merge::{Options, batch};

use super::Outcome;
use crate::args::MergeTree;
use crate::exit::Exit;
use crate::session::Session;

/// Runs `rb merge-tree`. Its output is bytes for programs and goes around the console.
pub(crate) fn run(args: &MergeTree, session: &mut Session) -> Outcome {
    let repo = session.repo()?;
    let options = Options::of_merge_tree(&repo)?;
    let mut how = batch::BatchOptions::default();
    how.nul = args.nul;
    how.threads = args.threads;
    let answers = Answers::new(io::stdout());
    let questions = BufReader::new(Questions { from: io::stdin(), answers: answers.clone() });
    let answered = if args.write {
        repo.answer_and_store_merges(&options, questions, answers, how)
    } else {
        batch::answer(&repo, &options, questions, answers, how)
    };
    match answered {
        // The reader has gone away.
        Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::BrokenPipe => Ok(Exit::Done),
        answered => answered.map(|()| Exit::Done).map_err(Into::into),
    }
}

/// Answers, collected until the reader would have to wait.
#[derive(Clone)]
struct Answers(Rc<RefCell<BufWriter<io::Stdout>>>);

impl Answers {
    fn new(to: io::Stdout) -> Self {
        Self(Rc::new(RefCell::new(BufWriter::new(to))))
    }
}

impl Write for Answers {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.borrow_mut().flush()
    }
}

/// Questions; before waiting for more of them, the answers so far are handed out. Without that, a program that waits
/// for an answer before it asks again would wait for ever.
struct Questions<R> {
    from: R,
    answers: Answers,
}

impl<R: Read> Read for Questions<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.answers.flush()?;
        self.from.read(bytes)
    }
}
