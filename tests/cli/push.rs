//! What leaves this machine with `--push`, `--pr` and `rb publish OP`: a bare repository with hooks stands for a forge, and
//! scripts that write down what they are asked stand for `gh` and `glab`.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use serde_json::Value;
use test_kit::Sandbox;

use crate::kit::{Run, done, rb, rb_with, shell, trust};

/// Three commits, all of which the remote has.
fn world() -> Sandbox {
    let repo = Sandbox::new();
    repo.commit("one", &[("f", "1\n"), ("g", "1\n")]);
    repo.commit("two", &[("f", "2\n")]);
    repo.commit("three", &[("g", "3\n")]);
    repo.git(&["init", "-q", "--bare", "-b", "main", "../remote.git"]);
    repo.git(&["remote", "add", "origin", "../remote.git"]);
    repo.git(&["push", "-q", "-u", "origin", "main"]);
    repo
}

fn far(repo: &Sandbox, branch: &str) -> String {
    let found = repo.git(&["ls-remote", "origin", &format!("refs/heads/{branch}")]);
    found.split_whitespace().next().unwrap_or_default().to_owned()
}

fn head(repo: &Sandbox) -> String {
    repo.git(&["rev-parse", "HEAD"])
}

/// A program of this text.
pub(crate) fn script(path: PathBuf, text: &str) {
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    fs::write(&path, text).expect("a script");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("permissions");
}

/// Lets the remote refuse every push to main.
fn protect(repo: &Sandbox) {
    let hook = "#!/bin/sh\ncase $1 in refs/heads/main) echo 'main is protected' >&2; exit 1;; esac\n";
    script(repo.around().join("remote.git/hooks/update"), hook);
}

/// The command that the hint says, run in a shell.
#[track_caller]
fn pasted(repo: &Sandbox, run: &Run) -> Run {
    let hint = run.line("hint:");
    let (_, command) = hint.split_once(": ").expect("a command");
    shell(repo, command)
}

fn said(run: &Run) -> String {
    format!("{}{}", run.stdout, run.stderr)
}

#[test]
fn every_command_that_lands_pushes_what_it_landed() {
    let repo = world();
    let plan = done(rb(&repo, &["revert", "HEAD", "--dry-run", "--json"])).stdout;
    fs::write(repo.around().join("plan.json"), plan).expect("a file");
    for args in [
        &["apply", "../plan.json", "--push"][..],
        &["restore", "f", "-s", "HEAD~3", "--allow-loss", "--push=origin"],
        &["revert", "HEAD", "--push"],
        &["reapply", "HEAD", "--push"],
    ] {
        let run = done(rb(&repo, args));
        assert_eq!(far(&repo, "main"), head(&repo), "{args:?}: {}", said(&run));
        assert!(run.stdout.contains("Pushed to origin main"), "{args:?}: {}", said(&run));
    }
    repo.git(&["switch", "-q", "-c", "side"]);
    repo.commit("four", &[("h", "4\n")]);
    repo.git(&["switch", "-q", "main"]);
    done(rb(&repo, &["pick", "side", "--push"]));
    assert_eq!(far(&repo, "main"), head(&repo));
    done(rb(&repo, &["revert", "HEAD"]));
    done(rb(&repo, &["undo", "--push"]));
    let redone = done(rb(&repo, &["redo", "--push", "--json"])).json();
    assert_eq!(far(&repo, "main"), head(&repo));
    assert_eq!(redone["published"]["state"], "pushed");
    assert_eq!(redone["published"]["ref"], "refs/heads/main");
}

#[test]
fn a_conflict_is_pushed_once_it_is_resolved() {
    let repo = world();
    repo.commit("four", &[("f", "4\n")]);
    repo.git(&["push", "-q", "origin", "main"]);
    let before = far(&repo, "main");
    assert_eq!(rb(&repo, &["revert", "HEAD~2", "--on-conflict=stop", "--push"]).code, 7);
    assert_eq!(far(&repo, "main"), before, "markers do not leave from the work tree");
    repo.write("f", "5\n");
    repo.git(&["add", "f"]);
    let run = done(rb(&repo, &["continue", "--push", "--json"]));
    assert_eq!(far(&repo, "main"), head(&repo));
    assert_eq!(run.json()["published"]["state"], "pushed");
}

#[test]
fn a_refused_push_keeps_the_result_and_offers_a_branch() {
    let repo = world();
    protect(&repo);
    let before = far(&repo, "main");
    let run = rb(&repo, &["revert", "HEAD", "--push"]);
    assert_eq!(run.code, 8, "{}", said(&run));
    assert_eq!((far(&repo, "main"), repo.git(&["show", "HEAD:g"])), (before, "1".to_owned()));
    assert!(run.stdout.contains("main is protected"), "the remote's own words: {}", run.stdout);
    assert!(run.line("error:").contains("not pushed to origin main: hook declined"), "{}", run.stderr);
    let offered = pasted(&repo, &run);
    assert_eq!(offered.code, 0, "{}", said(&offered));
    let operation = done(rb(&repo, &["ops", "-n", "1", "--json"])).json();
    let id = operation["operation_id"].as_str().expect("an id").to_owned();
    assert_eq!(far(&repo, &format!("rollback/{}", &id[..8])), head(&repo));
    assert_eq!(operation["published"]["state"], "pushed", "the log tells the last of it");

    let document = rb(&repo, &["revert", "HEAD~2", "--push", "--json"]);
    let json = document.json();
    assert_eq!((document.code, &json["error"]["code"]), (8, &Value::from("not-pushed")));
    assert_eq!(json["outcome"]["kind"], "committed");
    let published = &json["outcome"]["published"];
    assert_eq!(
        (&published["state"], &published["refusal"]["kind"]),
        (&Value::from("not-pushed"), &Value::from("others")),
        "the result before was not pushed to main either"
    );
}

#[test]
fn a_branch_that_moved_is_never_forced() {
    let repo = world();
    repo.git(&["clone", "-q", "../remote.git", "../other"]);
    repo.git(&["-C", "../other", "commit", "-q", "--allow-empty", "-m", "theirs"]);
    repo.git(&["-C", "../other", "push", "-q"]);
    let theirs = far(&repo, "main");
    for fetched in [false, true] {
        let run = rb(&repo, &["revert", "HEAD", "--push"]);
        assert_eq!((run.code, far(&repo, "main")), (8, theirs.clone()), "{}", said(&run));
        let offered = pasted(&repo, &run);
        assert_eq!(offered.code, 0, "{}", said(&offered));
        let kept: Vec<_> = repo
            .git(&["ls-remote", "origin", "refs/heads/rollback/*"])
            .lines()
            .map(ToOwned::to_owned)
            .collect();
        assert!(kept.iter().any(|line| line.starts_with(&head(&repo))), "{kept:?}");
        if !fetched {
            done(rb(&repo, &["revert", "HEAD"]));
            repo.git(&["reset", "-q", "--hard", "HEAD~2"]);
            repo.git(&["fetch", "-q"]);
        }
    }
}

#[test]
fn commits_that_rb_did_not_make_leave_only_where_that_is_said() {
    let repo = world();
    repo.commit("mine", &[("private", "p\n")]);
    let before = far(&repo, "main");
    let run = rb(&repo, &["revert", "HEAD~1", "--push"]);
    assert_eq!((run.code, far(&repo, "main")), (8, before.clone()), "{}", said(&run));
    let shown = done(pasted(&repo, &run));
    assert!(shown.stdout.contains("mine") && shown.stdout.contains("--with-others"), "{}", shown.stdout);
    assert_eq!(far(&repo, "main"), before, "a dry run lets nothing leave");
    let (_, next) = shown.stdout.split_once("next: ").expect("a command");
    done(shell(&repo, next));
    assert_eq!(far(&repo, "main"), head(&repo));
}

#[test]
fn what_cannot_be_pushed_is_refused_before_it_lands() {
    let repo = world();
    let before = head(&repo);
    let wrong = rb(&repo, &["revert", "HEAD", "--push=upstream"]);
    assert_eq!((wrong.code, head(&repo)), (5, before.clone()), "{}", said(&wrong));
    assert_eq!(wrong.line("hint:"), "name one that there is, such as: rb revert HEAD --push=origin");
    for option in ["--push=--receive-pack=x", "--push=ext::sh"] {
        assert_eq!((rb(&repo, &["revert", "HEAD", option]).code, head(&repo)), (2, before.clone()));
    }
    assert_eq!(rb(&repo, &["revert", "HEAD", "-n", "--push"]).code, 2);
    assert_eq!(rb(&repo, &["restore", "f", "--push"]).code, 2);
    repo.git(&["switch", "-q", "--detach"]);
    let detached = rb(&repo, &["revert", "HEAD", "--push"]);
    assert_eq!((detached.code, head(&repo)), (2, before.clone()), "{}", said(&detached));
    done(pasted(&repo, &detached));
    assert_eq!(far(&repo, "rollback"), repo.git(&["rev-parse", "rollback"]));
    repo.git(&["switch", "-q", "main"]);
    repo.git(&["remote", "set-url", "origin", "../gone.git"]);
    let unreachable = rb(&repo, &["revert", "HEAD", "--push", "--json"]);
    let kind = &unreachable.json()["outcome"]["published"]["refusal"]["kind"];
    assert_eq!((unreachable.code, kind), (8, &Value::from("unreachable")));
    assert_ne!(head(&repo), before, "it has landed");
    repo.git(&["remote", "set-url", "origin", "../remote.git"]);
    let hint: Vec<_> = unreachable.json()["error"]["hint_command"].as_array().expect("words").clone();
    let words: Vec<_> = hint.iter().skip(1).filter_map(Value::as_str).collect();
    done(rb(&repo, &words));
    assert_eq!(far(&repo, "main"), head(&repo));
}

/// A program that stands for `gh` and `glab`: it notes its arguments and its input, and knows what it has opened.
pub(crate) const FORGE: &str = r#"#!/bin/sh
at=$(dirname "$0")/..
printf '%s\n' "$(basename "$0")" "$@" >>"$at/asked"
case "$1 $2" in
*list) [ -f "$at/opened" ] && cat "$at/opened" || echo '[]';;
*create)
    case "$(basename "$0")" in
    gh) cat >"$at/body"; key=url; url=https://github.com/o/n/pull/7;;
    *) key=web_url; url=https://gitlab.com/o/n/-/merge_requests/7;;
    esac
    echo "[{\"$key\":\"$url\"}]" >"$at/opened"
    printf '\nCreating it\n%s\n' "$url";;
esac
"#;

/// Runs `rb` where such a program is found first.
fn with_forge(repo: &Sandbox, program: &str, args: &[&str]) -> Run {
    let folder = repo.around().join("forge");
    script(folder.join(program), FORGE);
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").expect("a path"));
    rb_with(repo, args, "", &[("PATH", &path), ("GH_TOKEN", "t0ps3cret-value")])
}

fn noted(repo: &Sandbox, file: &str) -> String {
    fs::read_to_string(repo.around().join(file)).unwrap_or_default()
}

#[test]
fn a_pull_request_says_what_was_done_at_what_price_and_how_it_is_undone() {
    for (program, forge) in [("gh", "github"), ("glab", "gitlab")] {
        let repo = world();
        protect(&repo);
        repo.git(&["config", "rb.forge", forge]);
        let args = ["revert", "HEAD", "--check", "test -f f", "--reason", "it broke <the> build", "--pr"];
        let run = with_forge(&repo, program, &args);
        assert_eq!(run.code, 0, "{}", said(&run));
        let url = if program == "gh" {
            "https://github.com/o/n/pull/7"
        } else {
            "https://gitlab.com/o/n/-/merge_requests/7"
        };
        assert!(run.stdout.contains(&format!("A pull request is open: {url}")), "{}", run.stdout);
        let asked = noted(&repo, "asked");
        let id = done(rb(&repo, &["ops", "-n", "1", "--json"])).json()["operation_id"]
            .as_str()
            .expect("an id")
            .to_owned();
        let branch = format!("rollback/{}", &id[..8]);
        assert_eq!(far(&repo, &branch), head(&repo), "from a branch of its own");
        let (from, to) = if program == "gh" { ("head", "base") } else { ("source-branch", "target-branch") };
        for word in
            [format!("--{from}={branch}"), format!("--{to}=main"), "--title=Revert \"three\"".to_owned()]
        {
            assert!(asked.lines().any(|line| line == word), "{word} in {asked}");
        }
        assert!(!asked.contains("--draft"), "{asked}");
        let body = if program == "gh" { noted(&repo, "body") } else { asked.clone() };
        for part in [
            "| Loss class | `exact` |",
            "`it broke <the> build`",
            "- modified `g`",
            "`test -f f`",
            &format!("`rb revert {}`", head(&repo)),
            &format!("`{id}`"),
        ] {
            assert!(body.contains(part), "{part} in {body}");
        }
        assert!(!body.contains(&repo.path().display().to_string()), "no path of this machine: {body}");
        let report = done(rb(&repo, &["report"])).stdout;
        assert!(report.contains(url), "{report}");
        // Once more is the same one.
        let again = with_forge(&repo, program, &["publish", &id, "--branch", &branch, "--pr", "--json"]);
        let json = done(again).json();
        assert_eq!(
            (&json["state"], &json["pull_request"]["was_open"]),
            (&Value::from("up-to-date"), &Value::from(true))
        );
        assert_eq!(json["pull_request"]["url"], url);
        assert_eq!(noted(&repo, "asked").matches("create\n").count(), 1);
    }
}

#[test]
fn where_there_is_no_clean_way_a_draft_names_the_conflicts() {
    let repo = world();
    repo.commit("four", &[("f", "4\n")]);
    repo.git(&["push", "-q", "origin", "main"]);
    let args = ["revert", "HEAD~2", "--on-conflict=stop", "--branch", "rollback/f", "--pr"];
    let run = with_forge(&repo, "gh", &args);
    assert_eq!(run.code, 7, "{}", said(&run));
    assert!(
        run.stdout.contains("A draft pull request is open: https://github.com/o/n/pull/7"),
        "{}",
        run.stdout
    );
    let (asked, body) = (noted(&repo, "asked"), noted(&repo, "body"));
    for word in ["--draft", "--head=rollback/f", "--base=main"] {
        assert!(asked.lines().any(|line| line == word), "{word} in {asked}");
    }
    assert!(body.contains("### Conflicts\n\n- `f`") && body.contains("git switch rollback/f"), "{body}");
    assert!(repo.git(&["show", "origin/rollback/f:f"]).contains("<<<<<<<"));
}

#[test]
fn without_a_program_the_push_stays_and_the_hint_opens_the_pull_request_later() {
    let repo = world();
    let folder = repo.around().join("bin");
    fs::create_dir_all(&folder).expect("a folder");
    let found = shell(&repo, "for p in git sh; do ln -s $(command -v $p) ../bin/; done");
    assert_eq!(found.code, 0, "{}", said(&found));
    let path = folder.display().to_string();
    let run = rb_with(&repo, &["revert", "HEAD", "--branch", "rollback/g", "--pr"], "", &[("PATH", &path)]);
    assert_eq!(run.code, 8, "{}", said(&run));
    assert!(run.line("error:").contains("neither gh nor glab is installed"), "{}", run.stderr);
    assert_eq!(far(&repo, "rollback/g"), repo.git(&["rev-parse", "rollback/g"]));
    let hint = run.line("hint:");
    let (_, command) = hint.split_once(": rb ").expect("a command");
    let words: Vec<_> = command.split(' ').collect();
    let opened = with_forge(&repo, "glab", &words);
    assert_eq!(opened.code, 0, "{}", said(&opened));
}

#[test]
fn publishing_an_operation_asks_unless_the_words_say_where_to() {
    let repo = world();
    done(rb(&repo, &["revert", "HEAD"]));
    let result = head(&repo);
    let before = far(&repo, "main");
    repo.commit("later", &[("later", "l\n")]);
    let shown = done(rb(&repo, &["publish", "--dry-run"]));
    assert!(shown.stdout.contains("to origin main, never by force"), "{}", shown.stdout);
    let unasked = rb(&repo, &["publish"]);
    assert_eq!((unasked.code, far(&repo, "main")), (6, before), "{}", said(&unasked));
    done(pasted(&repo, &unasked));
    assert_eq!(far(&repo, "main"), result, "and no later commit");
    let again = done(rb(&repo, &["publish", "--push", "origin", "--json"])).json();
    assert_eq!(again["state"], "up-to-date");
    repo.git(&["reset", "-q", "--hard", "HEAD~2"]);
    let gone = rb(&repo, &["publish", "--push"]);
    assert_eq!(gone.code, 5, "{}", said(&gone));
    assert!(gone.line("error:").contains("main does not have its result"), "{}", gone.stderr);
}

#[test]
fn what_a_run_landed_is_published_by_its_procedure_alone() {
    let repo = world();
    repo.write(
        ".rb/procedures/p.toml",
        "schema = 1\nid = \"p\"\ndefault_phase = \"x\"\n[role.sre]\n[publish]\npush = \"origin\"\napproval = \"sre\"\n[phase.x]\n\
         paths = [\"g\"]\nladder = [{ use = \"revert-commit\" }]\ntarget = { grep = \"three\" }\n",
    );
    repo.commit("procedure", &[("b", "b\n")]);
    trust(&repo, "p");
    done(rb(&repo, &["run", "p", "-y"]));
    let before = far(&repo, "main");
    let run = rb(&repo, &["publish", "--push"]);
    assert_eq!((run.code, far(&repo, "main")), (5, before), "{}", said(&run));
    assert_eq!(rb(&repo, &["publish", "--push", "--json"]).json()["error"]["code"], "landed-by-a-run");
}
