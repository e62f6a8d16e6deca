//! The table of hints about runs: every code of the engine's errors stands in it.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::Path;

use rollback_core::CommitId;
use rollback_core::procedure::format::Problems;
use rollback_core::procedure::set::SetError;

use super::*;
use crate::invocation::Invocation;

const RUN: &[&str] = &["rb", "run", "x", "--phase", "p", "--set", "regoin=eu"];

fn hint_after(words: &[&str], error: &EngineError) -> Hint {
    let invocation = Invocation::new(words.iter().map(OsString::from).collect());
    Situation { invocation: &invocation, folder: Path::new("/nowhere"), repo: None }
        .hint_for_run(error, Some("x"))
}

#[track_caller]
fn line_after(words: &[&str], error: &EngineError) -> String {
    match hint_after(words, error) {
        Hint::Type { command, .. } => command.to_string(),
        other => panic!("no hint after {error}: {other:?}"),
    }
}

fn commit() -> CommitId {
    "49eb8d39c78f161231e63293df60f343d208f409".parse().unwrap()
}

fn unknown(nearest: Option<&str>) -> UnknownName {
    let mut unknown = UnknownName::new("phase", "p", ["pq"]);
    unknown.nearest = nearest.map(ToOwned::to_owned);
    unknown
}

/// One error of every kind, and what is typed after `rb run x --phase p --set regoin=eu`.
fn table() -> Vec<(EngineError, Option<&'static str>)> {
    let whole = "rb run x --phase p --set regoin=eu";
    let with = |flag: &str| Some(&*Box::leak(format!("{whole} {flag}").into_boxed_str()));
    let show = Some("rb procedure show x");
    let what = || "phase 'p' of procedure 'x'".to_owned();
    vec![
        (EngineError::Procedure(Problems(Vec::new())), None),
        (EngineError::Unknown(unknown(Some("pq"))), Some("rb run x --phase pq --set regoin=eu")),
        (EngineError::Unknown(unknown(None)), show),
        (
            InputError::Unknown {
                name: "regoin".into(),
                known: vec!["region".into()],
                nearest: Some("region".into()),
            }
            .into(),
            Some("rb run x --phase p --set region=eu"),
        ),
        (InputError::Unset { name: "pr".into(), help: None }.into(), show),
        (InputError::Refused { name: "regoin".into(), why: "no".into() }.into(), show),
        (EngineError::Remote { remote: "ext::x".into(), why: "no".into() }, Some("git remote -v")),
        (
            EngineError::Missing {
                inputs: vec![("pr".into(), None), ("incident".into(), Some("the issue".into()))],
                programs: vec!["gh".into()],
            },
            show,
        ),
        (EngineError::AtWork(None), Some("rb status")),
        (EngineError::PublishAfterFailure(vec!["live".into()]), with("--despite-failures")),
        (EngineError::PublishOthers(vec![commit()]), with("--with-others")),
        (EngineError::NoPhase(vec!["one".into()]), with("--phase one")),
        (EngineError::Authority { what: what(), needed: vec!["sre".into()] }, with("--role sre")),
        (EngineError::Approval { what: what(), role: "lead".into() }, show),
        (
            EngineError::Unsigned {
                what: what(),
                role: "lead".into(),
                text: "rb approval\nrole lead\n".into(),
            },
            Some(
                r"printf 'rb approval\nrole lead\n' | ssh-keygen -Y sign -n rb-approval -f ~/.ssh/id_ed25519 > lead.sig",
            ),
        ),
        (EngineError::BadApproval { role: "lead".into(), why: "the key is not listed".into() }, show),
        (EngineError::NotAMember { role: "lead".into(), who: "A".into(), members: vec!["B".into()] }, None),
        (EngineError::Ambiguous(vec!["1".into(), "2".into()]), show),
        (
            EngineError::Confirmation { what: what(), words: "yes really".into() },
            with("--words 'yes really'"),
        ),
        (
            EngineError::NotTrusted { procedure: "x".into(), hash: "ab".into(), changed: Vec::new() },
            Some("rb trust x"),
        ),
        (
            EngineError::ForeignScript { script: "./s.sh".into(), place: "the candidate", missing: false },
            Some("rb history ./s.sh"),
        ),
        (EngineError::ValueIsOption { argument: "{input.x}".into(), value: "-x".into() }, show),
        (EngineError::Constraint { id: "c".into(), found: "1".into() }, show),
        (EngineError::Preserved("p".into()), show),
        (EngineError::Target("none".into()), show),
        (
            EngineError::Set {
                place: "f:k".into(),
                source: SetError::NoSuchKey { key: "k".into(), nearest: None },
            },
            show,
        ),
        (EngineError::Outside { path: "/".into(), why: "no" }, show),
        (
            EngineError::Concurrent { id: "1".into(), procedure: "x".into(), status: "Paused" },
            Some("rb status"),
        ),
        (EngineError::NoRun(None), Some("rb status")),
        (EngineError::SeveralRuns(vec!["1".into(), "2".into()]), with("--run 1")),
        (EngineError::Ended { id: "1".into(), status: "Aborted" }, Some("rb status")),
        (EngineError::Changed { id: "1".into(), procedure: "x".into() }, Some("rb abort --run 1")),
        (
            EngineError::Moved { reference: "HEAD".into(), expected: commit(), found: commit() },
            Some("rb run x --phase p --set regoin=eu"),
        ),
        (EngineError::CutOff("sync".into()), with("--retry")),
    ]
}

#[test]
fn every_refusal_of_a_run_names_what_to_type_next_or_why_there_is_nothing() {
    for (error, expected) in table() {
        match (hint_after(RUN, &error), expected) {
            (Hint::Type { command, .. }, Some(expected)) => {
                assert_eq!(command.to_string(), expected, "{error}")
            }
            (Hint::Nothing { why }, None) => assert!(!why.is_empty(), "{error}"),
            (hint, _) => panic!("{error}: {hint:?}"),
        }
    }
}

#[test]
fn every_code_of_the_engine_stands_in_the_table() {
    let listed: BTreeSet<_> = table().iter().map(|(error, _)| error.code().to_owned()).collect();
    assert_eq!(listed, test_kit::codes::of_file("rollback-core/src/procedure/engine/error.rs"));
}

#[test]
fn a_run_that_cannot_go_on_is_given_up() {
    let moved = EngineError::Moved { reference: "HEAD".into(), expected: commit(), found: commit() };
    assert_eq!(line_after(&["rb", "resume"], &moved), "rb abort");
}

#[test]
fn a_publication_that_was_cut_off_is_done_once_more() {
    let Hint::Type { what, command } = hint_after(&["rb", "publish"], &EngineError::CutOff("publish".into()))
    else {
        panic!("no command");
    };
    assert_eq!(command.to_string(), "rb publish --retry");
    assert!(!what.contains("--mark-done"), "{what}");
}

#[test]
fn a_pipeline_is_told_the_hash_that_it_would_have_to_name() {
    let error = EngineError::NotTrusted { procedure: "x".into(), hash: "ab".into(), changed: Vec::new() };
    assert_eq!(line_after(&["rb", "run", "x", "--trusted-hash=00"], &error), "rb run x --trusted-hash ab");
}

#[test]
fn a_procedure_that_cannot_be_found_is_named_or_looked_up() {
    let invocation = Invocation::new(["rb", "run", "tow"].map(OsString::from).to_vec());
    let situation = Situation { invocation: &invocation, folder: Path::new("/nowhere"), repo: None };
    let line = |error: CatalogueError| situation.hint_without_procedure(&error).text().unwrap();
    let unknown = |nearest: Option<&str>| {
        let mut unknown = UnknownName::new("procedure", "tow", ["two"]);
        unknown.nearest = nearest.map(ToOwned::to_owned);
        unknown
    };
    assert_eq!(line(unknown(Some("two")).into()), "did you mean: rb run two");
    assert_eq!(line(unknown(None).into()), "see what there is with: rb procedure list");
    let places = vec![Place::WorkTree("/r/.rb/procedures/tow.toml".into()), Place::BuiltIn("tow.toml")];
    assert_eq!(
        line(CatalogueError::Ambiguous { name: "tow".into(), places }),
        "say which one by its file, such as: rb run /r/.rb/procedures/tow.toml"
    );
}
