//! The text merge, byte for byte against `git merge-file`.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

use std::io::Write;
use std::path::Path;
use std::process::Command;

use rollback_core::merge::text::{Algorithm, ConflictStyle, Favor, TextLabels, TextMerger, TextOptions};
use rollback_core::repo::FollowedGit;

/// A small generator of numbers that is the same everywhere (xorshift64*).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % sides
    }
}

struct Case {
    base: Vec<u8>,
    ours: Vec<u8>,
    theirs: Vec<u8>,
}

/// A text whose lines repeat often, and two edited copies of it.
fn case(dice: &mut Dice) -> Case {
    let kinds = [3, 8, 30, 400][dice.roll(4)];
    let length = [3, 12, 40, 150, 600][dice.roll(5)];
    let ending = if dice.roll(6) == 0 { "\r\n" } else { "\n" };
    let line = |dice: &mut Dice| match dice.roll(kinds) {
        0 => String::new(),
        1 => "}".to_owned(),
        kind => format!("line {kind}"),
    };
    let base: Vec<String> = (0..dice.roll(length)).map(|_| line(dice)).collect();
    let edited = |dice: &mut Dice| {
        let mut lines = base.clone();
        let edits = [2, 5, 20][dice.roll(3)];
        for _ in 0..=dice.roll(edits) {
            let at = dice.roll(lines.len() + 1);
            match dice.roll(4) {
                0 => lines.insert(at, line(dice)),
                1 if at < lines.len() => lines[at] = line(dice),
                2 if at < lines.len() => {
                    let end = (at + dice.roll(6)).min(lines.len());
                    lines.drain(at..end);
                }
                _ => {
                    let start = dice.roll(lines.len() + 1);
                    let copied: Vec<String> = lines[start..].iter().take(dice.roll(8)).cloned().collect();
                    lines.splice(at..at, copied);
                }
            }
        }
        lines
    };
    let (ours, theirs) = (edited(dice), edited(dice));
    let mut bytes = |lines: &[String]| {
        let mut text = lines.join(ending);
        if !lines.is_empty() && dice.roll(8) != 0 {
            text.push_str(ending);
        }
        text.into_bytes()
    };
    Case { base: bytes(&base), ours: bytes(&ours), theirs: bytes(&theirs) }
}

fn git(folder: &Path, case: &Case, arguments: &[&str]) -> (Vec<u8>, usize) {
    for (name, bytes) in [("base", &case.base), ("ours", &case.ours), ("theirs", &case.theirs)] {
        std::fs::File::create(folder.join(name)).unwrap().write_all(bytes).unwrap();
    }
    let done = Command::new("git")
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .args(["merge-file", "-p", "-L", "ours", "-L", "base", "-L", "theirs"])
        .args(arguments)
        .args(["ours", "base", "theirs"])
        .output()
        .unwrap();
    let conflicts = done.status.code().expect("git ends by itself");
    assert!(conflicts < 128, "{}", String::from_utf8_lossy(&done.stderr));
    (done.stdout, conflicts as usize)
}

fn ours(merger: &mut TextMerger, case: &Case, options: &TextOptions) -> (Vec<u8>, usize) {
    let labels = TextLabels::new("base".into(), "ours".into(), "theirs".into());
    let merged = merger.merge(&case.base, &case.ours, &case.theirs, labels, options);
    // The exit code of git stops at 127.
    (merged.bytes, merged.conflicts.min(127))
}

fn differences(seed: u64, count: usize, arguments: &[&str], options: &TextOptions) {
    let folder = tempfile::tempdir().unwrap();
    let mut dice = Dice(seed);
    let release = crate::installed_git().map(FollowedGit::named).unwrap_or_default();
    let mut merger = TextMerger::following(release);
    for number in 0..count {
        let case = case(&mut dice);
        let (expected, found) = (git(folder.path(), &case, arguments), ours(&mut merger, &case, options));
        if expected != found {
            panic!(
                "case {number} of seed {seed} with {arguments:?}\n--- base\n{}\n--- ours\n{}\n--- theirs\n{}\n--- git: {} conflicts\n{}\n--- rb: {} conflicts\n{}",
                String::from_utf8_lossy(&case.base),
                String::from_utf8_lossy(&case.ours),
                String::from_utf8_lossy(&case.theirs),
                expected.1,
                String::from_utf8_lossy(&expected.0),
                found.1,
                String::from_utf8_lossy(&found.0),
            );
        }
    }
}

/// What `git merge-file` does by itself.
fn as_merge_file(change: impl FnOnce(&mut TextOptions)) -> TextOptions {
    let mut options = TextOptions::default();
    options.join_over_punctuation = true;
    change(&mut options);
    options
}

fn every_variant(seed: u64, count: usize) {
    differences(seed, count, &["--diff-algorithm=histogram"], &as_merge_file(|_| ()));
    let styled = |style| as_merge_file(|options| options.style = style);
    differences(seed + 1, count, &["--diff-algorithm=histogram", "--diff3"], &styled(ConflictStyle::Diff3));
    differences(seed + 2, count, &["--diff-algorithm=histogram", "--zdiff3"], &styled(ConflictStyle::Zdiff3));
    for (name, algorithm) in
        [("myers", Algorithm::Myers), ("minimal", Algorithm::Minimal), ("patience", Algorithm::Patience)]
    {
        let options = as_merge_file(|options| options.algorithm = algorithm);
        differences(seed + 3, count, &[&format!("--diff-algorithm={name}")], &options);
    }
    for (name, favor) in [("--ours", Favor::Ours), ("--theirs", Favor::Theirs), ("--union", Favor::Union)] {
        let options = as_merge_file(|options| options.favor = Some(favor));
        differences(seed + 4, count, &["--diff-algorithm=histogram", name], &options);
    }
    let options = as_merge_file(|options| options.marker_size = 11);
    differences(seed + 5, count, &["--diff-algorithm=histogram", "--marker-size=11"], &options);
}

#[test]
fn generated_texts_merge_as_git_merges_them() {
    every_variant(1, 40);
}

#[test]
#[ignore = "minutes: RB_SEED and RB_COUNT choose what is tried"]
fn many_generated_texts_merge_as_git_merges_them() {
    let number = |name: &str, otherwise| {
        std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
    };
    every_variant(number("RB_SEED", 1000), number("RB_COUNT", 2000) as usize);
}
