//! Publishing: what would leave this machine, what forbids it, and letting it leave.
//!
//! Only the result leaves: the commits of the run, and no later ones of the branch. Commits below them that the remote
//! lacks and the run did not make leave with them or not at all; they are named first and need a permission of their own.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::Serialize;

use super::drive::Flow;
use super::event::Event;
use super::state::{RunStatus, Unit, UnitKind};
use super::{Engine, EngineError, Result, Run, RunRequest, RunState};
use crate::id::CommitId;
use crate::plan::{BranchMerge, PlannedMerge};
use crate::procedure::check::Outcome;
use crate::procedure::format::{Expect, Procedure, Publish};
use crate::process::push::{PushOptions, Remote, advertised, list_command, push_command};
use crate::process::{Command, Ended};
use crate::receipt::{ApplyOptions, Destination};

/// How long git may take to talk to a remote, unless the procedure says otherwise.
const PATIENCE: Duration = Duration::from_secs(600);

/// What may be published beyond a result that passed everything.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PublishConsent {
    /// Publishes although something failed after landing.
    pub despite_failures: bool,
    /// Lets commits leave that the run did not make.
    pub with_others: bool,
}

/// What would leave this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[non_exhaustive]
pub struct Publication {
    /// The version of this document.
    pub schema_version: u32,
    /// The run whose result it is.
    pub run: String,
    /// The remote that is pushed to; absent where only a program publishes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remote: Option<String>,
    /// The reference that moves at the remote.
    pub reference: String,
    /// The branch that the result is merged into first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merge_into: Option<String>,
    /// The commits of the run that the remote lacks, newest first.
    pub commits: Vec<CommitId>,
    /// The commits that would leave too and are not the run's own, newest first.
    pub others: Vec<CommitId>,
    /// The programs that are started, with their arguments.
    pub programs: Vec<Vec<String>>,
    /// The units of the run that failed after landing.
    pub failed: Vec<String>,
}

impl Engine<'_> {
    /// What publishing a run would let leave this machine. Asks the remote what it has; changes nothing.
    ///
    /// # Errors
    /// [`EngineError::NoRun`], [`EngineError::Target`] where there is nothing to publish, trust, and
    /// [`EngineError::Remote`].
    pub fn publication(&self, procedure: &Procedure, id: &str, request: RunRequest) -> Result<Publication> {
        let mut observer = ();
        let mut run = self.reopen(procedure, request, self.any_run(id)?, &mut observer)?;
        run.publication(&run.way_of_publishing()?)
    }

    /// Publishes the result of a run that has landed.
    ///
    /// # Writes
    /// Whatever the procedure's way of publishing does, and the record of the run.
    ///
    /// # Errors
    /// As [`Engine::publication`]; [`EngineError::PublishAfterFailure`], [`EngineError::PublishOthers`], approval.
    pub fn publish(
        &self,
        procedure: &Procedure,
        id: &str,
        request: RunRequest,
        observer: &mut dyn super::Observer,
    ) -> Result<RunState> {
        let _lease = self.lease(&procedure.id, Some(id))?;
        self.end_leftovers(observer)?;
        let mut run = self.reopen(procedure, request, self.any_run(id)?, observer)?;
        run.refuse_unfinished()?;
        let publish = run.way_of_publishing()?;
        run.state.find_landings(self.repo)?;
        run.accept_approvals()?;
        if let Some(role) = &publish.approval {
            run.refuse_unapproved("publishing", role)?;
        }
        run.refuse_publishing(&publish)?;
        run.publish_again()?;
        Ok(run.state)
    }
}

impl Run<'_> {
    /// How the result leaves this machine, if there is a way.
    pub(super) fn publishes(&self) -> Option<&Publish> {
        self.phase.publish.as_ref().or(self.procedure.document.publish.as_ref())
    }

    /// Refuses a run that goes on, or that was given up: only one that was worked off has a result.
    fn refuse_unfinished(&self) -> Result<()> {
        let RunState { id, procedure, status, .. } = &self.state;
        let (id, procedure) = (id.clone(), procedure.clone());
        let is_given_up = !matches!(status, RunStatus::Complete | RunStatus::LandedWithFailures);
        match status.as_str() {
            status if self.state.status.is_open() => Err(EngineError::Concurrent { id, procedure, status }),
            status if is_given_up && self.state.landed_on.is_some() => Err(EngineError::Ended { id, status }),
            _ => Ok(()),
        }
    }

    /// The way of publishing of a run that has landed.
    fn way_of_publishing(&self) -> Result<Publish> {
        if self.state.landed_on.is_none() {
            return Err(self.has_no_result());
        }
        self.publishes().cloned().ok_or_else(|| EngineError::lacks(self.procedure, "publish"))
    }

    fn has_no_result(&self) -> EngineError {
        let id = &self.state.id;
        EngineError::Target(format!("the run {id} has landed nothing that could be published"))
    }

    /// The remote of a way of publishing, which must be known here.
    pub(super) fn remote(&self, publish: &Publish) -> Result<Option<Remote>> {
        match &publish.push {
            Some(remote) if remote.is_name() && !self.engine.repo.has_remote(remote.as_str()) => {
                let why = "no remote has this name".to_owned();
                Err(EngineError::Remote { remote: remote.to_string(), why })
            }
            remote => Ok(remote.clone()),
        }
    }

    /// What would leave this machine now.
    pub(super) fn publication(&mut self, publish: &Publish) -> Result<Publication> {
        let repo = self.engine.repo;
        let (commit, reference) = self.result()?;
        let into = publish.merge_into.as_ref().map(|into| self.words(into)).transpose()?;
        let into = into.map(|branch| format!("refs/heads/{branch}")).filter(|branch| *branch != reference);
        let mut tips = vec![commit];
        tips.extend(into.iter().filter_map(|branch| repo.resolve_commit(branch).ok()));
        let (mut commits, mut others) = (Vec::new(), Vec::new());
        let remote = self.remote(publish)?;
        if let Some(remote) = &remote {
            let known = self.known_to(remote, publish, into.as_ref().unwrap_or(&reference))?;
            let own: BTreeSet<CommitId> = self.state.commits.iter().copied().collect();
            let leaving = repo.commits_beyond(&tips, &known)?;
            (commits, others) = leaving.into_iter().partition(|commit| own.contains(commit));
        }
        let programs = match publish.run.as_slice() {
            [] => Vec::new(),
            run => vec![self.arguments(run)?.iter().map(|word| self.redactor.redact_str(word)).collect()],
        };
        Ok(Publication {
            schema_version: 1,
            run: self.state.id.clone(),
            remote: remote.map(|remote| remote.to_string()),
            merge_into: into.clone(),
            reference: into.unwrap_or(reference),
            commits,
            others,
            programs,
            failed: self.failures_of_the_result(),
        })
    }

    /// The commit that is published and its reference, which must have it still.
    fn result(&self) -> Result<(CommitId, String)> {
        let repo = self.engine.repo;
        let result = self.state.commits.last().zip(self.state.landed_on.as_ref());
        let (commit, reference) = result.ok_or_else(|| self.has_no_result())?;
        let tip = repo.resolve_commit(reference)?;
        if !repo.commits_beyond(&[*commit], &[tip])?.is_empty() {
            let (commit, branch) = (repo.abbreviation(*commit), reference.trim_start_matches("refs/heads/"));
            let why = format!("{branch} does not have the result {commit} any more");
            return Err(EngineError::Target(why));
        }
        Ok((*commit, reference.clone()))
    }

    /// The commits that a remote has and that are known here.
    fn known_to(&mut self, remote: &Remote, publish: &Publish, reference: &str) -> Result<Vec<CommitId>> {
        let repo = self.engine.repo;
        let command = list_command(&self.engine.place(), remote, &self.push_options(publish));
        let failed = |why: String| EngineError::Remote { remote: remote.to_string(), why };
        let output = match self.run_program("publish", "publish-remote", &command)? {
            Ok(output) if output.ended == Ended::Exited(0) => output,
            Ok(output) => return Err(failed(last_line(&output.stderr.to_str_lossy()))),
            Err(error) => return Err(failed(error.to_string())),
        };
        let mut found = advertised(output.stdout.as_bytes());
        let is_here = |id: &CommitId| repo.commit_summary(*id).is_ok();
        match found.remove(reference) {
            Some(theirs) if is_here(&theirs) => Ok(vec![theirs]),
            Some(_) => {
                Err(failed(format!("{reference} has commits there that are not here; fetch them first")))
            }
            None => Ok(found.into_values().filter(is_here).collect()),
        }
    }

    fn push_options<'o>(&'o self, publish: &'o Publish) -> PushOptions<'o> {
        PushOptions {
            environment: self.engine.environment,
            secrets: &publish.secrets,
            redactor: self.redactor.clone(),
            timeout: publish.timeout.map_or(PATIENCE, |period| period.0),
        }
    }

    fn failures_of_the_result(&self) -> Vec<String> {
        let failures = self.state.failures().filter(|unit| unit.kind != UnitKind::Publish);
        failures.map(|unit| unit.id.clone()).collect()
    }

    /// Refuses what needs a permission that was not given.
    fn refuse_publishing(&mut self, publish: &Publish) -> Result<()> {
        let consent = self.request.publishing;
        let failed = self.failures_of_the_result();
        if !failed.is_empty() && !consent.despite_failures {
            return Err(EngineError::PublishAfterFailure(failed));
        }
        let others = self.publication(publish)?.others;
        if !others.is_empty() && !consent.with_others {
            return Err(EngineError::PublishOthers(others));
        }
        Ok(())
    }

    /// Lets the result leave this machine.
    pub(super) fn publish(&mut self) -> Result<Flow> {
        let Some(publish) = self.publishes().cloned() else { return Ok(Flow::DONE) };
        if let Some(role) = &publish.approval {
            self.refuse_unapproved("publishing", role)?;
        }
        match self.refuse_publishing(&publish) {
            Err(error @ EngineError::Core(crate::Error::Cancelled)) => return Err(error),
            // It has landed: what forbids publishing is a failure after that.
            Err(refusal) => return Ok(Flow::Failed(format!("not published: {refusal}"))),
            Ok(()) => {}
        }
        if let Some(why) = self.merge_into(&publish)? {
            return Ok(Flow::Failed(why));
        }
        for command in self.publishing(&publish)? {
            let effect = self.shown(command.arguments());
            let verdict = self.judged("publish", "publish", command, &Expect::default(), None)?;
            if verdict.outcome != Outcome::Pass {
                return Ok(Flow::Failed(verdict.to_string()));
            }
            self.state.outside_effects.push(format!("published with {effect}"));
        }
        for check in &publish.verify {
            let verdict = self.check_live(check)?;
            if verdict.blocks() {
                return Ok(Flow::Failed(format!("{check}: {verdict}")));
            }
        }
        Ok(Flow::DONE)
    }

    /// Publishes a run that has ended, and writes down how that went.
    pub(super) fn publish_again(&mut self) -> Result<()> {
        let repeatable = self.publishes().is_some_and(Publish::is_repeatable);
        let unit = self.begin_afterwards(Unit::new(UnitKind::Publish, "publish", repeatable))?;
        let flow = self.publish()?;
        self.end_afterwards(unit, flow);
        self.state.conclude(self.state.ending_of_units());
        self.keep_report()?;
        self.save("published")
    }

    /// The commands of publishing: a push that is never forced, and the procedure's own.
    fn publishing(&self, publish: &Publish) -> Result<Vec<Command>> {
        let mut commands = Vec::new();
        if let Some(remote) = self.remote(publish)? {
            let (commit, reference) = self.result()?;
            let options = self.push_options(publish);
            commands.push(push_command(&self.engine.place(), &remote, (commit, &reference), &options));
        }
        if !publish.run.is_empty() {
            let report = self.redactor.redact_str(&super::report::markdown(self.procedure, &self.state));
            let command = self.live_command(&publish.run, &publish.secrets, publish.timeout)?;
            commands.push(command.input(report));
        }
        Ok(commands)
    }

    /// Merges the rollback branch with a merge commit, as `git merge --no-ff` would; says what stands in the way.
    fn merge_into(&mut self, publish: &Publish) -> Result<Option<String>> {
        let (Some(into), Some(reference)) = (&publish.merge_into, self.state.landed_on.clone()) else {
            return Ok(None);
        };
        let into = self.words(into)?;
        let branch = reference.strip_prefix("refs/heads/").unwrap_or(&reference).to_owned();
        if branch == into {
            return Ok(None);
        }
        let message = format!("Merge branch '{branch}' into {into}\n\nRollback-Run: {}\n", self.state.id);
        let merge = BranchMerge { branch, into: into.clone(), message };
        let reference = format!("refs/heads/{into}");
        let landing =
            ApplyOptions { destination: Destination::CurrentBranch, ..self.request.landing.clone() };
        match self.engine.repo.plan_merge(&merge)? {
            PlannedMerge::Clean(plan) => {
                let receipt = self.engine.repo.apply(*plan, &landing)?;
                let commits = &receipt.outcome.commit_ids;
                self.state.commits.extend(commits);
                self.state.operations.extend(receipt.outcome.operation_id.clone());
                self.observer.event(&Event::Landed { commits, reference: &reference });
            }
            PlannedMerge::AlreadyMerged => {}
            PlannedMerge::Conflicts(paths) => {
                let paths: Vec<_> = paths.iter().map(ToString::to_string).collect();
                return Ok(Some(format!("merging into {into} conflicts in {}", paths.join(", "))));
            }
        }
        self.state.landed_on = Some(reference);
        Ok(None)
    }
}

fn last_line(text: &str) -> String {
    text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("git said nothing").trim().to_owned()
}
