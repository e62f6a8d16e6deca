//! A tour for programs that embed the library. Every example runs.
//!
//! The examples work on a [`sample`] repository of three commits: `app.py` says hello, the second commit breaks it, the
//! third changes another file. A program of its own begins with [`Repo::discover`](crate::Repo::discover).
//!
//! # Open
//!
//! ```
//! # let folder = tempfile::tempdir()?;
//! # rollback_core::guide::sample(folder.path().join("r"))?;
//! # let somewhere = folder.path().join("r");
//! use rollback_core::Repo;
//!
//! // Nothing but this folder decides which repository is meant. For a command line that heeds GIT_DIR and its kin
//! // there is `Repo::discover_with_environment`.
//! let repo = Repo::discover(&somewhere)?;
//! assert_eq!(repo.work_dir(), Some(somewhere.canonicalize()?.as_path()));
//! assert!(Repo::discover(folder.path()).is_err_and(|error| error.code() == "not-a-repository"));
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! A [`Repo`] is cheap to clone, and can be sent to and shared between threads.
//!
//! # Look into the history
//!
//! ```
//! # let folder = tempfile::tempdir()?;
//! # let repo = rollback_core::guide::sample(folder.path().join("r"))?;
//! use rollback_core::RepoPath;
//! use rollback_core::history::HistoryOptions;
//!
//! let history = repo.history(&RepoPath::from("app.py"), &HistoryOptions::default())?;
//! let subjects: Vec<_> = history.changes.iter().map(|change| change.subject.as_str()).collect();
//! assert_eq!(subjects, ["break the greeting", "greet"]);
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! # Plan, and inspect the plan
//!
//! A [`Target`](crate::Target) says what is to go back, a [`Plan`](crate::Plan) what that would do. A plan writes nothing.
//!
//! ```
//! # let folder = tempfile::tempdir()?;
//! # let repo = rollback_core::guide::sample(folder.path().join("r"))?;
//! use rollback_core::strategy::{LossClass, Strategy};
//! use rollback_core::{PlanOptions, RepoPath, Target};
//!
//! let target = Target::paths(["app.py"]);
//! let plan = repo.plan(&target, &PlanOptions::default())?;
//!
//! // The change that broke the path was found.
//! assert_eq!(plan.target.culprit.as_ref().map(|culprit| culprit.subject.as_str()), Some("break the greeting"));
//! // Each way that was tried is there, with what it would do and lose; the first that may be taken is chosen.
//! let way = plan.chosen_attempt().expect("there is a way");
//! assert_eq!((way.strategy, way.loss.class), (Strategy::RevertCommit, LossClass::Exact));
//! assert_eq!(way.paths_touched, [RepoPath::from("app.py")]);
//! assert!(repo.plan_diff(&plan)?.contains("-print('bye')\n+print('hello')\n"));
//! // A plan is a document: it can be kept, shown and landed later.
//! let text = serde_json::to_string(&plan)?;
//! let read: rollback_core::Plan = serde_json::from_str(&text)?;
//! assert_eq!(read.target, plan.target);
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! # Land
//!
//! ```
//! # let folder = tempfile::tempdir()?;
//! # let repo = rollback_core::guide::sample(folder.path().join("r"))?;
//! use rollback_core::receipt::OutcomeKind;
//! use rollback_core::{ApplyOptions, PlanOptions, Target};
//!
//! let broken = repo.resolve_commit("HEAD~1")?;
//! let target = Target::commits([broken.to_string()]);
//! let plan = repo.plan(&target, &PlanOptions::default())?;
//! let receipt = repo.apply(plan, &ApplyOptions::default())?;
//! assert_eq!(receipt.outcome.kind, OutcomeKind::Committed);
//! assert_eq!(receipt.outcome.reference.as_deref(), Some("refs/heads/main"));
//! assert_eq!(std::fs::read_to_string(folder.path().join("r/app.py"))?, "print('hello')\n");
//!
//! // What cannot be undone because it is undone is a result and no error.
//! let again = repo.plan(&target, &PlanOptions::default())?;
//! assert!(again.is_nothing_to_do());
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! The result can go to a branch of its own, where work tree and index stay as they are; this works in bare
//! repositories too:
//!
//! ```
//! # let folder = tempfile::tempdir()?;
//! # let repo = rollback_core::guide::sample(folder.path().join("r"))?;
//! # use rollback_core::{ApplyOptions, PlanOptions, Target};
//! use rollback_core::receipt::Destination;
//!
//! # let target = Target::commits(["HEAD~1"]);
//! let plan = repo.plan(&target, &PlanOptions::default())?;
//! let mut options = ApplyOptions::default();
//! options.destination = Destination::Branch("rescue".into());
//! let receipt = repo.apply(plan, &options)?;
//! assert_eq!(receipt.outcome.reference.as_deref(), Some("refs/heads/rescue"));
//! assert_eq!(std::fs::read_to_string(folder.path().join("r/app.py"))?, "print('bye')\n");
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! Refusals come before anything changes, name what is in the way, and have a stable code:
//!
//! ```
//! # let folder = tempfile::tempdir()?;
//! # let repo = rollback_core::guide::sample(folder.path().join("r"))?;
//! # use rollback_core::{ApplyOptions, PlanOptions, RepoPath, Target};
//! use rollback_core::error::ErrorClass;
//!
//! # let target = Target::commits(["HEAD~1"]);
//! std::fs::write(folder.path().join("r/app.py"), "print('work in progress')\n")?;
//! let plan = repo.plan(&target, &PlanOptions::default())?;
//! let refused = repo.apply(plan, &ApplyOptions::default()).expect_err("the file is edited");
//! assert_eq!((refused.code(), refused.class()), ("in-the-way", ErrorClass::Precondition));
//! assert_eq!(refused.paths(), [RepoPath::from("app.py")]);
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! # Undo
//!
//! ```
//! # let folder = tempfile::tempdir()?;
//! # let repo = rollback_core::guide::sample(folder.path().join("r"))?;
//! # use rollback_core::{ApplyOptions, PlanOptions, Target};
//! use rollback_core::oplog::{OperationRef, UndoOptions};
//!
//! # let target = Target::commits(["HEAD~1"]);
//! let before = repo.resolve_commit("HEAD")?;
//! repo.apply(repo.plan(&target, &PlanOptions::default())?, &ApplyOptions::default())?;
//! let operation = repo.operations()?.remove(0);
//! repo.undo(&OperationRef::Id(operation.operation_id), &UndoOptions::default())?;
//! assert_eq!(repo.resolve_commit("HEAD")?, before);
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! [`OperationRef::NextUndo`](crate::oplog::OperationRef::NextUndo) and
//! [`OperationRef::NextRedo`](crate::oplog::OperationRef::NextRedo) go back and forth along the landings;
//! [`Repo::undo_git`](crate::Repo::undo_git) takes back what git did last to a branch.
//!
//! # Ask before the incident
//!
//! A [`rehearsal`](crate::rehearsal) tells of each change of a range whether it could be rolled back by itself, on all cores
//! and, in shards, on all machines:
//!
//! ```
//! # let folder = tempfile::tempdir()?;
//! # let repo = rollback_core::guide::sample(folder.path().join("r"))?;
//! use rollback_core::rehearsal::{Prospect, RehearsalOptions};
//!
//! let rehearsal = repo.rehearse(&["HEAD~2..".to_owned()], &RehearsalOptions::default())?;
//! assert!(rehearsal.changes.iter().all(|change| change.prospect() == Prospect::Revertible));
//! assert_eq!(rehearsal.summary().percent(), 100.0);
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! # Find the culprit by behaviour
//!
//! A [`bisection`](crate::bisect) finds the change that turned a check from passing to failing, or whatever a function says:
//!
//! ```
//! # let folder = tempfile::tempdir()?;
//! # let repo = rollback_core::guide::sample(folder.path().join("r"))?;
//! use rollback_core::bisect::{BisectOptions, Ruling};
//! use rollback_core::CommitId;
//!
//! let good = repo.resolve_commit("HEAD~2")?;
//! let judge = |commit: CommitId| {
//!     Ok(if commit == good { Ruling::Good } else { Ruling::Bad("it is later".into()) })
//! };
//! let found = repo.bisect(&BisectOptions::default(), &judge, &mut ())?;
//! assert_eq!(found.culprit.map(|culprit| culprit.commit_id), Some(repo.resolve_commit("HEAD~1")?));
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! # Keep a state, and come back to it
//!
//! ```
//! # let folder = tempfile::tempdir()?;
//! # let repo = rollback_core::guide::sample(folder.path().join("r"))?;
//! use rollback_core::checkpoint::{CheckpointOptions, MANUAL, RestoreOptions};
//!
//! let file = folder.path().join("r/app.py");
//! std::fs::write(&file, "print('an experiment')\n")?;
//! let kept = repo.create_checkpoint(MANUAL, "before", &CheckpointOptions::default())?;
//! std::fs::write(&file, "print('oops')\n")?;
//! repo.restore_checkpoint(&kept, RestoreOptions::default())?;
//! assert_eq!(std::fs::read_to_string(&file)?, "print('an experiment')\n");
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! # Stop long work
//!
//! ```
//! # let folder = tempfile::tempdir()?;
//! # let repo = rollback_core::guide::sample(folder.path().join("r"))?;
//! # use rollback_core::{PlanOptions, Target};
//! use rollback_core::{Cancel, Error};
//!
//! let cancel = Cancel::new();
//! let repo = repo.cancelled_by(cancel.clone());
//! cancel.cancel(); // from another thread, or a signal handler through `Cancel::flag`
//! # let target = Target::paths(["app.py"]);
//! assert!(matches!(repo.plan(&target, &PlanOptions::default()), Err(Error::Cancelled)));
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! # Bring your own hooks, committer and time
//!
//! The library starts no program by itself. What runs hooks is given with the landing, as are the committer and the time:
//!
//! ```
//! # let folder = tempfile::tempdir()?;
//! # let repo = rollback_core::guide::sample(folder.path().join("r"))?;
//! # use rollback_core::{ApplyOptions, PlanOptions, Target};
//! use rollback_core::hooks::{HookCall, HookEnd, Hooks};
//! use rollback_core::receipt::{CommitTime, Identity};
//!
//! /// Runs nothing and lets everything pass.
//! #[derive(Debug)]
//! struct NoHooks;
//!
//! impl Hooks for NoHooks {
//!     fn run(&self, _: &HookCall) -> HookEnd {
//!         HookEnd::default()
//!     }
//! }
//!
//! # let target = Target::commits(["HEAD~1"]);
//! let mut options = ApplyOptions::default();
//! options.hooks = Some(std::sync::Arc::new(NoHooks));
//! options.identity = Some(Identity::new("Release Bot", "bot@example.com"));
//! options.time = Some(CommitTime::new(1_800_000_000, 3600));
//! let receipt = repo.apply(repo.plan(&target, &PlanOptions::default())?, &options)?;
//! let landed = repo.commit_summary(receipt.outcome.commit_ids[0])?;
//! assert_eq!(landed.time, 1_800_000_000);
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! # Embed a procedure
//!
//! A procedure is a runbook as data. The [`Engine`](crate::procedure::engine::Engine) needs something that starts
//! programs and something that tells the time; an [`Observer`](crate::procedure::engine::Observer) follows the run.
//! PROCEDURES.md, at the top of the sources, describes every key of the format, the placeholders and the conditions.
//!
//! ```
//! # let folder = tempfile::tempdir()?;
//! # let repo = rollback_core::guide::sample(folder.path().join("r"))?;
//! use rollback_core::procedure::Procedure;
//! use rollback_core::procedure::engine::{self, Clock, Engine, Event, Observer, RunRequest, RunStatus};
//! use rollback_core::process::SystemRunner;
//!
//! let text = br#"
//! schema = 1
//! id = "greeting"
//! default_phase = "app"
//! [phase.app]
//! paths = ["app.py"]
//! target = { path = "app.py" }
//! ladder = [{ use = "revert-commit" }]
//! validate = ["says-hello"]
//! [[check]]
//! id = "says-hello"
//! file = "app.py"
//! expect = { contains = "hello" }
//! "#;
//! let procedure = Procedure::parse("greeting.toml", text, &())?;
//!
//! /// The system's time; nothing here waits.
//! struct Now;
//! impl Clock for Now {
//!     fn now(&self) -> jiff::Timestamp {
//!         jiff::Timestamp::now()
//!     }
//!     fn wait(&self, _: std::time::Duration) {}
//! }
//!
//! #[derive(Default)]
//! struct Checks(usize);
//! impl Observer for Checks {
//!     fn event(&mut self, event: &Event<'_>) {
//!         self.0 += usize::from(matches!(event, Event::Check { .. }));
//!     }
//! }
//!
//! let environment = |name: &str| std::env::var(name).ok();
//! let engine = Engine::new(&repo, &SystemRunner, &Now, &environment);
//! let mut request = RunRequest::default();
//! // Trust is for acting: the hash of what was read and approved.
//! request.trusted_hash = Some(engine::fingerprint(&procedure, repo.work_dir()).hash);
//! let mut checks = Checks::default();
//! let run = engine.start(&procedure, request, &mut checks)?;
//! assert_eq!((run.status, checks.0), (RunStatus::Complete, 1));
//! assert_eq!(std::fs::read_to_string(folder.path().join("r/app.py"))?, "print('hello')\n");
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

use std::path::Path;

use crate::error::Result;
use crate::import::{self, ImportOptions};
use crate::repo::Repo;

const HISTORY: &str = "\
commit refs/heads/main
committer Ada <ada@example.com> 1767225600 +0000
data 5
greet
M 100644 inline app.py
data 15
print('hello')

M 100644 inline README
data 6
A try

commit refs/heads/main
committer Ada <ada@example.com> 1767229200 +0000
data 18
break the greeting
M 100644 inline app.py
data 13
print('bye')

commit refs/heads/main
committer Ada <ada@example.com> 1767232800 +0000
data 16
explain the rest
M 100644 inline README
data 12
A greeting.

done
";

/// Creates the repository of the examples in an empty or new folder.
///
/// # Writes
/// The folder, as [`import::create`] does.
///
/// # Errors
/// Those of [`import::create`].
pub fn sample(folder: impl AsRef<Path>) -> Result<Repo> {
    let identity = Some(("Ada".into(), "ada@example.com".into()));
    import::create(folder, HISTORY.as_bytes(), &ImportOptions { identity, ..ImportOptions::default() })
}
