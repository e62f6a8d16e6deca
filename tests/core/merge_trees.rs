//! Merges of trees, answer by answer against `git merge-tree --write-tree --stdin`: the verdict, the tree with its
//! conflict markers, and the stages. The cases follow the logic of git's own `t4301-merge-tree-write-tree.sh`.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

use rollback_core::merge::{Options, batch};
use test_kit::Sandbox;

/// A file of a tree: path, mode, content; of a submodule the content is the commit.
type File<'a> = (&'a str, &'a str, &'a [u8]);

const FILE: &str = "100644";
const SCRIPT: &str = "100755";
const LINK: &str = "120000";
const SUBMODULE: &str = "160000";

/// Ten lines; a digit given is replaced by its word.
fn lines(changed: &[(usize, &str)]) -> Vec<u8> {
    let line = |number: usize| match changed.iter().find(|(at, _)| *at == number) {
        Some((_, word)) => format!("{word}\n"),
        None => format!("line {number}\n"),
    };
    (0..10).map(line).collect::<String>().into_bytes()
}

/// The tree of these files.
fn tree(repo: &Sandbox, files: &[File]) -> String {
    let mut stream =
        b"commit refs/heads/made\ncommitter A <a@example.com> 1700000000 +0000\ndata 0\ndeleteall\n".to_vec();
    for (path, mode, content) in files {
        if *mode == SUBMODULE {
            stream.extend(format!("M {mode} {} {path}\n", String::from_utf8_lossy(content)).bytes());
        } else {
            stream.extend(format!("M {mode} inline {path}\ndata {}\n", content.len()).bytes());
            stream.extend_from_slice(content);
            stream.push(b'\n');
        }
    }
    repo.git_with_input(&["fast-import", "--quiet", "--force"], &stream);
    repo.git(&["rev-parse", "made^{tree}"])
}

/// A question from three trees.
fn question(repo: &Sandbox, base: &[File], ours: &[File], theirs: &[File]) -> String {
    format!("{} -- {} {}", tree(repo, base), tree(repo, ours), tree(repo, theirs))
}

fn git(repo: &Sandbox, questions: &str, arguments: &[&str]) -> Vec<u8> {
    let mut command = vec!["merge-tree", "--write-tree", "--stdin", "--no-messages"];
    command.extend(arguments);
    repo.git_with_input(&command, questions.as_bytes())
}

fn answers(
    repo: &Sandbox,
    questions: &str,
    change: impl FnOnce(&mut Options, &mut batch::BatchOptions),
) -> Vec<u8> {
    let opened = crate::opened(repo);
    let mut options = Options::of_merge_tree(&opened).unwrap();
    let mut how = batch::BatchOptions::default();
    // With --stdin git ends everything with a NUL, with or without -z.
    how.nul = true;
    change(&mut options, &mut how);
    let mut out = Vec::new();
    batch::answer(&opened, &options, questions.as_bytes(), &mut out, how).unwrap();
    out
}

/// Asks git and rb, and returns what they both say.
#[track_caller]
fn agree(repo: &Sandbox, questions: &str) -> String {
    let expected = git(repo, questions, &[]);
    let found = answers(repo, questions, |_, _| ());
    let [expected, found] =
        [expected, found].map(|bytes| String::from_utf8_lossy(&bytes).replace('\0', "\n"));
    assert_eq!(expected, found, "{questions}");
    found
}

/// As [`agree`], for one merge; tells whether it is clean.
#[track_caller]
fn agree_on(base: &[File], ours: &[File], theirs: &[File]) -> bool {
    let repo = Sandbox::bare();
    let question = question(&repo, base, ours, theirs);
    agree(&repo, &question).starts_with('1')
}

#[test]
fn edits_of_different_lines_merge() {
    let (base, ours, theirs) = (lines(&[]), lines(&[(1, "ours")]), lines(&[(8, "theirs")]));
    assert!(agree_on(&[("a", FILE, &base)], &[("a", FILE, &ours)], &[("a", FILE, &theirs)]));
}

#[test]
fn edits_of_the_same_line_conflict() {
    let (base, ours, theirs) = (lines(&[]), lines(&[(5, "ours")]), lines(&[(5, "theirs")]));
    assert!(!agree_on(&[("d/a", FILE, &base)], &[("d/a", FILE, &ours)], &[("d/a", FILE, &theirs)]));
}

#[test]
fn a_file_added_on_both_sides_conflicts_unless_it_is_the_same() {
    let (one, two) = (lines(&[]), lines(&[(3, "other")]));
    let base = ("z", FILE, one.as_slice());
    assert!(!agree_on(&[base], &[base, ("a", FILE, &one)], &[base, ("a", FILE, &two)]));
    assert!(agree_on(&[base], &[base, ("a", FILE, &one)], &[base, ("a", FILE, &one)]));
}

#[test]
fn a_file_deleted_here_and_edited_there_conflicts() {
    let (base, edited) = (lines(&[]), lines(&[(3, "other")]));
    let other = ("z", FILE, &b"z"[..]);
    let (whole, gone, changed) =
        ([("a", FILE, base.as_slice()), other], [other], [("a", FILE, edited.as_slice()), other]);
    assert!(!agree_on(&whole, &gone, &changed));
    assert!(!agree_on(&whole, &changed, &gone));
    assert!(agree_on(&whole, &gone, &whole));
    assert!(agree_on(&whole, &gone, &gone));
}

#[test]
fn an_edit_follows_a_rename() {
    let (base, ours, theirs) = (lines(&[]), lines(&[(1, "ours")]), lines(&[(8, "theirs")]));
    assert!(agree_on(&[("old", FILE, &base)], &[("new", FILE, &ours)], &[("old", FILE, &theirs)]));
    assert!(agree_on(&[("old", FILE, &base)], &[("old", FILE, &ours)], &[("new", FILE, &theirs)]));
}

#[test]
fn a_change_of_the_executable_bit_follows_a_rename_in_both_directions() {
    let base = lines(&[]);
    for (before, after) in [(FILE, SCRIPT), (SCRIPT, FILE)] {
        assert!(agree_on(&[("old", before, &base)], &[("new", before, &base)], &[("old", after, &base)]));
        assert!(agree_on(
            &[("a", before, &base)],
            &[("a", after, &base)],
            &[("a", before, &lines(&[(1, "x")]))]
        ));
    }
    assert!(!agree_on(&[("z", FILE, b"z")], &[("a", FILE, &base)], &[("a", SCRIPT, &base)]));
}

#[test]
fn renames_of_one_file_to_two_names_conflict() {
    let (base, ours, theirs) = (lines(&[]), lines(&[(5, "ours")]), lines(&[(5, "theirs")]));
    assert!(!agree_on(&[("old", FILE, &base)], &[("one", FILE, &base)], &[("two", FILE, &base)]));
    assert!(!agree_on(&[("old", FILE, &base)], &[("one", FILE, &ours)], &[("two", FILE, &theirs)]));
}

#[test]
fn renames_of_two_files_to_one_name_conflict_with_nested_markers() {
    let other: Vec<u8> = lines(&[]).iter().rev().copied().collect();
    let (one, edited) = (lines(&[]), lines(&[(5, "edited")]));
    let base = [("one", FILE, one.as_slice()), ("two", FILE, other.as_slice())];
    let ours = [("both", FILE, one.as_slice()), ("two", FILE, other.as_slice())];
    let theirs = [("both", FILE, other.as_slice()), ("one", FILE, edited.as_slice())];
    assert!(!agree_on(&base, &ours, &theirs));
    let (our_edit, their_edit) = (lines(&[(5, "ours")]), lines(&[(5, "theirs")]));
    let ours = [("both", FILE, our_edit.as_slice()), ("two", FILE, other.as_slice())];
    let theirs = [("both", FILE, other.as_slice()), ("one", FILE, their_edit.as_slice())];
    assert!(!agree_on(&base, &ours, &theirs));
}

#[test]
fn chains_of_renames_that_part_and_meet_conflict() {
    let text = |word: &str| (0..12).map(|at| format!("{word} {at}\n")).collect::<String>().into_bytes();
    let edited = |word: &str| [b"first\n".to_vec(), text(word)].concat();
    let (one, three, five) = (text("one"), text("three"), text("five"));
    let (one_edited, three_edited, five_edited) = (edited("one"), edited("three"), edited("five"));
    // Each file goes to two names, and at each name two files meet.
    assert!(!agree_on(
        &[("one", FILE, &one), ("three", FILE, &three), ("five", FILE, &five)],
        &[("two", FILE, &one), ("four", FILE, &three_edited), ("six", FILE, &five)],
        &[("six", FILE, &one_edited), ("two", FILE, &three), ("four", FILE, &five_edited)],
    ));
    // A chain that ends: the last file is renamed on one side alone.
    assert!(!agree_on(
        &[("one", FILE, &one), ("three", FILE, &three)],
        &[("two", FILE, &one), ("three", FILE, &three_edited)],
        &[("four", FILE, &one_edited), ("two", FILE, &three)],
    ));
}

#[test]
fn a_renamed_file_that_the_other_side_deleted_conflicts() {
    let (base, edited) = (lines(&[]), lines(&[(5, "edited")]));
    let other = ("z", FILE, &b"z"[..]);
    assert!(!agree_on(&[("old", FILE, &base), other], &[("new", FILE, &base), other], &[other]));
    assert!(!agree_on(&[("old", FILE, &base), other], &[("new", FILE, &edited), other], &[other]));
}

#[test]
fn a_rename_onto_a_file_that_the_other_side_added_conflicts() {
    let (base, added) = (lines(&[]), b"something else\n".to_vec());
    assert!(!agree_on(
        &[("old", FILE, &base)],
        &[("new", FILE, &base)],
        &[("old", FILE, &base), ("new", FILE, &added)]
    ));
}

#[test]
fn a_file_where_the_other_side_has_a_folder_makes_room() {
    let base = lines(&[]);
    let ours = [("path", FILE, &b"a file"[..]), ("z", FILE, &base)];
    let theirs = [("path/in/it", FILE, &b"in a folder"[..]), ("z", FILE, &base)];
    assert!(!agree_on(&[("z", FILE, &base)], &ours, &theirs));
    assert!(!agree_on(&[("z", FILE, &base)], &theirs, &ours));
    let taken = [("path", FILE, &b"a file"[..]), ("path~taken", FILE, b"x"), ("z", FILE, &base)];
    assert!(!agree_on(&[("z", FILE, &base)], &taken, &theirs));
}

#[test]
fn two_types_at_one_path_part() {
    let kinds: [(&str, &[u8]); 4] = [
        (FILE, b"a file\n"),
        (SCRIPT, b"a script\n"),
        (LINK, b"target"),
        (SUBMODULE, b"1234567890123456789012345678901234567890"),
    ];
    for (base_mode, base) in kinds {
        for (our_mode, ours) in kinds {
            for (their_mode, theirs) in kinds {
                agree_on(&[("p", base_mode, base)], &[("p", our_mode, ours)], &[("p", their_mode, theirs)]);
            }
            agree_on(&[("z", FILE, b"z")], &[("p", our_mode, ours)], &[("p", base_mode, base)]);
        }
    }
}

#[test]
fn links_submodules_and_binaries_are_not_merged() {
    let id = |digit: char| digit.to_string().repeat(40).into_bytes();
    assert!(!agree_on(&[("l", LINK, b"a")], &[("l", LINK, b"b")], &[("l", LINK, b"c")]));
    assert!(!agree_on(
        &[("s", SUBMODULE, &id('1'))],
        &[("s", SUBMODULE, &id('2'))],
        &[("s", SUBMODULE, &id('3'))]
    ));
    assert!(!agree_on(&[("b", FILE, b"\0a")], &[("b", FILE, b"\0b")], &[("b", FILE, b"\0c")]));
    assert!(agree_on(
        &[("b", FILE, b"\0a")],
        &[("b", FILE, b"\0b")],
        &[("b", FILE, b"\0a"), ("c", FILE, b"c")]
    ));
}

#[test]
fn a_checked_out_submodule_moves_to_the_side_that_is_ahead() {
    let repo = Sandbox::new();
    repo.git(&["init", "-q", "-b", "main", "sub"]);
    let commit = |message: &str| {
        repo.git(&["-C", "sub", "commit", "-q", "--allow-empty", "-m", message]);
        repo.git(&["-C", "sub", "rev-parse", "HEAD"])
    };
    let (one, two, three) = (commit("one"), commit("two"), commit("three"));
    repo.git(&["-C", "sub", "checkout", "-q", &one]);
    let aside = commit("aside");
    let absent = "1".repeat(40);
    let mut questions = String::new();
    for base in [&one, &two] {
        for ours in [&one, &two, &three, &aside, &absent] {
            for theirs in [&one, &two, &three, &aside] {
                let at = |id: &'_ str| -> Vec<u8> { id.as_bytes().to_vec() };
                let [base, ours, theirs] = [at(base), at(ours), at(theirs)];
                let asked = question(
                    &repo,
                    &[("sub", SUBMODULE, &base)],
                    &[("sub", SUBMODULE, &ours)],
                    &[("sub", SUBMODULE, &theirs)],
                );
                questions.push_str(&format!("{asked}\n"));
            }
        }
    }
    agree(&repo, &questions);
}

#[test]
fn a_file_added_to_a_folder_that_was_renamed_is_a_question() {
    let (one, two, new) = (lines(&[]), lines(&[(2, "two")]), b"new\n".to_vec());
    let base = [("old/one", FILE, one.as_slice()), ("old/two", FILE, &two)];
    let ours = [("new/one", FILE, one.as_slice()), ("new/two", FILE, &two)];
    let theirs = [("old/one", FILE, one.as_slice()), ("old/two", FILE, &two), ("old/three", FILE, &new)];
    assert!(!agree_on(&base, &ours, &theirs));
    let repo = Sandbox::bare();
    let asked = question(&repo, &base, &ours, &theirs);
    for setting in ["true", "false", "conflict"] {
        repo.git(&["config", "merge.directoryRenames", setting]);
        let clean = agree(&repo, &asked).starts_with('1');
        assert_eq!(clean, setting != "conflict", "{setting}");
    }
}

#[test]
fn a_folder_that_went_to_two_places_is_in_conflict_without_a_path() {
    let texts: Vec<Vec<u8>> = (0..4).map(|number| lines(&[(number, "its own")])).collect();
    let at = |folders: [&'static str; 4]| -> Vec<File<'_>> {
        folders.into_iter().zip(&texts).map(|(path, text)| (path, FILE, text.as_slice())).collect()
    };
    let base = at(["d/a", "d/b", "d/c", "d/d"]);
    let ours = at(["one/a", "one/b", "two/c", "two/d"]);
    let mut theirs = base.clone();
    theirs.push(("d/new", FILE, b"new\n"));
    assert!(!agree_on(&base, &ours, &theirs));
}

#[test]
fn names_are_quoted_as_git_quotes_them_where_lines_end_in_newlines() {
    let (base, ours, theirs) = (lines(&[]), lines(&[(5, "ours")]), lines(&[(5, "theirs")]));
    let repo = Sandbox::bare();
    for name in ["caf\u{e9}", "tab\\there", "back\\\\slash", "space here", "bell\\007", "del\\177"] {
        let quoted = format!("\"{name}\"");
        let asked = question(
            &repo,
            &[(&quoted, FILE, &base)],
            &[(&quoted, FILE, &ours)],
            &[(&quoted, FILE, &theirs)],
        );
        agree(&repo, &asked);
        let words: Vec<&str> = asked.split(' ').collect();
        let based = format!("--merge-base={}", words[0]);
        let out =
            repo.try_git(&["merge-tree", "--write-tree", "--no-messages", &based, words[2], words[3]]).stdout;
        let found = answers(&repo, &asked, |_, how| how.nul = false);
        assert_eq!(
            format!("0\n{}\n", String::from_utf8_lossy(&out)),
            String::from_utf8_lossy(&found),
            "{name}"
        );
    }
}

#[test]
fn commits_tags_and_branches_stand_for_their_trees() {
    let repo = Sandbox::new();
    let base = repo.commit("base", &[("a", lines(&[]))]);
    repo.commit("ours", &[("a", lines(&[(1, "ours")]))]);
    repo.git(&["tag", "-a", "-m", "a tag", "tagged"]);
    repo.git(&["checkout", "-q", "-b", "theirs", &base]);
    repo.commit("theirs", &[("a", lines(&[(1, "theirs")]))]);
    let answer = agree(&repo, &format!("{base} -- tagged theirs\n{base} -- theirs main\n"));
    assert_eq!(answer.matches('\t').count(), 6);
}

#[test]
fn attributes_come_from_the_work_tree_and_never_from_a_commit() {
    let repo = Sandbox::new();
    let attributes =
        b"*.union merge=union\n*.bin binary\n*.long conflict-marker-size=20\n*.set merge\n*.unset -merge\n";
    repo.write(".gitattributes", attributes);
    let (base, ours, theirs) = (lines(&[]), lines(&[(5, "ours")]), lines(&[(5, "theirs")]));
    let names = ["x.union", "x.bin", "x.long", "x.set", "x.unset", "x.txt"];
    let trees: Vec<Vec<File<'_>>> = [&base, &ours, &theirs]
        .iter()
        .map(|text| names.iter().map(|name| (*name, FILE, text.as_slice())).collect())
        .collect();
    let asked = question(&repo, &trees[0], &trees[1], &trees[2]);
    let answer = agree(&repo, &asked);
    assert!(!answer.contains("x.union") && answer.contains("x.bin"));

    let bare = Sandbox::bare();
    let with_attributes: Vec<Vec<File<'_>>> = trees
        .iter()
        .map(|files| [&[(".gitattributes", FILE, &attributes[..])], files.as_slice()].concat())
        .collect();
    let asked = question(&bare, &with_attributes[0], &with_attributes[1], &with_attributes[2]);
    bare.git(&["update-ref", "refs/heads/main", "made"]);
    assert!(agree(&bare, &asked).contains("x.union"));
    std::fs::create_dir_all(bare.path().join("info")).unwrap();
    std::fs::write(bare.path().join("info/attributes"), attributes).unwrap();
    assert!(!agree(&bare, &asked).contains("x.union"));
}

#[test]
fn options_of_the_strategy_are_gits() {
    let repo = Sandbox::bare();
    let spaced = |word: &'static str| lines(&[(5, word)]);
    let (base, ours, theirs) = (spaced("a b"), spaced("a  b"), spaced("a b c"));
    let base_files = [("a", FILE, base.as_slice()), ("b", FILE, b"\0b"), ("l", LINK, b"l")];
    let our_files = [("a", FILE, ours.as_slice()), ("b", FILE, b"\0o"), ("l", LINK, b"o")];
    let their_files = [("a", FILE, theirs.as_slice()), ("b", FILE, b"\0t"), ("l", LINK, b"t")];
    let asked = question(&repo, &base_files, &our_files, &their_files);
    for option in [
        "ours",
        "theirs",
        "ignore-space-change",
        "ignore-all-space",
        "ignore-space-at-eol",
        "ignore-cr-at-eol",
        "patience",
        "diff-algorithm=myers",
        "diff-algorithm=minimal",
        "find-renames=30%",
        "no-renames",
        "subtree",
        "subtree=d",
    ] {
        let expected = git(&repo, &asked, &["-X", option]);
        let found = answers(&repo, &asked, |options, _| assert!(options.set_strategy_option(option)));
        assert_eq!(String::from_utf8_lossy(&expected), String::from_utf8_lossy(&found), "{option}");
    }
    let unknown = answers(&repo, &asked, |options, _| assert!(!options.set_strategy_option("ours=theirs")));
    assert_eq!(unknown, git(&repo, &asked, &[]));
}

#[test]
fn conflict_styles_are_gits() {
    let repo = Sandbox::bare();
    let ours = lines(&[(4, "both"), (5, "ours"), (6, "end")]);
    let theirs = lines(&[(4, "both"), (5, "theirs"), (6, "end")]);
    let asked = question(&repo, &[("a", FILE, &lines(&[]))], &[("a", FILE, &ours)], &[("a", FILE, &theirs)]);
    for style in ["merge", "diff3", "zdiff3"] {
        repo.git(&["config", "merge.conflictStyle", style]);
        agree(&repo, &asked);
    }
}

mod generated {
    //! Many random triples in one repository.

    use super::*;

    struct Dice(u64);

    impl Dice {
        fn roll(&mut self, sides: usize) -> usize {
            self.0 ^= self.0 >> 12;
            self.0 ^= self.0 << 25;
            self.0 ^= self.0 >> 27;
            (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % sides
        }

        fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
            of[self.roll(of.len())]
        }
    }

    type Tree = std::collections::BTreeMap<String, (&'static str, Vec<u8>)>;

    const NAMES: [&str; 16] = [
        "a", "b", "c", "d/a", "d/b", "d/c", "d/e/a", "d/e/b", "d/e/c", "f/a", "f/b", "f.c", "g/h/i", "g/h/j",
        "k", "d-1",
    ];
    const PLACES: [&str; 12] =
        ["a", "d", "d/a/x", "m", "m/n", "d/e", "d/e/f", "f/a", "g", "g/h", "k/l", "o/p/q"];

    fn content(dice: &mut Dice) -> (&'static str, Vec<u8>) {
        let text: String = (0..3 + dice.roll(12)).map(|_| format!("{}\n", dice.roll(40))).collect();
        match dice.roll(12) {
            0 => (SCRIPT, text.into_bytes()),
            1 => (LINK, format!("to {}", dice.roll(3)).into_bytes()),
            2 => (SUBMODULE, format!("{:040x}", 1 + dice.roll(4)).into_bytes()),
            3 => (FILE, Vec::new()),
            4 => (FILE, [b"\0".as_slice(), text.as_bytes()].concat()),
            _ => (FILE, text.into_bytes()),
        }
    }

    fn is_free(tree: &Tree, path: &str) -> bool {
        let below =
            |a: &str, b: &str| b.strip_prefix(a).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        !tree.keys().any(|known| below(known, path) || below(path, known))
    }

    fn put(tree: &mut Tree, path: &str, entry: (&'static str, Vec<u8>)) {
        if is_free(tree, path) {
            tree.insert(path.to_owned(), entry);
        }
    }

    fn changed(dice: &mut Dice, base: &Tree) -> Tree {
        let mut tree = base.clone();
        for _ in 0..1 + dice.roll(4) {
            let paths: Vec<String> = tree.keys().cloned().collect();
            if paths.is_empty() {
                return tree;
            }
            let path = &paths[dice.roll(paths.len())];
            match dice.roll(8) {
                0 => drop(tree.remove(path)),
                1 => {
                    let name = dice.pick(&NAMES);
                    let entry = content(dice);
                    put(&mut tree, name, entry);
                }
                2 | 3 => {
                    let entry = tree.remove(path).unwrap();
                    let place = dice.pick(&PLACES);
                    let target = format!("{place}/{}", path.rsplit('/').next().unwrap());
                    let target = if is_free(&tree, &target) { target } else { path.clone() };
                    tree.insert(target, entry);
                }
                4 => move_folder(dice, &mut tree),
                5 => {
                    let entry = content(dice);
                    tree.insert(path.clone(), entry);
                }
                _ => edit(dice, tree.get_mut(path).unwrap()),
            }
        }
        tree
    }

    fn edit(dice: &mut Dice, (mode, bytes): &mut (&'static str, Vec<u8>)) {
        if *mode != FILE && *mode != SCRIPT {
            return;
        }
        if dice.roll(6) == 0 {
            *mode = if *mode == FILE { SCRIPT } else { FILE };
        }
        let line = format!("{}\n", dice.roll(40)).into_bytes();
        let ends: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at] == b'\n').map(|at| at + 1).collect();
        let at = if ends.is_empty() { 0 } else { ends[dice.roll(ends.len())] };
        bytes.splice(at..at, line);
    }

    fn move_folder(dice: &mut Dice, tree: &mut Tree) {
        let folders: Vec<String> =
            tree.keys().filter_map(|path| Some(path.rsplit_once('/')?.0.to_owned())).collect();
        if folders.is_empty() {
            return;
        }
        let folder = folders[dice.roll(folders.len())].clone();
        let place = dice.pick(&PLACES);
        let moving: Tree = tree
            .iter()
            .filter(|(path, _)| path.starts_with(&format!("{folder}/")))
            .map(|(p, e)| (p.clone(), e.clone()))
            .collect();
        tree.retain(|path, _| !moving.contains_key(path));
        for (path, entry) in moving {
            let target = format!("{place}{}", &path[folder.len()..]);
            let target = if is_free(tree, &target) { target } else { path };
            put(tree, &target, entry);
        }
    }

    fn compare(seed: u64, count: usize) {
        let repo = Sandbox::bare();
        let mut dice = Dice(seed);
        let mut stream = Vec::new();
        for number in 0..count {
            let mut base = Tree::new();
            for _ in 0..2 + dice.roll(10) {
                let (name, entry) = (dice.pick(&NAMES), content(&mut dice));
                put(&mut base, name, entry);
            }
            let sides = [base.clone(), changed(&mut dice, &base), changed(&mut dice, &base)];
            for (side, tree) in ["base", "ours", "theirs"].iter().zip(&sides) {
                stream.extend(
                    format!("commit refs/c/{number}/{side}\ncommitter A <a@example.com> 1700000000 +0000\ndata 0\ndeleteall\n").bytes(),
                );
                for (path, (mode, bytes)) in tree {
                    if *mode == SUBMODULE {
                        stream
                            .extend(format!("M {mode} {} {path}\n", String::from_utf8_lossy(bytes)).bytes());
                    } else {
                        stream.extend(format!("M {mode} inline {path}\ndata {}\n", bytes.len()).bytes());
                        stream.extend_from_slice(bytes);
                        stream.push(b'\n');
                    }
                }
            }
        }
        repo.git_with_input(&["fast-import", "--quiet", "--force"], &stream);
        let listed = repo.git(&["for-each-ref", "--format=%(tree) %(refname)", "refs/c"]);
        let trees: std::collections::HashMap<&str, &str> =
            listed.lines().filter_map(|line| line.split_once(' ')).map(|(tree, name)| (name, tree)).collect();
        let questions: Vec<String> = (0..count)
            .map(|number| {
                let tree = |side| trees[format!("refs/c/{number}/{side}").as_str()];
                format!("{} -- {} {}\n", tree("base"), tree("ours"), tree("theirs"))
            })
            .collect();
        let expected = git_answers(&repo, &questions);
        for threads in [1, 3] {
            let found = answers(&repo, &questions.concat(), |_, how| how.threads = threads);
            let found = complete_answers(&found);
            assert_eq!(found.len(), count);
            for (number, (expected, found)) in expected.iter().zip(&found).enumerate() {
                if let Some(expected) = expected {
                    assert_eq!(expected, found, "case {number} of seed {seed}: {}", questions[number]);
                }
            }
        }
    }

    /// git's answer to each question; `None` where it dies of an assertion of its own.
    fn git_answers(repo: &Sandbox, questions: &[String]) -> Vec<Option<String>> {
        let mut given: Vec<Option<String>> = Vec::new();
        while given.len() < questions.len() {
            let asked = repo.path().join("asked");
            std::fs::write(&asked, questions[given.len()..].concat()).unwrap();
            let done = repo
                .command("git")
                .args(["merge-tree", "--write-tree", "--stdin", "--no-messages"])
                .stdin(std::fs::File::open(&asked).unwrap())
                .output()
                .unwrap();
            given.extend(complete_answers(&done.stdout).into_iter().map(Some));
            if !done.status.success() {
                given.push(None);
            }
        }
        given
    }

    /// The answers that are there to their end.
    fn complete_answers(bytes: &[u8]) -> Vec<String> {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let mut answers: Vec<String> = text.split("\0\0").map(str::to_owned).collect();
        answers.pop();
        answers
    }

    #[test]
    fn generated_trees_merge_as_git_merges_them() {
        compare(7, 400);
    }

    #[test]
    #[ignore = "minutes: RB_SEED and RB_COUNT choose what is tried"]
    fn many_generated_trees_merge_as_git_merges_them() {
        let number = |name: &str, otherwise| {
            std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
        };
        compare(number("RB_SEED", 1000), number("RB_COUNT", 5000) as usize);
    }
}

/// Two sides that change one line, one of them all line endings too, with attributes that a side adds, changes or has.
#[test]
fn renormalising_takes_the_attributes_at_the_root_from_the_merge_itself() {
    const AUTO: &[u8] = b"* text=auto\n";
    const BINARY: &[u8] = b"* -text\n";
    let repo = Sandbox::new();
    repo.git(&["config", "merge.renormalize", "true"]);
    let side = |attributes: Option<&'static [u8]>, text: &'static str| -> Vec<File> {
        let attributes = attributes.map(|content| (".gitattributes", "100644", content));
        attributes.into_iter().chain([("f", "100644", text.as_bytes())]).collect()
    };
    let mut questions = String::new();
    let choices = [None, Some(AUTO), Some(BINARY)];
    for base in choices {
        for ours in choices {
            for theirs in choices {
                let versions = [
                    side(base, "one\ntwo\nthree\nfour\nfive\n"),
                    side(ours, "ONE\r\ntwo\r\nthree\r\nfour\r\nfive\r\n"),
                    side(theirs, "one\ntwo\nthree\nfour\nFIVE\n"),
                ];
                questions += &question(&repo, &versions[0], &versions[1], &versions[2]);
                questions.push('\n');
            }
        }
    }
    let told = agree(&repo, &questions);
    assert!(["0", "1"].iter().all(|verdict| told.lines().any(|line| line == *verdict)), "{told}");
    repo.write(".gitattributes", BINARY);
    agree(&repo, &questions);
}
