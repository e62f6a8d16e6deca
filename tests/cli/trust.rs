//! `rb trust`: what a repository or a procedure names runs only where somebody said so, and only as it was then.

use serde_json::{Value, json};
use test_kit::{Part, Sandbox, State};

use crate::kit::{assert_order, done, hash_of, rb, rb_with, traced_writes};

/// A path that goes through a filter of the repository's own, and a change to take back.
fn filtered() -> Sandbox {
    let repo = Sandbox::new();
    let script = repo.path().join(".git/smudge.sh");
    let ran = repo.path().join(".git/ran").display().to_string();
    std::fs::write(&script, format!("#!/bin/sh\necho ran >> '{ran}'\ntr a-z A-Z\n"))
        .expect("it can be written");
    repo.commit("one", &[(".gitattributes", "*.up filter=up\n"), ("x.up", "first\n"), ("plain", "p\n")]);
    repo.commit("two", &[("x.up", "second\n")]);
    repo.git(&["config", "filter.up.smudge", &format!("sh {}", script.display())]);
    repo.git(&["config", "filter.up.clean", "tr A-Z a-z"]);
    std::fs::remove_file(repo.path().join("x.up")).expect("it was there");
    repo.git(&["checkout", "-q", "x.up"]);
    std::fs::remove_file(repo.path().join(".git/ran")).expect("git ran it");
    repo
}

fn has_run(repo: &Sandbox) -> bool {
    repo.path().join(".git/ran").exists()
}

#[test]
fn a_filter_of_the_repository_runs_only_where_it_is_trusted_and_then_as_under_git() {
    let repo = filtered();
    let before = State::of(&repo).without(&[Part::Objects]);
    let refused = rb(&repo, &["revert", "HEAD", "--json"]);
    assert_eq!((refused.code, &refused.json()["error"]["code"]), (6, &json!("driver-not-trusted")));
    assert_eq!(refused.json()["error"]["paths"], json!(["x.up"]));
    assert!(!has_run(&repo), "nothing was run");
    before.assert_same(&State::of(&repo).without(&[Part::Objects]));

    let hash = hash_of(&repo, &["trust"]);
    assert!(!has_run(&repo));
    done(rb(&repo, &["trust", "--hash", &hash]));
    let twin = repo.twin();
    twin.git(&["revert", "--no-edit", "HEAD"]);
    done(rb(&repo, &["revert", "HEAD"]));
    assert!(has_run(&repo), "the positive control");
    let read = |repo: &Sandbox| std::fs::read_to_string(repo.path().join("x.up")).expect("it is there");
    assert_eq!((read(&repo), read(&repo)), ("FIRST\n".to_owned(), read(&twin)));
    assert_eq!(repo.git(&["status", "--porcelain"]), "");
    assert_eq!(repo.git(&["rev-parse", "HEAD^{tree}"]), twin.git(&["rev-parse", "HEAD^{tree}"]));
}

#[test]
fn another_command_is_not_what_was_trusted() {
    let repo = filtered();
    let hash = hash_of(&repo, &["trust"]);
    done(rb(&repo, &["trust", "--hash", &hash]));
    repo.git(&["config", "filter.up.smudge", "sh -c 'touch .git/evil; cat'"]);
    let refused = rb(&repo, &["revert", "HEAD"]);
    assert_eq!(refused.code, 6, "{}", refused.stderr);
    assert!(!repo.path().join(".git/evil").exists());
    let again = rb(&repo, &["trust"]);
    assert!(again.stderr.contains("these changed: filter.up.smudge"), "{}", again.stderr);
    assert_eq!(rb(&repo, &["trust", "--hash", &hash]).code, 6, "the old hash names the old command");
}

#[test]
fn trust_is_shown_listed_and_taken_back_and_nobody_answers_for_a_person() {
    let repo = filtered();
    repo.write(".git/hooks/post-commit", "#!/bin/sh\n");
    let asked = rb_with(&repo, &["trust"], "y\n", &[]);
    assert_eq!(asked.code, 6, "an answer from a pipe is none: {}", asked.stderr);
    for shown in ["filter.up.smudge", "filter.up.clean", "tr A-Z a-z", "hooks/post-commit"] {
        assert!(asked.stderr.contains(shown), "{shown}: {}", asked.stderr);
    }
    assert_eq!(rb(&repo, &["trust", "--list"]).stdout, "Nothing is trusted.\n");
    let hash = hash_of(&repo, &["trust"]);
    let trusted = done(rb(&repo, &["trust", "--hash", &hash, "--json"])).json();
    assert_eq!(
        (&trusted["action"], trusted["records"].as_array().map(Vec::len)),
        (&json!("trusted"), Some(1))
    );
    assert_eq!(done(rb(&repo, &["trust", "--json"])).json()["action"], "already-trusted");
    let listed: Value = done(rb(&repo, &["trust", "--list", "--json"])).json();
    assert_eq!(listed["records"], trusted["records"]);
    done(rb(&repo, &["trust", "--remove"]));
    assert_eq!(rb(&repo, &["trust", "--remove"]).code, 3);
    assert_eq!(rb(&repo, &["revert", "HEAD"]).code, 6);
    // The repository itself cannot vouch for itself.
    assert!(!repo.path().join(".git/rb/trust").exists());
}

#[test]
fn a_procedure_is_pinned_with_its_scripts() {
    let repo = Sandbox::new();
    repo.write(
        ".rb/procedures/fix.toml",
        "schema = 1\nid = \"fix\"\ntitle = \"Fix\"\n[[check]]\nid = \"smoke\"\nrun = [\"./smoke.sh\"]\n[phase.one]\nvalidate = [\"smoke\"]\n",
    );
    repo.write("smoke.sh", "#!/bin/sh\n");
    repo.commit("one", &[("a", "1\n")]);
    let hash = hash_of(&repo, &["trust", "fix"]);
    let trusted = done(rb(&repo, &["trust", "fix", "--hash", &hash, "--json"])).json();
    assert_eq!(trusted["records"][0]["procedure"], "fix");
    assert_eq!(trusted["records"][0]["fingerprint"]["hash"], json!(hash));
    repo.write("smoke.sh", "#!/bin/sh\necho changed\n");
    let changed = rb(&repo, &["trust", "fix"]);
    assert_eq!(changed.code, 6);
    assert!(changed.stderr.contains("these changed: ./smoke.sh"), "{}", changed.stderr);
    done(rb(&repo, &["trust", "fix", "--remove"]));
    assert_eq!(rb(&repo, &["trust", "--list"]).stdout, "Nothing is trusted.\n");
}

#[test]
fn what_is_trusted_and_what_is_not_any_more_is_on_the_disk_before_it_is_said() {
    if !Sandbox::can_trace() {
        return;
    }
    let repo = filtered();
    let hash = hash_of(&repo, &["trust"]);
    let store = repo.around().join("home/.local/share/rb/trust").display().to_string();
    let (in_store, above) = (format!("{store}>"), format!("{}>", store.trim_end_matches("/trust")));
    assert_order(
        &traced_writes(&repo, &["trust", "--hash", &hash]),
        &[
            &["fsync", &above],
            &["fsync", &format!("{store}/.tmp")],
            &["rename", &store, ".json"],
            &["fsync", &in_store],
            &["write(", "trusted from now on"],
        ],
    );
    assert_order(
        &traced_writes(&repo, &["trust", "--remove"]),
        &[&["unlink", &store], &["fsync", &in_store], &["write(", "is not trusted any more"]],
    );
}
