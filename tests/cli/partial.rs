//! Partial clones: what a landing lacks is fetched in one go, after saying so; a dry run fetches nothing.

use test_kit::{Part, Sandbox, State};

use crate::kit::{Run, rb, rb_with};

/// Three commits: files, an edit of every one, and a later edit of one.
fn source() -> Sandbox {
    let repo = Sandbox::new();
    repo.commit("one", &[("a", "a\n"), ("dir/b", "b\n"), ("dir/c", "c\n"), ("long", &"line\n".repeat(40))]);
    repo.commit(
        "two",
        &[
            ("a", "bad\n"),
            ("dir/b", "bad\n"),
            ("dir/c", "bad\n"),
            ("long", &format!("bad\n{}", "line\n".repeat(40))),
        ],
    );
    repo.commit("three", &[("long", &format!("bad\n{}later\n", "line\n".repeat(40)))]);
    repo.git(&["config", "uploadpack.allowFilter", "true"]);
    repo
}

/// A clone that left something out.
fn clone(source: &Sandbox, filter: &str) -> Sandbox {
    let clone = Sandbox::folder();
    let url = format!("file://{}", source.path().display());
    clone.git(&["clone", "-q", &format!("--filter={filter}"), &url, "."]);
    clone
}

/// How many packs came from a promisor.
fn packs(repo: &Sandbox) -> usize {
    let folder = std::fs::read_dir(repo.path().join(".git/objects/pack")).expect("there are packs");
    let names = folder.map(|row| row.expect("a row can be read").file_name());
    names.filter(|name| name.to_string_lossy().ends_with(".promisor")).count()
}

fn looked(repo: &Sandbox) -> State {
    State::of(repo).only(&[Part::Index, Part::Status, Part::Files])
}

#[track_caller]
fn done(run: Run) -> Run {
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    run
}

#[test]
fn a_landing_fetches_all_that_it_lacks_in_one_go_and_ends_as_under_git() {
    let source = source();
    for filter in ["blob:none", "blob:limit=4"] {
        let (ours, git) = (clone(&source, filter), clone(&source, filter));
        let before = packs(&ours);
        let run = done(rb(&ours, &["revert", "HEAD~1", "--", "a", "dir"]));
        assert!(run.stderr.contains("fetching 3 objects") || filter != "blob:none", "{}", run.stderr);
        assert!(packs(&ours) <= before + 1, "one fetch for three files");
        git.git(&["restore", "-s", "HEAD~2", "a", "dir"]);
        git.git(&["add", "-A"]);
        git.git(&["commit", "-qm", "as git does"]);
        assert_eq!(ours.git(&["rev-parse", "HEAD^{tree}"]), git.git(&["rev-parse", "HEAD^{tree}"]));
        looked(&git).assert_same(&looked(&ours));
    }
}

#[test]
fn contents_that_have_to_be_merged_are_fetched_and_merged_as_under_git() {
    let source = source();
    let (ours, git) = (clone(&source, "blob:none"), clone(&source, "blob:none"));
    done(rb(&ours, &["revert", "HEAD~1"]));
    git.git(&["revert", "--no-edit", "HEAD~1"]);
    assert_eq!(ours.git(&["rev-parse", "HEAD^{tree}"]), git.git(&["rev-parse", "HEAD^{tree}"]));
    looked(&git).assert_same(&looked(&ours));
    assert!(packs(&ours) <= packs(&clone(&source, "blob:none")) + 2, "what is merged, then what is written");
}

#[test]
fn a_dry_run_fetches_nothing_says_what_landing_would_and_ends_as_it_does() {
    let source = source();
    let clone = clone(&source, "blob:none");
    let before = State::of(&clone);
    let dry = rb(&clone, &["revert", "HEAD~1", "--dry-run", "--", "a"]);
    before.assert_unchanged(&clone);
    assert!(dry.stdout.contains("fetches what a becomes, from origin"), "{}", dry.stdout);
    let land = done(rb(&clone, &["revert", "HEAD~1", "--", "a"]));
    assert_eq!(dry.code, land.code);
}

#[test]
fn a_dry_run_that_cannot_tell_names_what_it_lacks_and_fetches_where_it_is_asked_to() {
    let source = source();
    let clone = clone(&source, "blob:none");
    let missing = source.git(&["rev-parse", "HEAD~1:long"]);
    let objects = State::of(&clone);
    let dry = rb(&clone, &["revert", "HEAD~1", "--dry-run"]);
    assert_eq!(dry.code, 5, "{}", dry.stderr);
    assert!(dry.stderr.contains(&missing), "{}", dry.stderr);
    assert!(dry.stderr.contains("rb revert HEAD~1 --dry-run --fetch"), "{}", dry.stderr);
    objects.assert_unchanged(&clone);
    let fetched = done(rb(&clone, &["revert", "HEAD~1", "--dry-run", "--fetch"]));
    assert!(fetched.stderr.contains("fetching"), "{}", fetched.stderr);
    objects.without(&[Part::Objects]).assert_same(&State::of(&clone).without(&[Part::Objects]));
    done(rb(&clone, &["revert", "HEAD~1"]));
}

#[test]
fn without_fetching_what_is_missing_is_named_and_the_hint_fetches_it() {
    let source = source();
    let clone = clone(&source, "blob:none");
    let missing = source.git(&["rev-parse", "HEAD~2:a"]);
    let words = ["revert", "HEAD~1", "--no-fetch", "--", "a"];
    for environment in [&[][..], &[("GIT_NO_LAZY_FETCH", "1")]] {
        let words = if environment.is_empty() { &words[..] } else { &["revert", "HEAD~1", "--", "a"] };
        let before = State::of(&clone);
        let run = rb_with(&clone, words, "", environment);
        assert_eq!(run.code, 5, "{}", run.stderr);
        assert!(run.stderr.contains(&missing), "{}", run.stderr);
        before.without(&[Part::Objects]).assert_same(&State::of(&clone).without(&[Part::Objects]));
    }
    let run = rb(&clone, &[&["--json"], &words[..]].concat());
    let document = run.json();
    assert_eq!(document["error"]["code"], "objects-not-fetched");
    let hint = document["error"]["hint"].as_str().expect("there is a hint").to_owned();
    let line = &hint[hint.find("git fetch").expect("git fetches it")..];
    let arguments: Vec<_> = line.split(' ').skip(1).collect();
    clone.git(&arguments);
    done(rb(&clone, &words));
}

#[test]
fn trees_that_were_left_out_are_fetched_too() {
    let source = source();
    let (ours, git) = (clone(&source, "tree:0"), clone(&source, "tree:0"));
    done(rb(&ours, &["revert", "--file", "dir/b"]));
    git.git(&["restore", "-s", "HEAD~2", "-S", "-W", "dir/b"]);
    git.git(&["commit", "-qm", "as git does"]);
    assert_eq!(ours.git(&["rev-parse", "HEAD^{tree}"]), git.git(&["rev-parse", "HEAD^{tree}"]));
    looked(&git).assert_same(&looked(&ours));
    let history = clone(&source, "tree:0");
    let refused = rb(&history, &["history", "a"]);
    assert_eq!(refused.code, 5, "an answer writes nothing unasked: {}", refused.stderr);
    let told = done(rb(&history, &["history", "a", "--fetch", "--json"]));
    assert_eq!(told.json()["changes"][0]["subject"], "two");
}

#[test]
fn files_outside_of_a_sparse_checkout_are_not_fetched() {
    let source = source();
    let clone = Sandbox::folder();
    let url = format!("file://{}", source.path().display());
    clone.git(&["clone", "-q", "--filter=blob:none", "--sparse", &url, "."]);
    let run = done(rb(&clone, &["revert", "HEAD~1", "--", "a", "dir"]));
    assert!(run.stderr.contains("fetching 1 object "), "a alone is in the work tree: {}", run.stderr);
    assert_eq!(clone.git(&["rev-parse", "HEAD:dir/b"]), source.git(&["rev-parse", "HEAD~2:dir/b"]));
    assert_eq!(clone.git(&["status", "--porcelain"]), "");
}

#[test]
fn checks_see_all_files_of_the_result() {
    let source = source();
    let clone = clone(&source, "blob:none");
    done(rb(&clone, &["revert", "HEAD~1", "--check", "grep -q ^b$ dir/b", "--", "dir"]));
    assert_eq!(clone.git(&["status", "--porcelain"]), "");
}

#[test]
fn a_remote_that_is_away_is_named_and_nothing_changes() {
    let source = source();
    let clone = clone(&source, "blob:none");
    let missing = source.git(&["rev-parse", "HEAD~2:a"]);
    clone.git(&["config", "remote.origin.url", "file:///nowhere/at/all"]);
    let before = State::of(&clone);
    let run = rb(&clone, &["revert", "HEAD~1", "--json", "--", "a"]);
    assert_eq!(run.code, 5, "{}", run.stderr);
    assert_eq!(run.json()["error"]["code"], "fetch-failed");
    for word in [missing.as_str(), "origin", "/nowhere/at/all"] {
        assert!(run.stderr.contains(word), "{word}: {}", run.stderr);
    }
    before.without(&[Part::Objects]).assert_same(&State::of(&clone).without(&[Part::Objects]));
}

#[test]
fn promisors_that_would_start_programs_are_not_asked() {
    let source = source();
    let witness =
        |clone: &Sandbox| clone.path().join("../ran").exists() || clone.path().join(".git/ran").exists();
    let rows: [(&[&str], i32, &str); 4] = [
        (&["config", "remote.origin.url", "ext::sh -c touch% ran"], 5, "unsafe-remote"),
        (&["config", "remote.origin.url", "-oProxyCommand=touch ran"], 5, "unsafe-remote"),
        (&["config", "remote.origin.uploadpack", "touch ran;git-upload-pack"], 6, "fetch-not-trusted"),
        (&["config", "core.sshCommand", "touch ran;ssh"], 6, "fetch-not-trusted"),
    ];
    for (words, code, name) in rows {
        let clone = clone(&source, "blob:none");
        clone.git(words);
        let run = rb(&clone, &["revert", "HEAD~1", "--json", "--", "a"]);
        assert_eq!((run.code, run.json()["error"]["code"].as_str()), (code, Some(name)), "{words:?}");
        assert!(!witness(&clone), "{words:?}");
    }
    let control = clone(&source, "blob:none");
    control.git(&["config", "remote.origin.uploadpack", "touch ran;git-upload-pack"]);
    control.git(&["cat-file", "-p", "HEAD~2:a"]);
    let ran = ["ran", ".git/ran"].iter().any(|name| control.path().join(name).exists());
    assert!(ran, "git runs it");
}

#[test]
fn a_checkpoint_of_a_partial_clone_is_sound_and_comes_back() {
    let source = source();
    let clone = clone(&source, "blob:none");
    clone.write("a", "edited\n");
    done(rb(&clone, &["checkpoint", "create", "safe"]));
    done(rb(&clone, &["checkpoint", "verify", "safe"]));
    clone.git(&["restore", "a"]);
    done(rb(&clone, &["checkpoint", "restore", "safe"]));
    assert_eq!(std::fs::read(clone.path().join("a")).expect("it is back"), b"edited\n");
}
