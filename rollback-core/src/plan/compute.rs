//! Computing a plan: resolve the target, climb its ladder, write the messages, and say what was found.

use std::rc::Rc;

use bstr::BString;

use super::prepared::{Prepared, PreparedCommit};
use super::resolve::{Case, Resolver};
use super::{AttemptResult, Note, NoteKind, Plan, PlanOptions, Repository, Request, SCHEMA_VERSION, Tip};
use crate::error::{Error, ObjectError, Result, RevisionError};
use crate::hooks::Hook;
use crate::id::{CommitId, TreeId};
use crate::message::{self, CommitKind, Message, MessageOptions, Paths, Style, Trailer};
use crate::repo::hooks::Permission;
use crate::repo::identity::Role;
use crate::repo::refs::{Head, References};
use crate::repo::{Commit, Objects, Repo};
use crate::strategy::ladder::{Choice, Climb, climb};
use crate::strategy::workbench::Workbench;
use crate::strategy::{Attempt, Part, Scope, Step, Strategy};
use crate::target::Target;

impl Repo {
    /// Finds out what landing `target` would do, in memory.
    ///
    /// A conflict, "nothing to do" and "already rolled back" are plans without a chosen rung, not errors.
    ///
    /// # Errors
    /// Whatever keeps the question from being answered: [`RevisionError::Unknown`],
    /// [`PathError::NeverExisted`](crate::error::PathError::NeverExisted), [`RevisionError::MainlineOutOfRange`],
    /// [`RevisionError::Unborn`], [`RevisionError::ShallowHistory`], [`ObjectError::Missing`], [`ObjectError::Corrupt`]
    /// and their kin; [`Error::Cancelled`].
    pub fn plan(&self, target: &Target, options: &PlanOptions) -> Result<Plan> {
        let _span = tracing::debug_span!("plan", ?target).entered();
        let plan = self.complete(|repo| repo.plan_once(target, options))?;
        // What could not be read for that reason may have been taken for a "no" on the way.
        self.stop_if_cancelled()?;
        Ok(plan)
    }

    fn plan_once(&self, target: &Target, options: &PlanOptions) -> Result<Plan> {
        let tip = self.tip(options)?;
        let mut bench = Workbench::new(self, tip.commit_id)?
            .keeping(options.empty)
            .taking_along(options.max_dependents)
            .with_strategy_options(self, &options.strategy_options)?;
        if tip.index_tree_id.is_some() {
            bench.start = self.index_tree(&bench.objects)?;
        }
        let case = Resolver::new(self, &bench, &tip, options).resolve(target)?;
        let climb = if case.already_rolled_back {
            already_rolled_back(&case)
        } else {
            climb(
                &mut bench,
                &case.rungs,
                &case.goal,
                Choice { first_only: options.first_only, rejected: &options.rejected },
            )?
        };
        let request = Request { target: target.clone(), options: options.clone() };
        document(self, &bench.objects, request, tip, case, climb)
    }

    /// The full name of the local branch called `name`; the name as it stands where there is none.
    pub(crate) fn full_name(&self, name: &str) -> String {
        let local = self.local();
        let found = References::of(&local).and_then(|references| references.find(name.into()));
        found.ok().flatten().map_or_else(|| name.to_owned(), |found| found.to_string())
    }

    /// What there is to know about the hooks that git runs when it reverts or picks.
    fn notes_on_hooks(&self) -> Result<Vec<Note>> {
        let mut notes = Vec::new();
        for hook in [Hook::PrepareCommitMsg, Hook::PostCommit] {
            let kind = match self.installed_hook(hook)?.map(|installed| installed.permission) {
                None => continue,
                Some(Permission::Given) => NoteKind::HookToRun,
                Some(Permission::NotTrusted) => NoteKind::HookSkipped,
            };
            notes.push(Note::about_hook(kind, hook.name()));
        }
        Ok(notes)
    }

    /// What the configuration says about messages.
    pub(crate) fn message_style(&self) -> Style {
        Style::read(self.local().config_snapshot().plumbing(), self.followed_git().unwrap_or_default())
    }

    /// The tip that a plan with `options` is based on now.
    pub(crate) fn tip(&self, options: &PlanOptions) -> Result<Tip> {
        if let Some(onto) = &options.onto {
            let commit_id = self.resolve_commit(onto)?;
            return Ok(Tip { reference: self.full_name(onto), commit_id, index_tree_id: None });
        }
        let (reference, commit_id) = match self.head()? {
            Head::Branch { name, commit: Some(commit_id) } => (name.to_string(), commit_id),
            Head::Branch { name, commit: None } => {
                return Err(RevisionError::Unborn { branch: name.to_string() }.into());
            }
            Head::Detached(commit_id) => ("HEAD".into(), commit_id),
        };
        let index_tree_id = if options.on_index { self.staged_tree(commit_id)? } else { None };
        Ok(Tip { reference, commit_id, index_tree_id })
    }

    /// The tree of the index, where it is not the tree of the commit.
    fn staged_tree(&self, commit: CommitId) -> Result<Option<TreeId>> {
        let objects = self.objects();
        let (staged, committed) = (self.index_tree(&objects)?, objects.commit_header(commit)?.tree);
        Ok((staged != committed).then_some(staged))
    }
}

/// The single attempt of a target that is as it should be.
fn already_rolled_back(case: &Case) -> Climb {
    let mut attempt = Attempt::new(Strategy::RevertCommit);
    attempt.result = AttemptResult::AlreadyRolledBack;
    attempt.scope = Some(Scope::Paths(case.resolved.paths.clone()));
    attempt.commit_id = case.resolved.culprit.as_ref().map(|culprit| culprit.commit_id);
    attempt.reason = Some("the tip is as it was before the change; name the change to insist".into());
    Climb { attempts: vec![attempt], chosen: None }
}

fn document(
    repo: &Repo,
    objects: &Rc<Objects>,
    request: Request,
    tip: Tip,
    case: Case,
    climb: Climb,
) -> Result<Plan> {
    let mut plan = Plan {
        schema_version: SCHEMA_VERSION,
        request,
        repository: repository(repo),
        target: case.resolved,
        tip,
        attempts: climb.attempts,
        chosen: climb.chosen,
        message: None,
        notes: case.notes,
        checks: Vec::new(),
        cross_check: None,
        diff: None,
        prepared: Prepared::default(),
    };
    let Some(chosen) = plan.chosen else { return Ok(plan) };
    plan.notes.extend(repo.notes_on_hooks()?);
    let writer = Writer {
        repo,
        objects,
        request: &plan.request,
        attempt: &plan.attempts[chosen],
        culprits: &plan.target.commits,
    };
    let commits = writer.commits()?;
    for (step, commit) in plan.attempts[chosen].steps.iter_mut().zip(&commits) {
        step.message = commit.message.text.to_string();
    }
    plan.message = commits.last().map(|commit| commit.message.text.to_string());
    plan.prepared = Prepared::new(commits, objects.take_new())?;
    Ok(plan)
}

pub(super) fn repository(repo: &Repo) -> Repository {
    Repository {
        git_dir: repo.git_dir().display().to_string(),
        work_dir: repo.work_dir().map(|folder| folder.display().to_string()),
        object_format: repo.local().object_hash().to_string(),
    }
}

/// At most this many commits that are taken back at once stand in trailers.
const MOST_TRAILERS: usize = 100;

/// Writes the messages of the commits that an attempt would make.
struct Writer<'a> {
    repo: &'a Repo,
    objects: &'a Objects,
    request: &'a Request,
    attempt: &'a Attempt,
    /// What broke the paths of the target, newest first.
    culprits: &'a [CommitId],
}

impl Writer<'_> {
    fn commits(&self) -> Result<Vec<PreparedCommit>> {
        let style = self.repo.message_style();
        self.attempt.steps.iter().map(|step| self.commit(step, &style)).collect()
    }

    fn commit(&self, step: &Step, style: &Style) -> Result<PreparedCommit> {
        let source = self.objects.commit(step.commit_id)?;
        let mainline =
            step.mainline.map(|number| self.objects.commit(source.parents[number - 1])).transpose()?;
        let discards = match self.is_one_way_back() {
            true => self.culprits.iter().map(|id| self.objects.commit(*id)).collect::<Result<_>>()?,
            false => self.discarded()?,
        };
        let lines = step.part.as_ref().map(Part::words);
        let kind = match &lines {
            Some(lines) => CommitKind::RevertPart {
                commit: &source,
                mainline: mainline.as_ref(),
                paths: Paths { named: &step.paths, renamed: &step.renamed },
                lines,
            },
            None => self.kind(step, &source, mainline.as_ref(), &discards),
        };
        let mut options = self.request.options.message.clone();
        if matches!(self.request.target, Target::Paths(_)) {
            let of = match self.attempt.strategy {
                Strategy::RestoreFile => self.culprits,
                _ => std::slice::from_ref(&step.commit_id),
            };
            options.trailers.extend(of.iter().map(|id| Trailer::new(Trailer::OF, id.to_string())));
            options.trailers.push(Trailer::new(Trailer::STRATEGY, self.attempt.strategy.name()));
        }
        if self.is_one_way_back() {
            // Each of a thousand would drown the message; the operation log has all of them.
            let named = self.culprits.iter().take(MOST_TRAILERS);
            options.trailers.extend(named.map(|id| Trailer::new(Trailer::OF, id.to_string())));
            options.trailers.push(Trailer::new(Trailer::STRATEGY, self.attempt.strategy.name()));
        }
        let committer = self.repo.identity(Role::Committer).unwrap_or_default();
        let context = message::Context {
            style,
            committer: &committer,
            abbreviate: &|id: CommitId| self.objects.abbreviated(id.0),
        };
        Ok(PreparedCommit {
            tree: step.tree_id,
            message: written(kind, &options, &context)?,
            author: self.author_of_pick(&source, style)?,
            merged: None,
        })
    }

    /// The `author` header that a pick copies; `None` for anything but a pick.
    fn author_of_pick(&self, source: &Commit, style: &Style) -> Result<Option<BString>> {
        if self.attempt.strategy != Strategy::CherryPick {
            return Ok(None);
        }
        let author = message::author_of_pick(source, style);
        let missing = || {
            Error::from(ObjectError::Corrupt {
                kind: "commit",
                id: source.id.0,
                source: "it names no author".into(),
            })
        };
        author.ok_or_else(missing).map(Some)
    }

    fn kind<'a>(
        &self,
        step: &'a Step,
        commit: &'a Commit,
        mainline: Option<&'a Commit>,
        discards: &'a [Commit],
    ) -> CommitKind<'a> {
        let paths = Paths { named: &step.paths, renamed: &step.renamed };
        match self.attempt.strategy {
            _ if self.is_one_way_back() => CommitKind::BackTo { state: commit, paths, undone: discards },
            Strategy::RestoreFile => CommitKind::Restore { source: commit, paths, discards },
            Strategy::CherryPick if paths.named.is_empty() => CommitKind::Pick { commit },
            Strategy::CherryPick => CommitKind::PickPaths { commit, paths },
            _ if paths.named.is_empty() => CommitKind::Revert { commit, mainline },
            _ => CommitKind::RevertPaths { commit, mainline, paths },
        }
    }

    /// Whether one commit brings everything back to a state.
    fn is_one_way_back(&self) -> bool {
        matches!(self.request.target, Target::To(_)) && self.attempt.strategy == Strategy::RestoreFile
    }

    fn discarded(&self) -> Result<Vec<Commit>> {
        self.attempt.loss.discards.iter().map(|id| self.objects.commit(*id)).collect()
    }
}

/// The message of a commit; where the user edited it, what is left of it.
fn written(
    kind: CommitKind<'_>,
    options: &MessageOptions,
    context: &message::Context<'_>,
) -> Result<Message> {
    match &options.text {
        Some(text) if options.edited => message::edited(text.as_bytes(), options, context.style)
            .ok_or_else(|| Error::BadRequest("the edited message is empty".into())),
        _ => Ok(message::write(kind, options, context)),
    }
}
