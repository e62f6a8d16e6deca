//! Failure drills: what a procedure does on a bad day, through the command line.
#![cfg(unix)]

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use rollback_core::procedure::Procedure;
use rollback_core::procedure::engine::fingerprint;
use rollback_core::trust::TrustStore;
use serde_json::Value;
use test_kit::{Part, Sandbox, State, records};

use crate::kit::{Run, rb, rb_in, rb_with, shell};

/// The way back to a shim that was removed: checked by a smoke test, and told to the live system afterwards.
const PROCEDURE: &str = r#"
schema = 1
id = "shim"
rto = "30m"
[phase.shim]
target = { deleted = "shim.py" }
paths = ["shim.py"]
validate = ["smoke"]
after = ["sync"]
[[phase.shim.ladder]]
use = "revert-commit"
scoped = true
[[phase.shim.ladder]]
use = "restore-file"
from = "last-good"
when = ["conflict", "validation-failed"]
[[check]]
id = "smoke"
run = ["./smoke.sh"]
timeout = "5s"
control = false
expect = { capture = '(\d+) passed', eq = 15 }
[[step]]
id = "sync"
title = "Sync the live system"
run = ["./sync.sh"]
"#;

/// A repository whose shim was removed, with the procedure and its scripts.
fn broken(procedure: &str) -> Sandbox {
    let repo = Sandbox::new();
    script(&repo, "smoke.sh", "test -f shim.py && echo 15 passed");
    script(&repo, "sync.sh", "echo synced >> .git/synced.log");
    repo.write(".rb/procedures/shim.toml", procedure);
    repo.commit("add", &[("shim.py", "one\ntwo\n"), ("other.py", "o\n")]);
    repo.git(&["rm", "-q", "shim.py"]);
    repo.commit("remove the shim", &[("other.py", "o2\n")]);
    repo
}

fn script(repo: &Sandbox, name: &str, text: &str) {
    repo.write(name, format!("#!/bin/sh\n{text}\n"));
    std::fs::set_permissions(repo.path().join(name), PermissionsExt::from_mode(0o755))
        .expect("the script is there");
}

/// The hash that the repository's procedure has now, as a refusal tells it.
#[track_caller]
fn hash(repo: &Sandbox) -> String {
    let refused = rb(repo, &["verify", "shim", "--trusted-hash", "0"]);
    let (_, hash) = refused.stderr.rsplit_once("--trusted-hash ").unwrap_or_else(|| panic!("{refused:?}"));
    hash.trim().to_owned()
}

/// Runs `rb` with the procedure trusted as it is now.
#[track_caller]
fn trusting(repo: &Sandbox, args: &[&str]) -> Run {
    rb_with(repo, args, "", &[("RB_TRUSTED_HASH", &hash(repo))])
}

/// The document at the end of the lines.
#[track_caller]
fn last(run: &Run) -> Value {
    let line = run.stdout.lines().last().unwrap_or_else(|| panic!("no document: {run:?}"));
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

/// Everything but what rb keeps for itself, and objects.
fn outcome(repo: &Sandbox) -> State {
    State::of(repo).only(&[Part::Index, Part::Flags, Part::Status, Part::Files])
}

/// The branches, as far as they do not tell of times.
fn history(repo: &Sandbox) -> String {
    repo.git(&["log", "--format=%T %an %s", "--branches"])
}

/// What must not have changed where nothing landed.
fn untouched(repo: &Sandbox) -> (State, String) {
    let refs = repo.git(&["for-each-ref", "refs/heads", "refs/tags"]);
    (State::of(repo).only(&[Part::Index, Part::Flags, Part::Status, Part::Files, Part::Times]), refs)
}

#[test]
fn a_revert_that_conflicts_falls_to_the_restore() {
    let procedure = PROCEDURE
        .replace(r#"target = { deleted = "shim.py" }"#, r#"target = { commit = "HEAD~1" }"#)
        .replace(r#"from = "last-good""#, r#"from = "target^1""#);
    let repo = broken(&procedure);
    let good = repo.commit("bring it back", &[("shim.py", "one\ntwo\n")]);
    repo.commit("break it", &[("shim.py", "one\nbroken\n")]);
    let later = repo.commit("work on it", &[("shim.py", "one\nbroken, and worked on\n")]);
    let before = untouched(&repo);
    let refused = trusting(&repo, &["run", "shim"]);
    assert_eq!(refused.code, 6, "{}", refused.stderr);
    assert_eq!(refused.line("error:"), "the result discards 1 later change to shim.py");
    assert_eq!(refused.line("hint:"), "if that is what you want: rb run shim --allow-loss");
    assert!(refused.stderr.contains(&format!("discards {}", &later[..7])), "{}", refused.stderr);
    before.0.assert_same(&untouched(&repo).0);

    let run = trusting(&repo, &["run", "shim", "--allow-loss", "--json"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let rungs = last(&run)["rungs"].clone();
    assert_eq!((&rungs[0]["taken"], &rungs[0]["reason"]), (&false.into(), &"conflict".into()));
    assert_eq!((&rungs[1]["taken"], &rungs[1]["kind"]), (&true.into(), &"restore-file".into()));
    assert_eq!(rungs[1]["discards"], serde_json::json!([later]));
    assert_eq!(repo.git(&["diff", "--stat", &good, "HEAD"]), "");
}

#[test]
fn smoke_with_fourteen_of_fifteen_lands_nothing() {
    let repo = broken(PROCEDURE);
    script(&repo, "smoke.sh", "test -f shim.py && echo 14 passed");
    repo.git(&["commit", "-qam", "one test fewer"]);
    let before = untouched(&repo);
    let run = trusting(&repo, &["run", "shim"]);
    assert_eq!(run.code, 4, "{}", run.stderr);
    let why =
        "checks failed, and nothing landed: smoke: fail: fewer of it than expected (expected 15, found 14)";
    assert_eq!(run.line("error:"), why);
    assert!(run.line("hint:").contains("/.git/rb/runs/"), "{}", run.stderr);
    assert_eq!(run.stdout.matches("not taken").count(), 0, "{}", run.stdout);
    before.0.assert_same(&untouched(&repo).0);
    assert_eq!(untouched(&repo).1, before.1);
    assert!(!repo.path().join(".git/synced.log").exists());
}

#[test]
fn a_check_that_hangs_is_killed_with_its_children_and_nothing_lands() {
    let repo = broken(&PROCEDURE.replace("5s", "400ms"));
    script(
        &repo,
        "smoke.sh",
        "echo begun; sh -c 'trap \"\" TERM; echo $$ >> \"$RB_PIDS\"; sleep 300' & wait",
    );
    let pids = repo.path().join(".git/pids");
    let text = std::fs::read_to_string(repo.path().join("smoke.sh")).expect("it was written");
    repo.write("smoke.sh", text.replace("$RB_PIDS", &pids.display().to_string()));
    repo.git(&["commit", "-qam", "a smoke test that hangs"]);
    let before = untouched(&repo);
    let run = trusting(&repo, &["run", "shim"]);
    assert_eq!(run.code, 4, "{}", run.stderr);
    assert!(run.line("error:").contains("smoke: error: it was killed after"), "{}", run.stderr);
    before.0.assert_same(&untouched(&repo).0);
    let pids = std::fs::read_to_string(pids).expect("it has run");
    for pid in pids.lines() {
        let alive = std::fs::read_to_string(format!("/proc/{pid}/stat"))
            .is_ok_and(|stat| !stat.rsplit(')').next().unwrap_or("").trim_start().starts_with('Z'));
        assert!(!alive, "{pid} lives on");
    }
}

/// Starts `rb` and kills it as soon as it has told of so many events; whether it was still there to be killed.
#[track_caller]
fn killed_after(repo: &Sandbox, events: usize, args: &[&str]) -> bool {
    let mut command = repo.command(env!("CARGO_BIN_EXE_rb"));
    let hash = hash(repo);
    command.args(args).arg("--json").env("RB_TRUSTED_HASH", hash);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("rb can be started");
    let lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    let told = lines.take(events).filter(Result::is_ok).count();
    // SIGKILL: nothing of rb runs any more after it.
    child.kill().expect("a child can be killed");
    let status = child.wait().expect("it has ended");
    told == events && status.code().is_none()
}

/// Goes on as a person would who reads what is said: a step that was cut off is run again.
#[track_caller]
fn finish(repo: &Sandbox, context: &str) -> Run {
    let run = trusting(repo, &["resume", "--json"]);
    if run.code != 5 {
        return run;
    }
    assert!(run.stderr.contains("was cut off"), "{context}: {}", run.stderr);
    trusting(repo, &["resume", "--retry", "--json"])
}

#[test]
fn a_run_that_is_killed_between_any_two_events_ends_as_one_that_was_not() {
    let undisturbed = broken(PROCEDURE);
    let run = trusting(&undisturbed, &["run", "shim", "--json"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let events = run.stdout.lines().count() - 1;
    assert!(events > 8, "{}", run.stdout);
    for after in 0..events {
        let repo = broken(PROCEDURE);
        let context = format!("killed after event {after}");
        if killed_after(&repo, after, &["run", "shim"]) {
            let open = rb(&repo, &["status", "--json"]).json();
            // Nothing had been written down yet: there is nothing to go on with, and nothing has happened.
            let run = match open["runs"].as_array() {
                None => trusting(&repo, &["run", "shim", "--json"]),
                Some(_) => finish(&repo, &context),
            };
            assert_eq!(run.code, 0, "{context}: {}", run.stderr);
        }
        outcome(&undisturbed).assert_same(&outcome(&repo));
        assert_eq!(history(&repo), history(&undisturbed), "{context}");
        assert_eq!(rb(&repo, &["status", "--json"]).json()["runs"], Value::Null, "{context}");
        assert_eq!(repo.git(&["fsck", "--strict", "--no-dangling", "--no-progress"]), "", "{context}");
    }
}

#[test]
fn a_run_that_dies_within_a_check_or_a_step_ends_as_one_that_did_not() {
    const SHOWN: &str = "Revert \"remove the shim\" in shim.py\n\nA\tshim.py";
    for dying in ["smoke.sh", "sync.sh"] {
        let repo = broken(PROCEDURE);
        let marker = repo.path().join(".git/killed");
        let works = std::fs::read_to_string(repo.path().join(dying)).expect("the script is there");
        // The parent of a program that rb starts is rb.
        let dies = format!("{works}test -f {0} || {{ touch {0}; kill -KILL $PPID; }}\n", marker.display());
        repo.write(dying, dies);
        repo.git(&["commit", "-q", "--amend", "--no-edit", "-a"]);
        let run = trusting(&repo, &["run", "shim"]);
        assert_eq!(run.code, -1, "{dying}: rb died of a signal: {}", run.stderr);
        let open = rb(&repo, &["status"]);
        assert!(open.stdout.contains("is In Progress: shim phase shim"), "{dying}: {}", open.stdout);
        let run = finish(&repo, dying);
        assert_eq!(run.code, 0, "{dying}: {}", run.stderr);
        assert_eq!(repo.git(&["status", "--porcelain"]), "", "{dying}");
        assert_eq!(repo.git(&["show", "--format=%s", "--name-status"]), SHOWN, "{dying}");
        assert_eq!(repo.git(&["rev-list", "--count", "HEAD"]), "3", "{dying}");
    }
}

#[test]
fn a_signal_stops_a_run_in_order_and_it_goes_on_from_there() {
    let repo = broken(PROCEDURE);
    let marker = repo.path().join(".git/stopped");
    let stops = format!(
        "test -f {0} || {{ touch {0}; kill -TERM $PPID; sleep 4; }}\ntest -f shim.py && echo 15 passed",
        marker.display()
    );
    script(&repo, "smoke.sh", &stops);
    repo.git(&["commit", "-qam", "a smoke test that is stopped"]);
    let before = repo.git(&["rev-parse", "HEAD"]);
    let run = trusting(&repo, &["run", "shim"]);
    assert_eq!(run.code, -1, "it ended by the signal: {}", run.stderr);
    assert_eq!(run.line("hint:"), "it stopped where it was; go on with: rb resume");
    assert_eq!(repo.git(&["rev-parse", "HEAD"]), before);
    let run = trusting(&repo, &["resume"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(repo.git(&["show", "--format=", "--name-status"]), "A\tshim.py");
}

#[test]
fn a_tip_that_moved_meanwhile_refuses() {
    let asking = format!("{PROCEDURE}[[precheck]]\nid = \"told\"\nask = \"Has the channel been told?\"\n");
    let repo = broken(&asking);
    let paused = trusting(&repo, &["run", "shim"]);
    assert_eq!(paused.code, 7, "{}", paused.stderr);
    assert_eq!(paused.line("waits at"), "told: Has the channel been told?");
    assert_eq!(paused.line("next:"), "once that is so: rb resume --confirm told");
    let second = trusting(&repo, &["run", "shim"]);
    assert_eq!(second.code, 75, "{}", second.stderr);

    repo.commit("meanwhile", &[("other.py", "o3\n")]);
    let before = untouched(&repo);
    let refused = trusting(&repo, &["resume", "--confirm", "told"]);
    assert_eq!(refused.code, 5, "{}", refused.stderr);
    assert!(refused.line("error:").starts_with("refs/heads/main moved from "), "{}", refused.stderr);
    assert_eq!(refused.line("hint:"), "give the run up and begin anew with: rb abort");
    before.0.assert_same(&untouched(&repo).0);
    assert_eq!(rb(&repo, &["abort"]).code, 0);
    let anew = trusting(&repo, &["run", "shim", "--confirm", "told"]);
    assert_eq!(anew.code, 0, "{}", anew.stderr);

    // While it runs: the check itself sees to it that somebody else commits.
    let repo = broken(PROCEDURE);
    let meanwhile = format!(
        "git -C {} -c user.name=A -c user.email=a@example.com commit -q --allow-empty -m meanwhile; echo 15 passed",
        repo.path().display()
    );
    script(&repo, "smoke.sh", &meanwhile);
    repo.git(&["commit", "-qam", "a smoke test that commits"]);
    let run = trusting(&repo, &["run", "shim"]);
    assert_eq!(run.code, 5, "{}", run.stderr);
    assert!(run.line("error:").starts_with("refs/heads/main moved from "), "{}", run.stderr);
    assert!(!repo.path().join("shim.py").exists());
}

#[test]
fn an_approval_or_a_role_that_is_missing_refuses_before_anything_happens() {
    let guarded = PROCEDURE
        .replace("rto = \"30m\"", "rto = \"30m\"\nauthority = [\"sre\"]\n[role.sre]\n[role.lead]")
        .replace("[phase.shim]\n", "[phase.shim]\napprovals = [\"lead\"]\nconfirm = \"bring it back\"\n");
    let repo = broken(&guarded);
    let before = State::of(&repo);
    let refused = |args: &[&str], error: &str, hint: &str| {
        let run = rb(&repo, &[&["run", "shim"], args].concat());
        assert_eq!(run.code, 6, "{}", run.stderr);
        assert_eq!((run.line("error:"), run.line("hint:")), (error, hint));
        before.assert_unchanged(&repo);
    };
    let what = "phase 'shim' of procedure 'shim'";
    refused(
        &[],
        &format!("{what} needs one of these roles: sre"),
        "if that is what you are: rb run shim --role sre",
    );
    refused(
        &["--role", "sre"],
        &format!("{what} needs the approval of lead"),
        "once it is given, add --approve lead=NAME with the name of who gave it; see what the procedure says with: rb procedure show shim",
    );
    refused(
        &["--role", "sre", "--approve", "lead=Grace"],
        &format!("{what} cannot be taken back and needs the words 'bring it back'"),
        "if that is what you want: rb run shim --role sre --approve lead=Grace --words 'bring it back'",
    );
    refused(
        &["--role", "sre", "--approve", "lead=Grace", "--words", "bring it back"],
        "procedure 'shim' is not trusted",
        "read it, and trust it here with: rb trust shim",
    );
}

#[test]
fn a_procedure_or_script_that_changed_after_it_was_trusted_does_not_run() {
    let repo = broken(PROCEDURE);
    let trusted = hash(&repo);
    for (path, change) in [
        ("sync.sh", "#!/bin/sh\ntouch .git/owned\n".to_owned()),
        (".rb/procedures/shim.toml", PROCEDURE.replace("\"5s\"", "\"6s\"")),
    ] {
        let works = std::fs::read_to_string(repo.path().join(path)).expect("it is there");
        repo.write(path, change);
        let before = State::of(&repo);
        for args in [&["run", "shim"][..], &["run", "shim", "--dry-run"], &["verify", "shim"]] {
            let refused = rb_with(&repo, args, "", &[("RB_TRUSTED_HASH", &trusted)]);
            assert_eq!(refused.code, 6, "{path} {args:?}: {}", refused.stderr);
            assert!(
                refused.line("error:").ends_with("procedure 'shim' is not trusted"),
                "{}",
                refused.stderr
            );
            let now = hash(&repo);
            assert!(
                refused.line("hint:").contains(&format!(": env RB_TRUSTED_HASH={now} rb ")),
                "{}",
                refused.stderr
            );
        }
        before.assert_unchanged(&repo);
        repo.write(path, works);
    }
    assert_eq!(hash(&repo), trusted);
    assert_eq!(rb_with(&repo, &["run", "shim"], "", &[("RB_TRUSTED_HASH", &trusted)]).code, 0);
}

#[test]
fn what_changed_since_a_record_of_trust_is_named() {
    let repo = broken(PROCEDURE);
    let home = repo.path().parent().expect("it lies in a folder").join("home").display().to_string();
    let store = TrustStore::of_user(|name| (name == "HOME").then(|| home.clone())).expect("there is a home");
    let procedure = Procedure::parse("shim.toml", PROCEDURE.as_bytes(), &()).expect("it is right");
    let fingerprint = fingerprint(&procedure, Some(repo.path()));
    store.trust(&repo.path().join(".git"), "shim", &fingerprint).expect("the record can be written");
    script(&repo, "sync.sh", "echo something else");
    let refused = rb(&repo, &["run", "shim"]);
    assert_eq!(refused.code, 6, "{}", refused.stderr);
    assert_eq!(refused.line("error:"), "procedure 'shim' is not trusted any more: ./sync.sh changed since");
    assert_eq!(refused.line("hint:"), "read it, and trust it here with: rb trust shim");
    script(&repo, "sync.sh", "echo synced >> .git/synced.log");
    assert_eq!(rb(&repo, &["run", "shim"]).code, 0);
    // The same record serves a linked work tree.
    repo.git(&["worktree", "add", "-q", "../linked", "HEAD~1"]);
    let linked = rb_in(&repo, "../linked", &["run", "shim", "--dry-run"]);
    assert_eq!(linked.code, 0, "{}", linked.stderr);
}

#[test]
fn a_procedure_that_changed_while_its_run_paused_is_not_gone_on_with() {
    let asking = format!("{PROCEDURE}[[precheck]]\nid = \"told\"\nask = \"Has the channel been told?\"\n");
    let repo = broken(&asking);
    assert_eq!(trusting(&repo, &["run", "shim"]).code, 7);
    repo.write(".rb/procedures/shim.toml", asking.replace("\"5s\"", "\"6s\""));
    let refused = trusting(&repo, &["resume", "--confirm", "told"]);
    assert_eq!(refused.code, 5, "{}", refused.stderr);
    let error = refused.line("error:");
    assert!(error.starts_with("procedure 'shim' has changed since the run "), "{error}");
    assert!(refused.line("hint:").starts_with("give the run up and begin anew with: rb abort --run "));
}

#[test]
fn a_secret_of_the_environment_appears_nowhere() {
    const SECRET: &str = "correct-horse-battery-staple";
    let telling = PROCEDURE.replace(
        "run = [\"./sync.sh\"]",
        "run = [\"./sync.sh\", \"x\"]\nsecrets = [\"API_TOKEN\"]\nstdin = \"auth {secret.API_TOKEN}\"",
    );
    let repo = broken(&telling);
    script(&repo, "sync.sh", "cat; echo token=$API_TOKEN; echo $API_TOKEN >&2; exit 1");
    let hash = hash(&repo);
    let variables = [("RB_TRUSTED_HASH", hash.as_str()), ("API_TOKEN", SECRET)];
    let plain = rb_with(&repo, &["run", "shim", "-v"], "", &variables);
    assert_eq!(plain.code, 8, "{}", plain.stderr);
    assert!(plain.stderr.contains("auth [redacted API_TOKEN]"), "{}", plain.stderr);
    repo.git(&["rm", "-q", "shim.py"]);
    repo.git(&["commit", "-qm", "remove it again"]);
    let json = rb_with(&repo, &["run", "shim", "--json"], "", &variables);
    assert_eq!(json.code, 8, "{}", json.stderr);
    for run in [&plain, &json] {
        assert!(!run.stdout.contains(SECRET) && !run.stderr.contains(SECRET));
    }
    // Files as they lie, and every object that git keeps: reports, evidence, records of runs.
    let mut grep = repo.command("grep");
    let found = grep.args(["-rla", SECRET, "."]).output().expect("grep can be started");
    assert_eq!(String::from_utf8_lossy(&found.stdout), "");
    let objects = repo.git(&["cat-file", "--batch-check=%(objectname)", "--batch-all-objects"]);
    for id in objects.lines() {
        let kind = repo.git(&["cat-file", "-t", id]);
        let bytes = repo.git_bytes(&["cat-file", &kind, id]);
        assert!(!String::from_utf8_lossy(&bytes).contains(SECRET), "{kind} {id}");
    }
    assert!(records::all(&repo.path().join(".git"), "runs").len() >= 2);
}

#[test]
fn a_reader_that_goes_away_does_not_keep_a_run_from_its_end() {
    let undisturbed = broken(PROCEDURE);
    assert_eq!(trusting(&undisturbed, &["run", "shim"]).code, 0);
    for (words, closed) in [("--json", "| head -1"), ("", "2>&1 | true"), ("--json", ">&- 2>&-")] {
        let repo = broken(PROCEDURE);
        let script = format!(
            "export RB_TRUSTED_HASH={}\nrb run shim {words} {closed}\ntest ${{PIPESTATUS[0]}} = 0",
            hash(&repo)
        );
        let run = shell(&repo, &script);
        assert_eq!(run.code, 0, "{closed}: {}", run.stderr);
        outcome(&undisturbed).assert_same(&outcome(&repo));
        assert_eq!(history(&repo), history(&undisturbed), "{closed}");
        assert_eq!(rb(&repo, &["status", "--json"]).json()["runs"], Value::Null, "{closed}");
        let synced = std::fs::read_to_string(repo.path().join(".git/synced.log")).expect("the step ran");
        assert_eq!(synced, "synced\n", "{closed}");
    }
}

#[test]
fn a_result_is_published_when_it_is_asked_for_and_stays_where_that_fails() {
    let repo = broken(&format!("{PROCEDURE}[publish]\nrun = [\"./publish.sh\"]\n"));
    script(&repo, "publish.sh", "test ! -f .git/offline && cat > .git/published");
    assert_eq!(trusting(&repo, &["publish"]).code, 5, "nothing has landed");
    assert_eq!(trusting(&repo, &["run", "shim"]).code, 0);
    let published = repo.path().join(".git/published");
    assert!(!published.exists(), "nobody asked for it");
    std::fs::write(repo.path().join(".git/offline"), "").expect("it can be written");
    let before = untouched(&repo);
    let unasked = trusting(&repo, &["publish"]);
    assert_eq!(unasked.code, 6, "there is nobody to ask: {}", unasked.stderr);
    assert!(unasked.line("hint:").ends_with("rb publish --yes"), "{}", unasked.stderr);
    let failed = trusting(&repo, &["publish", "--yes"]);
    assert_eq!(failed.code, 8, "{}", failed.stderr);
    assert!(failed.line("error:").starts_with("it has landed, and what came after that failed"));
    std::fs::remove_file(repo.path().join(".git/offline")).expect("it is there");
    let done = trusting(&repo, &["publish", "--yes", "--json"]);
    assert_eq!((done.code, &last(&done)["ending"]), (0, &Value::from("done")), "{}", done.stderr);
    let report = std::fs::read_to_string(published).expect("the program ran");
    assert!(report.starts_with("# shim"), "the report is its input: {report}");
    let after = untouched(&repo);
    before.0.assert_same(&after.0);
    assert_eq!(before.1, after.1);
}

#[test]
fn the_live_system_is_verified_and_a_failure_outweighs_a_doubt() {
    for (programs, code) in [
        (&["true"][..], 0),
        (&["true", "false"], 4),
        (&["no-such-program-anywhere"], 4),
        (&["true", "?"], 7),
        (&["?", "false"], 4),
    ] {
        let ids: Vec<String> = (0..programs.len()).map(|at| format!("\"live-{at}\"")).collect();
        let mut text = format!("{PROCEDURE}[success]\nall = [{}]\n", ids.join(", "));
        for (program, id) in programs.iter().zip(&ids) {
            text.push_str(&match *program {
                "?" => format!("[[check]]\nid = {id}\nask = \"Is it well?\"\n"),
                program => format!("[[check]]\nid = {id}\nlive = true\nrun = [\"{program}\"]\n"),
            });
        }
        let repo = broken(&text);
        let before = untouched(&repo);
        let run = trusting(&repo, &["verify", "shim"]);
        assert_eq!(run.code, code, "{programs:?}: {}{}", run.stdout, run.stderr);
        let after = untouched(&repo);
        before.0.assert_same(&after.0);
        assert_eq!(before.1, after.1);
    }
}

#[test]
fn of_two_open_runs_the_one_that_is_meant_has_to_be_named() {
    let asking = format!("{PROCEDURE}[[precheck]]\nid = \"told\"\nask = \"Has the channel been told?\"\n");
    let repo = broken(&asking);
    let twin = repo.twin();
    for repo in [&repo, &twin] {
        assert_eq!(trusting(repo, &["run", "shim"]).code, 7);
    }
    let of = |repo: &Sandbox| {
        let status = rb(repo, &["status", "--json"]).json();
        status["runs"][0]["id"].as_str().expect("it is open").to_owned()
    };
    let (own, other) = (of(&repo), of(&twin));
    // The record of a second run is put there by hand.
    let folder = |repo: &Sandbox| records::folder(&repo.path().join(".git"), "runs").join(&other);
    std::fs::copy(folder(&twin), folder(&repo)).expect("a record can be copied");
    let before = State::of(&repo);
    for words in [&["resume", "--confirm", "told"][..], &["abort"]] {
        let refused = trusting(&repo, words);
        assert_eq!(refused.code, 2, "{words:?}: {}", refused.stderr);
        let error = refused.line("error:");
        assert!(error.starts_with("several runs have not ended: "), "{error}");
        assert!(error.contains(&own) && error.contains(&other), "{error}");
        assert!(refused.line("hint:").starts_with(&format!("say which one, such as: rb {} ", words[0])));
    }
    before.assert_unchanged(&repo);
    assert_eq!(rb(&repo, &["abort", "--run", &other]).code, 0);
    let done = trusting(&repo, &["resume", "--run", &own, "--confirm", "told"]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert_eq!(repo.git(&["show", "--format=", "--name-status"]), "A\tshim.py");
}
