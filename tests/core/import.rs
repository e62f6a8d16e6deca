//! Histories imported without git are the ones that git imports.

use rollback_core::import::{ImportOptions, create};
use rollback_core::{Error, Repo};
use test_kit::{Fixture, Part, Sandbox, State};

/// Imports without git, into a folder that the kit can look at with git.
fn import(stream: &[u8], branch: &str) -> (Sandbox, rollback_core::Result<Repo>) {
    let sandbox = Sandbox::folder();
    let mut options = ImportOptions::default();
    options.branch = branch.into();
    let repo = create(sandbox.path(), stream, &options);
    (sandbox, repo)
}

#[test]
fn every_fixture_becomes_what_git_makes_of_it() {
    for name in Fixture::names() {
        let (ours, repo) = import(&Fixture::stream(&name), "main");
        repo.unwrap_or_else(|error| panic!("{name}: {error}"));
        let theirs = Fixture::import(&name);
        let compared = [Part::Refs, Part::Index, Part::Flags, Part::Status, Part::Files];
        println!("{name}");
        State::of(&theirs).only(&compared).assert_same(&State::of(&ours).only(&compared));
        let objects = ["cat-file", "--batch-all-objects", "--batch-check"];
        assert_eq!(ours.git(&objects), theirs.git(&objects), "{name} has the same objects, and no other");
        assert_eq!(ours.git(&["status", "--porcelain"]), "", "{name} is clean");
        assert_eq!(ours.git(&["fsck", "--strict"]), "", "{name} is sound");
    }
}

#[test]
fn the_branch_that_was_asked_for_is_checked_out() {
    let (repo, made) = import(&Fixture::stream("matriz"), "single-removal");
    assert_eq!(made.expect("a repository").work_dir(), Some(repo.path()));
    assert_eq!(repo.git(&["symbolic-ref", "HEAD"]), "refs/heads/single-removal");
    assert!(!repo.path().join("MATRIZ/__init__.py").exists());
    assert!(repo.path().join("docs/nodes.md").exists());
}

#[test]
fn an_identity_goes_into_the_configuration() {
    let sandbox = Sandbox::folder();
    let mut options = ImportOptions::default();
    options.identity = Some(("Ada \"A\" Example".into(), "ada@example.com".into()));
    create(sandbox.path(), &Fixture::stream("octopus"), &options).expect("a repository");
    assert_eq!(sandbox.git(&["config", "user.name"]), "Ada \"A\" Example");
    assert_eq!(sandbox.git(&["config", "user.email"]), "ada@example.com");
}

#[test]
fn a_folder_that_holds_anything_is_refused_and_left_alone() {
    let sandbox = Sandbox::folder();
    sandbox.write("precious.txt", "precious\n");
    let error = create(sandbox.path(), &Fixture::stream("octopus"), &ImportOptions::default())
        .expect_err("it is not empty");
    assert!(matches!(error, Error::BadRequest(_)), "{error}");
    let left: Vec<_> = std::fs::read_dir(sandbox.path()).expect("the folder").collect();
    assert_eq!(left.len(), 1);
}

#[test]
fn blobs_by_mark_copies_and_counted_data_are_understood() {
    let stream = b"blob\nmark :1\ndata 4\none\n\
        blob\nmark :2\noriginal-oid x\n";
    let (_repo, made) = import(stream, "main");
    assert_eq!(
        made.expect_err("original-oid is not").to_string(),
        "line 6 of the history: 'data' is missing"
    );

    let stream = b"blob\nmark :1\ndata 4\none\n\ncommit refs/heads/main\nmark :2\n\
        committer A <a@example.com> 1735689600 +0000\ndata <<EOF\nfirst\n\nbody\nEOF\n\
        # a comment\nM 100644 :1 a.txt\nM 755 :1 dir/run\n\n\
        commit refs/heads/main\ncommitter A <a@example.com> 1735689660 +0000\ndata 7\nsecond\n\
        C dir copy\nR a.txt \"with blank.txt\"\n\n\
        commit refs/heads/main\ncommitter A <a@example.com> 1735689720 +0000\ndata 6\nthird\n\
        merge :2\ndeleteall\nM 120000 inline link\ndata 3\nrun\ndone\n";
    let (ours, made) = import(stream, "main");
    made.expect("a repository");
    let theirs = Sandbox::new();
    theirs.git_with_input(&["fast-import", "--quiet", "--date-format=raw"], stream);
    theirs.git(&["reset", "-q", "--hard", "main"]);
    let compared = [Part::Refs, Part::Index, Part::Status, Part::Files];
    State::of(&theirs).only(&compared).assert_same(&State::of(&ours).only(&compared));
    assert_eq!(ours.git(&["ls-tree", "-r", "--name-only", "HEAD^"]), "copy/run\ndir/run\nwith blank.txt");
}

#[test]
fn a_stream_that_is_wrong_is_refused_by_line() {
    let commit = "commit refs/heads/main\ncommitter A <a@example.com> 1735689600 +0000\ndata 2\nx\n";
    let cases = [
        ("feature done\n".into(), "line 1 of the history: 'feature' is not understood"),
        (
            "commit refs/heads/a..b\n".into(),
            "line 1 of the history: 'refs/heads/a..b' is not a reference below refs/heads/",
        ),
        ("commit HEAD\n".into(), "line 1 of the history: 'HEAD' is not a reference below refs/heads/"),
        (
            format!("{commit}M 100644 inline ../out\ndata 0\n"),
            "line 5 of the history: '../out' is not a path",
        ),
        (
            format!("{commit}M 100644 inline .git/config\ndata 0\n"),
            "line 5 of the history: '.git/config' is not a path",
        ),
        (
            format!("{commit}M 160000 inline sub\n"),
            "line 5 of the history: '160000' is not the mode of a file",
        ),
        (format!("{commit}M 100644 :9 a\n"), "line 5 of the history: ':9' is not a mark that was set"),
        (format!("{commit}R a b\n"), "line 5 of the history: there is no 'a'"),
        ("blob\ndata 9\nshort".into(), "line 2 of the history: the data is cut off"),
        ("blob\ndata <<EOF\nopen\n".into(), "line 3 of the history: no line 'EOF' ends the data"),
        ("".into(), "the history has no branch 'main'"),
    ];
    for (stream, expected) in cases {
        let (_folder, made) = import(stream.as_bytes(), "main");
        assert_eq!(made.expect_err("it is wrong").to_string(), expected, "{stream}");
    }
}
