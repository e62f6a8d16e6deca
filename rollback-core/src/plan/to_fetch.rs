//! What a plan lacks in a partial clone, said before anything is fetched.

use super::{Note, NoteKind, Plan};
use crate::error::Result;
use crate::history;
use crate::id::EntryKind;
use crate::repo::Repo;

impl Repo {
    /// Notes the paths of the plan's result whose content has to be fetched before it can land. Nothing is fetched.
    ///
    /// # Errors
    /// Where the trees of the plan cannot be read.
    pub fn note_what_to_fetch(&self, plan: &mut Plan) -> Result<()> {
        let Some(remote) = self.first_promisor() else { return Ok(()) };
        let Some(result) = plan.chosen_attempt().and_then(|attempt| attempt.tree_id) else { return Ok(()) };
        let objects = self.objects();
        objects.insert_new(plan.prepared.objects())?;
        let tip = objects.commit(plan.tip.commit_id)?.tree;
        let lacking = history::paths_between(&objects, tip, result)?.into_iter().filter(|change| {
            let file = change.after.filter(|entry| entry.mode.kind() != EntryKind::Submodule);
            file.is_some_and(|entry| !objects.has(entry.id))
        });
        let paths: Vec<_> = lacking.map(|change| change.path).collect();
        if !paths.is_empty() {
            let mut note = Note::about_paths(NoteKind::ContentToFetch, paths);
            note.reference = Some(remote);
            plan.notes.push(note);
        }
        Ok(())
    }
}
