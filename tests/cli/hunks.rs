//! A part of what a commit did to a file: lines, hunks, and what is said about it. The reference is git's own patch of the
//! file, restricted to the places that are meant.

use test_kit::Sandbox;

use crate::kit::rb;

/// A file of numbered lines with some of them replaced.
fn text(edits: &[(usize, &str)]) -> String {
    let line = |n: usize| {
        edits.iter().find(|(at, _)| *at == n).map_or(format!("line {n}\n"), |(_, new)| (*new).into())
    };
    (1..=40).map(line).collect()
}

/// Two hunks by HEAD~, and lines on top of the file by HEAD.
fn sample() -> Sandbox {
    let repo = Sandbox::new();
    repo.commit("first", &[("a.txt", text(&[]))]);
    let edited = text(&[(5, "five\n"), (7, ""), (30, "thirty\nand more\n")]);
    repo.commit("edit two places", &[("a.txt", edited.clone()), ("b.txt", "other\n".into())]);
    repo.commit("on top", &[("a.txt", format!("new 1\nnew 2\n{edited}"))]);
    repo.git(&["reset", "-q", "--hard"]);
    repo
}

#[test]
fn lines_of_today_take_back_the_places_that_they_touch_and_the_message_says_so() {
    let repo = sample();
    let run = rb(&repo, &["revert", "HEAD~", "--file", "a.txt", "--lines", "7,7"]);
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    let expected = format!("new 1\nnew 2\n{}", text(&[(7, ""), (30, "thirty\nand more\n")]));
    assert_eq!(String::from_utf8(repo.git_bytes(&["show", "HEAD:a.txt"])).expect("text"), expected);
    assert_eq!(repo.git(&["diff", "--name-only", "HEAD~", "HEAD"]).trim(), "a.txt");
    let commit = repo.git(&["rev-parse", "HEAD~2"]);
    assert_eq!(
        String::from_utf8(repo.git_bytes(&["log", "-1", "--format=%B"])).expect("text").trim_end(),
        format!(
            "Revert part of \"edit two places\" in a.txt\n\nThis reverts a part of the changes of commit {} to:\n  \
             a.txt\n\nThe part is what it did at line 5 of its version.",
            commit.trim()
        )
    );
}

#[test]
fn hunks_are_taken_by_the_numbers_that_a_patch_shows() {
    let repo = sample();
    let shown = rb(&repo, &["revert", "HEAD~", "--file", "a.txt", "--dry-run", "--patch"]).stdout;
    assert!(shown.contains("Hunks of the change (--hunk N takes back one alone)\n    1  @@ -2,"), "{shown}");
    let run = rb(&repo, &["revert", "HEAD~", "--file", "a.txt", "--hunk", "2", "--json"]);
    let receipt = run.json();
    let way = &receipt["attempts"][0];
    assert_eq!(way["loss"]["class"], "inverse");
    assert_eq!(way["steps"][0]["part"]["places"], serde_json::json!([{ "line": 29, "lines": 2 }]));
    let expected = format!("new 1\nnew 2\n{}", text(&[(5, "five\n"), (7, "")]));
    assert_eq!(String::from_utf8(repo.git_bytes(&["show", "HEAD:a.txt"])).expect("text"), expected);
}

#[test]
fn the_hunk_of_a_file_that_came_takes_the_file_away_as_git_apply_does() {
    let repo = sample();
    repo.commit("add", &[("new.txt", "one\ntwo\n"), ("b.txt", "edited\n")]);
    repo.git(&["reset", "-q", "--hard"]);
    let patch = repo.git_bytes(&["diff", "HEAD", "HEAD~", "--", "new.txt"]);
    repo.git_with_input(&["apply", "--cached"], &patch);
    let expected = repo.git(&["write-tree"]);
    repo.git(&["read-tree", "HEAD"]);
    for part in [["--hunk", "1"], ["--lines", "2,2"]] {
        let args = [&["revert", "HEAD", "--file", "new.txt", "--dry-run", "--json"][..], &part].concat();
        let plan = rb(&repo, &args).json();
        let way = &plan["attempts"][plan["chosen"].as_u64().expect("a way") as usize];
        assert_eq!(way["tree_id"], expected.trim(), "{part:?}: {way}");
    }
}

#[test]
fn what_the_commit_did_not_change_and_numbers_that_are_not_there_are_refused() {
    let repo = sample();
    let run = rb(&repo, &["revert", "HEAD~", "--file", "a.txt", "--lines", "15,20"]);
    assert_eq!(run.code, 1, "{}", run.stdout);
    assert!(run.stdout.contains("did not change these lines of a.txt"), "{}", run.stdout);
    let run = rb(&repo, &["revert", "HEAD~", "--file", "a.txt", "--hunk", "3"]);
    assert_eq!(run.code, 2, "{}", run.stderr);
    assert!(run.stderr.contains("has 2 hunks, numbered from 1"), "{}", run.stderr);
    for args in [&["revert", "HEAD~", "--lines", "1,2"][..], &["revert", "--file", "a.txt", "--hunk", "1"]] {
        let run = rb(&repo, args);
        assert_eq!(run.code, 2, "{args:?}: {}", run.stderr);
    }
    let run = rb(&repo, &["revert", "HEAD~", "--file", "a.txt", "-p"]);
    assert_eq!(run.code, 2, "{}", run.stderr);
    assert!(run.stderr.contains("no terminal"), "{}", run.stderr);
}

#[test]
fn lines_that_were_edited_since_are_a_conflict_and_a_plan_keeps_the_part() {
    let repo = sample();
    let again =
        String::from_utf8(repo.git_bytes(&["show", "HEAD:a.txt"])).expect("text").replace("thirty", "30");
    repo.commit("edit again", &[("a.txt", again)]);
    let run = rb(&repo, &["revert", "HEAD~2", "--file", "a.txt", "--lines", "31,31", "--dry-run", "--json"]);
    assert_eq!(run.code, 1, "{}", run.stdout);
    assert_eq!(run.json()["attempts"][0]["result"], "conflicted");
    let plan = rb(&repo, &["revert", "HEAD~2", "--file", "a.txt", "--lines", "7,7", "--dry-run", "--json"]);
    let file = repo.around().join("plan.json");
    std::fs::write(&file, &plan.stdout).expect("written");
    let run = rb(&repo, &["apply", file.to_str().expect("text"), "--cross-check"]);
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    assert!(repo.git(&["log", "-1", "--format=%s"]).starts_with("Revert part of"));
}

/// `RB_HUNKS` says how many ranges are tried.
#[test]
fn random_ranges_come_to_what_git_apply_makes_of_the_restricted_patch() {
    let rounds: usize = std::env::var("RB_HUNKS").ok().and_then(|count| count.parse().ok()).unwrap_or(24);
    let mut dice = 20_261_128_u64;
    let mut roll = |sides: usize| {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (dice >> 33) as usize % sides
    };
    let (mut applied, mut untouched) = (0, 0);
    let mut repo = None;
    for round in 0..rounds {
        if round % 8 == 0 {
            repo = Some(history(&mut roll));
        }
        let (repo, lines, shift) = repo.as_ref().expect("it was made");
        let first = 1 + roll(*lines);
        let last = (first + roll(6)).min(*lines);
        let Some(expected) = reference(repo, (first, last), *shift) else {
            let run = rb(
                repo,
                &["revert", "HEAD~", "--file", "a", "--lines", &format!("{first},{last}"), "--dry-run"],
            );
            assert_eq!(run.code, 1, "round {round}: {first},{last}\n{}", run.stdout);
            untouched += 1;
            continue;
        };
        let range = format!("{first},{last}");
        let run = rb(repo, &["revert", "HEAD~", "--file", "a", "--lines", &range, "--dry-run", "--json"]);
        let plan = run.json();
        let way = plan["chosen"].as_u64().map(|at| plan["attempts"][at as usize]["tree_id"].clone());
        assert_eq!(way, Some(expected.into()), "round {round}: {range}");
        applied += 1;
    }
    assert!(applied > rounds / 4, "{applied} applied, {untouched} untouched");
}

/// A file, edited in many places by HEAD~, and with some lines on top by HEAD; how many lines it has, and how many came on
/// top.
fn history(roll: &mut impl FnMut(usize) -> usize) -> (Sandbox, usize, usize) {
    let repo = Sandbox::new();
    let length = 30 + roll(60);
    let lines: Vec<String> =
        (0..length).map(|n| format!("{} {n}\n", ["if", "for", "}", "x"][roll(4)])).collect();
    let mut edited = lines.clone();
    for _ in 0..3 + roll(8) {
        // What came on top would meet an edit of the first lines, which git apply does not mind.
        let at = 3 + roll(edited.len() - 3);
        match roll(3) {
            0 => edited.insert(at, format!("came {}\n", roll(1000))),
            1 => drop(edited.remove(at)),
            _ => edited[at] = format!("edited {}\n", roll(1000)),
        }
    }
    let shift = roll(4);
    let top: String = (0..shift).map(|n| format!("top {n}\n")).collect();
    let now = format!("{top}{}", edited.concat());
    repo.commit("before", &[("a", lines.concat())]);
    repo.commit("edits", &[("a", edited.concat())]);
    repo.commit("after", &[("a", now), ("b", "so that there is one\n".to_owned())]);
    repo.git(&["reset", "-q", "--hard"]);
    (repo, edited.len() + shift, shift)
}

/// The tree that `git apply` makes of the tip with the hunks of `git diff -U0` that touch the lines; `None` where none does.
fn reference(repo: &Sandbox, (first, last): (usize, usize), shift: usize) -> Option<String> {
    let patch =
        String::from_utf8(repo.git_bytes(&["diff", "-U0", "HEAD~", "HEAD~2", "--", "a"])).expect("text");
    let (head, hunks) = patch.split_once("@@ ").map(|(head, rest)| (head, format!("@@ {rest}")))?;
    let mut restricted = String::from(head);
    // git apply goes by where a hunk lies after the ones before it.
    let (mut takes, mut grown) = (false, 0_isize);
    for line in hunks.split_inclusive('\n') {
        if let Some(place) = line.strip_prefix("@@ -") {
            let (old, rest) = place.split_once(" +").expect("two sides");
            let (new, _) = rest.split_once(" @@").expect("an end");
            let numbers = |side: &str| -> (usize, usize) {
                let (start, count) = side.split_once(',').unwrap_or((side, "1"));
                (start.parse().expect("a number"), count.parse().expect("a number"))
            };
            let ((start, count), (_, new_count)) = (numbers(old), numbers(new));
            let start = start + shift;
            takes = match count {
                0 => first - 1 <= start && start <= last,
                _ => start <= last && first < start + count,
            };
            if takes {
                let place = match (count, new_count) {
                    (0, _) => start + 1,
                    (_, 0) => start - 1,
                    _ => start,
                };
                let place = place.saturating_add_signed(grown);
                grown += new_count as isize - count as isize;
                restricted.push_str(&format!("@@ -{start},{count} +{place},{new_count} @@\n"));
            }
        } else if takes {
            restricted.push_str(line);
        }
    }
    if restricted == head {
        return None;
    }
    repo.git(&["read-tree", "HEAD"]);
    repo.git_with_input(&["apply", "--cached", "--unidiff-zero"], restricted.as_bytes());
    Some(repo.git(&["write-tree"]).trim().to_owned())
}
