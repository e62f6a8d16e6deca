//! `rb rehearse`: each change of a range rolled back by itself, beside `git merge-tree`; shards as processes of their own;
//! checks; the gate; the report; the ready files of the pipelines.

use std::collections::BTreeMap;
use std::process::Stdio;

use serde_json::Value;
use test_kit::{Sandbox, State};

use crate::kit::{Run, done, path_with_rb, rb, rb_with};

/// A branch with every kind of change: clean ones, one that was edited since, one that was undone, a rename, merges of
/// which one conflicts, and a file that was deleted since.
fn history() -> Sandbox {
    let repo = Sandbox::new();
    let lines = |marks: &[(usize, &str)]| -> String {
        let mark = |number| marks.iter().find(|(at, _)| *at == number).map(|(_, text)| (*text).to_owned());
        (1..=20).map(|number| mark(number).unwrap_or_else(|| number.to_string()) + "\n").collect()
    };
    repo.commit("base", &[("f", lines(&[])), ("g", lines(&[])), ("old", "a\nb\nc\nd\n".into())]);
    repo.git(&["tag", "start"]);
    repo.commit("first", &[("f", lines(&[(2, "two")]))]);
    repo.commit("undone", &[("g", lines(&[(2, "two")]))]);
    repo.git(&["revert", "--no-edit", "HEAD"]);
    for (topic, line) in [("topic-a", 10), ("topic-b", 15)] {
        repo.git(&["switch", "-q", "-c", topic, "start"]);
        repo.commit(
            &format!("work on {topic}"),
            &[(topic, "new\n".to_owned()), ("g", lines(&[(line, topic)]))],
        );
        repo.git(&["switch", "-q", "main"]);
        repo.git(&["merge", "-q", "--no-ff", "--no-edit", topic]);
    }
    repo.git(&["mv", "old", "new"]);
    repo.commit::<&str>("rename", &[]);
    repo.commit("edit a's line", &[("g", lines(&[(10, "TOPIC-A"), (15, "topic-b")]))]);
    repo.commit("edit the renamed file", &[("new", "a\nB\nc\nd\n")]);
    repo.commit("short-lived", &[("gone", "1\n")]);
    repo.commit("edit it", &[("gone", "2\n")]);
    repo.git(&["rm", "-q", "gone"]);
    repo.commit::<&str>("remove it", &[]);
    repo.git(&["tag", "end"]);
    repo
}

fn lines_of(run: &Run) -> Vec<Value> {
    run.stdout.lines().map(|line| serde_json::from_str(line).expect("a document a line")).collect()
}

/// The changes of the line from `start`, newest first, each with its first parent.
fn changes(repo: &Sandbox, range: &str) -> Vec<(String, String)> {
    let listed = repo.git(&["rev-list", "--first-parent", "--parents", range]);
    let row = |line: &str| {
        let mut ids = line.split(' ').map(ToOwned::to_owned);
        (ids.next().expect("an id"), ids.next().expect("a parent"))
    };
    listed.lines().map(row).collect()
}

#[test]
fn every_change_comes_out_as_git_merges_it() {
    let repo = history();
    let before = State::of(&repo);
    let run = done(rb(&repo, &["rehearse", "start..", "--json"]));
    before.assert_unchanged(&repo);
    let (found, expected) = (lines_of(&run), changes(&repo, "start..HEAD"));
    assert_eq!(found.len(), expected.len());
    let tip_tree = repo.git(&["rev-parse", "HEAD^{tree}"]);
    let mut results = BTreeMap::new();
    for (at, ((commit, parent), line)) in expected.iter().zip(&found).enumerate() {
        let base = format!("--merge-base={commit}");
        let merged = repo.try_git(&[
            "merge-tree",
            "--write-tree",
            "--name-only",
            "--no-messages",
            &base,
            "HEAD",
            parent,
        ]);
        let text = String::from_utf8(merged.stdout).expect("names in ASCII");
        let (tree, paths) = text.split_once('\n').expect("a tree");
        let paths: Vec<_> = paths.lines().collect();
        let result = match (merged.status.code(), tree == tip_tree) {
            (Some(0), true) => "empty",
            (Some(0), false) => "clean",
            _ => "conflicted",
        };
        let is_merge = repo.git(&["rev-list", "--no-walk", "--parents", commit]).split(' ').count() > 2;
        assert_eq!(line["commit_id"], **commit);
        assert_eq!((&line["number"], &line["of"]), (&(at + 1).into(), &expected.len().into()));
        assert_eq!(line["mainline"], if is_merge { 1.into() } else { Value::Null });
        assert_eq!(line["result"], result, "{line}");
        assert_eq!(line["conflicts"], Value::from(paths), "{line}");
        assert_eq!(line["tree_id"], if merged.status.success() { tree.into() } else { Value::Null });
        *results.entry(result).or_insert(0) += 1;
    }
    // The history has some of each, or this shows little.
    assert_eq!(results.into_iter().collect::<Vec<_>>(), [("clean", 7), ("conflicted", 2), ("empty", 2)]);
}

#[test]
fn what_is_foreseen_as_clean_is_what_a_revert_lands() {
    let repo = history();
    for line in lines_of(&done(rb(&repo, &["rehearse", "start..", "--json"]))) {
        let twin = repo.twin();
        let id = line["commit_id"].as_str().expect("an id");
        let landed = rb(
            &twin,
            &["revert", id, "--via", if line["mainline"] == 1 { "revert-merge" } else { "revert-commit" }],
        );
        let expected = match line["result"].as_str() {
            Some("clean") => 0,
            Some("empty") => 3,
            _ => 1,
        };
        assert_eq!(landed.code, expected, "{line}: {}{}", landed.stdout, landed.stderr);
        if expected == 0 {
            assert_eq!(line["tree_id"], *twin.git(&["rev-parse", "HEAD^{tree}"]));
        }
    }
}

#[test]
fn shards_that_run_as_processes_of_their_own_make_the_whole() {
    let repo = history();
    let whole = done(rb(&repo, &["rehearse", "start..end", "--onto", "end", "--json"])).stdout;
    let shards: Vec<_> = (1..=4)
        .map(|shard| {
            let mut command = repo.command(env!("CARGO_BIN_EXE_rb"));
            let shard = format!("{shard}/4");
            command.args(["rehearse", "start..end", "--onto", "end", "--json", "--shard", &shard]);
            command.stdout(Stdio::piped()).spawn().expect("rb can be started")
        })
        .collect();
    let outputs = shards.into_iter().map(|shard| shard.wait_with_output().expect("it ends"));
    let mut lines: Vec<String> = Vec::new();
    for (at, output) in outputs.enumerate() {
        let text = String::from_utf8(output.stdout).expect("JSON is UTF-8");
        assert!(!text.is_empty() && text.lines().count() < whole.lines().count());
        repo.write(&format!("part-{at}"), &text);
        lines.extend(text.lines().map(ToOwned::to_owned));
    }
    let sorted = |mut lines: Vec<String>| {
        lines.sort();
        lines
    };
    assert_eq!(sorted(lines), sorted(whole.lines().map(ToOwned::to_owned).collect()));

    let parts = ["part-3", "part-1", "part-0", "part-2"];
    let merge = |more: &[&str]| rb(&repo, &[&["rehearse", "--merge"], &parts[..], more].concat());
    assert_eq!(done(merge(&["--json"])).stdout, whole, "in the order of the changes");
    let here = done(rb(&repo, &["rehearse", "start..end", "--onto", "end"])).stdout;
    assert_eq!(done(merge(&[])).stdout, here, "and as a table");
    assert_eq!(merge(&["--min-revertible", "50"]).code, 0);
    assert_eq!(merge(&["--min-revertible", "90"]).code, 10);
    let piped = rb_with(&repo, &["rehearse", "--merge", "-", "--json"], &whole, &[]);
    assert_eq!(done(piped).stdout, whole);
    let lacking = rb(&repo, &["rehearse", "--merge", "part-0", "part-1", "part-2"]);
    assert_eq!(lacking.code, 5);
    assert_eq!(merge(&["--check", "true"]).code, 2, "a join runs nothing");
    assert!(
        lacking.line("error:").starts_with("2 of 11 changes are missing: numbers 4, 8"),
        "{}",
        lacking.stderr
    );
}

#[test]
fn shards_are_joined_only_where_they_are_of_one_range_and_all_of_them_wrote() {
    let repo = history();
    let part = |name: &str, range: &str, more: &[&str]| {
        let words = [&["rehearse", range, "--onto", "end", "--json"], more].concat();
        let run = done(rb(&repo, &words));
        repo.write(name, &run.stdout);
        run.stdout
    };
    let merge = |parts: &[&str]| rb(&repo, &[&["rehearse", "--json", "--merge"], parts].concat());
    let refusal = |parts: &[&str]| {
        let run = merge(parts);
        let error = run.json()["error"].clone();
        (run.code, error["code"].as_str().expect("a code").to_owned(), error["message"].to_string())
    };

    // However the range is spelled, its changes count.
    part("one", "start..end~3", &["--shard", "1/2"]);
    part("two", "start~0..main~3", &["--shard", "2/2"]);
    done(merge(&["one", "two"]));
    // Two ranges of the same length, onto the same tip.
    part("shifted-one", "end~3..end~1", &["--shard", "1/2"]);
    part("shifted-two", "end~2..end", &["--shard", "2/2"]);
    let (code, name, message) = refusal(&["shifted-one", "shifted-two"]);
    assert_eq!((code, name.as_str()), (2, "mixed-rehearsals"), "{message}");
    assert!(message.contains("each is of 2 changes, and they are not the same ones"), "{message}");
    // git spells what a range is known by.
    let line: Value = serde_json::from_str(&part("x", "end~2..end", &["--shard", "1/2"])).expect("a line");
    let listed =
        repo.command("sh").args(["-c", "git rev-list --first-parent end~2..end | sha256sum"]).output();
    let listed = String::from_utf8(listed.expect("a shell can be started").stdout).expect("digits");
    assert_eq!(listed.split(' ').next(), line["range_id"].as_str());

    part("checked", "end~5..end~3", &["--shard", "1/2", "--check", "true"]);
    part("unchecked", "end~5..end~3", &["--shard", "2/2"]);
    let (code, name, message) = refusal(&["checked", "unchecked"]);
    assert_eq!((code, name.as_str()), (2, "mixed-rehearsals"), "{message}");

    let later = part("later", "end~2..end", &[]).replace("\"schema_version\":1", "\"schema_version\":99");
    repo.write("later", &later);
    assert_eq!(refusal(&["later"]).1, "bad-rehearsal");

    // Shards that all died are no rehearsal of which everything can go back; a range without changes is one.
    repo.write("nothing", "");
    let gate = ["rehearse", "--min-revertible", "100", "--merge", "nothing", "nothing"];
    assert_eq!((rb(&repo, &gate).code, refusal(&["nothing"]).1.as_str()), (5, "no-rehearsal"));
    let empty = part("empty", "end..end", &["--shard", "2/4"]);
    let document: Value = serde_json::from_str(&empty).expect("a line");
    assert_eq!(document["of"], 0);
    assert_eq!(done(merge(&["empty", "empty"])).stdout, empty);
    done(rb(&repo, &["rehearse", "--min-revertible", "100", "--merge", "empty"]));
}

#[test]
fn a_join_needs_no_repository() {
    let repo = history();
    let whole = done(rb(&repo, &["rehearse", "start..", "--json"])).stdout;
    let folder = Sandbox::folder();
    folder.write("all.jsonl", &whole);
    let table = done(rb(&folder, &["rehearse", "--merge", "all.jsonl"])).stdout;
    assert!(table.contains("7 of 11 changes can be rolled back with one command"), "{table}");
    assert!(table.contains("edit the renamed file"), "subjects come from the lines: {table}");
}

#[test]
fn the_gate_counts_what_can_go_back_and_what_is_undone() {
    let repo = history();
    let gate = |least: &str| rb(&repo, &["rehearse", "start..", "--min-revertible", least]);
    // 7 clean and 2 empty of 11: 81.8%.
    assert_eq!((gate("81.8").code, gate("81.9").code, gate("0").code), (0, 10, 0));
    assert!(gate("82%").stdout.contains("That is 81.8%, and 82% were asked for."), "{}", gate("82%").stdout);
    assert_eq!(gate("101").code, 2);
    let none = done(rb(&repo, &["rehearse", "HEAD..HEAD", "--min-revertible", "100"]));
    assert_eq!(none.stdout, "There is no change in that range.\n");
    let few = done(rb(&repo, &["rehearse", "HEAD~2..", "--shard", "3/4"]));
    assert_eq!(few.stdout, "None of the 2 changes of that range is in this shard.\n");
    // One shard alone decides nothing.
    let shard = ["rehearse", "start..", "--shard", "1/4", "--min-revertible", "100"];
    assert_eq!(rb(&repo, &shard).code, 0);
}

#[test]
fn what_is_in_the_way_is_named_where_that_is_asked_for() {
    let repo = history();
    let run = done(rb(&repo, &["rehearse", "start..", "--blockers", "--json"]));
    let edit = repo.git(&["rev-parse", "HEAD~4"]);
    assert_eq!(repo.git(&["log", "-1", "--format=%s", &edit]), "edit a's line");
    let merge = lines_of(&run).into_iter().find(|line| line["subject"] == "Merge branch 'topic-a'");
    let merge = merge.expect("the merge is there");
    assert_eq!((&merge["result"], &merge["blocked_by"]), (&"conflicted".into(), &Value::from(vec![edit])));
    assert_eq!(merge["with_dependents"], "clean");
    let table = done(rb(&repo, &["rehearse", "start..", "--blockers"])).stdout;
    assert!(table.contains("blocked by ") && table.contains("edit a's line; with them it can"), "{table}");
    let without = lines_of(&done(rb(&repo, &["rehearse", "start..", "--json"])));
    assert!(without.iter().all(|line| line["blocked_by"].is_null()));
}

#[test]
fn checks_run_on_each_clean_result_and_once_on_the_tip() {
    let repo = history();
    let log = repo.around().join("log");
    let check = format!("sh -c 'echo run >>{}; test ! -e left; touch left; grep -q two f'", log.display());
    let run = done(rb(&repo, &["rehearse", "start..", "--check", &check, "--json"]));
    let verdicts: Vec<_> = lines_of(&run)
        .into_iter()
        .filter(|line| line["result"] == "clean")
        .map(|line| (line["subject"].as_str().expect("text").to_owned(), line["check"]["outcome"].clone()))
        .collect();
    let failed: Vec<_> = verdicts.iter().filter(|(_, outcome)| outcome != "pass").collect();
    assert_eq!(failed, [&("first".to_owned(), Value::from("fail"))]);
    // Seven candidates in reused folders, none of which sees what another left, and the tip.
    assert_eq!(std::fs::read_to_string(&log).expect("it ran").lines().count(), 8);
    let table = rb(&repo, &["rehearse", "start..", "--check", &check, "--min-revertible", "80"]);
    assert_eq!(table.code, 10);
    assert!(table.stdout.contains("1 fails the checks"), "{}", table.stdout);
    // What fails on the tip as well says nothing about a change.
    let doubtful = done(rb(&repo, &["rehearse", "start..", "--check", "false"])).stdout;
    assert!(doubtful.contains("0 of 11 changes can be rolled back"), "{doubtful}");
    assert!(doubtful.contains("7 are in doubt: the checks cannot tell"), "{doubtful}");
}

#[test]
fn a_bare_repository_and_another_tip_can_be_rehearsed() {
    let repo = history();
    let bare = Sandbox::bare();
    bare.git(&["fetch", "-q", &repo.path().display().to_string(), "main:main", "refs/tags/*:refs/tags/*"]);
    let onto =
        |repo: &Sandbox| done(rb(repo, &["rehearse", "start..HEAD~3", "--onto", "HEAD~3", "--json"])).stdout;
    assert_eq!(onto(&bare), onto(&repo));
    assert_ne!(onto(&repo), done(rb(&repo, &["rehearse", "start..HEAD~3", "--json"])).stdout);
}

#[test]
fn the_report_shows_the_matrix() {
    let repo = history();
    let whole = done(rb(&repo, &["rehearse", "start..", "--blockers", "--json"])).stdout;
    repo.write("all.jsonl", &whole);
    let report = |words: &[&str]| done(rb(&repo, &[&["report", "--rehearsal", "all.jsonl"], words].concat()));
    let markdown = report(&[]).stdout;
    assert!(markdown.contains("# Rehearsal of 11 changes"), "{markdown}");
    assert!(
        markdown.contains("Merge branch 'topic-a' (a merge, against parent 1) | **blocked** | `g` |"),
        "{markdown}"
    );
    let html = report(&["--format", "html"]).stdout;
    assert_eq!(html.matches("<li class=\"conflicted\">").count(), 2, "{html}");
    let document = report(&["--json"]).json();
    assert_eq!(document["kind"], "rehearsal");
    assert_eq!(document["matrix"].as_array().map(Vec::len), Some(11));
    assert_eq!(
        document["outcome"]["detail"],
        "7 of 11 can be rolled back with one command. 2 undone already. 2 blocked by later changes."
    );
}

/// The commands of a ready file that start `rb`, in order.
fn commands(file: &str) -> Vec<String> {
    let line = |line: &str| {
        let line = line.trim_start().trim_start_matches("- ").trim_start_matches("run: ");
        line.starts_with("rb ").then(|| line.to_owned())
    };
    file.lines().filter_map(line).collect()
}

#[test]
fn the_commands_of_the_ready_files_rehearse_in_shards_and_join_them() {
    let files = [
        ("kubernetes", include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/pipelines/kubernetes-job.yaml"))),
        ("github", include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/pipelines/github-actions.yml"))),
        ("gitlab", include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/pipelines/gitlab-ci.yml"))),
    ];
    for (engine, file) in files {
        let repo = history();
        let run = |command: &str, shard: usize, least: &str| {
            let mut shell = repo.command("bash");
            shell.env("PATH", path_with_rb()).args(["-ec", command]);
            shell.envs([("RANGE", "start..end"), ("ONTO", "end"), ("SHARDS", "4"), ("PARTS", ".")]);
            shell.envs([("CHECK", "test -e base-is-gone -o -e f"), ("LEAST", least)]);
            shell.env("JOB_COMPLETION_INDEX", (shard - 1).to_string()).env("SHARD", shard.to_string());
            shell.env("CI_NODE_INDEX", shard.to_string()).env("CI_NODE_TOTAL", "4");
            shell.output().expect("a shell can be started")
        };
        let commands = commands(file);
        let [shard, report, join] = commands.as_slice() else { panic!("{engine}: {commands:?}") };
        for number in 1..=4 {
            let output = run(shard, number, "0");
            assert!(output.status.success(), "{engine}: {}", String::from_utf8_lossy(&output.stderr));
        }
        assert!(run(report, 1, "0").status.success(), "{engine}");
        assert!(repo.path().join("rehearsal.html").is_file(), "{engine}");
        let joined = run(join, 1, "80");
        let said = String::from_utf8_lossy(&joined.stdout);
        assert!(
            joined.status.success() && said.contains("7 of 11 changes can be rolled back"),
            "{engine}: {said}"
        );
        assert_eq!(run(join, 1, "95").status.code(), Some(10), "{engine}");
    }
}

#[test]
fn the_script_for_gnu_parallel_does_the_same() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/pipelines/parallel.sh");
    let repo = history();
    let there =
        repo.command("parallel").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !there.is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: GNU parallel is not installed");
        return;
    }
    let mut command = repo.command("sh");
    command.env("PATH", path_with_rb()).env("LEAST", "80");
    let output =
        command.args([script, "start..end", "3", "--onto", "end", "--check", "sh -c 'test -e f'"]).output();
    let output = output.expect("a shell can be started");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("7 of 11 changes can be rolled back"), "{said}");
}
