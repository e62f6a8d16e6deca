//! Applies into a work tree that somebody else works in: dirty, untracked, ignored and staged files before, and edits
//! of every kind while the landing is under way. Not a byte that was not committed may be lost.
//!
//! `cargo test -p rollback-core --lib edits_are_never_lost -- --ignored --nocapture`; `RB_SWEEP_SEED` and `RB_EDITS`
//! choose. Everything happens in this process, so that a landing and the edits that race it are equally fast.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::kit::*;
use super::sweep::Dice;
use crate::apply::recover::{Recovered, recover};
use crate::apply::{LandOptions, Landing, land};
use crate::error::WorkTreeError;

/// What the landing replaces, adds and removes, and what it has nothing to do with.
const PATHS: [&str; 18] = [
    "r/0",
    "r/1",
    "r/2",
    "r/3",
    "exec",
    "link",
    "gone/a",
    "gone/b",
    "added/x",
    "added/y",
    "stays/0",
    "stays/1",
    "dir/stays",
    "gone/untracked",
    "added/untracked",
    "added/one.ign",
    "gone/two.ign",
    "new/three.ign",
];

/// The revert of a commit that did a bit of everything.
fn scene() -> (Sandbox, Landing) {
    let sandbox = Sandbox::new();
    sandbox.write(".gitignore", "*.ign\n").write("gone/a", "a\n").write("gone/b", "b\n").write("exec", "e\n");
    sandbox.link("one", "link").write("stays/0", "0\n").write("stays/1", "1\n").write("dir/stays", "s\n");
    for nth in 0..4 {
        sandbox.write(&format!("r/{nth}"), format!("{nth} before\n").repeat(nth * 40 + 1));
    }
    sandbox.commit("first");
    fs::remove_dir_all(sandbox.path("gone")).unwrap();
    sandbox
        .chmod("exec", 0o755)
        .remove("link")
        .link("two", "link")
        .write("added/x", "x\n")
        .write("added/y", "y\n");
    for nth in 0..4 {
        sandbox.write(&format!("r/{nth}"), format!("{nth} after\n"));
    }
    sandbox.commit("second");
    let twin = sandbox.twin();
    twin.git(&["revert", "--no-edit", "HEAD"]);
    let landing = landing_like(&sandbox, &twin);
    (sandbox, landing)
}

/// How somebody edits a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// Opened, emptied and written.
    Overwrite,
    /// Opened, and written at the end a moment later.
    Append,
    /// Written beside and renamed over, as editors do.
    Save,
    Remove,
    Link,
    /// Written and staged.
    Stage,
}

#[derive(Clone, Debug)]
struct Edit {
    path: &'static str,
    kind: Kind,
    token: String,
    /// When it happens, counted from the beginning of the landing; before it where absent.
    at: Option<Duration>,
}

impl Edit {
    fn random(dice: &mut Dice, path: &'static str, token: String, at: Option<Duration>) -> Self {
        let kinds = [
            Kind::Overwrite,
            Kind::Append,
            Kind::Save,
            Kind::Overwrite,
            Kind::Remove,
            Kind::Link,
            Kind::Stage,
        ];
        // git's own lock would be in the way of what races.
        let kind = kinds[dice.below(if at.is_some() { 4 } else { kinds.len() })];
        Self { path, kind, token, at }
    }

    /// Whether there is something now that must not get lost.
    fn carry_out(&self, sandbox: &Sandbox) -> bool {
        let path = sandbox.path(self.path);
        let done = self.write(&path);
        if self.kind == Kind::Stage && done.is_ok() {
            sandbox.try_git(&["add", "-f", self.path]);
        }
        done.is_ok() && self.kind != Kind::Remove
    }

    fn write(&self, path: &Path) -> std::io::Result<()> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        match self.kind {
            Kind::Overwrite | Kind::Stage => fs::write(path, &self.token),
            Kind::Append => {
                let mut file = fs::File::options().append(true).create(true).open(path)?;
                std::thread::sleep(Duration::from_micros(20));
                file.write_all(self.token.as_bytes())
            }
            Kind::Save => {
                let beside = path.with_extension("beside~");
                fs::write(&beside, &self.token)?;
                fs::rename(&beside, path).inspect_err(|_| drop(fs::remove_file(&beside)))
            }
            Kind::Remove => fs::remove_file(path),
            Kind::Link => {
                let _ = fs::remove_file(path);
                std::os::unix::fs::symlink(&self.token, path)
            }
        }
    }

    /// Where it may write: a link is written through.
    fn places(&self) -> Vec<&'static str> {
        if self.path == "link" { vec!["link", "one", "two"] } else { vec![self.path] }
    }

    /// Whether the work tree holds what was written.
    fn is_in(&self, files: &BTreeMap<PathBuf, (u32, Vec<u8>)>) -> bool {
        let token = self.token.as_bytes();
        let holds = |(_, bytes): &(u32, Vec<u8>)| bytes.windows(token.len()).any(|part| part == token);
        self.places().iter().any(|path| files.get(Path::new(path)).is_some_and(holds))
    }
}

/// Mode, bytes, inode and time of files.
type Untouched = BTreeMap<PathBuf, ((u32, Vec<u8>), (u64, i64, i64))>;

/// Everything in the work tree but the paths of the edits, with inodes and times.
fn others(sandbox: &Sandbox, edits: &[Edit]) -> Untouched {
    let inodes = sandbox.inodes();
    let is_edited = |path: &Path| edits.iter().flat_map(Edit::places).any(|edited| path == Path::new(edited));
    let files = sandbox
        .files()
        .into_iter()
        .filter(|(path, (mode, _))| mode & 0o170_000 != 0o040_000 && !is_edited(path));
    files.map(|(path, file)| (path.clone(), (file, inodes[&path]))).collect()
}

/// One work tree, its edits and a landing; says what became of it.
fn one_apply(
    sandbox: &Sandbox,
    landing: &Landing,
    dice: &mut Dice,
    usual: Duration,
) -> Result<&'static str, String> {
    let copy = sandbox.twin();
    let mut paths: Vec<&'static str> = PATHS.to_vec();
    let racing = dice.below(2) == 0;
    let edits: Vec<Edit> = (0..dice.below(4) + usize::from(racing))
        .map(|nth| {
            let path = paths.swap_remove(dice.below(paths.len()));
            let at = (racing && (nth == 0 || dice.below(2) == 0))
                .then(|| usual.mul_f64(dice.below(1300) as f64 / 1000.0));
            let token = format!("typed {nth}: {}\n", dice.below(1 << 30));
            Edit::random(dice, path, token, at)
        })
        .collect();
    let mut written: Vec<&Edit> =
        edits.iter().filter(|edit| edit.at.is_none() && edit.carry_out(&copy)).collect();
    let (before, index, tip) =
        (others(&copy, &edits), fs::read(copy.path(".git/index")).unwrap(), head_of(&copy));
    let repo = copy.repo();
    let (landed, raced) = std::thread::scope(|scope| {
        let (copy, begun) = (&copy, Instant::now());
        let racers: Vec<_> = edits
            .iter()
            .filter_map(|edit| Some((edit, edit.at?)))
            .map(|(edit, at)| {
                scope.spawn(move || {
                    // Sleeping is too coarse for a landing of a few milliseconds.
                    while begun.elapsed() < at {
                        std::thread::yield_now();
                    }
                    edit.carry_out(copy).then_some(edit)
                })
            })
            .collect();
        let landed = land(&repo, landing, &LandOptions::default());
        (landed, racers.into_iter().filter_map(|racer| racer.join().unwrap()).collect::<Vec<_>>())
    });
    written.extend(raced);

    let left = recover(&repo).map_err(|error| format!("recovery: {error}"))?;
    let files = copy.files();
    let aside = kept_aside(&copy);
    for edit in &written {
        if !edit.is_in(&files) && !aside.iter().any(|bytes| bytes.ends_with(edit.token.as_bytes())) {
            return Err(format!("{edit:?} is lost, {landed:?}, {edits:?}"));
        }
    }
    let reported = matches!(left, Recovered::Kept { .. })
        || matches!(&landed, Ok(landed) if landed.later_failure.is_some())
        || landed.is_err();
    if !aside.is_empty() && !reported {
        return Err(format!("kept aside and not reported: {edits:?}"));
    }
    if !matches!(left, Recovered::Nothing | Recovered::Kept { .. })
        || copy.path(".git/index.lock").exists()
        || copy.path(".git/HEAD.lock").exists()
    {
        return Err(format!("left behind {left:?} after {landed:?}: {edits:?}"));
    }
    let after = others(&copy, &edits);
    match &landed {
        Ok(_) => {
            let touched = |path: &Path| PATHS[..10].iter().any(|touched| path == Path::new(touched));
            let bystanders = |all: &Untouched| {
                all.iter()
                    .filter(|(path, _)| !touched(path))
                    .map(|(path, file)| (path.clone(), file.clone()))
                    .collect::<Vec<_>>()
            };
            if bystanders(&before) != bystanders(&after) {
                return Err(format!("a bystander changed: {edits:?}"));
            }
            Ok(if racing { "landed, raced" } else { "landed" })
        }
        Err(error) if before != after => {
            Err(format!("refused with {error}, and changed something: {edits:?}"))
        }
        Err(error) if head_of(&copy) != tip => Err(format!("refused with {error}, and moved the tip")),
        Err(error) if !racing && fs::read(copy.path(".git/index")).unwrap() != index => {
            Err(format!("refused with {error}, and wrote the index"))
        }
        Err(crate::Error::WorkTree(WorkTreeError::InTheWay { .. }) | crate::Error::Locked { .. }) => {
            Ok(if racing { "refused, raced" } else { "refused" })
        }
        Err(error) => Err(format!("{error:?}: {edits:?}")),
    }
}

fn head_of(sandbox: &Sandbox) -> Vec<u8> {
    fs::read(sandbox.path(".git/refs/heads/main")).unwrap()
}

/// The bytes of every file that a landing kept because somebody wrote to it while it was displaced.
fn kept_aside(sandbox: &Sandbox) -> Vec<Vec<u8>> {
    let mut kept = Vec::new();
    let mut folders: Vec<PathBuf> = fs::read_dir(sandbox.path(".git/rb"))
        .into_iter()
        .flatten()
        .map(|row| row.unwrap().path())
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("written-")))
        .collect();
    while let Some(folder) = folders.pop() {
        for row in fs::read_dir(folder).unwrap() {
            let path = row.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => kept.push(fs::read(path).unwrap()),
            }
        }
    }
    kept
}

fn applies(rounds: usize, dice: &mut Dice) {
    let (sandbox, landing) = scene();
    let usual = (0..5)
        .map(|_| {
            let copy = sandbox.twin();
            let begun = Instant::now();
            land(&copy.repo(), &landing, &LandOptions::default()).unwrap();
            begun.elapsed()
        })
        .min()
        .unwrap();
    let (mut outcomes, mut wrong) = (BTreeMap::<&str, usize>::new(), Vec::new());
    for round in 0..rounds {
        match one_apply(&sandbox, &landing, dice, usual) {
            Ok(outcome) => *outcomes.entry(outcome).or_default() += 1,
            Err(why) => {
                println!("WRONG round {round}: {why}");
                wrong.push(why);
            }
        }
    }
    println!("{rounds} applies, {outcomes:?}, {} lost something", wrong.len());
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
#[ignore = "minutes: ten thousand applies"]
fn edits_are_never_lost() {
    let mut dice = Dice::from_environment();
    let rounds = std::env::var("RB_EDITS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(10_000);
    applies(rounds, &mut dice);
}

#[test]
fn a_hundred_applies_among_edits_lose_nothing() {
    applies(100, &mut Dice::new(7));
}
