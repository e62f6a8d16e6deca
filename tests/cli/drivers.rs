//! Merge drivers: where somebody trusts them, or the user configures them, a path is merged as git merges it.
#![cfg(unix)]

use std::fs;

use serde_json::json;
use test_kit::{Part, Sandbox, State};

use crate::kit::{done, hash_of, rb, rb_with};

/// Notes what it is called with and what the versions hold, and makes one file of them; ends as the first line of
/// theirs says.
const DRIVER: &str = r#"
base=$1 ours=$2 theirs=$3
shift 3
{ for word in "$@"; do echo "[$word]"; done; cat "$base"; echo -; cat "$ours"; echo -; cat "$theirs"; pwd; } >> "$DRIVER_LOG"
{ cat "$ours"; echo "<<< not a marker"; cat "$theirs"; } > "$ours.new" && mv "$ours.new" "$ours"
code=$(sed -n 's/^exit //p' "$theirs")
exit "${code:-0}"
"#;

/// A history whose last commit but one can be reverted with the driver alone, which ends with `code` then.
fn history(code: u8) -> Sandbox {
    let repo = Sandbox::new();
    let script = repo.path().with_extension("sh");
    fs::write(&script, DRIVER).expect("a script beside the repository");
    let command = format!("sh '{}' %O %A %B %L %P %S %X %Y %% %z", script.display());
    repo.git(&["config", "merge.mine.driver", &command]);
    repo.write(".gitattributes", "*.x merge=mine conflict-marker-size=9\n");
    repo.commit("one", &[("d/it's a.x", format!("exit {code}\n1\n")), ("plain", "1\n".into())]);
    repo.commit("two", &[("d/it's a.x", "two\n1\n")]);
    repo.commit("three", &[("d/it's a.x", "two\nthree\0\n")]);
    repo
}

fn trust(repo: &Sandbox) {
    let hash = hash_of(repo, &["trust"]);
    done(rb(repo, &["trust", "--hash", &hash]));
}

fn log_of(repo: &Sandbox) -> String {
    repo.path().with_extension("log").display().to_string()
}

fn log(repo: &Sandbox) -> String {
    let text = fs::read_to_string(log_of(repo)).unwrap_or_default();
    text.replace(&repo.path().display().to_string(), "REPO")
}

#[test]
fn a_path_with_a_trusted_driver_is_reverted_as_git_reverts_it() {
    let repo = history(0);
    let twin = repo.twin();
    trust(&repo);
    let mut git = twin.command("git");
    let git = git.env("DRIVER_LOG", log_of(&twin)).args(["revert", "--no-edit", "HEAD~1"]).output();
    assert!(git.expect("git can be started").status.success());
    done(rb_with(&repo, &["revert", "HEAD~1"], "", &[("DRIVER_LOG", &log_of(&repo))]));
    assert!(log(&twin).starts_with("[9]\n[d/it's a.x]\n"), "{}", log(&twin));
    assert_eq!(log(&repo), log(&twin), "called once, with the same words and versions, in the same place");
    assert_eq!(repo.git(&["rev-parse", "HEAD"]), twin.git(&["rev-parse", "HEAD"]));
    assert_eq!(repo.git(&["status", "--porcelain"]), "");
}

#[test]
fn what_a_driver_leaves_is_the_tree_and_the_stages_of_git() {
    for code in [0, 1, 128] {
        let repo = history(code);
        // A rename on one side: the labels name the paths.
        repo.git(&["mv", "d/it's a.x", "moved.x"]);
        repo.commit("four", &[("other", "4\n")]);
        trust(&repo);
        let tree = |revision: &str| repo.git(&["rev-parse", &format!("{revision}^{{tree}}")]);
        for ours in ["HEAD~1", "HEAD"] {
            let line = format!("{} -- {} {}\n", tree("HEAD~2"), tree(ours), tree("HEAD~3"));
            let words = ["merge-tree", "--stdin", "-z", "--no-messages"];
            let mut git = repo.command("git");
            let log = repo.path().with_extension("log-of-git").display().to_string();
            git.env("DRIVER_LOG", &log)
                .stdin(std::process::Stdio::piped())
                .stdout(std::process::Stdio::piped());
            let mut git = git.args(words).spawn().expect("git can be started");
            let mut pipe = git.stdin.take().expect("it is piped");
            std::io::Write::write_all(&mut pipe, line.as_bytes()).expect("git reads it");
            drop(pipe);
            let theirs = git.wait_with_output().expect("it ends").stdout;
            let ours_log = log_of(&repo);
            let run = rb_with(&repo, &["merge-tree", "--stdin", "-z"], &line, &[("DRIVER_LOG", &ours_log)]);
            assert_eq!(run.stdout, String::from_utf8_lossy(&theirs), "{code} {ours}: {}", run.stderr);
            let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
            assert_eq!(read(&ours_log), read(&log), "{code} {ours}");
        }
    }
}

#[test]
fn a_driver_that_fails_or_hangs_decides_nothing() {
    for (code, why) in [(129, "exit code 129"), (255, "exit code 255")] {
        let repo = history(code);
        trust(&repo);
        assert_eq!(repo.try_git(&["-c", "core.editor=true", "revert", "HEAD~1"]).status.code(), Some(128));
        repo.git(&["reset", "-q", "--hard"]);
        let before = State::of(&repo).without(&[Part::Objects]);
        let run = rb_with(
            &repo,
            &["revert", "HEAD~1", "--via", "revert-commit", "--json"],
            "",
            &[("DRIVER_LOG", &log_of(&repo))],
        );
        let attempt = &run.json()["attempts"][0];
        assert_eq!((run.code, &attempt["result"]), (1, &json!("needs-review")), "{}", run.stderr);
        let reason = attempt["reason"].as_str().unwrap_or_default();
        assert!(
            reason.ends_with(&format!("the driver 'mine', which merges d/it's a.x, failed: {why}")),
            "{reason}"
        );
        before.assert_same(&State::of(&repo).without(&[Part::Objects]));
    }
    let repo = history(0);
    repo.git(&["config", "merge.mine.driver", "sleep 600"]);
    repo.git(&["config", "rb.programTimeout", "1"]);
    trust(&repo);
    let run = rb(&repo, &["revert", "HEAD~1", "--via", "revert-commit", "--json"]);
    assert_eq!((run.code, &run.json()["attempts"][0]["result"]), (1, &json!("needs-review")));
}

#[test]
fn a_driver_that_nobody_trusts_does_not_run_and_the_users_own_does() {
    let repo = history(0);
    let log_file = log_of(&repo);
    let run = rb_with(
        &repo,
        &["revert", "HEAD~1", "--via", "revert-commit", "--json"],
        "",
        &[("DRIVER_LOG", &log_file)],
    );
    assert_eq!((run.code, &run.json()["attempts"][0]["result"]), (1, &json!("needs-review")));
    assert_eq!(log(&repo), "");
    let config = repo.path().with_extension("config");
    let command = repo.git(&["config", "merge.mine.driver"]);
    fs::write(&config, format!("[merge \"mine\"]\n\tdriver = {command}\n")).expect("it can be written");
    let config = config.display().to_string();
    let variables = [("DRIVER_LOG", log_file.as_str()), ("GIT_CONFIG_GLOBAL", &config)];
    let both = rb_with(&repo, &["revert", "HEAD~1", "--via", "revert-commit"], "", &variables);
    assert_eq!((both.code, log(&repo).as_str()), (1, ""), "the repository's own word comes after the user's");
    repo.git(&["config", "--unset", "merge.mine.driver"]);
    done(rb_with(&repo, &["revert", "HEAD~1"], "", &variables));
    assert_ne!(log(&repo), "");
}
