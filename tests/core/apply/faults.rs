//! Injected errors and races: a landing that fails leaves everything as it was, one that says that it
//! succeeded did, and no commit of anybody is lost.
//!
//! `cargo test -p rollback-core --lib error_sweep -- --ignored --nocapture`, and `races_with_git` likewise.

use std::collections::BTreeMap;
use std::fs;

use super::kit::*;
use super::shapes;
use super::sweep::{Dice, Ended, Point, Scene, inject};

/// The calls that can fail for want of space, of rights or of a sound disk.
const FALLIBLE: [&str; 20] = [
    "openat",
    "openat2",
    "write",
    "pwrite64",
    "read",
    "rename",
    "renameat",
    "renameat2",
    "link",
    "linkat",
    "unlink",
    "unlinkat",
    "mkdir",
    "mkdirat",
    "rmdir",
    "symlinkat",
    "fsync",
    "fchmod",
    "chmod",
    "getdents64",
];

#[test]
#[ignore = "minutes: the full sweep"]
fn error_sweep() {
    errors(&mut Dice::from_environment(), super::sweep::share());
}

#[test]
fn a_slice_of_the_error_sweep_is_neither_half_applied_nor_wrongly_reported() {
    if super::sweep::can_trace() {
        errors(&mut Dice::new(5), 150);
    }
}

fn errors(dice: &mut Dice, share: usize) {
    let (mut tried, mut wrong) = (0, Vec::new());
    for shape in super::sweep::chosen_shapes() {
        let scene = Scene::new(shape);
        let points: Vec<Point> =
            scene.points().into_iter().filter(|point| FALLIBLE.contains(&point.call.as_str())).collect();
        let mut outcomes: BTreeMap<&str, usize> = BTreeMap::new();
        for point in points.iter().filter(|_| dice.below(share) == 0).collect::<Vec<_>>() {
            let error = ["ENOSPC", "EIO", "EACCES", "EDQUOT", "EINTR"][dice.below(5)];
            let copy = scene.shape.copy();
            let ended = scene.run(&copy, "do", inject(point, &format!("error={error}")));
            tried += 1;
            match judge(&scene, &copy, &ended) {
                Ok(outcome) => *outcomes.entry(outcome).or_default() += 1,
                Err(why) => {
                    println!("WRONG {} {point:?} {error}: {ended:?}: {why}", scene.shape.name);
                    wrong.push((scene.shape.name, point.clone(), error));
                }
            }
        }
        println!("{:<28} {} fallible calls, {outcomes:?}", scene.shape.name, points.len());
    }
    println!("{tried} errors, {} half-applied or wrongly reported", wrong.len());
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Writes that put less on the disk than they were given, and then fail.
#[test]
#[ignore = "minutes: the full sweep"]
fn short_writes() {
    limits(&mut Dice::from_environment(), rounds("RB_WRITES", 30));
}

#[test]
fn a_slice_of_the_short_writes_is_neither_half_applied_nor_wrongly_reported() {
    limits(&mut Dice::new(5), 3);
}

/// How often, from the environment.
fn rounds(variable: &str, default: usize) -> usize {
    std::env::var(variable).ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(default)
}

fn limits(dice: &mut Dice, rounds: usize) {
    let (mut tried, mut wrong) = (0, Vec::new());
    for shape in super::sweep::chosen_shapes() {
        let scene = Scene::new(shape);
        let mut outcomes: BTreeMap<&str, usize> = BTreeMap::new();
        for round in 0..rounds {
            // Most files of a landing are short: half of the limits are too.
            let limit = if round < 2 { round } else { dice.below([200, 3000][round % 2]) };
            let copy = scene.shape.copy();
            let ended = scene.run_within(&copy, limit);
            tried += 1;
            match judge(&scene, &copy, &ended) {
                Ok(outcome) => *outcomes.entry(outcome).or_default() += 1,
                Err(why) => {
                    println!("WRONG {} {limit} bytes: {ended:?}: {why}", scene.shape.name);
                    wrong.push((scene.shape.name, limit));
                }
            }
        }
        println!("{:<28} {outcomes:?}", scene.shape.name);
    }
    println!("{tried} limits, {} half-applied or wrongly reported", wrong.len());
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn judge(scene: &Scene, copy: &Sandbox, ended: &Ended) -> Result<&'static str, String> {
    let now = scene.verdict(copy);
    let clean = || !copy.git_dir().join("rb/landing").exists();
    let recover = || {
        let recovered = scene.run(copy, "recover", Vec::new());
        if recovered.is_success() && clean() {
            Ok(scene.verdict(copy))
        } else {
            Err(format!("{recovered:?}"))
        }
    };
    match (ended, now) {
        (Ended::Code(0, _), Some("after")) => Ok("landed in spite of it"),
        (Ended::Code(8, _), _) => match recover()? {
            Some("after") => Ok("landed, later failure"),
            other => Err(format!("{other:?} after a later failure")),
        },
        (Ended::Code(5, _), found) => {
            let (before, outcome) = match found {
                Some("before") if clean() => (true, "refused"),
                _ => (recover()? == Some("before"), "refused, finished by recovery"),
            };
            let retried = scene.run(copy, "do", Vec::new());
            match before && retried.is_success() && scene.verdict(copy) == Some("after") {
                true => Ok(outcome),
                false => Err(format!("before: {before}, retry: {retried:?}")),
            }
        }
        other => Err(format!("{other:?}")),
    }
}

#[test]
#[ignore = "minutes: races"]
fn races_with_git() {
    let mut dice = Dice::from_environment();
    let rounds = rounds("RB_RACES", 100);
    let scene = Scene::new(shapes::one_file());
    let (mut ours, mut gits, mut both) = (0, 0, 0);
    for round in 0..rounds {
        let copy = scene.shape.copy();
        fs::write(copy.path("other"), format!("round {round}\n")).unwrap();
        copy.git(&["add", "other"]);
        let pause = std::time::Duration::from_micros(dice.below(60_000) as u64);
        let mut command = copy.command(&["commit", "-q", "-m", "mine"]);
        let git = std::thread::spawn(move || {
            std::thread::sleep(pause);
            command.output().unwrap().status.success()
        });
        let landed = scene.run(&copy, "do", Vec::new()).is_success();
        let committed = git.join().unwrap();
        let subjects = copy.git(&["log", "--format=%s"]);
        assert_eq!(subjects.contains("Revert"), landed, "round {round}: {subjects}");
        assert_eq!(subjects.contains("mine"), committed, "round {round}: {subjects}");
        assert!(landed || committed, "round {round}: one of the two wins");
        assert_nothing_left(&copy);
        copy.git(&["fsck", "--strict"]);
        let status = copy.git(&["status", "--porcelain"]);
        assert_eq!(status, if committed { "" } else { "M  other" }, "round {round}");
        ours += usize::from(landed);
        gits += usize::from(committed);
        both += usize::from(landed && committed);
    }
    println!(
        "{rounds} races: rb landed {ours}, git committed {gits}, both {both}; 0 commits lost, 0 locks left"
    );
}

#[test]
#[ignore = "minutes: races"]
fn races_of_two_landings() {
    let rounds = rounds("RB_RACES", 100);
    let scene = Scene::new(shapes::one_file());
    let mut refused = 0;
    for round in 0..rounds {
        let copy = scene.shape.copy();
        let ended: Vec<Ended> = std::thread::scope(|scope| {
            let runs = [(); 2].map(|()| scope.spawn(|| scene.run(&copy, "do", Vec::new())));
            runs.into_iter().map(|run| run.join().unwrap()).collect()
        });
        let won = ended.iter().filter(|ended| ended.is_success()).count();
        assert_eq!(won, 1, "round {round}: {ended:?}");
        assert_eq!(scene.verdict(&copy), Some("after"), "round {round}");
        assert_nothing_left(&copy);
        refused += ended.iter().filter(|ended| matches!(ended, Ended::Code(5, _))).count();
    }
    println!("{rounds} races of two landings: one won each time, {refused} refused");
}

/// Two rb, each with a plan of its own for the tip it finds, and a `git commit`.
#[test]
#[ignore = "minutes: races"]
fn races_of_two_rb_and_a_commit() {
    three_at_once(&mut Dice::from_environment(), rounds("RB_RACES", 100));
}

#[test]
fn races_of_two_rb_and_a_commit_in_short() {
    three_at_once(&mut Dice::new(9), 10);
}

fn three_at_once(dice: &mut Dice, rounds: usize) {
    let scenes = ["second", "third"].map(|subject| Scene::new(shapes::to_revert(subject)));
    let mut outcomes: BTreeMap<(usize, bool), usize> = BTreeMap::new();
    for round in 0..rounds {
        let copy = scenes[0].shape.sandbox.twin();
        fs::write(copy.path("other"), format!("round {round}\n")).unwrap();
        copy.git(&["add", "other"]);
        let mut pause = || std::time::Duration::from_micros(dice.below(60_000) as u64);
        let pauses = [pause(), pause(), pause()];
        let (ended, committed) = std::thread::scope(|scope| {
            let runs = [0, 1].map(|nth| {
                let (scene, copy, pause) = (&scenes[nth], &copy, pauses[nth]);
                scope.spawn(move || {
                    std::thread::sleep(pause);
                    scene.run(copy, "do", Vec::new())
                })
            });
            std::thread::sleep(pauses[2]);
            let committed = copy.try_git(&["commit", "-q", "-m", "mine"]).status.success();
            (runs.map(|run| run.join().unwrap()), committed)
        });
        let landed = ended.iter().filter(|ended| ended.is_success()).count();
        for ended in &ended {
            assert!(matches!(ended, Ended::Code(0 | 5, _)), "round {round}: {ended:?}");
        }
        let subjects = copy.git(&["log", "--format=%s"]);
        let count = |word: &str| subjects.lines().filter(|subject| subject.starts_with(word)).count();
        assert_eq!(count("Revert"), landed, "round {round}: {subjects}\n{ended:?}");
        assert_eq!(count("mine"), usize::from(committed), "round {round}: {subjects}");
        assert_eq!(super::sweep::operations(&copy).len(), landed, "round {round}: all that landed is logged");
        assert!(landed > 0 || committed, "round {round}: one of the three wins: {ended:?}");
        assert_nothing_left(&copy);
        copy.git(&["fsck", "--strict"]);
        let status = copy.git(&["status", "--porcelain"]);
        assert_eq!(status, if committed { "" } else { "M  other" }, "round {round}");
        *outcomes.entry((landed, committed)).or_default() += 1;
    }
    println!(
        "{rounds} races of two rb and a commit, (landed, committed): {outcomes:?}; 0 commits lost, 0 locks left"
    );
}

/// `RB_SWEEP_SHAPE`, `RB_CALL`, `RB_NTH` and `RB_HOW` name one injection; what it leaves is printed.
#[test]
#[ignore = "for looking at one finding of a sweep"]
fn one_injection() {
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let Ok(nth) = variable("RB_NTH").parse() else { return };
    let shape = super::sweep::chosen_shapes().into_iter().next().unwrap();
    let scene = Scene::new(shape);
    let copy = scene.shape.copy();
    let mut strace = inject(&Point { call: variable("RB_CALL"), nth }, &variable("RB_HOW"));
    strace[1] = variable("RB_TRACE");
    strace[3] = "trace=all".into();
    println!("{:?}", scene.run(&copy, "do", strace));
    println!("{:?}", scene.verdict(&copy));
    scene.explain(&copy);
}
