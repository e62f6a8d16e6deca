//! Power cuts: a landing on a file system that is shut down under it, with and without its log flushed,
//! and then mounted again.
//!
//! `cargo test -p rollback-core --lib power_cuts -- --ignored --nocapture`, as root: it mounts an ext4 image.
//! Where that is not possible it says SKIPPED, which is no success.

use std::collections::BTreeMap;

use test_kit::Disk;

use super::kit::*;
use super::shapes::{self, Deed};
use super::sweep::{Child, Dice, Point, Scene, inject};

#[test]
#[ignore = "minutes, and root"]
fn power_cuts() {
    if Disk::new().is_none() || !super::sweep::can_trace() {
        println!("SKIPPED: no ext4 image can be mounted here");
        return;
    }
    let mut dice = Dice::from_environment();
    let share = super::sweep::share();
    let (mut cuts, mut wrong) = (0, Vec::new());
    for shape in super::sweep::chosen_shapes() {
        let scene = Scene::new(shape);
        let points = scene.points();
        let mut verdicts: BTreeMap<&str, usize> = BTreeMap::new();
        let chosen: Vec<Option<&Point>> =
            points.iter().filter(|_| dice.below(share) == 0).map(Some).collect();
        // Twice after the landing said that it is done: then it must be there.
        for point in chosen.into_iter().chain([None, None]) {
            let disk = Disk::new().expect("it could be made before");
            let copy = scene.shape.copy_in(&disk.path().join("work"));
            disk.flush();
            let strace = point.map(|point| inject(point, "signal=KILL")).unwrap_or_default();
            let ended = scene.run(&copy, "do", strace);
            let log = dice.below(2) == 0;
            disk.cut(log);
            let recovered = scene.run(&copy, "recover", Vec::new());
            let verdict = scene.verdict(&copy);
            cuts += 1;
            let kept = point.is_some() || verdict == Some("after");
            let retry = || {
                let retried = scene.run(&copy, "do", Vec::new());
                retried.is_success() && scene.verdict(&copy) == Some("after")
            };
            match verdict {
                Some(verdict) if recovered.is_success() && kept && (verdict == "after" || retry()) => {
                    *verdicts.entry(verdict).or_default() += 1;
                }
                verdict => {
                    println!(
                        "WRONG {} {point:?} log {log}: {ended:?} {recovered:?} {verdict:?}",
                        scene.shape.name
                    );
                    if wrong.is_empty() {
                        scene.explain(&copy);
                    }
                    wrong.push((scene.shape.name, point.cloned(), log));
                }
            }
        }
        println!("{:<28} {verdicts:?}", scene.shape.name);
    }
    println!("{cuts} power cuts, {} outside before/after", wrong.len());
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// How git had written what a landing builds on, and did not flush.
const WRITES: [&[&[&str]]; 5] = [
    &[&["commit", "-q", "-a", "-m", "change"]],
    &[&["commit", "-q", "-a", "-m", "change"], &["repack", "-adq"]],
    &[&["commit", "-q", "-a", "-m", "change"], &["gc", "-q"], &["pack-refs", "--all"]],
    &[&["pull", "-q", "--ff-only", "SOURCE", "main"]],
    &[&["fetch", "-q", "SOURCE", "main"], &["reset", "-q", "--hard", "FETCH_HEAD"]],
];

/// Power cuts right after rb has said done, where what it built on was written by a git that flushes nothing.
/// `RB_CUTS` says how many.
#[test]
#[ignore = "minutes, and root"]
fn power_cuts_after_writes_that_git_did_not_flush() {
    if Disk::new().is_none() {
        println!("SKIPPED: no ext4 image can be mounted here");
        return;
    }
    let mut dice = Dice::from_environment();
    let count = std::env::var("RB_CUTS").ok().and_then(|count| count.parse().ok()).unwrap_or(100);
    let source = Sandbox::new();
    source.write("a", "1\n").write("b", "b\n".repeat(2000)).commit("first");
    let base = source.twin();
    source.write("a", "2\n").write("new", "n\n").commit("change");
    let deed_file = source.root.with_file_name("deed.json");
    std::fs::write(&deed_file, shapes::encode(&Deed::Revert("HEAD"))).unwrap();
    let (mut broken, mut broken_git) = (Vec::new(), 0);
    for nth in 0..count {
        let (how, log) = (dice.below(WRITES.len()), dice.below(2) == 0);
        for by_rb in [true, false] {
            let disk = Disk::new().expect("it could be made before");
            let copy = base.twin_in(&disk.path().join("work"));
            disk.flush();
            copy.write("a", "2\n").write("new", "n\n");
            if how < 3 {
                copy.git(&["add", "new"]);
            } else {
                copy.git(&["reset", "-q", "--hard"]);
                std::fs::remove_file(copy.path("new")).unwrap();
            }
            for words in WRITES[how] {
                let place = source.root.display().to_string();
                let words = words.iter().map(|word| if *word == "SOURCE" { place.as_str() } else { word });
                let unpack = ["-c", "core.fsync=none", "-c", "fetch.unpackLimit=1"];
                copy.git(&unpack.into_iter().chain(words).collect::<Vec<_>>());
            }
            if by_rb {
                let child = Child {
                    root: &copy.root,
                    deed: &deed_file,
                    what: "do",
                    strace: Vec::new(),
                    file_size: None,
                };
                let ended = child.run();
                assert!(ended.is_success(), "{ended:?}");
            } else {
                copy.git(&["revert", "--no-edit", "HEAD"]);
            }
            disk.cut(log);
            let whole =
                copy.try_git(&["fsck", "--strict", "--no-dangling", "--no-progress"]).status.success()
                    && copy.try_git(&["rev-parse", "HEAD~2"]).status.success()
                    && copy.try_git(&["diff", "--quiet", "HEAD~2", "HEAD"]).status.success()
                    && copy.try_git(&["diff", "--quiet", "HEAD"]).status.success()
                    && std::fs::read(copy.path("a")).is_ok_and(|text| text == b"1\n");
            match (whole, by_rb) {
                (true, _) => {}
                (false, true) => broken.push((nth, how, log)),
                (false, false) => broken_git += 1,
            }
        }
    }
    println!(
        "{count} power cuts after rb had said done, {} broken; after git had, {broken_git}",
        broken.len()
    );
    assert!(broken.is_empty(), "{broken:?}");
    assert!(broken_git > 0, "a suite in which git breaks nothing shows nothing");
}
