//! The messages beside those that the real git writes for the same commits.

use bstr::{BString, ByteSlice};
use test_kit::Sandbox;

use super::*;
use crate::Repo;

/// Messages as people and tools left them: bytes, and the `encoding` header.
const MESSAGES: &[(&[u8], Option<&str>)] = &[
    (b"plain\n", None),
    (b"plain with body\n\nOne line.\nAnother.\n", None),
    (b"no line end", None),
    (b"", None),
    (b"\n", None),
    (b"\n\n  \n", None),
    (b"\n \nafter blank lines\n\nbody\n", None),
    (b"say \"hello\" and \\back\\\n", None),
    (b"unbalanced \"quote\n", None),
    (b"  leading and trailing blanks  \n\nbody  \n\n\n\nmore\t\n\n\n", None),
    (b"tab\tinside\tand end\t\n", None),
    (b"form\x0cfeed\x0b\n", None),
    (b"CRLF subject\r\n\r\nCRLF body\r\n", None),
    (b"two lines\nof subject\n\nbody\n", None),
    (b"Revert \"X\"\n\nThis reverts commit 1234.\n", None),
    (b"Revert \"Revert \"X\"\"\n", None),
    (b"Revert \"Reapply \"X\"\"\n", None),
    (b"Reapply \"X\"\n", None),
    (b"Revert \"unclosed\n", None),
    (b"revert \"lower case\"\n", None),
    (b"Revert \"\n", None),
    (b"Revert X\n", None),
    (b"# comment as subject\n\n# and body\n; other\n", None),
    (b"subject\n\n# comment between\n\nSigned-off-by: X <x@example.com>\n", None),
    (b"subject\n\nSigned-off-by: X <x@example.com>\n", None),
    (b"subject\n\nSigned-off-by: C O Mitter <committer@example.com>\n", None),
    (b"subject\n\nSigned-off-by: C O Mitter <committer@example.com>\nAcked-by: X <x@example.com>\n", None),
    (b"Signed-off-by: C O Mitter <committer@example.com>\n", None),
    (b"subject\n\nbody\n(cherry picked from commit 1234)\n", None),
    (b"subject\n\nbody\n\n(cherry picked from commit 1234)\n", None),
    (b"subject\n\nKey: value\n folded\nOther: value\n", None),
    (b"subject\n\n folded first\nKey: value\n", None),
    (b"subject\n\nKey: value\nnot a trailer\n", None),
    (b"subject\n\nSigned-off-by: X <x>\none\ntwo\nthree\n", None),
    (b"subject\n\nSigned-off-by: X <x>\none\ntwo\nthree\nfour\n", None),
    (b"subject\n\nKey: value\n# a comment\nOther: value\n", None),
    (b"subject\n\nbody\n---\nKey: value\n", None),
    (b"subject\n\nbody\n---\n\nKey: value\n", None),
    (b"subject\n\nhttp://example.com/\n", None),
    (b"subject\n\nKey : value\nTwo words: value\n", None),
    (b"subject\n\nKey:value\nEmpty:\n", None),
    (b"Key: value\n", None),
    (b"Key: value\nOther: value\n", None),
    (b"subject\nKey: value\n", None),
    (b"subject\n\nbody\n\nConflicts:\n\tpath\n", None),
    (b"subject\n\nKey: value\n\nConflicts:\n\tpath\n\tother\n", None),
    (b"subject\n\nbody\n\n# Conflicts:\n#\tpath\n", None),
    (b"subject\n\n# ------------------------ >8 ------------------------\nbelow\n", None),
    ("stra\u{df}e, \u{65e5}\u{672c} and \u{1f600}\n\nb\u{f6}dy\n".as_bytes(), None),
    (b"Latin-1 without a header: stra\xdfe\n\nb\xf6dy \xff\n", None),
    (b"non-character \xef\xbf\xbf and surrogate \xed\xa0\x80 and cut off \xe6\x97\n", None),
    (b"stra\xdfe in Latin-1\n\nb\xf6dy \x85\n", Some("ISO-8859-1")),
    (b"stra\xdfe by another name\n", Some("latin1")),
    (b"\xd0\xd2\xc9\xd7\xc5\xd4\n", Some("KOI8-R")),
    (b"euro \xa4\n", Some("ISO-8859-15")),
    (b"smart \x93quotes\x94\n", Some("CP1252")),
    (b"\xc6\xfc\xcb\xdc\xb8\xec\n", Some("EUC-JP")),
    (b"an unknown encoding \xdf\n", Some("x-nowhere")),
    ("UTF-8 said aloud \u{df}\n".as_bytes(), Some("utf8")),
];

/// A repository with one commit for each message, each adding a file of its own, and the ids of these commits.
fn commits() -> (Sandbox, Vec<CommitId>) {
    let repo = Sandbox::new();
    let mut stream = Vec::new();
    for (number, (message, encoding)) in MESSAGES.iter().enumerate() {
        // The author's name is in the encoding of the commit, too, and in that zone it is still the day before.
        let name: &[u8] = if encoding.is_some_and(|name| name != "utf8") { b"J\xf6rg" } else { b"Joe" };
        stream.extend_from_slice(format!("commit refs/heads/main\nmark :{}\nauthor ", number + 1).as_bytes());
        stream.extend_from_slice(name);
        stream.extend_from_slice(b" <joe@example.com> 1735689600 -0530\n");
        stream.extend_from_slice(b"committer C O Mitter <committer@example.com> 1735689600 +0000\n");
        if let Some(encoding) = encoding {
            stream.extend_from_slice(format!("encoding {encoding}\n").as_bytes());
        }
        stream.extend_from_slice(format!("data {}\n", message.len()).as_bytes());
        stream.extend_from_slice(message);
        stream.extend_from_slice(format!("\nM 100644 inline f{number}\ndata 2\nx\n\n").as_bytes());
    }
    repo.git_with_input(&["fast-import", "--quiet", "--export-marks=marks"], &stream);
    let marks = std::fs::read_to_string(repo.path().join("marks")).expect("git wrote the marks");
    std::fs::remove_file(repo.path().join("marks")).expect("it is there");
    let mut ids: Vec<(usize, CommitId)> = marks
        .lines()
        .map(|line| line[1..].split_once(' ').expect("a mark and an id"))
        .map(|(mark, id)| (mark.parse().expect("a number"), id.parse().expect("an id")))
        .collect();
    ids.sort();
    (repo, ids.into_iter().map(|(_, id)| id).collect())
}

fn read(repo: &Sandbox, id: CommitId) -> Commit {
    Repo::discover(repo.path()).expect("a repository").objects().commit(id).expect("the commit")
}

/// What git's own commit at HEAD says: message and `encoding` header.
fn message_at_head(repo: &Sandbox) -> (BString, Option<BString>) {
    let head = head(repo);
    (head.message, head.encoding)
}

fn head(repo: &Sandbox) -> Commit {
    let id = std::fs::read_to_string(repo.path().join(".git/refs/heads/main")).expect("a loose ref");
    read(repo, id.trim().parse().expect("an id"))
}

fn committer() -> Signature {
    Signature {
        name: "C O Mitter".into(),
        email: "committer@example.com".into(),
        seconds: 0,
        time: "0 +0000".into(),
    }
}

fn style_of(repo: &Sandbox) -> Style {
    let repo = Repo::discover(repo.path()).expect("a repository");
    let git = repo.followed_git().expect("a release");
    Style::read(repo.local().config_snapshot().plumbing(), git)
}

fn written(repo: &Sandbox, kind: CommitKind<'_>, options: &MessageOptions) -> Message {
    let style = style_of(repo);
    let abbreviate = |id: CommitId| repo.git(&["rev-parse", "--short", &id.to_string()]);
    write(kind, options, &Context { style: &style, committer: &committer(), abbreviate: &abbreviate })
}

/// Does `command` with git for every message, and compares each commit with what `ours` writes.
fn compare(config: &[(&str, &str)], command: &[&str], ours: impl Fn(&Sandbox, &Commit) -> Message) {
    let (repo, ids) = commits();
    for (key, value) in config {
        repo.git(&["config", key, value]);
    }
    let installed = repo.git(&["version"]);
    repo.git(&["config", "rb.gitVersion", installed.split(' ').nth(2).expect("a version")]);
    let action = command[0];
    // A commit is picked onto an empty tree and reverted where all of them are. Each has a file of its own, so one
    // never meets another.
    if action == "cherry-pick" {
        repo.git(&["symbolic-ref", "HEAD", "refs/heads/other"]);
        repo.commit("start", &[("start", "start\n")]);
        repo.git(&["branch", "-q", "-M", "main"]);
    } else {
        repo.git(&["reset", "-q", "--hard"]);
    }
    let (mut differences, mut compared) = (Vec::new(), 0);
    for (id, (message, encoding)) in ids.iter().zip(MESSAGES) {
        let mut args = command.to_vec();
        let id_as_text = id.to_string();
        args.push(&id_as_text);
        if !repo.try_git(&args).status.success() {
            // git refuses a message that is empty after `strip`.
            repo.git(&["reset", "-q", "--hard"]);
            continue;
        }
        compared += 1;
        let commit = read(&repo, *id);
        let ours = ours(&repo, &commit);
        let theirs = message_at_head(&repo);
        let ours_in_full = (ours.text.clone(), ours.encoding.clone(), ours.reflog_line(action));
        let theirs_in_full = (theirs.0, theirs.1, last_reflog_line(&repo));
        if ours_in_full != theirs_in_full {
            let message = message.as_bstr();
            differences.push(format!(
                "{message:?} {encoding:?}\n  ours {ours_in_full:?}\n  git  {theirs_in_full:?}"
            ));
        }
        if action == "cherry-pick" {
            assert_eq!(author_of_pick(&commit, &style_of(&repo)), head(&repo).author_line);
        }
    }
    assert!(compared >= MESSAGES.len() - 5, "git did only {compared} of {}", MESSAGES.len());
    assert!(
        differences.is_empty(),
        "{} of {}:\n{}",
        differences.len(),
        MESSAGES.len(),
        differences.join("\n")
    );
}

fn last_reflog_line(repo: &Sandbox) -> BString {
    let log = std::fs::read(repo.path().join(".git/logs/HEAD")).expect("a reflog");
    let last = log.lines().next_back().expect("an entry");
    last.split_once_str("\t").map_or(BString::default(), |(_, text)| text.into())
}

fn revert_with(options: MessageOptions) -> impl Fn(&Sandbox, &Commit) -> Message {
    move |repo, commit| written(repo, CommitKind::Revert { commit, mainline: None }, &options)
}

fn pick_with(options: MessageOptions) -> impl Fn(&Sandbox, &Commit) -> Message {
    move |repo, commit| written(repo, CommitKind::Pick { commit }, &options)
}

#[test]
fn a_revert_says_what_git_says() {
    compare(&[], &["revert", "--no-edit"], revert_with(MessageOptions::default()));
}

#[test]
fn a_signed_off_revert_says_what_git_says() {
    compare(
        &[],
        &["revert", "--no-edit", "-s"],
        revert_with(MessageOptions { signoff: true, ..Default::default() }),
    );
}

#[test]
fn a_revert_by_reference_says_what_git_says() {
    let options = MessageOptions { reference: Some(true), ..Default::default() };
    compare(&[], &["revert", "--no-edit", "--reference"], revert_with(options));
    compare(
        &[("revert.reference", "true"), ("core.commentString", "//")],
        &["revert", "--no-edit"],
        revert_with(MessageOptions::default()),
    );
    compare(
        &[("revert.reference", "true"), ("i18n.commitEncoding", "ISO-8859-1")],
        &["revert", "--no-edit"],
        revert_with(MessageOptions::default()),
    );
}

#[test]
fn a_revert_follows_the_encoding_that_is_configured() {
    for encoding in
        ["ISO-8859-1", "UTF8", "KOI8-R", "x-nowhere", "ISO-8859-15", "ISO-8859-9", "CP1252", "US-ASCII"]
    {
        compare(
            &[("i18n.commitEncoding", encoding)],
            &["revert", "--no-edit"],
            revert_with(MessageOptions::default()),
        );
    }
}

#[test]
fn a_pick_says_what_git_says() {
    compare(&[], &["cherry-pick", "--allow-empty-message"], pick_with(MessageOptions::default()));
}

#[test]
fn a_pick_follows_the_encoding_that_is_configured() {
    compare(
        &[("i18n.commitEncoding", "ISO-8859-1")],
        &["cherry-pick", "--allow-empty-message"],
        pick_with(MessageOptions::default()),
    );
}

#[test]
fn a_pick_that_names_its_origin_and_is_signed_off_says_what_git_says() {
    let origin = MessageOptions { record_origin: true, ..Default::default() };
    let both = MessageOptions { signoff: true, ..origin.clone() };
    let signed = MessageOptions { signoff: true, ..Default::default() };
    compare(&[], &["cherry-pick", "--allow-empty-message", "-x"], pick_with(origin));
    compare(&[], &["cherry-pick", "--allow-empty-message", "-s"], pick_with(signed));
    compare(&[], &["cherry-pick", "--allow-empty-message", "-x", "-s"], pick_with(both.clone()));
    compare(
        &[("trailer.acked.key", "Two words"), ("core.commentChar", ";")],
        &["cherry-pick", "--allow-empty-message", "-x", "-s"],
        pick_with(both),
    );
}

#[test]
fn an_unedited_message_is_cleaned_up_as_configured() {
    for mode in ["verbatim", "whitespace", "strip", "scissors", "default"] {
        let cleanup = Cleanup::from_name(mode);
        let given = MessageOptions { cleanup, ..Default::default() };
        let signed = MessageOptions { cleanup, signoff: true, ..Default::default() };
        let argument = format!("--cleanup={mode}");
        compare(&[], &["revert", "--no-edit", &argument], revert_with(given.clone()));
        compare(&[], &["cherry-pick", "--allow-empty-message", &argument], pick_with(given));
        compare(&[], &["cherry-pick", "--allow-empty-message", "-s", &argument], pick_with(signed));
        compare(
            &[("commit.cleanup", mode)],
            &["cherry-pick", "--allow-empty-message"],
            pick_with(MessageOptions::default()),
        );
    }
}

#[test]
fn trailers_are_added_where_git_adds_them() {
    let repo = Sandbox::new();
    let trailers =
        [Trailer::new("Rollback-Of", "1234"), Trailer::new("Key", "value"), Trailer::new("Key", "value")];
    let mut args = vec!["interpret-trailers".to_owned(), "--no-divider".to_owned()];
    args.extend(trailers.iter().map(|trailer| format!("--trailer={}:{}", trailer.key, trailer.value)));
    for (message, _) in MESSAGES {
        let theirs = repo.git_with_input(&args, message);
        let ours = trailers::add(message, &trailers, &style_of(&repo));
        assert_eq!(ours.as_bstr(), theirs.as_bstr(), "for {:?}", message.as_bstr());
    }
}

#[test]
fn the_revert_of_a_merge_says_what_git_says() {
    for reference in [false, true] {
        let repo = Sandbox::new();
        repo.commit("start", &[("start", "start\n")]);
        repo.git(&["checkout", "-q", "-b", "side"]);
        repo.commit("on the side", &[("side", "side\n")]);
        repo.git(&["checkout", "-q", "main"]);
        let ours = repo.commit("on main", &[("main", "main\n")]);
        repo.tick();
        repo.git(&["merge", "-q", "--no-ff", "--no-edit", "side"]);
        let merge = read(&repo, repo.git(&["rev-parse", "HEAD"]).parse().expect("an id"));
        for mainline in [1, 2] {
            repo.git(&["reset", "-q", "--hard", &merge.id.to_string()]);
            let argument = format!("-m{mainline}");
            let mut args = vec!["revert", "--no-edit", &argument];
            args.extend(reference.then_some("--reference"));
            args.push("HEAD");
            repo.git(&args);
            let parent = read(&repo, merge.parents[mainline - 1]);
            let options = MessageOptions { reference: Some(reference), ..Default::default() };
            let kind = CommitKind::Revert { commit: &merge, mainline: Some(&parent) };
            let ours = written(&repo, kind, &options);
            assert_eq!((ours.text, ours.encoding), message_at_head(&repo));
        }
        assert_eq!(merge.parents[0].to_string(), ours);
    }
}

#[test]
fn a_stop_leaves_the_text_that_git_leaves() {
    for (mode, comment) in [("", "#"), ("scissors", "#"), ("strip", ";"), ("scissors", "//")] {
        let repo = Sandbox::new();
        repo.git(&["config", "core.commentString", comment]);
        repo.git(&["config", "core.quotePath", "true"]);
        let odd = "b\u{df} \"q\"\tt\nn";
        repo.commit("start", &[("a", "1\n"), (odd, "1\n")]);
        let commit = repo.commit("change\n\nbody\n", &[("a", "2\n"), (odd, "2\n")]);
        repo.commit("change again", &[("a", "3\n"), (odd, "3\n")]);
        let argument = format!("--cleanup={mode}");
        let mut args = vec!["revert", "--no-edit", &commit];
        if !mode.is_empty() {
            args.insert(1, &argument);
        }
        assert!(!repo.try_git(&args).status.success());

        let commit = read(&repo, commit.parse().expect("an id"));
        let options = MessageOptions { cleanup: Cleanup::from_name(mode), ..Default::default() };
        let style = style_of(&repo);
        let context = Context { style: &style, committer: &committer(), abbreviate: &|id| id.to_string() };
        let draft = draft(CommitKind::Revert { commit: &commit, mainline: None }, &options, &context);
        let ours = merge_msg(&draft, &options, &style, &[RepoPath::from("a"), RepoPath::from(odd)]);
        let theirs = std::fs::read(repo.path().join(".git/MERGE_MSG")).expect("git left it");
        assert_eq!(ours.as_bstr(), theirs.as_bstr(), "{mode} {comment}");
    }
}

#[test]
fn an_edited_message_is_cleaned_up_as_git_commit_does() {
    let repo = Sandbox::new();
    repo.commit("start", &[("start", "start\n")]);
    for mode in ["verbatim", "whitespace", "strip", "scissors", "default"] {
        for (message, _) in MESSAGES.iter().filter(|(message, _)| message.is_utf8()) {
            repo.write("message", message);
            let argument = format!("--cleanup={mode}");
            // An editor that does nothing stands for one that leaves exactly these bytes.
            let mut commit = repo.command("git");
            commit.args(["commit", "--allow-empty", "-q", "-F", "message", "-e", &argument]);
            commit.env("GIT_EDITOR", "cp message");
            let accepted = commit.output().expect("git runs").status.success();
            let options = MessageOptions { cleanup: Cleanup::from_name(mode), ..Default::default() };
            let ours = edited(message, &options, &style_of(&repo));
            assert_eq!(ours.is_some(), accepted, "{mode} {:?}", message.as_bstr());
            if let Some(ours) = ours {
                assert_eq!(
                    (ours.text, ours.encoding),
                    message_at_head(&repo),
                    "{mode} {:?}",
                    message.as_bstr()
                );
            }
        }
    }
}

#[test]
fn a_scoped_revert_names_its_paths_and_never_claims_the_whole() {
    let repo = Sandbox::new();
    let id = repo.commit("drop the shim\n\nbody", &[("a", "a\n")]);
    let commit = read(&repo, id.parse().expect("an id"));
    let message = |paths: &[RepoPath]| {
        let kind = CommitKind::RevertPaths {
            commit: &commit,
            mainline: None,
            paths: Paths { named: paths, renamed: &[] },
        };
        written(&repo, kind, &MessageOptions::default()).text.to_string()
    };
    assert_eq!(
        message(&["src/a.py".into()]),
        format!(
            "Revert \"drop the shim\" in src/a.py\n\nThis reverts the changes of commit {id} to:\n  src/a.py\n"
        )
    );
    assert_eq!(
        message(&["a".into(), RepoPath::new(&b"b\xff\n"[..])]).lines().next(),
        Some("Revert \"drop the shim\" in a and \"b\\377\\n\"")
    );
    assert!(
        message(&["a".into(), "b".into(), "c".into()])
            .starts_with("Revert \"drop the shim\" in a and 2 other paths\n")
    );
}

#[test]
fn a_scoped_pick_names_its_paths_and_its_origin() {
    let repo = Sandbox::new();
    let id = repo.commit("add the shim", &[("a", "a\n")]);
    let commit = read(&repo, id.parse().expect("an id"));
    let paths = ["a".into()];
    let options = MessageOptions { record_origin: true, ..Default::default() };
    assert_eq!(
        written(
            &repo,
            CommitKind::PickPaths { commit: &commit, paths: Paths { named: &paths, renamed: &[] } },
            &options
        )
        .text,
        format!(
            "Pick \"add the shim\" in a\n\nThis picks the changes of commit {id} to:\n  a\n\n\
             (cherry picked from commit {id})\n"
        )
    );
}

#[test]
fn reason_trailers_and_signoff_follow_the_body_in_this_order() {
    let repo = Sandbox::new();
    let id = repo.commit("drop the shim", &[("a", "a\n")]);
    let commit = read(&repo, id.parse().expect("an id"));
    let options = MessageOptions {
        reason: Some("Imports fail in production.\n".into()),
        trailers: vec![Trailer::new(Trailer::OF, &id), Trailer::new(Trailer::STRATEGY, "revert-commit")],
        signoff: true,
        ..Default::default()
    };
    let paths = ["a".into()];
    let kind = CommitKind::RevertPaths {
        commit: &commit,
        mainline: None,
        paths: Paths { named: &paths, renamed: &[] },
    };
    assert_eq!(
        written(&repo, kind, &options).text,
        format!(
            "Revert \"drop the shim\" in a\n\nThis reverts the changes of commit {id} to:\n  a\n\n\
             Imports fail in production.\n\nRollback-Of: {id}\nRollback-Strategy: revert-commit\n\
             Signed-off-by: C O Mitter <committer@example.com>\n"
        )
    );
    let options = MessageOptions { text: Some("Own words".into()), ..options };
    assert!(
        written(&repo, kind, &options)
            .text
            .starts_with(b"Own words\n\nImports fail in production.\n\nRollback-Of: ")
    );
}

#[test]
fn a_restore_says_from_where_and_whose_edits_it_discards() {
    let repo = Sandbox::new();
    let id = repo.commit("good", &[("a", "a\n")]);
    let later = repo.commit("later edit", &[("a", "b\n")]);
    let (source, discards) =
        (read(&repo, id.parse().expect("an id")), [read(&repo, later.parse().expect("an id"))]);
    let paths = ["a".into()];
    let kind = CommitKind::Restore {
        source: &source,
        paths: Paths { named: &paths, renamed: &[] },
        discards: &discards,
    };
    let short = |id: &str| repo.git(&["rev-parse", "--short", id]);
    assert_eq!(
        written(&repo, kind, &MessageOptions::default()).text,
        format!(
            "Restore a from {}\n\nThis restores, as they are in commit {id}:\n  a\n\n\
             It discards what these later commits changed there:\n  {} (later edit, 2025-01-01)\n",
            short(&id),
            short(&later)
        )
    );
    let kind =
        CommitKind::Restore { source: &source, paths: Paths { named: &paths, renamed: &[] }, discards: &[] };
    assert!(!written(&repo, kind, &MessageOptions::default()).text.contains_str("discards"));
}
