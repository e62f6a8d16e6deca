//! Trees that are no plan, checked one after the other in one folder.

use super::bench::Bench;
use super::{CheckOptions, Checker, Judged, Watch, judged};
use crate::error::Result;
use crate::id::TreeId;
use crate::repo::NewObjects;
use crate::scratch::Scratch;
use crate::verdict::{CheckRun, On, Outcome, Verdict};

/// Checks trees in a folder that is made for the first of them and reused for the others; it goes with this value.
pub(crate) struct TreeChecker<'a> {
    checker: &'a Checker<'a>,
    options: &'a CheckOptions,
    control: &'a [CheckRun],
    scratch: Option<Scratch>,
}

impl<'a> TreeChecker<'a> {
    /// `control` is what the same checks said of the tip as it is; without it a failure is a failure.
    pub(crate) fn new(checker: &'a Checker<'a>, options: &'a CheckOptions, control: &'a [CheckRun]) -> Self {
        Self { checker, options, control, scratch: None }
    }

    /// What the checks say of a tree, of which `made` are the objects that the repository does not have.
    ///
    /// # Writes
    /// The folder, below the system's folder for temporary files, and whatever the programs write.
    ///
    /// # Errors
    /// [`Error::Cancelled`](crate::Error::Cancelled); those of [`Scratch::of_tree`].
    pub(crate) fn run(
        &mut self,
        on: On,
        (tree, made): (TreeId, &NewObjects),
        watch: &mut dyn Watch,
    ) -> Result<Vec<CheckRun>> {
        let repo = self.checker.repo;
        let scratch = match self.scratch.take() {
            Some(mut scratch) => {
                scratch.switch_to(repo, tree, made)?;
                scratch
            }
            None => Scratch::of_tree(repo, tree, made)?,
        };
        let mut bench = Bench::new(self.checker, self.options, watch);
        bench.runs = self.control.to_vec();
        let runs = bench.run_on(&scratch, on, tree);
        self.scratch = Some(scratch);
        runs
    }

    /// What the checks say of a candidate, in one verdict.
    ///
    /// # Writes
    /// As [`TreeChecker::run`].
    ///
    /// # Errors
    /// As [`TreeChecker::run`].
    pub(crate) fn judge(
        &mut self,
        candidate: (TreeId, &NewObjects),
        watch: &mut dyn Watch,
    ) -> Result<Verdict> {
        let runs = self.run(On::Candidate, candidate, watch)?;
        Ok(match judged(&runs) {
            Judged::Passed => Verdict::pass(),
            Judged::Failed(why) => Verdict::new(Outcome::Fail, why),
            Judged::Doubt(why) => Verdict::new(Outcome::Inconclusive, why),
        })
    }
}
