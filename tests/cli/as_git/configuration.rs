//! Configuration that git refuses is refused with its file and line, and what `git -c` gives counts.

use std::fs;
use std::os::unix::fs::symlink;

use test_kit::{Sandbox, State};

use super::{as_git, git_with};
use crate::kit::{Run, rb, rb_with, shell};

fn two_commits() -> Sandbox {
    let repo = Sandbox::new();
    repo.commit("one", &[("a", "a\n")]);
    repo.commit("two", &[("a", "b\n")]);
    repo
}

/// A repository with lines at the end of its configuration, and the number of the last of them.
fn configured(lines: &str) -> (Sandbox, usize) {
    let repo = two_commits();
    let file = repo.path().join(".git/config");
    let text = fs::read_to_string(&file).expect("it is there") + lines;
    fs::write(&file, &text).expect("it can be written");
    (repo, text.lines().count())
}

#[track_caller]
fn assert_refused(run: &Run, line: usize, name: &str) {
    assert_eq!(run.code, 5, "{name}: {}", run.stderr);
    assert!(run.stderr.contains(&format!("config, line {line}")), "{name}: {}", run.stderr);
}

/// Sections and a line in them: keys that git reads for a revert, with values that may be none.
const LINES: &[(&str, &[&str])] = &[
    (
        "core",
        &[
            "bare = maybe",
            "fileMode = perhaps",
            "trustctime = x",
            "quotePath = x",
            "symlinks = x",
            "ignoreCase = x",
            "preferSymlinkRefs = x",
            "warnAmbiguousRefs = x",
            "preloadIndex = x",
            "protectHFS = x",
            "protectNTFS = x",
            "sparseCheckout = x",
            "autocrlf = perhaps",
            "autocrlf = input",
            "safecrlf = perhaps",
            "safecrlf = warn",
            "eol = perhaps",
            "logAllRefUpdates = perhaps",
            "logAllRefUpdates = always",
            "sharedRepository = perhaps",
            "abbrev = perhaps",
            "abbrev = 12",
            "abbrev = 2",
            "abbrev = no",
            "bigFileThreshold = x",
            "bigFileThreshold = 1k",
            "compression = x",
            "looseCompression = x",
            "checkStat = x",
            "commitGraph = x",
            "multiPackIndex = x",
            "useReplaceRefs = x",
            "commentString",
            "commentChar =",
            "commentChar",
            "editor",
            "attributesFile",
            "hooksPath",
            "excludesFile",
            "worktree",
            "repositoryFormatVersion = x",
            "repositoryFormatVersion = 7",
            "repositoryFormatVersion",
            "fsync = perhaps",
            "disambiguate = x",
            "fileMode = 1",
            "fileMode =",
            "fileMode = 0x1",
            "fileMode = 1k",
            "fileMode = 1z",
        ],
    ),
    ("commit", &["gpgSign = perhaps", "cleanup = whitespace"]),
    ("user", &["useConfigOnly = perhaps", "name", "email"]),
    ("author", &["name", "name ="]),
    ("revert", &["reference = perhaps"]),
    (
        "merge",
        &[
            "renormalize = x",
            "renames = x",
            "renameLimit = x",
            "directoryRenames = x",
            "conflictStyle = x",
            "stat = x",
        ],
    ),
    (
        "diff",
        &["renames = x", "renames = copies", "renameLimit = x", "algorithm = x", "algorithm = patience"],
    ),
    ("index", &["skipHash = x", "threads = x", "version = x", "sparse = x"]),
    ("i18n", &["commitEncoding"]),
    ("filter \"x\"", &["required = perhaps", "smudge"]),
    ("remote \"x\"", &["promisor = x", "url"]),
    ("advice", &["mergeConflict = x"]),
    ("include", &["path", "path = no-such-file"]),
    (
        "extensions",
        &[
            "worktreeConfig = x",
            "preciousObjects = x",
            "partialClone",
            "noop",
            "noop-v1",
            "objectFormat = sha1",
            "fromTheFuture",
        ],
    ),
];

#[test]
fn what_git_refuses_in_a_value_is_refused_with_file_and_line() {
    for (section, rows) in LINES {
        for row in *rows {
            let (repo, line) = configured(&format!("[{section}]\n\t{row}\n"));
            let name = format!("{section}: {row}");
            let run = as_git(&repo, &["revert", "--no-edit", "HEAD"], &["revert", "HEAD"], &[], &name);
            if run.code == 5 && !run.stderr.contains("core.sharedRepository") {
                assert_refused(&run, line, &name);
            }
        }
    }
}

#[test]
fn broken_files_are_refused_with_file_and_line() {
    for (text, at) in
        [("[broken\n", 1), ("[a]\n= x\n", 2), ("[a]\nb = \"open\n", 2), ("[a]\nb = \\q\n", 2), ("*\n", 1)]
    {
        let (repo, last) = configured(text);
        let run = as_git(&repo, &["revert", "--no-edit", "HEAD"], &["revert", "HEAD"], &[], text);
        assert_refused(&run, last - text.lines().count() + at, text);
        assert!(run.line("hint: ").contains("sed -n"), "{}", run.stderr);

        let repo = two_commits();
        let global = repo.path().with_extension("global");
        fs::write(&global, format!("[user]\n\tname = x\n{text}")).expect("written");
        let variables = [("GIT_CONFIG_GLOBAL", global.to_str().expect("UTF-8"))];
        let run = as_git(&repo, &["revert", "--no-edit", "HEAD"], &["revert", "HEAD"], &variables, text);
        assert!(run.stderr.contains(&format!("{}, line {}", global.display(), at + 2)), "{}", run.stderr);

        let repo = two_commits();
        fs::write(repo.path().join(".git/more"), text).expect("written");
        repo.git(&["config", "include.path", "more"]);
        let run = as_git(&repo, &["revert", "--no-edit", "HEAD"], &["revert", "HEAD"], &[], text);
        assert!(run.stderr.contains(&format!("more, line {at}")), "{}", run.stderr);
    }
}

#[test]
fn every_command_refuses_a_broken_configuration_with_5() {
    for lines in ["[broken\n", "[core]\n\tfileMode = perhaps\n", "[extensions]\n\tnoop-v1\n"] {
        let (repo, _) = configured(lines);
        for words in [
            &["revert", "HEAD", "--dry-run"][..],
            &["history", "a"],
            &["is-reverted", "HEAD"],
            &["restore", "a", "-s", "HEAD~1"],
            &["undo"],
            &["ops"],
            &["status"],
            &["checkpoint", "list"],
        ] {
            let run = rb(&repo, words);
            assert_eq!(run.code, 5, "{lines}{words:?}: {}", run.stderr);
        }
    }
}

#[test]
fn extensions_of_version_1_are_known_or_refused() {
    for row in [
        "noop",
        "noop-v1",
        "fromTheFuture = true",
        "objectFormat = sha1",
        "objectFormat = x",
        "refStorage = files",
        "refStorage = x",
        "preciousObjects = true",
        "preciousObjects = x",
        "partialClone = origin",
        "worktreeConfig = true",
    ] {
        let repo = two_commits();
        repo.git(&["config", "core.repositoryFormatVersion", "1"]);
        let file = repo.path().join(".git/config");
        let text = fs::read_to_string(&file).expect("it is there") + "[extensions]\n\t" + row + "\n";
        fs::write(&file, text).expect("written");
        as_git(&repo, &["revert", "--no-edit", "HEAD"], &["revert", "HEAD"], &[], row);
    }
    let repo = two_commits();
    repo.git(&["config", "core.repositoryFormatVersion", "1"]);
    repo.git(&["config", "extensions.compatObjectFormat", "sha256"]);
    let before = State::of(&repo).only(&[test_kit::Part::Objects, test_kit::Part::Files]);
    let run = rb(&repo, &["revert", "HEAD", "--json"]);
    assert_eq!((run.code, run.json()["error"]["code"].as_str()), (5, Some("unsupported-format")));
    assert_eq!(before.diff(&State::of(&repo).only(&[test_kit::Part::Objects, test_kit::Part::Files])), "");
}

#[test]
fn the_configuration_of_a_work_tree_counts_where_it_is_switched_on() {
    let repo = two_commits();
    repo.write("../unused", "");
    fs::write(repo.path().join(".git/config.worktree"), "[revert]\n\treference = true\n").expect("written");
    as_git(&repo, &["revert", "--no-edit", "HEAD"], &["revert", "HEAD"], &[], "switched off");
    repo.git(&["config", "extensions.worktreeConfig", "true"]);
    as_git(&repo, &["revert", "--no-edit", "HEAD"], &["revert", "HEAD"], &[], "switched on");
    assert!(repo.git(&["log", "-1", "--format=%B"]).starts_with("# ***"));
    fs::write(repo.path().join(".git/config.worktree"), "[revert]\n\treference = maybe\n").expect("written");
    let run = as_git(&repo, &["revert", "--no-edit", "HEAD"], &["revert", "HEAD"], &[], "wrong");
    assert!(run.stderr.contains("config.worktree, line 2"), "{}", run.stderr);
}

#[test]
fn what_is_typed_with_git_dash_c_counts() {
    let repo = two_commits();
    let folder = repo.path().with_extension("bin");
    fs::create_dir_all(&folder).expect("made");
    symlink(env!("CARGO_BIN_EXE_rb"), folder.join("git-rb")).expect("linked");
    let words = "unset GIT_AUTHOR_NAME GIT_AUTHOR_EMAIL; git -c author.name='It'\\''s !' -c author.email=r@x \
                 -c core.abbrev=12 -c revert.reference rb revert HEAD";
    let run = shell(&repo, &format!("PATH={}:$PATH; {words}", folder.display()));
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(repo.git(&["log", "-1", "--format=%an %ae"]), "It's ! r@x");
    let twelve = repo.git(&["rev-parse", "--short=12", "HEAD~1"]);
    assert!(repo.git(&["log", "-1", "--format=%B"]).contains(&format!("This reverts commit {twelve} (two")));
    let run = shell(
        &repo,
        &format!("PATH={}:$PATH; git -c core.fileMode=perhaps rb revert HEAD", folder.display()),
    );
    assert_eq!(run.code, 5, "{}", run.stderr);
    assert!(run.stderr.contains("GIT_CONFIG_PARAMETERS"), "{}", run.stderr);
}

#[test]
fn configuration_of_the_environment_counts_and_is_refused_as_under_git() {
    let cases: &[(&str, &[(&str, &str)])] = &[
        ("new", &[("GIT_CONFIG_PARAMETERS", "'revert.reference'='true'")]),
        ("old", &[("GIT_CONFIG_PARAMETERS", "'revert.reference=true' 'core.abbrev=10'")]),
        ("implicit", &[("GIT_CONFIG_PARAMETERS", "'revert.reference'=")]),
        ("bogus", &[("GIT_CONFIG_PARAMETERS", "revert.reference=true")]),
        ("no section", &[("GIT_CONFIG_PARAMETERS", "'reference'='true'")]),
        ("no boolean", &[("GIT_CONFIG_PARAMETERS", "'revert.reference'='maybe'")]),
        ("work tree", &[("GIT_CONFIG_PARAMETERS", "'core.worktree'='/'")]),
        ("bare", &[("GIT_CONFIG_PARAMETERS", "'core.bare'='true'")]),
        ("no bare", &[("GIT_CONFIG_PARAMETERS", "'core.bare'='maybe'")]),
        ("format", &[("GIT_CONFIG_PARAMETERS", "'core.repositoryformatversion'='9' 'extensions.new'='x'")]),
        ("include", &[("GIT_CONFIG_PARAMETERS", "'include.path'='/no/such/file'")]),
        ("relative include", &[("GIT_CONFIG_PARAMETERS", "'include.path'='file'")]),
        (
            "count",
            &[
                ("GIT_CONFIG_COUNT", "1"),
                ("GIT_CONFIG_KEY_0", "revert.reference"),
                ("GIT_CONFIG_VALUE_0", "1"),
            ],
        ),
        ("no count", &[("GIT_CONFIG_COUNT", "x")]),
        ("no key", &[("GIT_CONFIG_COUNT", "1")]),
        ("no value", &[("GIT_CONFIG_COUNT", "1"), ("GIT_CONFIG_KEY_0", "a.b")]),
        (
            "both",
            &[
                ("GIT_CONFIG_COUNT", "1"),
                ("GIT_CONFIG_KEY_0", "revert.reference"),
                ("GIT_CONFIG_VALUE_0", "true"),
                ("GIT_CONFIG_PARAMETERS", "'revert.reference'='false'"),
            ],
        ),
    ];
    for (name, variables) in cases {
        let repo = two_commits();
        as_git(&repo, &["revert", "--no-edit", "HEAD"], &["revert", "HEAD"], variables, name);
    }
}

#[test]
fn a_file_that_git_dash_c_includes_counts() {
    let repo = two_commits();
    let file = repo.path().with_extension("included");
    fs::write(&file, "[revert]\n\treference = true\n").expect("written");
    let parameters = format!("'include.path'='{}'", file.display());
    let variables = [("GIT_CONFIG_PARAMETERS", parameters.as_str())];
    as_git(&repo, &["revert", "--no-edit", "HEAD"], &["revert", "HEAD"], &variables, "included");
    assert!(repo.git(&["log", "-1", "--format=%B"]).starts_with("# ***"));
    let theirs = git_with(&repo, &["config", "revert.reference"], &variables);
    assert_eq!(theirs.stdout, b"true\n");
    let run =
        rb_with(&repo, &["revert", "HEAD"], "", &[("GIT_CONFIG_PARAMETERS", "'include.path'='~/none'")]);
    assert_eq!(run.code, 0, "{}", run.stderr);
}
