//! Commands that need no repository: help, manual, schemas, completions.

use test_kit::Sandbox;

use crate::kit::{rb, rb_with, shell};

#[test]
fn the_overview_names_every_command_and_how_to_try_it() {
    let run = rb(&Sandbox::folder(), &["--help"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    insta::assert_snapshot!(run.stdout);
}

#[test]
fn the_help_of_revert_is_short_for_h_and_has_examples_in_full() {
    let short = rb(&Sandbox::folder(), &["revert", "-h"]);
    let long = rb(&Sandbox::folder(), &["revert", "--help"]);
    assert!(long.stdout.contains("Examples:") && !short.stdout.contains("Examples:"), "{}", long.stdout);
    insta::assert_snapshot!(short.stdout);
}

#[test]
fn without_a_command_the_overview_goes_to_standard_error() {
    let run = rb::<&str>(&Sandbox::folder(), &[]);
    assert_eq!((run.code, run.stdout.as_str()), (2, ""));
    assert!(run.stderr.contains("rb COMMAND --help"), "{}", run.stderr);
}

#[test]
fn installed_as_git_rb_it_answers_to_git_rb() {
    let script = r#"
        mkdir bin && cp "$(command -v rb)" bin/git-rb && PATH="$PWD/bin:$PATH"
        git rb -h | head -3
        git rb revert 2>&1 >/dev/null
        echo "$?"
    "#;
    let run = shell(&Sandbox::new(), script);
    insta::assert_snapshot!(run.stdout);
}

#[test]
fn there_is_a_manual_page_for_every_command_and_it_names_the_exit_codes() {
    let folder = Sandbox::folder();
    for page in [&["man"][..], &["man", "revert"], &["man", "pick"], &["man", "history"]] {
        let run = rb(&folder, page);
        assert_eq!(run.code, 0, "{page:?}");
        for part in [".SH NAME", ".SH \"EXIT STATUS\"", "128+n"] {
            assert!(run.stdout.contains(part), "{page:?} lacks {part}");
        }
    }
    let unknown = rb(&folder, &["man", "nothing"]);
    assert_eq!((unknown.code, unknown.line("error:")), (2, "'nothing' is not a command"));
}

#[test]
fn every_document_has_a_schema() {
    let folder = Sandbox::folder();
    for (document, title) in
        [("plan", "Plan"), ("receipt", "Receipt"), ("history", "PathHistory"), ("error", "ErrorDocument")]
    {
        let schema = rb(&folder, &["schema", document]).json();
        assert_eq!(schema["title"], title);
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
        assert!(schema["properties"].is_object(), "{document}");
    }
    let default = rb(&folder, &["schema"]).json();
    assert_eq!(default["title"], "Plan");
}

#[test]
fn the_schema_of_a_receipt_holds_the_fixed_fields() {
    let schema = rb(&Sandbox::folder(), &["schema", "receipt"]).json();
    let fields = "schema_version request repository target tip attempts chosen message outcome";
    for field in fields.split(' ') {
        assert!(schema["properties"][field].is_object(), "{field}");
    }
    let attempt = &schema["$defs"]["Attempt"]["properties"];
    let fields = "strategy scope commit_id mainline from result reason tree_id conflicts paths_touched loss dependents";
    for field in fields.split(' ') {
        assert!(attempt[field].is_object(), "{field}");
    }
}

#[test]
fn every_shell_gets_completions() {
    let folder = Sandbox::folder();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let run = rb(&folder, &["completions", shell]);
        assert_eq!(run.code, 0, "{shell}");
        assert!(run.stdout.contains("COMPLETE"), "{shell}: {}", run.stdout);
    }
    assert_eq!(rb(&folder, &["completions", "tcsh"]).code, 2);
}

#[test]
fn a_shell_that_asks_is_given_the_names_of_branches_and_tags() {
    let repo = Sandbox::new();
    repo.commit("one", &[("a", "1\n")]);
    repo.git(&["branch", "topic/one"]);
    repo.git(&["tag", "v1.0"]);
    let asked = [("COMPLETE", "bash"), ("_CLAP_COMPLETE_INDEX", "2"), ("_CLAP_COMPLETE_COMP_TYPE", "9")];
    let run = rb_with(&repo, &["--", "rb", "revert", "to"], "", &asked);
    assert!(run.stdout.contains("topic/one"), "{} {}", run.stdout, run.stderr);
    let run = rb_with(&repo, &["--", "rb", "revert", "v"], "", &asked);
    assert!(run.stdout.contains("v1.0"), "{} {}", run.stdout, run.stderr);
}
