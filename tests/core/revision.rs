//! Revisions as git resolves them, and sets of commits in the order in which `git revert` takes them.

use std::collections::BTreeMap;
use std::fmt::Write;

use rollback_core::error::RevisionError;
use rollback_core::{Error, Repo};
use test_kit::Sandbox;

/// Three commits on `main`, a branch merged into it, tags of all kinds, and a branch that was left.
fn story() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.commit("First", &[("f", "1\n")]);
    sandbox.git(&["tag", "light"]);
    sandbox.git(&["tag", "-a", "-m", "annotated", "v1"]);
    sandbox.git(&["tag", "-a", "-m", "a tag of a tag", "v1-again", "v1"]);
    sandbox.commit("Fix the parser", &[("f", "2\n")]);
    sandbox.git(&["checkout", "-q", "-b", "topic"]);
    sandbox.commit("Topic work", &[("g", "1\n")]);
    sandbox.commit("More topic work", &[("g", "2\n")]);
    sandbox.git(&["checkout", "-q", "main"]);
    sandbox.commit("Main work", &[("f", "3\n")]);
    sandbox.tick();
    sandbox.git(&["merge", "-q", "--no-ff", "-m", "Merge topic", "topic"]);
    sandbox.git(&["tag", "of-a-blob", "HEAD:f"]);
    sandbox.git(&["tag", "-a", "-m", "of a tree", "of-a-tree", "HEAD^{tree}"]);
    sandbox.git(&["branch", "-q", "--set-upstream-to", "topic", "main"]);
    sandbox
}

fn open(sandbox: &Sandbox) -> Repo {
    Repo::discover(sandbox.path()).expect("a repository")
}

#[test]
fn a_revision_is_the_commit_that_git_takes_it_for() {
    let sandbox = story();
    let repo = open(&sandbox);
    let short = sandbox.git(&["rev-parse", "--short=7", "HEAD~1"]);
    let full = sandbox.git(&["rev-parse", "HEAD~1"]);
    let specs = [
        "HEAD",
        "@",
        "main",
        "heads/main",
        "refs/heads/topic",
        "light",
        "v1",
        "v1-again",
        "v1^{commit}",
        "v1^0",
        "HEAD^",
        "HEAD^2",
        "HEAD~2",
        "HEAD^2~1",
        "@~1",
        "@{-1}",
        "@{upstream}",
        "main@{u}",
        "HEAD@{1}",
        "main@{1}",
        "main@{0}",
        ":/parser",
        ":/^Topic",
        "HEAD^{/work}",
        "HEAD^{}",
        &short,
        &full,
    ];
    for spec in specs {
        // A search through messages takes all that follows for words.
        let peel = if spec.starts_with(":/") { "" } else { "^{commit}" };
        let expected = sandbox.git(&["rev-parse", "--verify", &format!("{spec}{peel}")]);
        assert_eq!(repo.resolve_commit(spec).expect(spec).to_string(), expected, "{spec}");
    }
    let before = sandbox.git(&["rev-parse", "topic"]);
    assert_eq!(repo.resolve_commit("-").expect("the branch before").to_string(), before);
}

#[test]
fn what_is_no_commit_is_named_for_what_it_is() {
    let sandbox = story();
    let repo = open(&sandbox);
    for (spec, kind) in
        [("of-a-blob", "blob"), ("of-a-tree", "tree"), ("HEAD:f", "blob"), ("HEAD^{tree}", "tree")]
    {
        let error = repo.resolve_commit(spec).expect_err(spec);
        assert_eq!(error.to_string(), format!("'{spec}' is a {kind}, not a commit"));
        assert_eq!(error.code(), "not-a-commit");
    }
    let missing = "1234567890123456789012345678901234567890";
    for spec in
        ["nowhere", "HEAD~99", "HEAD^3", "", "main@{99}", "@{-9}", ":/no such words", "a b", missing, "--all"]
    {
        let error = repo.resolve_commit(spec).expect_err(spec);
        assert_eq!(error.to_string(), format!("unknown revision '{spec}'"));
    }
    assert!(matches!(repo.resolve_commit("main..topic"), Err(Error::BadRequest(_))));
}

#[test]
fn an_ambiguous_abbreviation_names_its_candidates() {
    let sandbox = Sandbox::bare();
    let mut stream = String::new();
    for number in 0..600 {
        write!(
            stream,
            "commit refs/heads/main\ncommitter C <c@example.com> {} +0000\ndata 1\nc\n",
            1_700_000_000 + number
        )
        .expect("a string takes all");
    }
    sandbox.git_with_input(&["fast-import", "--quiet"], stream.as_bytes());
    let ids = sandbox.git(&["rev-list", "main"]);
    let mut by_prefix: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    ids.lines().for_each(|id| by_prefix.entry(&id[..4]).or_default().push(id));
    let (prefix, ids) =
        by_prefix.into_iter().find(|(_, ids)| ids.len() > 1).expect("600 ids share 4 digits somewhere");
    match open(&sandbox).resolve_commit(prefix) {
        Err(Error::Revision(RevisionError::Ambiguous { spec, candidates })) => {
            assert_eq!((spec.as_str(), candidates.len()), (prefix, ids.len()));
            assert!(candidates.iter().all(|candidate| candidate.contains("commit")), "{candidates:?}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_head_of_a_new_repository_has_no_commit_yet() {
    let sandbox = Sandbox::new();
    let repo = open(&sandbox);
    for spec in ["HEAD", "@", "HEAD~1"] {
        assert!(
            matches!(repo.resolve_commit(spec), Err(Error::Revision(RevisionError::Unborn { branch })) if branch == "main"),
            "{spec}"
        );
    }
    assert!(matches!(repo.resolve_commit("other"), Err(Error::Revision(RevisionError::Unknown { .. }))));
}

#[test]
fn sets_of_commits_come_in_the_order_of_git_revert() {
    let sandbox = story();
    let repo = open(&sandbox);
    let ranges: [&[&str]; 19] = [
        &["v1..main"],
        &["v1..HEAD^2"],
        &["main", "^topic"],
        &["main...topic~1"],
        &["..topic~9^0"],
        &["topic.."],
        &["HEAD^!"],
        &["HEAD^-"],
        &["topic", "main", "^v1"],
        &["HEAD~1^-"],
        &["HEAD^2^-1"],
        &["HEAD^^-"],
        &["HEAD^-2"],
        &["HEAD^-3"],
        &["HEAD^-0"],
        &["HEAD^2~1^!"],
        &["topic@{0}^-"],
        &["v1..HEAD^{/More}"],
        &["HEAD~1^-", "topic"],
    ];
    for specs in ranges {
        let git = sandbox.try_git(&[&["rev-list"], specs].concat());
        let text = String::from_utf8_lossy(&git.stdout).into_owned();
        let expected: Vec<_> = text.lines().collect();
        match repo.resolve_commits(specs) {
            Ok(commits) => {
                let commits: Vec<_> = commits.iter().map(ToString::to_string).collect();
                assert_eq!(commits, expected, "{specs:?}");
            }
            Err(error) => assert!(!git.status.success() || expected.is_empty(), "{specs:?}: {error}"),
        }
    }
    // Single names stay in the order given, each once.
    let names = ["light", "topic", "HEAD~1", "v1"];
    let expected = ["light", "topic", "HEAD~1"].map(|name| repo.resolve_commit(name).expect("a commit"));
    assert_eq!(repo.resolve_commits(&names).expect("commits"), expected);
}

#[test]
fn a_set_without_a_commit_is_an_error_that_names_it() {
    let sandbox = story();
    let error = open(&sandbox).resolve_commits(&["main..topic"]).expect_err("topic is merged");
    assert_eq!((error.code(), error.to_string()), ("empty-commit-set", "no commit is in main..topic".into()));
}

#[test]
fn the_end_of_a_range_that_names_nothing_is_the_one_that_is_named() {
    let sandbox = story();
    let repo = open(&sandbox);
    for (range, named) in [
        ("main..nope", "nope"),
        ("nope..main", "nope"),
        ("main...nope~2", "nope~2"),
        ("..nope", "nope"),
        ("nope..", "nope"),
        ("v1..main^-7", "main^-7"),
    ] {
        let error = repo.resolve_commits(&[range]).expect_err(range);
        assert_eq!(error.to_string(), format!("unknown revision '{named}'"), "{range}");
    }
}

#[test]
fn a_search_through_messages_passes_over_what_rb_keeps() {
    let sandbox = story();
    sandbox.git(&["checkout", "-q", "--orphan", "record"]);
    let record = sandbox.commit("Topic work and more of a record", &[("r", "1\n")]);
    sandbox.git(&["update-ref", "refs/rb/log", &record]);
    sandbox.git(&["checkout", "-q", "main"]);
    sandbox.git(&["branch", "-qD", "record"]);
    let repo = open(&sandbox);
    let named = sandbox.git(&["rev-parse", "topic~1"]);
    assert_eq!(repo.resolve_commit(":/Topic work").expect("it is the user's").to_string(), named);
    assert!(repo.resolve_commit(":/of a record").is_err(), "nothing of the user's says so");
    // What the user's references reach, newest first. git says of each commit whether it matches: `ID^{/text}` is ID.
    let newest_first = sandbox.git(&["rev-list", "--exclude=refs/rb/*", "--all", "HEAD"]);
    for spec in [":/!-Merge", ":/!-Nothing", ":/^Topic.*", ":/work$", ":/Main|Merge", ":/!!bang", ":/!x"] {
        let text = &spec[1..];
        let matches = |id: &&str| {
            let found = sandbox.try_git(&["rev-parse", "--verify", "-q", &format!("{id}^{{{text}}}")]);
            String::from_utf8_lossy(&found.stdout).trim() == *id
        };
        let expected = newest_first.lines().find(matches).unwrap_or_default();
        let found = repo.resolve_commit(spec).map(|id| id.to_string()).unwrap_or_default();
        assert_eq!(found, expected, "{spec}");
    }
}

/// Newest of all, as git documents `:/text`; git 2.47 alone begins with the oldest reference, which 2.48 has mended.
#[test]
fn a_search_through_messages_finds_the_youngest() {
    let sandbox = story();
    let repo = open(&sandbox);
    let version = sandbox.git(&["version"]);
    for spec in [":/!-Merge", ":/!-Nothing", ":/work", ":/e"] {
        let found = repo.resolve_commit(spec).expect(spec).to_string();
        let dates = sandbox.git(&["log", "--all", "--format=%ct %H"]);
        let mut newest_first: Vec<_> = dates.lines().collect();
        newest_first.sort_unstable_by(|one, other| other.cmp(one));
        let at = newest_first.iter().position(|line| line.ends_with(&found));
        let at_of_git = || {
            let id = sandbox.git(&["rev-parse", spec]);
            newest_first.iter().position(|line| line.ends_with(&id))
        };
        match version.starts_with("git version 2.47.") {
            true => assert!(at <= at_of_git(), "{spec}: git's is younger"),
            false => assert_eq!(at, at_of_git(), "{spec}"),
        }
    }
}

#[test]
fn siblings_in_this_repository_are_those_of_git() {
    let sandbox = story();
    sandbox.git(&["branch", "-q", "other", "main~1"]);
    for push_default in ["simple", "upstream", "tracking", "current", "nothing"] {
        sandbox.git(&["config", "push.default", push_default]);
        let repo = open(&sandbox);
        for spec in
            ["@{u}", "main@{upstream}", "@{push}", "main@{PUSH}~1", "HEAD@{u}^", "other@{u}", "topic@{push}"]
        {
            let git = sandbox.try_git(&["rev-parse", "--verify", "-q", &format!("{spec}^{{commit}}")]);
            let expected = String::from_utf8_lossy(&git.stdout).trim().to_owned();
            let found = repo.resolve_commit(spec).map(|id| id.to_string()).unwrap_or_default();
            assert_eq!(found, expected, "{spec} with push.default={push_default}");
        }
    }
}

#[test]
fn names_are_ambiguous_where_git_warns() {
    let sandbox = story();
    let short = sandbox.git(&["rev-parse", "--short=7", "HEAD~1"]);
    let full = sandbox.git(&["rev-parse", "HEAD~1"]);
    sandbox.git(&["tag", "topic", "main"]);
    sandbox.git(&["branch", "-q", &short]);
    sandbox.git(&["update-ref", &format!("refs/heads/{full}"), "main"]);
    sandbox.git(&["update-ref", "refs/remotes/light", "main"]);
    let repo = open(&sandbox);
    for spec in
        ["main", "topic", "topic~1", "light", "v1", "HEAD", "heads/topic", &short, &full, "topic..main"]
    {
        let git = sandbox.try_git(&["rev-parse", spec]);
        let warned = String::from_utf8_lossy(&git.stderr).contains("is ambiguous");
        assert_eq!(!repo.ambiguous_names(spec).is_empty(), warned, "{spec}");
    }
}

#[test]
fn abbreviated_ids_of_sha256_are_taken_as_git_takes_them() {
    let sandbox = Sandbox::folder();
    sandbox.git(&["init", "-q", "--object-format=sha256", "-b", "main", "."]);
    for number in 0..80 {
        sandbox.commit("one more", &[("f", format!("{number}\n"))]);
    }
    sandbox.git(&["tag", "-a", "-m", "annotated", "v1", "HEAD~3"]);
    let repo = open(&sandbox);
    let ids = sandbox.git(&["rev-list", "HEAD"]);
    let mut asked = vec!["v1-3-g".to_owned() + &sandbox.git(&["rev-parse", "--short", "HEAD"])];
    for (nth, id) in ids.lines().enumerate() {
        for digits in [4, 5, 7, 40, 41, 63, 64] {
            asked.push(id[..digits].to_owned());
        }
        if nth < 40 {
            asked.extend(["~2", "^", "^{tree}^{commit}", "^0"].map(|steps| format!("{}{steps}", &id[..9])));
        }
    }
    asked.push("0000000".to_owned());
    for spec in asked {
        let found = repo.resolve_commit(&spec).map(|commit| commit.to_string());
        let told = sandbox.try_git(&["rev-parse", "-q", "--verify", &format!("{spec}^{{commit}}")]);
        let expected = String::from_utf8_lossy(&told.stdout).trim().to_owned();
        match found {
            Ok(commit) => assert_eq!(commit, expected, "{spec}"),
            Err(error) => assert!(!told.status.success(), "{spec}: {error}, and git says {expected}"),
        }
    }
    // A branch that is called like an id is the branch.
    let short = sandbox.git(&["rev-parse", "--short", "HEAD~7"]);
    sandbox.git(&["branch", &short, "HEAD~1"]);
    let found = repo.resolve_commit(&short).expect("a branch").to_string();
    assert_eq!(found, sandbox.git(&["rev-parse", "HEAD~1"]));
}

/// One repository of each storage of references.
fn of_each_storage() -> [Sandbox; 2] {
    ["files", "reftable"].map(|format| {
        let sandbox = Sandbox::folder();
        sandbox.git(&["init", "-q", &format!("--ref-format={format}"), "-b", "main", "."]);
        sandbox
    })
}

fn assert_named_as_by_git(sandbox: &Sandbox, specs: &[&str]) {
    let repo = open(sandbox);
    for spec in specs {
        let named = repo.resolve_commit(spec).map(|commit| commit.to_string());
        assert_eq!(named.expect(spec), sandbox.git(&["rev-parse", &format!("{spec}^{{commit}}")]), "{spec}");
    }
}

#[test]
fn files_that_say_more_than_an_id_name_the_first_one() {
    for sandbox in of_each_storage() {
        sandbox.commit("one", &[("f", "1\n")]);
        for side in ["side", "other"] {
            sandbox.git(&["checkout", "-q", "-b", side, "main"]);
            sandbox.commit(side, &[(side, "1\n")]);
        }
        sandbox.git(&["checkout", "-q", "main"]);
        sandbox.git(&["fetch", "-q", ".", "side", "other"]);
        sandbox.git(&["merge", "-q", "--no-commit", "--no-ff", "side", "other"]);
        assert_named_as_by_git(&sandbox, &["FETCH_HEAD", "FETCH_HEAD~1", "MERGE_HEAD", "MERGE_HEAD^0"]);
    }
}

#[test]
fn moves_of_references_in_tables_are_named_as_git_names_them() {
    let [_, sandbox] = of_each_storage();
    sandbox.commit("one", &[("f", "1\n")]);
    sandbox.commit("from here to there", &[("f", "2\n")]);
    sandbox.commit("three", &[("f", "3\n")]);
    sandbox.git(&["checkout", "-q", ":/from here to there"]);
    let dates = sandbox.git(&["log", "-g", "--date=unix", "--format=%gd", "main"]);
    // Of larger numbers git takes what is left after an overflow.
    let specs =
        dates.lines().chain(["@{-1}", "main@{0}", "main@{2}", "main@{100000000}", "main@{2000000000}"]);
    assert_named_as_by_git(&sandbox, &specs.collect::<Vec<_>>());
    assert!(open(&sandbox).resolve_commit("main@{99999999}").is_err());
}

#[test]
fn a_path_of_the_index_is_named_where_there_is_no_head() {
    let [_, sandbox] = of_each_storage();
    sandbox.commit("one", &[("f", "1\n")]);
    sandbox.git(&["checkout", "-q", "--detach"]);
    sandbox.git(&["update-ref", "--no-deref", "-d", "HEAD"]);
    assert_eq!(sandbox.git(&["cat-file", "-t", ":f"]), "blob");
    let refused = open(&sandbox).resolve_commit(":f").expect_err("it is no commit");
    assert!(matches!(&refused, Error::Revision(RevisionError::NotACommit { .. })), "{refused:?}");
}
