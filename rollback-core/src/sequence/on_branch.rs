//! A conflict on a branch of its own: the merge with its markers as a commit, for people to finish elsewhere.

use super::commit::Making;
use super::logged::NewEntry;
use super::pick::Start;
use super::run::Run;
use super::state::Item;
use super::{SequenceContext, SequenceFront, SequenceReport, SequenceRequest, SequenceStatus};
use crate::apply::{Landing, RefUpdate};
use crate::error::{LandingError, Result};
use crate::id::CommitId;
use crate::merge::Verdict;
use crate::message::Trailer;
use crate::repo::Repo;
use crate::repo::refs::Head;
use crate::strategy::hunks;

/// The trailer that marks a commit with conflict markers; one for each path.
const CONFLICT: &str = "Rollback-Conflict";

impl Repo {
    /// Commits one change with its conflicts to a new branch on top of `tip`; index and work tree stay as they are. The
    /// message names the paths that hold markers.
    ///
    /// # Writes
    /// Objects, the branch and its log, the operation log.
    ///
    /// # Errors
    /// [`LandingError::BranchExists`], and those of [`Repo::begin_sequence`].
    pub fn conflict_on_branch(
        &self,
        request: &SequenceRequest,
        (tip, branch): (CommitId, &str),
        context: &SequenceContext,
        front: &mut dyn SequenceFront,
    ) -> Result<SequenceReport> {
        let repo = &self.landing()?;
        let name = format!("refs/heads/{branch}");
        if let Some(found) = repo.read_reference(name.as_bytes())? {
            return Err(LandingError::BranchExists { branch: branch.to_owned(), found }.into());
        }
        let mut run = Run::new(repo, request.action, request.options.clone(), context, front)?;
        run.take_over(request);
        let [commit] = request.commits.as_slice() else {
            let why = "several commits cannot be left in conflict on a branch: name one".to_owned();
            return Err(crate::Error::BadRequest(why));
        };
        let item = Item { action: request.action, commit: *commit };
        let change = run.change(item)?;
        let start = Start { head: Head::Detached(tip), tree: run.objects.tree_of(Some(tip))? };
        let merged = run.merge(item, &change, start.tree)?;
        if merged.verdict == Verdict::Clean {
            return Err(crate::Error::BadRequest("there is no conflict to be left on a branch".into()));
        }
        let paths = merged.conflicts.iter().take(50).map(|conflict| conflict.path.to_string());
        run.wording.trailers.extend(paths.map(|path| Trailer::new(CONFLICT, path)));
        let draft = run.draft(item, &change)?;
        let message = run.unedited(&draft);
        let making = Making { commit: &change.commit, action: item.action, parent: Some(tip) };
        let (new, message) = run.make_commit(&making, merged.tree_id, message)?;
        let moved = run.moved(&start.head, new, message.reflog_line(&run.reflog_word()))?;
        let landing = Landing {
            objects: run.objects.new_objects()?,
            reference: Some(RefUpdate { name: name.into(), old: None, ..moved }),
            ..Landing::of_trees(start.tree, merged.tree_id)
        };
        run.land(landing, NewEntry::of_commit(*commit))?;
        run.report.commit_ids.push(new);
        run.report.hunks = hunks::of(&run.objects, merged.tree_id, &merged.conflicts)?;
        run.report.conflicts = merged.conflicts;
        run.report.status = SequenceStatus::Conflicted;
        run.report.stopped_at = Some(*commit);
        Ok(run.report)
    }
}
