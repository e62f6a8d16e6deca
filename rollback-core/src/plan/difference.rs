//! What a plan changes: the tip against the result, as a patch.

use super::Plan;
use crate::error::{Error, LandingError, Result};
use crate::patch::{Diff, DiffOptions};
use crate::repo::Repo;

impl Repo {
    /// What landing `plan` would change, against what it starts from; `None` where nothing of it is chosen.
    ///
    /// A plan that was read from a file is made again on the tip that it names.
    ///
    /// ```
    /// # let folder = tempfile::tempdir()?;
    /// # let repo = rollback_core::guide::sample(folder.path().join("r"))?;
    /// use rollback_core::patch::DiffOptions;
    /// use rollback_core::{PlanOptions, Target};
    ///
    /// let plan = repo.plan(&Target::paths(["app.py"]), &PlanOptions::default())?;
    /// let diff = repo.plan_patch(&plan, &DiffOptions::from_config(&repo)?)?.expect("there is a way");
    /// let mut patch = Vec::new();
    /// diff.write_to(&mut patch)?;
    /// // `git apply` takes it.
    /// assert!(patch.starts_with(b"diff --git a/app.py b/app.py\n"));
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`LandingError::PlanAltered`] for a plan from a file whose result is not what its request comes to, and those of
    /// reading objects.
    pub fn plan_patch(&self, plan: &Plan, options: &DiffOptions) -> Result<Option<Diff>> {
        let Some(chosen) = plan.chosen_attempt() else { return Ok(None) };
        let Some(result) = chosen.tree_id else { return Ok(None) };
        let again = match plan.prepared.is_some() {
            true => None,
            false => Some(self.planned_again(plan)?),
        };
        let prepared = &again.as_ref().unwrap_or(plan).prepared;
        self.complete(|repo| {
            let objects = repo.objects();
            objects.insert_new(prepared.objects())?;
            let start = match plan.tip.index_tree_id {
                Some(_) => repo.index_tree(&objects)?,
                None => objects.commit_header(plan.tip.commit_id)?.tree,
            };
            Diff::between(objects, start, result, options)
        })
        .map(Some)
    }

    /// The same plan, with the objects that it needs.
    fn planned_again(&self, plan: &Plan) -> Result<Plan> {
        let mut options = plan.request.options.clone();
        options.onto = Some(plan.tip.commit_id.to_string());
        let again = self.plan(&plan.request.target, &options)?;
        let tree = |plan: &Plan| plan.chosen_attempt().and_then(|attempt| attempt.tree_id);
        if tree(&again) != tree(plan) {
            return Err(LandingError::PlanAltered { field: "tree_id of the chosen way".into() }.into());
        }
        Ok(again)
    }

    /// The diff of what landing `plan` would change, as text for people; empty where nothing of it is chosen. Bytes that
    /// are not UTF-8 become U+FFFD, and files that are too large to be in memory are only named.
    ///
    /// # Errors
    /// As [`Repo::plan_patch`].
    pub fn plan_diff(&self, plan: &Plan) -> Result<String> {
        let Some(diff) = self.plan_patch(plan, &DiffOptions::from_config(self)?)? else {
            return Ok(String::new());
        };
        let mut text = Vec::new();
        for file in diff.files() {
            match diff.patches(file) {
                Err(Error::TooLarge { .. }) => {
                    text.extend(format!("Large file {} differs\n", file.path()).into_bytes());
                }
                patches => patches?.iter().try_for_each(|patch| patch.write_to(&mut text))?,
            }
        }
        Ok(String::from_utf8_lossy(&text).into_owned())
    }
}
