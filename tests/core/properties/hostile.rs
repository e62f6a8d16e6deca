//! Repositories in which bytes were changed: whatever is asked of them, there is an answer.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::{cases, check, is_answer, listing, options, repository, target};
use rollback_core::oplog::{OperationRef, UndoOptions};
use rollback_core::{Error, PlanOptions, Repo};

/// A change to a file of the git directory.
#[derive(Clone, Debug)]
enum Damage {
    Flip { file: prop::sample::Index, at: prop::sample::Index, bit: u8 },
    Cut { file: prop::sample::Index, at: prop::sample::Index },
    Empty { file: prop::sample::Index },
    Remove { file: prop::sample::Index },
}

fn damage() -> impl Strategy<Value = Damage> {
    let index = any::<prop::sample::Index>;
    prop_oneof![
        4 => (index(), index(), 0..8u8).prop_map(|(file, at, bit)| Damage::Flip { file, at, bit }),
        2 => (index(), index()).prop_map(|(file, at)| Damage::Cut { file, at }),
        1 => index().prop_map(|file| Damage::Empty { file }),
        1 => index().prop_map(|file| Damage::Remove { file }),
    ]
}

fn carry_out(files: &[PathBuf], damage: &Damage) {
    let (Damage::Flip { file, .. }
    | Damage::Cut { file, .. }
    | Damage::Empty { file }
    | Damage::Remove { file }) = damage;
    let path = file.get(files);
    let mut bytes = fs::read(path).unwrap_or_default();
    match damage {
        Damage::Flip { at, bit, .. } if !bytes.is_empty() => {
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
        }
        Damage::Cut { at, .. } if !bytes.is_empty() => bytes.truncate(at.index(bytes.len())),
        Damage::Remove { .. } => return drop(fs::remove_file(path)),
        _ => bytes.clear(),
    }
    // Objects are read-only.
    let _ = fs::remove_file(path);
    fs::write(path, bytes).expect("a file of ours");
}

#[test]
fn invariant_13_no_input_panics_or_runs_unbounded() {
    check(20, (cases(8), prop::collection::vec(damage(), 1..3), any::<bool>()), |(case, damages, packed)| {
        let sandbox = repository(&case);
        if packed {
            sandbox.git(&["gc", "-q"]);
            sandbox.git(&["commit-graph", "write", "--reachable", "--changed-paths"]);
        }
        let Some(target) = target(&sandbox, &case.2) else { return Ok(()) };
        let files: Vec<PathBuf> = listing(&sandbox.path().join(".git")).into_keys().collect();
        damages.iter().for_each(|damage| carry_out(&files, damage));
        let begun = Instant::now();
        let answered = catch_unwind(AssertUnwindSafe(|| -> Result<(), Error> {
            let repo = Repo::discover(sandbox.path())?;
            let plan = repo.plan(&target, &PlanOptions::default())?;
            repo.apply(plan, &options())?;
            repo.operations()?;
            repo.undo(&OperationRef::Last, &UndoOptions::default()).map(drop)
        }));
        prop_assert!(answered.is_ok(), "a panic");
        let answer = answered.expect("it was just looked at");
        prop_assert!(answer.as_ref().err().is_none_or(is_answer), "{:?}", answer);
        prop_assert!(begun.elapsed() < Duration::from_secs(30));
        Ok(())
    });
}
