//! A simulation of the engine: procedures, programs, people, crashes and a second process, all from a seed.
//!
//! Nothing real is touched: the ports of the engine (`engine/ports.rs`, `Runner`, `Clock`) are those of a world in memory.
//! `RB_SIMULATION=100000` lets so many runs be simulated, `RB_SIMULATION_SEED=N` the one of this seed, with its story.

mod generate;
mod judge;
mod repository;
mod world;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use self::world::{Crash, Dice, MAIN, NOWHERE, Process, Trouble, World};
use super::{Engine, EngineError, Resumption, RunRequest, RunState, UnitKind, UnitState, fingerprint};
use crate::id::CommitId;
use crate::path::RepoPath;
use crate::procedure::Procedure;

/// How many runs `cargo test` simulates.
const RUNS: u64 = 2_000;
/// Plays one run again, with its story.
const REPLAY: &str = "cargo test --workspace --lib simulated_runs -- --nocapture";
/// The most that a person does before a run has to have ended.
const PATIENCE: usize = 25;

/// What one process is asked to do.
#[derive(Debug, Clone)]
enum Act {
    Start,
    Resume { retry: bool, mark_done: bool, replan: bool, confirmed: Vec<String> },
    Abort,
    Publish { retry: bool },
    FollowUp { retry: bool },
}

/// How an act ended; `None` where the process died.
type Acted = Option<Result<RunState, EngineError>>;

struct Scene {
    dice: Dice,
    world: Arc<World>,
    procedure: Procedure,
    hash: String,
    publish: bool,
    processes: usize,
    /// The code of the last refusal.
    refused: Option<&'static str>,
    /// Whether the last act was to go on from another tip.
    replanned: bool,
}

fn history(world: &World, dice: &mut Dice) -> (CommitId, CommitId) {
    let tree = |rows: &[(&str, &str)]| -> BTreeMap<RepoPath, Vec<u8>> {
        rows.iter().map(|(path, text)| (RepoPath::from(*path), text.as_bytes().to_owned())).collect()
    };
    let mut state = world.state();
    let good = state.add_commit(Vec::new(), tree(&[("f", "good"), ("t.toml", "a = 100\n")]), "good");
    let bad = state.add_commit(vec![good], tree(&[("f", "bad"), ("t.toml", "a = 100\n")]), "bad");
    let mut tip = bad;
    if dice.chance(50) {
        let f = if dice.chance(40) { "worse" } else { "bad" };
        tip = state.add_commit(vec![bad], tree(&[("f", f), ("h", "h"), ("t.toml", "a = 100\n")]), "later");
    }
    state.branches.insert(MAIN.to_owned(), tip);
    state.remote.insert(MAIN.to_owned(), tip);
    (bad, good)
}

impl Scene {
    fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let world = World::new(seed.wrapping_add(1));
        let (bad, good) = history(&world, &mut dice);
        let text = generate::procedure(&mut dice, bad, good);
        let procedure = Procedure::parse("sim.toml", text.as_bytes(), &())
            .unwrap_or_else(|problems| panic!("seed {seed}: {problems}\n{text}"));
        let publish = dice.chance(60) && text.contains("[publish]");
        world.state().trace.push(text);
        let hash = fingerprint(&procedure, Some(NOWHERE.as_ref())).hash;
        Self { dice, world, procedure, hash, publish, processes: 0, refused: None, replanned: false }
    }

    fn request(&self) -> RunRequest {
        RunRequest {
            trusted_hash: Some(self.hash.clone()),
            phase: Some("p".into()),
            reason: "it is broken".into(),
            allow_loss: true,
            approvals: vec![("boss".into(), "grace".into())],
            soak: true,
            publish: self.publish,
            publishing: super::PublishConsent { despite_failures: false, with_others: true },
            ..RunRequest::default()
        }
    }

    /// The newest run, as its record has it.
    fn run(&self) -> Option<RunState> {
        self.world.state().records.last().map(|record| record.run.clone())
    }

    fn act(&self, process: &Process, act: &Act) -> Result<RunState, EngineError> {
        process.arrive();
        let environment = |_: &str| None;
        let engine = Engine {
            repo: process,
            runner: process,
            clock: process,
            environment: &environment,
            cancel: crate::Cancel::default(),
        };
        let newest = || self.run().map(|run| run.id).unwrap_or_default();
        match act {
            Act::Start => engine.start(&self.procedure, self.request(), &mut ()),
            Act::Resume { retry, mark_done, replan, confirmed } => {
                let (retry, mark_done, replan) = (*retry, *mark_done, *replan);
                let (confirmed, request) = (confirmed.clone(), self.request());
                let how = Resumption { retry, mark_done, replan, confirmed, request };
                engine.resume(&self.procedure, None, how, &mut ())
            }
            Act::Abort => engine.abort(None),
            Act::Publish { retry } => {
                let request = RunRequest { retry: *retry, ..self.request() };
                engine.publish(&self.procedure, &newest(), request, &mut ())
            }
            Act::FollowUp { retry } => {
                let request = RunRequest { retry: *retry, ..self.request() };
                engine.follow_up(&self.procedure, &newest(), "due", request, &mut ())
            }
        }
    }

    fn trouble(&mut self) -> Trouble {
        let mut trouble = Trouble::default();
        if self.dice.chance(55) {
            trouble.crash = Some((1 + self.dice.below(120), self.dice.chance(50)));
            trouble.power = self.dice.chance(30);
        } else if self.dice.chance(20) {
            trouble.fail = Some(1 + self.dice.below(120));
        }
        trouble
    }

    /// Lets processes act at once, one call of a port at a time.
    fn together(&mut self, acts: &[(Act, Trouble)]) -> Vec<Acted> {
        for (act, _) in acts {
            self.grant(act);
        }
        let mut processes = Vec::new();
        for (act, trouble) in acts {
            self.processes += 1;
            self.world.state().trace.push(format!("[{}] {act:?} {trouble:?}", self.processes));
            processes.push(Process::new(&self.world, self.processes, *trouble));
        }
        let numbers: Vec<_> = processes.iter().map(|process| process.number).collect();
        self.world.begin(&numbers);
        let work = |process: &Process, act: &Act| -> Acted {
            let acted = catch_unwind(AssertUnwindSafe(|| self.act(process, act)));
            self.world.end(process.number);
            match acted {
                Ok(acted) => Some(acted),
                Err(thrown) if thrown.is::<Crash>() => None,
                Err(thrown) => resume_unwind(thrown),
            }
        };
        let acted: Vec<Acted> = match processes.as_slice() {
            [only] => vec![work(only, &acts[0].0)],
            _ => std::thread::scope(|scope| {
                let work = &work;
                let threads: Vec<_> = (processes.iter().zip(acts))
                    .map(|(process, (act, _))| scope.spawn(move || work(process, act)))
                    .collect();
                threads.into_iter().map(|thread| thread.join().expect("it did not panic")).collect()
            }),
        };
        let mut state = self.world.state();
        for (number, acted) in numbers.iter().zip(&acted) {
            let line = match acted {
                None => format!("[{number}] died"),
                Some(Ok(run)) => format!("[{number}] -> {:?} {:?}", run.status, run.ending),
                Some(Err(error)) => format!("[{number}] -> {}: {error}", error.code()),
            };
            state.trace.push(line);
        }
        drop(state);
        acted
    }

    /// A person who says that a unit may run again permits its programs another start.
    fn grant(&self, act: &Act) {
        let Some(run) = self.run() else { return };
        let started = |kind: Option<UnitKind>| {
            let found = run.units.iter().find(|unit| unit.state == UnitState::Started);
            found.filter(|unit| kind == Some(unit.kind) || kind.is_none() && !unit.repeatable)
        };
        let mut state = self.world.state();
        match act {
            Act::Resume { retry: true, .. } => {
                let Some(unit) = started(None) else { return };
                let prechecks = &self.procedure.document.precheck;
                let step = prechecks.iter().find(|row| row.id == unit.id).and_then(|row| row.step.as_ref());
                state.permit(
                    &run.id,
                    &match unit.kind {
                        UnitKind::Message => format!("send-{}", unit.id),
                        UnitKind::Rollback => "rung-1".to_owned(),
                        UnitKind::Publish => "publish-1".to_owned(),
                        _ => format!("step-{}", step.unwrap_or(&unit.id)),
                    },
                );
            }
            // Asked for by name, it is done again, unless it was cut off.
            Act::Publish { retry } if *retry || started(Some(UnitKind::Publish)).is_none() => {
                state.permit(&run.id, "publish-1");
            }
            Act::FollowUp { retry } if *retry || started(Some(UnitKind::Followup)).is_none() => {
                state.permit(&run.id, "step-fs");
            }
            _ => {}
        }
    }

    /// What a person would do next; `None` where everything has ended.
    fn next(&mut self) -> Option<Act> {
        let resume =
            |retry, mark_done, replan| Act::Resume { retry, mark_done, replan, confirmed: Vec::new() };
        let Some(run) = self.run() else { return Some(Act::Start) };
        if !run.status.is_open() {
            return None;
        }
        let cut_off = run.units.iter().any(|unit| unit.state == UnitState::Started && !unit.repeatable);
        Some(match (self.refused, &run.pause) {
            (Some("moved"), _) if self.dice.chance(60) => resume(false, false, true),
            (Some("moved" | "branch-exists" | "already-undone"), _) => Act::Abort,
            (Some("step-cut-off"), _) if cut_off => match self.dice.chance(60) {
                true => resume(true, false, self.replanned),
                false => resume(false, true, self.replanned),
            },
            (_, Some(_)) if self.dice.chance(50) => resume(false, true, false),
            (_, Some(pause)) => {
                let confirmed = vec![pause.at.clone()];
                Act::Resume { retry: false, mark_done: false, replan: false, confirmed }
            }
            _ => resume(false, false, false),
        })
    }

    /// Acts with trouble, alone or beside a second process.
    fn stir(&mut self) {
        for _ in 0..=self.dice.below(3) {
            let closed = self.run().is_some_and(|run| !run.status.is_open());
            let act = match self.next() {
                Some(_) if self.dice.chance(8) && self.run().is_some() => Act::Abort,
                Some(act) => act,
                None if self.dice.chance(50) && self.has_followup() => {
                    Act::FollowUp { retry: self.refused == Some("step-cut-off") }
                }
                None if self.dice.chance(60) => Act::Publish { retry: self.refused == Some("step-cut-off") },
                None => Act::Start,
            };
            let mut acts = vec![(act, self.trouble())];
            if self.dice.chance(25) {
                let other = match self.dice.below(5) {
                    _ if self.run().is_none() => Act::Start,
                    0 => Act::Start,
                    1 => Act::Abort,
                    2 => Act::Publish { retry: false },
                    3 if closed && self.has_followup() => Act::FollowUp { retry: false },
                    _ => Act::Resume { retry: false, mark_done: false, replan: false, confirmed: Vec::new() },
                };
                // Asked for by name, each would be done.
                let named = |act: &Act| matches!(act, Act::Publish { .. } | Act::FollowUp { .. });
                // So would what a person takes for done at the same time.
                let done = |act: &Act| matches!(act, Act::Resume { mark_done: true, .. });
                if !named(&other) || !named(&acts[0].0) && !done(&acts[0].0) {
                    acts.push((other, self.trouble()));
                }
            }
            self.note(&acts);
            if self.dice.chance(8) {
                self.foreign_commit();
            }
        }
    }

    fn note(&mut self, acts: &[(Act, Trouble)]) {
        self.replanned = matches!(acts[0].0, Act::Resume { replan: true, .. });
        let acted = self.together(acts);
        self.refused = match acted.first() {
            Some(Some(Err(error))) => Some(error.code()),
            _ => None,
        };
        judge::runs(&mut self.world.state());
    }

    fn has_followup(&self) -> bool {
        !self.procedure.document.followup.is_empty()
    }

    /// Another person commits to the branch.
    fn foreign_commit(&mut self) {
        let mut state = self.world.state();
        let tip = state.branches[MAIN];
        let mut tree = state.commit(tip).expect("it is there").tree.clone();
        let at = state.commits.len();
        tree.insert(RepoPath::from(format!("n{at}").as_str()), b"new".to_vec());
        let commit = state.add_commit(vec![tip], tree, "somebody else's");
        state.branches.insert(MAIN.to_owned(), commit);
        state.trace.push("another person commits".into());
    }

    /// Goes on without trouble until the run has ended.
    fn settle(&mut self) {
        for _ in 0..PATIENCE {
            let Some(act) = self.next() else { return };
            self.note(&[(act, Trouble::default())]);
        }
        self.world.state().violation("the run cannot be brought to an end");
    }

    fn play(seed: u64) -> (Vec<String>, Vec<String>, usize) {
        let mut scene = Self::new(seed);
        scene.stir();
        scene.settle();
        let mut state = scene.world.state();
        let runs = state.records.len();
        (std::mem::take(&mut state.violations), std::mem::take(&mut state.trace), runs)
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn simulated_runs_keep_every_promise() {
    let (first, runs) = match number("RB_SIMULATION_SEED") {
        Some(seed) => (seed, 1),
        None => (0, number("RB_SIMULATION").unwrap_or(RUNS)),
    };
    let mut broken: BTreeMap<String, (usize, u64)> = BTreeMap::new();
    for seed in first..first + runs {
        let played = catch_unwind(|| Scene::play(seed)).unwrap_or_else(|thrown| {
            let said = thrown.downcast_ref::<String>().cloned().unwrap_or_default();
            (vec![format!("it panicked: {}", said.lines().next().unwrap_or_default())], Vec::new(), 0)
        });
        let (violations, trace, _) = played;
        if runs == 1 {
            eprintln!("{}", trace.join("\n"));
        }
        for violation in violations {
            broken.entry(violation).or_insert((0, seed)).0 += 1;
        }
    }
    let row = |(what, (many, seed)): (&String, &(usize, u64))| {
        format!("{many} times: {what}\n    RB_SIMULATION_SEED={seed} {REPLAY}")
    };
    let shown: Vec<_> = broken.iter().map(row).collect();
    assert!(
        broken.is_empty(),
        "{} kinds of broken promises in {runs} runs\n{}",
        broken.len(),
        shown.join("\n")
    );
}
