//! Running checks: on the tip as it is, on the candidate, on the live system.

use std::path::Path;
use std::time::Duration;

use super::event::{Event, On};
use super::{Result, Run};
use crate::procedure::check::{Outcome, Seen, Verdict, filled, judge};
use crate::procedure::format::{Check, Expect, Named, Period};
use crate::procedure::trigger::{Sample, figure, judge_metric};
use crate::process::{Command, DEFAULT_ENVIRONMENT, Ended, Output, StartError, Stream};

/// How long a program may run unless the procedure says otherwise.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(600);

impl Run<'_> {
    /// Runs a check, as often as it may be tried, and remembers the verdict.
    pub(super) fn check(&mut self, id: &str, on: On, folder: &Path) -> Result<Verdict> {
        let Some(check) = self.procedure.check(id).cloned() else {
            return Ok(Verdict::new(Outcome::Error, "there is no such check"));
        };
        if let Some(foreign) = self.foreign_script(&check.run, folder) {
            // Nobody's word and no control makes another script the trusted one.
            return Ok(self.judgement(id, on, Verdict::new(Outcome::Error, foreign.to_string())));
        }
        let mut verdict = self.look(&check, on, folder)?;
        for _ in 0..check.retries {
            if !matches!(verdict.outcome, Outcome::Fail | Outcome::Error) {
                break;
            }
            self.engine.clock.wait(check.retry_wait.unwrap_or(Period(Duration::from_secs(1))).0);
            verdict = self.look(&check, on, folder)?;
        }
        if on == On::Candidate
            && let Some(control) = self.state.verdicts.get(id).and_then(|verdicts| verdicts.get(&On::Control))
        {
            verdict = verdict.against_control(control);
        }
        if verdict.outcome == Outcome::Inconclusive && self.is_confirmed(id) {
            verdict = Verdict {
                outcome: Outcome::Pass,
                reason: format!("confirmed: {}", verdict.reason),
                ..verdict
            };
        }
        Ok(self.judgement(id, on, verdict))
    }

    /// Tells of a verdict and remembers it.
    fn judgement(&mut self, id: &str, on: On, verdict: Verdict) -> Verdict {
        self.observer.event(&Event::Check { id, on, verdict: &verdict });
        self.state.verdicts.entry(id.to_owned()).or_default().insert(on, verdict.clone());
        verdict
    }

    /// Whether a check passes in a folder, without being remembered.
    pub(super) fn passes_in(&mut self, id: &str, folder: &Path) -> Result<bool> {
        let Some(check) = self.procedure.check(id).cloned() else { return Ok(false) };
        Ok(self.look(&check, On::Candidate, folder)?.outcome == Outcome::Pass)
    }

    pub(super) fn is_confirmed(&self, id: &str) -> bool {
        self.state.confirmed.iter().any(|confirmed| confirmed == id)
    }

    fn look(&mut self, check: &Check, on: On, folder: &Path) -> Result<Verdict> {
        if let Some(question) = &check.ask {
            return Ok(Verdict::new(Outcome::Inconclusive, self.words(question)?));
        }
        if check.metric.is_some() {
            return self.metric(check);
        }
        let expect = check.expect.clone().unwrap_or_default();
        let expect = filled(&expect, |text| self.words(text))?;
        let same_as = expect.same_as.as_ref().and_then(|path| std::fs::read(folder.join(path.as_str())).ok());
        if let Some(file) = &check.file {
            let path = folder.join(self.words(file.as_str())?);
            let bytes = std::fs::read(path).ok();
            return Ok(judge(&expect, Seen::File(bytes.as_deref()), same_as.as_deref()));
        }
        let run = self.arguments(&check.run)?;
        let command = self.command(&run, folder, &check.env, &check.secrets, check.timeout)?;
        let log = format!("check/{}/{}", check.id, on_name(on));
        Ok(self.judged(&check.id, &log, command, &expect, same_as.as_deref())?.0)
    }

    /// Runs a program, keeps its output, and judges it.
    pub(super) fn judged(
        &mut self,
        id: &str,
        log: &str,
        command: Command,
        expect: &Expect,
        same_as: Option<&[u8]>,
    ) -> Result<(Verdict, Option<Output>)> {
        match self.run_program(id, log, &command)? {
            Ok(output) => Ok((judge(expect, Seen::Program(&output), same_as), Some(output))),
            Err(error) => Ok((judge(expect, Seen::NotStarted(&error), same_as), None)),
        }
    }

    /// Runs a program and keeps what it wrote, redacted. Every program of a procedure is started here, and none that is
    /// a script other than the trusted one.
    pub(super) fn run_program(
        &mut self,
        id: &str,
        log: &str,
        command: &Command,
    ) -> Result<std::result::Result<Output, StartError>> {
        if let Some(foreign) = self.foreign_script(command.arguments(), command.folder()) {
            return Ok(Err(StartError::Refused { why: foreign.to_string() }));
        }
        let observer = &mut *self.observer;
        let mut watch = |stream: Stream, line: &str| observer.event(&Event::Line { id, stream, line });
        let ran = self.engine.runner.run(command, &mut watch);
        if let Ok(output) = &ran {
            let mut text = format!(
                "$ {}\n# {}\n",
                self.redactor.redact_str(&command.arguments().join(" ")),
                output.ended
            );
            text.push_str(&output.stdout.to_str_lossy());
            if !output.stderr.as_bytes().is_empty() {
                text.push_str("\n# stderr\n");
                text.push_str(&output.stderr.to_str_lossy());
            }
            self.keep(log, text.as_bytes())?;
            if output.ended == Ended::Cancelled {
                // Whoever stopped the run stopped this, too: nothing can be learnt from how it ended.
                return Err(crate::Error::Cancelled.into());
            }
        }
        Ok(ran)
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
            command = command.env(name, self.words(value)?);
        }
        if let Some(cancel) = &self.engine.cancel {
            command = command.cancel(cancel.clone());
        }
        Ok(command)
    }

    fn metric(&mut self, check: &Check) -> Result<Verdict> {
        let now = self.engine.clock.now();
        let Some(name) = &check.metric else { return Ok(Verdict::new(Outcome::Error, "it names no metric")) };
        let metric = self.procedure.document.metric.get(name).cloned().unwrap_or_default();
        let mut samples = self.request.samples.clone();
        if samples.of(name).is_empty() && !metric.run.is_empty() {
            let folder = self.engine.repo.work_dir().unwrap_or(self.engine.repo.git_dir()).to_owned();
            let run = self.arguments(&metric.run)?;
            let command = self.command(&run, &folder, &Named::default(), &[], None)?;
            match self.run_program(&check.id, &format!("metric/{name}"), &command)? {
                Ok(output) => {
                    let bytes = output.stdout.as_bytes();
                    let found = match &metric.capture {
                        Some(pattern) => {
                            pattern.regex().captures_iter(bytes).last().and_then(|found| found.get(1))
                        }
                        None => None,
                    };
                    let text = found.map_or(bytes, |found| found.as_bytes());
                    match figure(Some(&metric), &String::from_utf8_lossy(text)) {
                        Ok(Some((value, unit))) => samples.push(name, Sample { time: now, value, unit }),
                        Ok(None) => {}
                        Err(why) => return Ok(Verdict::new(Outcome::Error, why)),
                    }
                }
                Err(error) => return Ok(Verdict::new(Outcome::Error, error.to_string())),
            }
        }
        Ok(judge_metric(check, &samples, now))
    }
}

fn on_name(on: On) -> &'static str {
    match on {
        On::Control => "control",
        On::Candidate => "candidate",
        On::Live => "live",
    }
}
