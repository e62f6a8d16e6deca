//! One tree after another in a scratch work tree, with the same programs run on each.

use std::sync::Arc;

use super::ending::judge;
use super::{CheckOptions, Checker, Control, Judged, Watch, judged};
use crate::error::{Error, Result};
use crate::id::TreeId;
use crate::plan::Plan;
use crate::process::{Command, DEFAULT_ENVIRONMENT, Ended, Output, Redactor, StartError, Stream};
use crate::scratch::Scratch;
use crate::verdict::{CheckKind, CheckRun, On, Outcome, Verdict};

/// How many bytes of each stream are kept of a check: half from the start, half from the end. They end up in the
/// plan and in the operation log.
const KEPT: usize = 16 * 1024;
/// A value shorter than this is no secret; taking it out would only blot the text.
const SHORTEST_SECRET: usize = 8;

/// Where checks run, and what they said so far.
pub(super) struct Bench<'a> {
    checker: &'a Checker<'a>,
    options: &'a CheckOptions,
    watch: &'a mut dyn Watch,
    redactor: Arc<Redactor>,
    /// Every run, in order.
    pub(super) runs: Vec<CheckRun>,
    controlled: bool,
}

impl<'a> Bench<'a> {
    pub(super) fn new(checker: &'a Checker<'a>, options: &'a CheckOptions, watch: &'a mut dyn Watch) -> Self {
        let secrets = options.environment.iter().filter_map(|name| Some((name, std::env::var(name).ok()?)));
        let secrets = secrets.filter(|(_, value)| value.len() >= SHORTEST_SECRET);
        let redactor = Arc::new(Redactor::new(secrets));
        Self { checker, options, watch, redactor, runs: Vec::new(), controlled: false }
    }

    /// What the checks say about the chosen result of `plan`.
    pub(super) fn judge(&mut self, plan: &Plan) -> Result<Judged> {
        if self.options.control == Control::Run && !self.controlled {
            let scratch = Scratch::of_commit(self.checker.repo, plan.tip.commit_id)?;
            let tree = Subject {
                on: On::Control,
                attempt: None,
                tree_id: self.checker.repo.tree_of_commit(plan.tip.commit_id)?,
            };
            self.run_all(&scratch, &tree)?;
            self.controlled = true;
        }
        let Some(tree_id) = plan.chosen_attempt().and_then(|attempt| attempt.tree_id) else {
            return Ok(Judged::Passed);
        };
        let scratch = Scratch::of_plan(self.checker.repo, plan)?;
        let first = self.runs.len();
        self.run_all(&scratch, &Subject { on: On::Candidate, attempt: plan.chosen, tree_id })?;
        Ok(judged(&self.runs[first..]))
    }

    /// What the checks say about what is staged.
    pub(super) fn judge_staged(&mut self) -> Result<Judged> {
        let repo = self.checker.repo;
        let staged = repo.index_tree(&repo.objects())?;
        if let Some(head) = repo.head()?.commit().filter(|_| self.options.control == Control::Run) {
            let subject = Subject { on: On::Control, attempt: None, tree_id: repo.tree_of_commit(head)? };
            self.run_all(&Scratch::of_commit(repo, head)?, &subject)?;
        }
        let first = self.runs.len();
        let subject = Subject { on: On::Candidate, attempt: None, tree_id: staged };
        self.run_all(&Scratch::of_index(repo)?, &subject)?;
        Ok(judged(&self.runs[first..]))
    }

    fn run_all(&mut self, scratch: &Scratch, subject: &Subject) -> Result<()> {
        self.link(scratch)?;
        let options = self.options;
        let mut prepared = true;
        for run in &options.setup {
            if prepared {
                let done = self.run(CheckKind::Setup, run, scratch, subject)?;
                prepared = !done.verdict.blocks();
                self.runs.push(done);
            }
        }
        for run in &options.checks {
            let done = match prepared {
                true => self.run(CheckKind::Check, run, scratch, subject)?,
                false => subject.row(
                    CheckKind::Check,
                    run,
                    Verdict::new(Outcome::Skip, "the setup did not succeed"),
                ),
            };
            self.runs.push(done);
        }
        Ok(())
    }

    /// Runs everything on the files of a folder; the runs, in order, which are not kept.
    pub(super) fn run_on(&mut self, scratch: &Scratch, on: On, tree_id: TreeId) -> Result<Vec<CheckRun>> {
        let first = self.runs.len();
        self.run_all(scratch, &Subject { on, attempt: None, tree_id })?;
        Ok(self.runs.split_off(first))
    }

    fn link(&self, scratch: &Scratch) -> Result<()> {
        let Some(work_dir) = self.checker.repo.work_dir() else { return Ok(()) };
        self.options.links.iter().try_for_each(|path| scratch.link(work_dir, path))
    }

    fn run(
        &mut self,
        kind: CheckKind,
        run: &[String],
        scratch: &Scratch,
        subject: &Subject,
    ) -> Result<CheckRun> {
        let command = self.command(run, scratch);
        self.watch.begins(run, subject.on);
        let watch = &mut *self.watch;
        let mut lines = |_: Stream, line: &str| watch.line(line);
        let ran = self.checker.runner.run(&command, &mut lines);
        if let Ok(Output { ended: Ended::Cancelled, .. }) = ran {
            return Err(Error::Cancelled);
        }
        let mut row = subject.row(kind, run, judge(ran.as_ref(), self.options.skip_code));
        if subject.on == On::Candidate {
            row.verdict = self.compared(&row, is_missing(&ran));
        }
        if let Ok(output) = &ran {
            row.elapsed_ms = u64::try_from(output.elapsed.as_millis()).unwrap_or(u64::MAX);
            row.stdout = output.stdout.to_str_lossy().into_owned();
            row.stderr = output.stderr.to_str_lossy().into_owned();
        }
        Ok(row)
    }

    fn command(&self, run: &[String], scratch: &Scratch) -> Command {
        let options = self.options;
        let names = DEFAULT_ENVIRONMENT.iter().copied().chain(options.environment.iter().map(String::as_str));
        Command::new(run.iter().cloned(), scratch.folder())
            .inherit(names)
            .env("RB_CANDIDATE", scratch.folder().display().to_string())
            .timeout(options.timeout)
            .output_limit(KEPT)
            .redact(self.redactor.clone())
            .cancel(self.checker.cancel.clone())
    }

    /// What the verdict on a candidate is worth, given what the same program said of the tip.
    fn compared(&self, row: &CheckRun, missing: bool) -> Verdict {
        let same =
            |other: &&CheckRun| other.on == On::Control && other.kind == row.kind && other.run == row.run;
        let verdict = row.verdict.clone();
        match self.runs.iter().find(same) {
            Some(control) => verdict.against_control(&control.verdict),
            // Nothing to compare with, and it was never asked.
            None if missing => Verdict { outcome: Outcome::Inconclusive, ..verdict },
            None => verdict,
        }
    }
}

/// Whether the program, or one that it needs, is not there: a shell says so with these codes.
fn is_missing(ran: &std::result::Result<Output, StartError>) -> bool {
    match ran {
        Ok(output) => matches!(output.ended, Ended::Exited(126 | 127)),
        Err(_) => true,
    }
}

/// The tree that is looked at.
struct Subject {
    on: On,
    attempt: Option<usize>,
    tree_id: TreeId,
}

impl Subject {
    /// A row of a run that has not been timed.
    fn row(&self, kind: CheckKind, run: &[String], verdict: Verdict) -> CheckRun {
        CheckRun {
            kind,
            run: run.to_vec(),
            on: self.on,
            attempt: self.attempt,
            tree_id: self.tree_id,
            verdict,
            elapsed_ms: 0,
            stdout: String::new(),
            stderr: String::new(),
        }
    }
}
