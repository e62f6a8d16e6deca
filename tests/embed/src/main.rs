//! Plans, inspects, cancels, lands on a branch of a bare repository, undoes, and runs a procedure with events.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rollback_core::history::HistoryOptions;
use rollback_core::import::{self, ImportOptions};
use rollback_core::oplog::{OperationRef, UndoOptions};
use rollback_core::receipt::{Destination, Identity};
use rollback_core::strategy::Strategy;
use rollback_core::{ApplyOptions, Cancel, Plan, PlanOptions, Repo, RepoPath, Stage, Target};

type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result {
    let folder = tempfile::tempdir()?;
    plan_inspect_land_and_undo_in_a_bare_repository(folder.path())?;
    #[cfg(feature = "procedures")]
    procedure::runs_with_events(folder.path())?;
    stop_in_the_middle(folder.path())?;
    println!("embed: ok");
    Ok(())
}

fn back(path: &str) -> Target {
    Target::paths([path])
}

/// A bare clone, made without git: the git directory of a work tree, by itself.
fn bare(from: &Repo, at: &Path) -> Result<Repo> {
    fs::rename(from.git_dir(), at)?;
    let config = fs::read_to_string(at.join("config"))?.replace("bare = false", "bare = true");
    fs::write(at.join("config"), config)?;
    Ok(Repo::discover(at)?)
}

fn plan_inspect_land_and_undo_in_a_bare_repository(folder: &Path) -> Result {
    let repo = bare(&rollback_core::guide::sample(folder.join("sample"))?, &folder.join("sample.git"))?;
    assert!(repo.work_dir().is_none());

    let plan = repo.plan(&back("app.py"), &PlanOptions::default())?;
    let attempt = plan.chosen_attempt().ok_or("there is a way")?;
    assert_eq!(attempt.strategy, Strategy::RevertCommit);
    assert!(repo.plan_diff(&plan)?.contains("+print('hello')\n"));
    let kept = serde_json::to_string(&plan)?;

    let plan: Plan = serde_json::from_str(&kept)?;
    let mut options = ApplyOptions::default();
    options.destination = Destination::Branch("rescue".into());
    options.identity = Some(Identity::new("Release Bot", "bot@example.com"));
    let receipt = repo.apply(plan, &options)?;
    assert_eq!(receipt.outcome.reference.as_deref(), Some("refs/heads/rescue"));
    let rescued = repo.resolve_commit("rescue")?;
    assert_eq!(receipt.outcome.commit_ids, [rescued]);

    let operation = repo.operations()?.remove(0).operation_id;
    repo.undo(&OperationRef::Id(operation), &UndoOptions::default())?;
    assert!(repo.resolve_commit("rescue").is_err_and(|error| error.code() == "unknown-revision"));
    Ok(())
}

/// A history of so many commits to `f`; `g` is as the first commit made it.
fn long_history(folder: &Path, commits: usize) -> Result<Repo> {
    let mut stream = String::new();
    for at in 0..commits {
        let text = format!("{at}\n");
        let first = if at == 0 { "M 100644 inline g\ndata 2\ng\n" } else { "" };
        write!(
            stream,
            "commit refs/heads/main\ncommitter A <a@example.com> {} +0000\ndata 2\nc\nM 100644 inline f\ndata {}\n{text}{first}\n",
            1_700_000_000 + at,
            text.len()
        )?;
    }
    stream.push_str("done\n");
    Ok(import::create(folder, stream.as_bytes(), &ImportOptions::default())?)
}

/// The time between the call that cancels and the return of the work, at several moments of a plan and a history.
fn stop_in_the_middle(folder: &Path) -> Result {
    let commits = std::env::var("EMBED_COMMITS").map_or(Ok(20_000), |text| text.parse())?;
    let repo = long_history(&folder.join("long"), commits)?;
    let works: [(&str, fn(&Repo) -> rollback_core::Result<()>); 2] = [
        ("a plan", |repo| repo.plan(&back("g"), &PlanOptions::default()).map(drop)),
        ("a history", |repo| repo.history(&RepoPath::from("g"), &HistoryOptions::default()).map(drop)),
    ];
    for (name, work) in works {
        for part in [10, 3, 2] {
            let read = Arc::new(AtomicU64::new(0));
            let cancel = Cancel::new();
            let counted = Arc::clone(&read);
            let stopped = repo.clone().cancelled_by(cancel.clone()).with_progress(Arc::new(
                move |stage: Stage, done: u64, _: Option<u64>| {
                    if stage == Stage::History {
                        counted.store(done, Ordering::Relaxed);
                    }
                },
            ));
            let worker = std::thread::spawn(move || (work(&stopped), Instant::now()));
            while read.load(Ordering::Relaxed) < commits as u64 / part {
                std::thread::yield_now();
            }
            let asked = Instant::now();
            cancel.cancel();
            let (ended, at) = worker.join().map_err(|_| "it does not panic")?;
            assert!(ended.is_err_and(|error| error.code() == "cancelled"));
            let took = at.saturating_duration_since(asked);
            println!("embed: {name} over {commits} commits, cancelled after 1 in {part}: {took:?}");
            // Far above the 50 ms that are promised: this machine may be busy.
            assert!(took < Duration::from_secs(2));
        }
    }
    Ok(())
}

#[cfg(feature = "procedures")]
mod procedure {
    use std::fs;
    use std::path::Path;

    use rollback_core::procedure::Procedure;
    use rollback_core::procedure::engine::{self, Clock, Engine, Event, Observer, RunRequest, RunStatus};
    use rollback_core::process::SystemRunner;

    const GREETING: &[u8] = br#"
schema = 1
id = "greeting"
default_phase = "app"
[phase.app]
paths = ["app.py"]
target = { path = "app.py" }
ladder = [{ use = "revert-commit" }]
validate = ["says-hello"]
[[check]]
id = "says-hello"
file = "app.py"
expect = { contains = "hello" }
"#;

    struct Now;

    impl Clock for Now {
        fn now(&self) -> jiff::Timestamp {
            jiff::Timestamp::now()
        }
        fn wait(&self, _: std::time::Duration) {}
    }

    #[derive(Default)]
    struct Events(Vec<String>);

    impl Observer for Events {
        fn event(&mut self, event: &Event<'_>) {
            let name = format!("{event:?}");
            self.0.push(name.split([' ', '{', '(']).next().unwrap_or_default().to_owned());
        }
    }

    pub fn runs_with_events(folder: &Path) -> super::Result {
        let repo = rollback_core::guide::sample(folder.join("run"))?;
        let procedure = Procedure::parse("greeting.toml", GREETING, &())?;
        let environment = |name: &str| std::env::var(name).ok();
        let engine = Engine::new(&repo, &SystemRunner, &Now, &environment);
        let mut request = RunRequest::default();
        request.trusted_hash = Some(engine::fingerprint(&procedure, repo.work_dir()).hash);
        let mut events = Events::default();
        let run = engine.start(&procedure, request, &mut events)?;
        assert_eq!(run.status, RunStatus::Complete);
        assert!(events.0.iter().any(|name| name == "Check"), "{:?}", events.0);
        assert_eq!(fs::read_to_string(folder.join("run/app.py"))?, "print('hello')\n");
        Ok(())
    }
}
