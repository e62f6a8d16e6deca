//! Running checks: on the tip as it is, on the candidate, on the live system.

use std::path::Path;
use std::time::Duration;

use super::climb::Controlled;
use super::event::{Event, Observer, On};
use super::ports::Ground;
use super::state::{Record, RunState};
use super::{Result, Run};
use crate::apply::read_below;
use crate::bounded;
use crate::path::RepoPath;
use crate::procedure::check::{Outcome, Seen, Verdict, filled, judge};
use crate::procedure::format::{Check, Expect, Named, Period, Subject, TreePath, spelled};
use crate::procedure::placeholder::placeholders;
use crate::procedure::trigger::{Sample, figure, judge_metric};
use crate::process::{
    Command, DEFAULT_ENVIRONMENT, Ended, LeftProgram, Output, ProcessId, StartError, Stream, Watch,
    new_tree_name,
};

/// How long a program may run unless the procedure says otherwise.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(600);

/// What came of starting a program.
type Ran = std::result::Result<Output, StartError>;

impl Run<'_> {
    /// Runs a check, as often as it may be tried, and remembers the verdict.
    pub(super) fn check(&mut self, id: &str, on: On, folder: &Path) -> Result<Verdict> {
        let Some(check) = self.procedure.check(id) else {
            return Ok(Verdict::new(Outcome::Error, "there is no such check"));
        };
        if let Some(foreign) = self.foreign_script(&check.run, folder) {
            // Neither a confirmation nor a control makes another script the trusted one.
            return Ok(self.judgement(id, on, Verdict::new(Outcome::Error, foreign.to_string())));
        }
        let mut verdict = self.look(check, on, folder)?;
        for _ in 0..check.retries {
            if !matches!(verdict.outcome, Outcome::Fail | Outcome::Error) {
                break;
            }
            self.engine.clock.wait(check.retry_wait.unwrap_or(Period(Duration::from_secs(1))).0);
            verdict = self.look(check, on, folder)?;
        }
        if on == On::Candidate {
            let failed = matches!(verdict.outcome, Outcome::Fail | Outcome::Error);
            if failed && self.is_controlled(id, Controlled::AfterFailure) {
                self.control(id)?;
            }
            if let Some(control) = self.state.verdicts.get(id).and_then(|on| on.get(&On::Control)) {
                verdict = verdict.against_control(control);
            }
        }
        if verdict.outcome == Outcome::Inconclusive && self.is_confirmed(id) {
            let reason = format!("confirmed: {}", verdict.reason);
            verdict = Verdict { outcome: Outcome::Pass, reason, ..verdict };
        }
        Ok(self.judgement(id, on, verdict))
    }

    /// Runs a check of the live system.
    pub(super) fn check_live(&mut self, id: &str) -> Result<Verdict> {
        self.check(id, On::Live, &self.engine.place())
    }

    /// Tells of a verdict and remembers it.
    fn judgement(&mut self, id: &str, on: On, verdict: Verdict) -> Verdict {
        self.observer.event(&Event::Check { id, on, verdict: &verdict });
        self.state.verdicts.entry(id.to_owned()).or_default().insert(on, verdict.clone());
        verdict
    }

    /// Whether a check passes in a folder, without being remembered.
    pub(super) fn passes_in(&mut self, id: &str, folder: &Path) -> Result<bool> {
        let Some(check) = self.procedure.check(id) else { return Ok(false) };
        Ok(self.look(check, On::Candidate, folder)?.outcome == Outcome::Pass)
    }

    pub(super) fn is_confirmed(&self, id: &str) -> bool {
        self.state.confirmed.iter().any(|confirmed| confirmed == id)
    }

    fn look(&mut self, check: &Check, on: On, folder: &Path) -> Result<Verdict> {
        let subject = match check.subject() {
            Ok(Subject::Question(question)) => {
                return Ok(Verdict::new(Outcome::Inconclusive, self.words(question)?));
            }
            Ok(Subject::Metric(_)) => return self.metric(check),
            Ok(subject) => subject,
            Err(misshapen) => return Ok(Verdict::new(Outcome::Error, misshapen.message)),
        };
        let wanted = check.expect.clone().unwrap_or_default();
        let expect = filled(&wanted, |text| self.words_for_program(text))?;
        let same_as = match &expect.same_as {
            Some(path) => match self.file_of_tree(folder, path.as_str()) {
                Ok(bytes) => bytes,
                Err(why) => return Ok(Verdict::new(Outcome::Error, why)),
            },
            None => None,
        };
        if let Subject::File(file) = subject {
            let verdict = match self.file_of_tree(folder, &self.words(file.as_str())?) {
                Ok(bytes) => judge(&expect, Seen::File(bytes.as_deref()), same_as.as_deref()),
                Err(why) => Verdict::new(Outcome::Error, why),
            };
            return Ok(self.naming_its_input(&wanted, self.without_secrets(verdict)));
        }
        let run = self.arguments(&check.run)?;
        let command = self.command(&run, folder, &check.env, &check.secrets, check.timeout)?;
        let log = format!("check/{}/{}", check.id, spelled(&on));
        let verdict = self.judged(&check.id, &log, command, &expect, same_as.as_deref())?;
        Ok(self.naming_its_input(&wanted, verdict))
    }

    /// A file of the folder, never read through a link of the tree; `None` where there is none. What was linked into a
    /// candidate is read where it lies.
    fn file_of_tree(&self, folder: &Path, name: &str) -> std::result::Result<Option<Vec<u8>>, String> {
        let path: RepoPath = match name.parse::<TreePath>() {
            Ok(path) => RepoPath::from(path.as_str()),
            Err(error) => return Err(error.0),
        };
        let mut linked = self.procedure.document.link.iter().chain(&self.phase.link);
        let is_linked = linked.any(|outer| RepoPath::from(outer.as_str()).contains(&path));
        let work_dir = self.engine.place();
        let root = if is_linked { &work_dir } else { folder };
        match read_below(root, &path, bounded::CHECKED) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(format!("{path} cannot be checked: {error}")),
        }
    }

    /// Runs a program, keeps its output, and judges it.
    pub(super) fn judged(
        &mut self,
        id: &str,
        log: &str,
        command: Command,
        expect: &Expect,
        same_as: Option<&[u8]>,
    ) -> Result<Verdict> {
        let verdict = match self.run_program(id, log, &command)? {
            Ok(output) => judge(expect, Seen::Program(&output), same_as),
            Err(error) => judge(expect, Seen::NotStarted(&error), same_as),
        };
        Ok(self.without_secrets(verdict))
    }

    /// What was expected may be a secret; what is found of it is said without.
    fn without_secrets(&self, verdict: Verdict) -> Verdict {
        let clean = |text: String| self.redactor.redact_str(&text);
        Verdict {
            reason: clean(verdict.reason),
            expected: verdict.expected.map(clean),
            found: verdict.found.map(clean),
            ..verdict
        }
    }

    /// Names the input that gave the figure which was not found.
    fn naming_its_input(&self, expect: &Expect, verdict: Verdict) -> Verdict {
        let input = expect.clone().scalars_mut().find_map(|figure| {
            let text = figure.to_string();
            let mut found = placeholders(&text);
            let only =
                found.next().filter(|found| found.namespace == "input" && found.to_string() == text)?;
            let value = self.state.inputs.get(only.name).ok()?;
            (verdict.expected.as_deref() == Some(value)).then(|| only.name.to_owned())
        });
        Verdict { input: input.filter(|_| verdict.blocks()), ..verdict }
    }

    /// Runs a program and keeps what it wrote, redacted. Every program of a procedure is started here, and none that is
    /// a script other than the trusted one.
    pub(super) fn run_program(&mut self, id: &str, log: &str, command: &Command) -> Result<Ran> {
        if let Some(foreign) = self.foreign_script(command.arguments(), command.folder()) {
            return Ok(Err(StartError::Refused { why: foreign.to_string() }));
        }
        let ran = self.start_program(id, command)?;
        if let Ok(output) = &ran {
            let mut text = format!("$ {}\n# {}\n", self.shown(command.arguments()), output.ended);
            text.push_str(&output.stdout.to_str_lossy());
            if !output.stderr.as_bytes().is_empty() {
                text.push_str("\n# stderr\n");
                text.push_str(&output.stderr.to_str_lossy());
            }
            self.keep(log, text.as_bytes())?;
            if output.ended == Ended::Cancelled {
                // Stopping the run stopped this program: how it ended says nothing about the check.
                return Err(crate::Error::Cancelled.into());
            }
        }
        Ok(ran)
    }

    /// Starts a program and waits for it. The name of its tree is in the record before it starts and its number right
    /// after, so that a resumed run can end what it left.
    fn start_program(&mut self, id: &str, command: &Command) -> Result<Ran> {
        let tree = new_tree_name();
        self.state.programs.push(LeftProgram::new(&tree));
        if self.record.exists() {
            self.save(&format!("{id} starts a program"))?;
        }
        self.has_acted = true;
        let (state, record, observer) = (&mut self.state, &mut self.record, &mut *self.observer);
        let mut watch = Watched { id, observer, repo: self.engine.repo, state, record, written: Ok(()) };
        let ran = self.engine.runner.run(&command.clone().tree(&tree), &mut watch);
        watch.written?;
        self.state.programs.retain(|left| left.tree != tree);
        Ok(ran)
    }

    /// A program on the live system, as the procedure has it.
    pub(super) fn live_command(
        &self,
        run: &[String],
        secrets: &[String],
        timeout: Option<Period>,
    ) -> Result<Command> {
        self.command(&self.arguments(run)?, &self.engine.place(), &Named::default(), secrets, timeout)
    }

    /// A program with the environment that procedures give.
    pub(super) fn command(
        &self,
        run: &[String],
        folder: &Path,
        env: &Named<String>,
        secrets: &[String],
        timeout: Option<Period>,
    ) -> Result<Command> {
        let mut command = Command::new(run.iter().cloned(), folder)
            .timeout(timeout.map_or(DEFAULT_TIMEOUT, |period| period.0))
            .redact(self.redactor.clone())
            .env("RB_CANDIDATE", folder.display().to_string())
            .env("RB_RUN", &self.state.id)
            .env("RB_PHASE", &self.state.phase);
        for name in DEFAULT_ENVIRONMENT.iter().copied().chain(secrets.iter().map(String::as_str)) {
            if let Some(value) = (self.engine.environment)(name) {
                command = command.env(name, value);
            }
        }
        for (name, value) in env.iter() {
            command = command.env(name, self.words_for_program(value)?);
        }
        Ok(command.cancel(self.engine.cancel.clone()))
    }

    fn metric(&mut self, check: &Check) -> Result<Verdict> {
        let now = self.engine.clock.now();
        let Some(name) = &check.metric else { return Ok(Verdict::new(Outcome::Error, "it names no metric")) };
        let metric = self.procedure.document.metric.get(name).cloned().unwrap_or_default();
        let mut samples = self.request.samples.clone();
        if samples.of(name).is_empty() && !metric.run.is_empty() {
            let command = self.live_command(&metric.run, &[], None)?;
            let output = match self.run_program(&check.id, &format!("metric/{name}"), &command)? {
                Ok(output) => output,
                Err(error) => return Ok(Verdict::new(Outcome::Error, error.to_string())),
            };
            let bytes = output.stdout.as_bytes();
            let last = metric.capture.as_ref().and_then(|of| of.regex().captures_iter(bytes).last()?.get(1));
            let text = String::from_utf8_lossy(last.map_or(bytes, |found| found.as_bytes()));
            match figure(Some(&metric), &text) {
                Ok(found) => found
                    .into_iter()
                    .for_each(|(value, unit)| samples.push(name, Sample { time: now, value, unit })),
                Err(why) => return Ok(Verdict::new(Outcome::Error, why)),
            }
        }
        Ok(judge_metric(check, &samples, now))
    }
}

/// Follows a program: its lines are told, and its number is written down.
struct Watched<'w> {
    id: &'w str,
    observer: &'w mut dyn Observer,
    repo: &'w dyn Ground,
    state: &'w mut RunState,
    record: &'w mut Record,
    /// What came of writing it down.
    written: Result<()>,
}

impl Watch for Watched<'_> {
    fn line(&mut self, stream: Stream, line: &str) {
        self.observer.event(&Event::Line { id: self.id, stream, line });
    }

    fn started(&mut self, process: &ProcessId) {
        let Some(left) = self.state.programs.last_mut() else { return };
        left.process = Some(process.clone());
        if self.record.exists() {
            self.written = self.record.save(self.repo, self.state, "a program started");
        }
    }
}
