//! `rb config`, the pages made from the same tables, colour, and the hash that a pipeline is given.
#![cfg(unix)]

use test_kit::Sandbox;

use crate::kit::{done, hash_of, rb, rb_with, shell};

fn world() -> Sandbox {
    let repo = Sandbox::new();
    repo.commit("one", &[("f", "1\n")]);
    repo
}

#[test]
fn every_key_is_told_with_its_value_and_where_that_comes_from() {
    let repo = world();
    repo.git(&["config", "rb.onConflict", "stop"]);
    let json = done(rb(&repo, &["config", "--json"])).json();
    let rows = json["settings"].as_array().expect("rows").clone();
    let row = |name: &str| rows.iter().find(|row| row["name"] == name).expect("a row").clone();
    let of_file = row("rb.onConflict");
    assert_eq!((&of_file["value"], &of_file["scope"]), (&"stop".into(), &"local".into()));
    let origin = repo.git(&["config", "--show-origin", "--show-scope", "--get", "rb.onConflict"]);
    let path = of_file["path"].as_str().expect("a path");
    assert!(path.ends_with(".git/config") && origin.starts_with("local"), "{path}: {origin}");
    let text = std::fs::read_to_string(path).expect("a file");
    let line = text.lines().position(|line| line.contains("onConflict")).expect("a line") + 1;
    assert_eq!(of_file["line"], line);
    assert!(row("rb.crossCheck").get("value").is_none());
    for (key, value) in [("rb.blobLimit", "7m"), ("user.name", "Me")] {
        let run = shell(&repo, &format!("git -c {key}={value} -c alias.x='!rb config {key} --json' x"));
        let json = done(run).json();
        assert_eq!(
            (&json["settings"][0]["value"], &json["settings"][0]["scope"]),
            (&value.into(), &"command".into())
        );
    }
    let shown = done(rb(&repo, &["config"])).stdout;
    assert!(shown.contains(&format!("local, {path}:{line}")), "{shown}");
    let unknown = rb(&repo, &["config", "rb.nothing"]);
    assert_eq!(unknown.code, 2, "{}", unknown.stderr);
    let secret = rb_with(&repo, &["config", "GH_TOKEN"], "", &[("GH_TOKEN", "t0ps3cret")]);
    assert!(secret.stdout.contains("set") && !secret.stdout.contains("t0ps3cret"), "{}", secret.stdout);
    assert_eq!(rb(&repo, &["-C", "..", "config"]).code, 0, "outside of a repository too");
}

#[test]
fn the_pages_name_every_setting_and_git_finds_them() {
    let repo = world();
    let page = done(rb(&repo, &["man", "config"])).stdout;
    let json = done(rb(&repo, &["config", "--json"])).json();
    for row in json["settings"].as_array().expect("rows") {
        let name = row["name"].as_str().expect("a name").replace('-', "\\-");
        assert!(page.contains(&name), "{name}");
    }
    done(rb(&repo, &["man", "--into", "../man/man1"]));
    let run = shell(
        &repo,
        "MANPATH=$PWD/../man MANPAGER=cat PAGER=cat man -w git-rb && ls ../man/man1/rb-publish.1",
    );
    if run.stderr.contains("man: command not found") {
        eprintln!("SKIPPED: man is not installed");
        return;
    }
    // git's page is one line that leads man to the other.
    assert!(run.stdout.contains("man1/rb.1"), "{}{}", run.stdout, run.stderr);
}

#[test]
fn colour_is_what_flags_the_environment_and_git_say_in_this_order() {
    let repo = world();
    let coloured = |args: &[&str], variables: &[(&str, &str)]| {
        // What the kit sets is taken back; empty is not set.
        let variables = [&[("NO_COLOR", "")][..], variables].concat();
        rb_with(&repo, args, "", &variables).stdout.contains('\u{1b}')
    };
    assert!(!coloured(&["config"], &[]));
    assert!(coloured(&["config"], &[("CLICOLOR_FORCE", "1")]));
    assert!(!coloured(&["config"], &[("CLICOLOR_FORCE", "0")]));
    assert!(!coloured(&["config"], &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
    assert!(!coloured(&["config", "--color=never"], &[("CLICOLOR_FORCE", "1")]));
    repo.git(&["config", "color.ui", "always"]);
    assert!(coloured(&["config"], &[]));
    assert!(!coloured(&["config"], &[("NO_COLOR", "1")]));
    assert!(!coloured(&["config", "--color=never"], &[]));
}

#[test]
fn the_hash_for_a_pipeline_is_printed_alone_and_trusts_nothing() {
    let repo = world();
    repo.write(".rb/procedures/p.toml", "schema = 1\nid = \"p\"\n[phase.x]\npaths = [\"f\"]\nladder = [{ use = \"revert-commit\" }]\ntarget = { grep = \"one\" }\n");
    let hash = done(rb(&repo, &["trust", "p", "--show-hash"])).stdout;
    assert_eq!(hash.trim(), hash_of(&repo, &["trust", "p"]));
    let json = done(rb(&repo, &["trust", "p", "--show-hash", "--json"])).json();
    assert_eq!(json["hash"], hash.trim());
    assert_eq!(done(rb(&repo, &["trust", "--list"])).stdout, "Nothing is trusted.\n");
}
