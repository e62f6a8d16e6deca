//! Checking a result before it lands: programs that the caller names are run on it in a scratch work tree.
//!
//! The same programs run on the tip as it is, so that a failure can be told apart from one that was there before. A
//! result that fails is rejected, and the next rung of the ladder is tried, from the same tip. Doubt is never a pass.
//! Nothing here writes the repository; what lands is landed by [`Repo::apply`](crate::Repo::apply), which refuses
//! with [`OnMoved::Refuse`](crate::receipt::OnMoved) what was not checked.
//!
//! ```
//! # let folder = tempfile::tempdir()?;
//! # let repo = rollback_core::guide::sample(folder.path().join("r"))?;
//! use rollback_core::checks::{CheckOptions, Checker, Conclusion};
//! use rollback_core::process::SystemRunner;
//! use rollback_core::{PlanOptions, Target};
//!
//! let plan = repo.plan(&Target::paths(["app.py"]), &PlanOptions::default())?;
//! let says_hello = ["grep", "-q", "hello", "app.py"].map(String::from).to_vec();
//! let checker = Checker::new(&repo, &SystemRunner);
//! let checked = checker.check(plan, &CheckOptions::new([says_hello]), &mut ())?;
//! assert_eq!(checked.conclusion, Conclusion::Passed);
//! // It ran on the tip, where it fails, and on the result.
//! let blocked: Vec<_> = checked.plan.checks.iter().map(|run| run.verdict.blocks()).collect();
//! assert_eq!(blocked, [true, false]);
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

mod bench;
mod ending;
mod trees;

use std::time::Duration;

use crate::cancel::Cancel;
use crate::error::Result;
use crate::path::RepoPath;
use crate::plan::{Attempt, Plan, Rejection};
use crate::process::Runner;
use crate::repo::Repo;
use crate::verdict::{CheckKind, CheckRun, On, Outcome};

use bench::Bench;
#[cfg(feature = "procedures")]
pub(crate) use ending::judge_ending;
pub(crate) use trees::TreeChecker;

/// What a result has to pass, and how.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CheckOptions {
    /// The checks, each a program with its arguments; all are run. Exit code 0 passes.
    pub checks: Vec<Vec<String>>,
    /// What prepares a work tree for them, each a program with its arguments.
    pub setup: Vec<Vec<String>>,
    /// Paths of the real work tree that are brought in as links, such as folders of dependencies that git ignores.
    pub links: Vec<RepoPath>,
    /// Variables of the environment that are passed on beside
    /// [`DEFAULT_ENVIRONMENT`](crate::process::DEFAULT_ENVIRONMENT). Their values are taken out of what is kept,
    /// where they have eight bytes or more.
    pub environment: Vec<String>,
    /// After what time a program is killed with all it started.
    pub timeout: Duration,
    /// Whether the checks run on the tip as it is, too.
    pub control: Control,
    /// Whether a rung may be tried that discards later edits.
    pub allow_loss: bool,
    /// The exit code by which a check says that it cannot judge; `None` where every code but 0 is a failure.
    pub skip_code: Option<i32>,
}

impl CheckOptions {
    /// These checks, ten minutes each, compared with the tip as it is.
    pub fn new(checks: impl IntoIterator<Item = Vec<String>>) -> Self {
        Self {
            checks: checks.into_iter().collect(),
            setup: Vec::new(),
            links: Vec::new(),
            environment: Vec::new(),
            timeout: Duration::from_secs(600),
            control: Control::Run,
            allow_loss: false,
            skip_code: None,
        }
    }
}

/// Whether checks run on the tip as it is, so that there is something to compare with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Control {
    /// They do: the same failure on both sides is inconclusive.
    #[default]
    Run,
    /// They do not: a failure is a failure.
    Skip,
}

/// What is needed to run checks.
pub struct Checker<'a> {
    pub(crate) repo: &'a Repo,
    runner: &'a dyn Runner,
    cancel: Cancel,
}

/// Sees what goes on while checks run.
pub trait Watch {
    /// A program begins.
    fn begins(&mut self, run: &[String], on: On);
    /// The running program wrote a line, redacted.
    fn line(&mut self, line: &str);
}

/// Sees nothing.
impl Watch for () {
    fn begins(&mut self, _: &[String], _: On) {}
    fn line(&mut self, _: &str) {}
}

/// A plan whose chosen result was checked, and what that says.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Checked {
    /// The plan, with every run in [`Plan::checks`]; what failed is rejected, and the rung that passed is chosen.
    pub plan: Plan,
    /// What the checks say.
    pub conclusion: Conclusion,
}

/// What checks say together.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Conclusion {
    /// The plan has no result that could be checked.
    NothingToCheck,
    /// The chosen result passes.
    Passed,
    /// No result that may be taken passes.
    Failed {
        /// What failed last, as a fragment.
        why: String,
        /// Whether there is a way left that discards later edits, which was not permitted.
        loss_would_help: bool,
    },
    /// The checks say nothing about the chosen result: a person has to decide.
    Inconclusive {
        /// Why, as a fragment.
        why: String,
    },
}

impl<'a> Checker<'a> {
    /// Runs checks of results in `repo`, through `runner`.
    pub fn new(repo: &'a Repo, runner: &'a dyn Runner) -> Self {
        Self { repo, runner, cancel: Cancel::default() }
    }

    /// Stops the checks once `cancel` is cancelled.
    pub fn cancelled_by(self, cancel: Cancel) -> Self {
        Self { cancel, ..self }
    }
    /// Runs the checks on the tip and on what `plan` would land, and goes on to the next way where they fail.
    ///
    /// A plan that was kept in a file, or whose branch has moved, is computed again first.
    ///
    /// # Writes
    /// Folders below the system's folder for temporary files, gone at the end, and whatever the programs write.
    ///
    /// # Errors
    /// What planning again can meet; [`Error::Cancelled`](crate::Error::Cancelled);
    /// [`PathError::Hostile`](crate::error::PathError::Hostile) for a tree that would write outside of its folder.
    pub fn check(&self, plan: Plan, options: &CheckOptions, watch: &mut dyn Watch) -> Result<Checked> {
        let mut plan = self.repo.recheck(plan)?;
        if plan.chosen.is_none() {
            return Ok(Checked { plan, conclusion: Conclusion::NothingToCheck });
        }
        let mut bench = Bench::new(self, options, watch);
        let conclusion = loop {
            match bench.judge(&plan)? {
                Judged::Passed => break Conclusion::Passed,
                Judged::Doubt(why) => break Conclusion::Inconclusive { why },
                Judged::Failed(why) => {
                    plan = self.without_chosen(&plan, format!("checks failed: {why}"))?;
                    let loss_would_help = self.pass_over_loss(&mut plan, options)?;
                    if plan.chosen.is_none() {
                        break Conclusion::Failed { why, loss_would_help };
                    }
                }
            }
        };
        plan.checks = bench.runs;
        Ok(Checked { plan, conclusion })
    }

    /// Runs the checks on HEAD as it is and on what is staged, such as a resolved conflict.
    ///
    /// # Writes
    /// As [`Checker::check`].
    ///
    /// # Errors
    /// [`WorkTreeError::Unmerged`](crate::error::WorkTreeError::Unmerged), and those of [`Checker::check`].
    pub fn check_staged(
        &self,
        options: &CheckOptions,
        watch: &mut dyn Watch,
    ) -> Result<(Vec<CheckRun>, Conclusion)> {
        let mut bench = Bench::new(self, options, watch);
        let conclusion = match bench.judge_staged()? {
            Judged::Passed => Conclusion::Passed,
            Judged::Doubt(why) => Conclusion::Inconclusive { why },
            Judged::Failed(why) => Conclusion::Failed { why, loss_would_help: false },
        };
        Ok((bench.runs, conclusion))
    }

    /// The plan as it is without its chosen result.
    fn without_chosen(&self, plan: &Plan, reason: String) -> Result<Plan> {
        let mut options = plan.request.options.clone();
        let tree_id = plan.chosen_attempt().and_then(|attempt| attempt.tree_id);
        options.rejected.extend(tree_id.map(|tree_id| Rejection { tree_id, reason }));
        self.repo.plan(&plan.request.target, &options)
    }

    /// Passes over what discards later edits where that is not permitted; whether there was something of the kind.
    fn pass_over_loss(&self, plan: &mut Plan, options: &CheckOptions) -> Result<bool> {
        let mut passed_over = false;
        while !options.allow_loss && plan.chosen_attempt().is_some_and(Attempt::needs_consent) {
            *plan =
                self.without_chosen(plan, "it discards later edits, and that was not permitted".to_owned())?;
            passed_over = true;
        }
        Ok(passed_over)
    }
}

/// What the checks say about one result.
enum Judged {
    Passed,
    Failed(String),
    Doubt(String),
}

/// What runs on one tree say together: a failure counts more than a doubt.
fn judged(runs: &[CheckRun]) -> Judged {
    let blocking = runs.iter().filter(|run| run.verdict.blocks());
    let doubt = |run: &&CheckRun| run.verdict.outcome == Outcome::Inconclusive;
    let (doubts, failures): (Vec<_>, Vec<_>) = blocking.partition(doubt);
    let said = |run: &CheckRun| {
        let setup = if run.kind == CheckKind::Setup { "setup " } else { "" };
        format!("{setup}{}{}", command_line(&run.run), reason(run))
    };
    match (failures.first(), doubts.first()) {
        (Some(failure), _) => Judged::Failed(said(failure)),
        (None, Some(doubt)) => Judged::Doubt(said(doubt)),
        (None, None) => Judged::Passed,
    }
}

/// The words as a shell reads them back.
pub(crate) fn command_line(run: &[String]) -> String {
    shlex::try_join(run.iter().map(String::as_str)).unwrap_or_else(|_| run.join(" "))
}

/// A verdict in a few words.
fn reason(run: &CheckRun) -> String {
    let verdict = &run.verdict;
    match &verdict.found {
        Some(found) if verdict.outcome == Outcome::Inconclusive => {
            format!(": {} ({found})", verdict.reason)
        }
        Some(found) => format!(" ended with {found}"),
        None => format!(": {}", verdict.reason),
    }
}
