//! Hooks: those of a trusted repository, and the user's own, run as `git revert` and `git cherry-pick` run them.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test has no use for less")]

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::json;
use test_kit::{Part, Sandbox, State, records};

use crate::kit::{Run, done, hash_of, rb, rb_in, rb_with, shell};

/// Writes down all that a hook can see, and puts a line of its own below the message.
const PREPARE: &str = r#"#!/bin/sh
{
  echo "prepare $# $*"
  pwd
  env | grep -E '^GIT_(DIR|WORK_TREE|EDITOR|PREFIX|OBJECT_DIRECTORY)=' | sort
  cat "$1"
  git diff --cached --name-status
  git rev-parse HEAD
} >> "$HOOK_LOG"
echo "Seen-By: the hook" >> "$1"
"#;

const POST: &str = r#"#!/bin/sh
{ echo "post $# $*"; pwd; env | grep -E '^GIT_(DIR|WORK_TREE|EDITOR|PREFIX|INDEX_FILE)=' | sort; git status --porcelain; } >> "$HOOK_LOG"
"#;

fn install(repo: &Sandbox, folder: &str, hook: &str, script: &str) {
    let path = repo.path().join(folder).join(hook);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

fn trust(repo: &Sandbox) {
    let hash = hash_of(repo, &["trust"]);
    done(rb(repo, &["trust", "--hash", &hash]));
}

fn history() -> Sandbox {
    let repo = Sandbox::new();
    repo.commit("one", &[("a", "1\n"), ("sub/b", "1\n")]);
    repo.commit("two", &[("a", "2\n")]);
    repo.commit("three", &[("sub/b", "2\n"), ("sub/c", "new\n")]);
    repo
}

/// A history with both hooks, for git and for rb, which has been told to trust them.
fn pair() -> (Sandbox, Sandbox) {
    let repo = history();
    install(&repo, ".git/hooks", "prepare-commit-msg", PREPARE);
    install(&repo, ".git/hooks", "post-commit", POST);
    for never in ["pre-commit", "commit-msg", "pre-merge-commit"] {
        install(&repo, ".git/hooks", never, "#!/bin/sh\nexit 1\n");
    }
    let twin = repo.twin();
    trust(&repo);
    (twin, repo)
}

/// What the hooks have written down; every repository is called the same.
fn log(repo: &Sandbox) -> String {
    let text = fs::read_to_string(repo.path().with_extension("log")).unwrap_or_default();
    text.replace(&repo.path().display().to_string(), "REPO")
}

fn with_log(repo: &Sandbox, args: &[&str]) -> Run {
    let log = repo.path().with_extension("log").display().to_string();
    rb_with(repo, args, "", &[("HOOK_LOG", &log)])
}

fn git_with_log(repo: &Sandbox, folder: &str, args: &[&str]) {
    let log = repo.path().with_extension("log");
    let output =
        repo.command("git").current_dir(repo.path().join(folder)).env("HOOK_LOG", log).args(args).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_revert_runs_the_hooks_that_git_revert_runs_and_they_see_the_same() {
    let (twin, repo) = pair();
    git_with_log(&twin, ".", &["revert", "--no-edit", "HEAD"]);
    let run = done(with_log(&repo, &["revert", "HEAD", "--json"]));
    assert!(log(&twin).contains("prepare 2 .git/COMMIT_EDITMSG message\nREPO\n"), "{}", log(&twin));
    assert_eq!(log(&repo), log(&twin));
    assert_eq!(
        repo.git(&["rev-parse", "HEAD"]),
        twin.git(&["rev-parse", "HEAD"]),
        "the same commit, message and all"
    );
    assert!(repo.git(&["log", "-1", "--format=%B"]).ends_with("Seen-By: the hook"));
    let document = run.json();
    assert_eq!(
        document["outcome"]["hooks"],
        json!([
            {"hook": "prepare-commit-msg", "result": "ran", "runs": 1},
            {"hook": "post-commit", "result": "ran", "runs": 1}
        ])
    );
    assert!(
        document["message"].as_str().unwrap().contains("Seen-By: the hook"),
        "the receipt has what landed"
    );
}

#[test]
fn each_commit_of_a_set_is_prepared_and_announced_as_often_as_under_git() {
    for words in
        [&["revert", "--no-edit", "HEAD", "HEAD~1"][..], &["revert", "--no-edit", "-s", "HEAD~2..HEAD"]]
    {
        let (twin, repo) = pair();
        git_with_log(&twin, ".", words);
        let ours: Vec<_> = words.iter().copied().filter(|word| *word != "--no-edit").collect();
        done(with_log(&repo, &ours));
        let seen = |repo: &Sandbox| {
            // git has made one commit before the hook of the next: HEAD and its index move in between.
            let text = log(repo);
            let steady =
                |line: &&str| !(line.len() == 40 && line.bytes().all(|byte| byte.is_ascii_hexdigit()));
            let (mut prepared, rest): (Vec<_>, Vec<_>) = text
                .split_inclusive("prepare")
                .flat_map(|part| part.lines().filter(steady))
                .map(ToOwned::to_owned)
                .partition(|line| !line.starts_with("post") && !line.starts_with("GIT_") && line != "REPO");
            prepared.retain(|line| line.split('\t').count() == 1);
            let posts = rest.iter().filter(|line| line.starts_with("post 0")).count();
            (prepared, posts)
        };
        assert_eq!(seen(&repo), seen(&twin), "{words:?}");
        assert_eq!(seen(&repo).1, 2);
        assert_eq!(repo.git(&["rev-parse", "HEAD"]), twin.git(&["rev-parse", "HEAD"]), "{words:?}");
    }
}

#[test]
fn a_pick_from_a_folder_below_runs_them_as_git_cherry_pick_does() {
    let (twin, repo) = pair();
    for repo in [&twin, &repo] {
        repo.git(&["reset", "-q", "--hard", "HEAD~2"]);
    }
    git_with_log(&twin, "sub", &["cherry-pick", "-x", "HEAD@{1}"]);
    let log_file = repo.path().with_extension("log");
    let mut command = repo.rb(env!("CARGO_BIN_EXE_rb"));
    let output = command
        .current_dir(repo.path().join("sub"))
        .env("HOOK_LOG", log_file)
        .args(["pick", "-x", "HEAD@{1}"]);
    assert!(output.output().unwrap().status.success());
    assert!(log(&repo).contains("GIT_PREFIX=sub/"), "{}", log(&repo));
    assert_eq!(log(&repo), log(&twin));
    assert_eq!(repo.git(&["rev-parse", "HEAD"]), twin.git(&["rev-parse", "HEAD"]));
}

#[test]
fn what_a_hook_makes_of_a_message_is_taken_as_git_takes_it() {
    let scripts = [
        ": > \"$1\"",
        "printf '\\n\\n# c\\nsub  \\n\\n\\n\\nbody\\n\\n' > \"$1\"",
        "printf 'no end of line' > \"$1\"",
        "rm \"$1\"; printf 'another file\\n' > \"$1\"",
        "printf '\\351\\n' > \"$1\"",
    ];
    for (script, words) in scripts.iter().flat_map(|script| [(script, &[][..]), (script, &["-s"][..])]) {
        let repo = history();
        // Without a first line that names a shell git starts one itself.
        install(&repo, ".git/hooks", "prepare-commit-msg", script);
        let twin = repo.twin();
        trust(&repo);
        twin.git(&[&["revert", "--no-edit", "HEAD"], words].concat());
        done(rb(&repo, &[&["revert", "HEAD"], words].concat()));
        let commit = |repo: &Sandbox| repo.git_bytes(&["cat-file", "commit", "HEAD"]);
        assert_eq!(
            String::from_utf8_lossy(&commit(&repo)),
            String::from_utf8_lossy(&commit(&twin)),
            "{script} {words:?}"
        );
        let reflog = |repo: &Sandbox| repo.git(&["reflog", "-1", "--format=%gs"]);
        assert_eq!(reflog(&repo), reflog(&twin), "{script}");
    }
}

#[test]
fn a_hook_that_refuses_leaves_everything_as_it_was() {
    let repo = history();
    install(
        &repo,
        ".git/hooks",
        "prepare-commit-msg",
        "#!/bin/sh\necho changed > \"$1\"\necho 'no ticket' >&2\nexit 3\n",
    );
    repo.write(".git/COMMIT_EDITMSG", "what git had there\n");
    trust(&repo);
    let before = State::of(&repo).without(&[Part::Objects]);
    let refused = rb(&repo, &["revert", "HEAD", "--json"]);
    assert_eq!(
        (refused.code, &refused.json()["error"]["code"]),
        (5, &json!("hook-failed")),
        "{}",
        refused.stderr
    );
    assert_eq!(
        refused.line("error:"),
        "the prepare-commit-msg hook refuses the commit: exit code 3: no ticket"
    );
    before.assert_same(&State::of(&repo).without(&[Part::Objects]));
    assert_eq!(
        fs::read_dir(repo.path().join(".git/rb"))
            .unwrap()
            .flatten()
            .filter(|row| row.path().is_dir())
            .count(),
        0
    );
}

#[test]
fn a_refusal_comes_before_any_hook_runs() {
    let (_, repo) = pair();
    repo.write("sub/c", "edited\n");
    let refused = with_log(&repo, &["revert", "HEAD"]);
    assert_eq!((refused.code, log(&repo).as_str()), (5, ""), "{}", refused.stderr);
}

#[test]
fn a_hook_that_hangs_is_stopped() {
    let repo = history();
    install(&repo, ".git/hooks", "prepare-commit-msg", "#!/bin/sh\nsleep 600 &\nwait\n");
    repo.git(&["config", "rb.programTimeout", "1"]);
    trust(&repo);
    let before = State::of(&repo).without(&[Part::Objects]);
    let refused = rb(&repo, &["revert", "HEAD"]);
    assert_eq!(refused.code, 5);
    assert!(
        refused.line("error:").ends_with("it was stopped after 1 s (rb.programTimeout)"),
        "{}",
        refused.stderr
    );
    before.assert_same(&State::of(&repo).without(&[Part::Objects]));
}

#[test]
fn a_failing_post_commit_hook_is_told_and_undoes_nothing() {
    let repo = history();
    install(&repo, ".git/hooks", "post-commit", "#!/bin/sh\necho 'cannot notify'\nexit 7\n");
    trust(&repo);
    let run = rb(&repo, &["revert", "HEAD"]);
    assert_eq!(run.code, 8, "{}{}", run.stdout, run.stderr);
    assert_eq!(run.line("error:"), "the post-commit hook failed: exit code 7");
    assert!(run.stdout.contains("  post-commit: cannot notify\n"), "{}", run.stdout);
    assert_eq!(repo.git(&["log", "-1", "--format=%s"]), "Revert \"three\"");
    assert_eq!(repo.git(&["status", "--porcelain"]), "");
}

#[test]
fn a_hook_that_is_another_one_than_was_trusted_does_not_run() {
    let (_, repo) = pair();
    install(&repo, ".git/hooks", "post-commit", "#!/bin/sh\ntouch evil\n");
    let run = done(with_log(&repo, &["revert", "HEAD", "--json"]));
    let not_trusted = |hook| json!({"hook": hook, "result": "not-trusted", "runs": 0});
    assert_eq!(
        run.json()["outcome"]["hooks"],
        json!([not_trusted("prepare-commit-msg"), not_trusted("post-commit")])
    );
    assert!(!repo.path().join("evil").exists());
    assert_eq!(log(&repo), "");
}

#[test]
fn a_hook_that_the_landing_itself_has_written_does_not_run() {
    let repo = history();
    repo.git(&["config", "core.hooksPath", ".hooks"]);
    for word in ["old", "trusted"] {
        install(&repo, ".hooks", "post-commit", &format!("#!/bin/sh\ntouch ran-{word}\n"));
        repo.git(&["add", ".hooks"]);
        repo.git(&["-c", "core.hooksPath=/dev/null", "commit", "-q", "-m", word]);
    }
    trust(&repo);
    let run = done(rb(&repo, &["revert", "HEAD", "--json"]));
    assert_eq!(
        run.json()["outcome"]["hooks"],
        json!([{"hook": "post-commit", "result": "changed", "runs": 0}])
    );
    assert!(!repo.path().join("ran-old").exists() && !repo.path().join("ran-trusted").exists());
}

#[test]
fn the_users_own_hooks_run_unasked_and_a_folder_of_the_repository_is_nobodys_own() {
    let own = Sandbox::folder();
    install(&own, "hooks", "post-commit", "#!/bin/sh\ntouch ran\n");
    let ran_with = |hooks_path: &str, folder: &str| {
        let repo = history();
        install(&repo, folder, "post-commit", "#!/bin/sh\ntouch ran\n");
        let hooks_path = hooks_path.replace("REPO", &repo.path().display().to_string());
        let config = repo.path().with_extension("config");
        fs::write(&config, format!("[core]\n\thooksPath = {hooks_path}\n")).unwrap();
        let config = config.display().to_string();
        done(rb_with(&repo, &["revert", "HEAD"], "", &[("GIT_CONFIG_GLOBAL", &config)]));
        repo.path().join("ran").exists()
    };
    let outside = own.path().join("hooks").display().to_string();
    assert!(ran_with(&outside, ".git/hooks"), "the positive control");
    assert!(!ran_with("hooks", "hooks"), "a relative folder is the repository's");
    assert!(!ran_with("REPO/hooks", "hooks"));
    assert!(!ran_with("REPO/.git/hooks", ".git/hooks"));

    let repo = history();
    repo.git(&["config", "core.hooksPath", &outside]);
    done(rb(&repo, &["revert", "HEAD"]));
    assert!(!repo.path().join("ran").exists(), "the repository named the folder");
}

#[test]
fn a_result_that_is_not_checked_out_runs_no_hook_and_says_so() {
    let (_, repo) = pair();
    let run = done(with_log(&repo, &["revert", "HEAD", "--branch", "aside", "--json"]));
    let not_run = |hook| json!({"hook": hook, "result": "not-checked-out", "runs": 0});
    assert_eq!(
        run.json()["outcome"]["hooks"],
        json!([not_run("prepare-commit-msg"), not_run("post-commit")])
    );
    let staged = done(with_log(&repo, &["revert", "-n", "HEAD", "--json"])).json();
    assert_eq!(staged["outcome"]["hooks"], json!(null), "without a commit git runs none either");
    assert_eq!(log(&repo), "");
}

#[test]
fn a_plan_starts_nothing_and_applying_it_later_asks_the_hooks() {
    let (twin, repo) = pair();
    let plan = done(with_log(&repo, &["revert", "HEAD", "--dry-run", "--json"]));
    assert_eq!(log(&repo), "");
    let kinds: Vec<_> =
        plan.json()["notes"].as_array().unwrap().iter().map(|note| note["kind"].clone()).collect();
    assert_eq!(kinds, ["hook-to-run", "hook-to-run"]);
    fs::write(repo.path().with_extension("json"), &plan.stdout).unwrap();
    git_with_log(&twin, ".", &["revert", "--no-edit", "HEAD"]);
    done(with_log(&repo, &["apply", &repo.path().with_extension("json").display().to_string()]));
    assert_eq!(log(&repo), log(&twin));
    assert_eq!(repo.git(&["rev-parse", "HEAD"]), twin.git(&["rev-parse", "HEAD"]));
    let logged = records::newest(&repo.path().join(".git"), "operations", "receipt.json");
    let logged = String::from_utf8_lossy(&logged);
    assert!(logged.contains("Seen-By: the hook") && logged.contains("\"to-run\""), "{logged}");
}

#[test]
fn an_edited_message_was_prepared_before_the_editor_as_under_git() {
    let (twin, repo) = pair();
    let editor = "sed -i -e '1s/.*/Edited subject/'";
    let mut git = twin.command("git");
    git.env("HOOK_LOG", twin.path().with_extension("log")).env("GIT_EDITOR", editor);
    assert!(git.args(["revert", "-e", "HEAD"]).output().unwrap().status.success());
    let log_file = repo.path().with_extension("log").display().to_string();
    let run = done(rb_with(
        &repo,
        &["revert", "-e", "HEAD"],
        "",
        &[("HOOK_LOG", &log_file), ("GIT_EDITOR", editor)],
    ));
    assert!(log(&twin).contains("prepare 2 .git/COMMIT_EDITMSG merge\n"), "{}", log(&twin));
    let head = |repo: &Sandbox| repo.git(&["log", "-1", "--format=%B"]);
    assert_eq!(head(&repo), head(&twin), "{}", run.stderr);
    let prepared = |repo: &Sandbox| {
        log(repo)
            .lines()
            .filter(|line| line.starts_with("prepare"))
            .map(ToOwned::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(prepared(&repo), prepared(&twin));
}

#[test]
fn a_hook_may_use_git_and_where_it_moves_head_nothing_lands() {
    let repo = history();
    install(
        &repo,
        ".git/hooks",
        "prepare-commit-msg",
        "#!/bin/sh\n[ -e .git/once ] && exit 0\ntouch .git/once\nunset GIT_INDEX_FILE\ngit commit -q --allow-empty -m between\n",
    );
    trust(&repo);
    let run = rb(&repo, &["revert", "HEAD"]);
    assert_eq!(run.code, 5, "{}", run.stderr);
    assert!(run.line("error:").contains("moved from"), "{}", run.stderr);
    assert_eq!(repo.git(&["log", "-1", "--format=%s"]), "between");
    assert_eq!(repo.git(&["status", "--porcelain"]), "");
    done(rb_in(&repo, ".", &["revert", "HEAD~1"]));
}

#[test]
fn one_failure_among_several_commits_is_told_and_a_hook_that_changes_itself_stops_the_landing() {
    let repo = history();
    install(
        &repo,
        ".git/hooks",
        "post-commit",
        "#!/bin/sh\n[ -e .git/once ] && exit 0\ntouch .git/once\nexit 2\n",
    );
    trust(&repo);
    let run = rb(&repo, &["revert", "HEAD", "HEAD~1", "--json"]);
    assert_eq!(
        (run.code, &run.json()["outcome"]["hooks"]),
        (8, &json!([{"hook": "post-commit", "result": "failed", "runs": 2, "failure": "exit code 2"}]))
    );

    let repo = history();
    install(&repo, ".git/hooks", "prepare-commit-msg", "#!/bin/sh\necho 'exit 0' >> \"$0\"\n");
    trust(&repo);
    let before = State::of(&repo).without(&[Part::Objects, Part::GitFiles]);
    let refused = rb(&repo, &["revert", "HEAD", "HEAD~1"]);
    assert_eq!(refused.code, 5, "{}", refused.stderr);
    assert!(
        refused.line("error:").ends_with("it is another one than when the landing began"),
        "{}",
        refused.stderr
    );
    before.assert_same(&State::of(&repo).without(&[Part::Objects, Part::GitFiles]));
}

#[test]
fn a_signal_stops_a_hook_and_nothing_lands() {
    let repo = history();
    install(&repo, ".git/hooks", "prepare-commit-msg", "#!/bin/sh\ntouch ../started\nsleep 600\n");
    trust(&repo);
    let before = State::of(&repo).without(&[Part::Objects]);
    let script = "rb revert HEAD & pid=$!\nwhile ! [ -e ../started ]; do sleep 0.05; done\nkill -INT $pid; wait $pid; echo \"ended $?\"";
    let run = shell(&repo, &format!("set -m; {script}"));
    assert_eq!(run.line("ended"), "130", "{}", run.stderr);
    before.assert_same(&State::of(&repo).without(&[Part::Objects]));
}
