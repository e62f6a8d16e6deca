//! Merges of what no honest repository holds: the engine never panics, never runs a program, and never calls a
//! result clean that git would not.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

use rollback_core::error::ObjectError;
use rollback_core::merge::{Engine, Labels, Merged, Options, ReviewReason, Verdict};
use rollback_core::{Cancel, Error, Repo, TreeId};
use test_kit::{Sandbox, hostile};

fn merge(repo: &Sandbox, trees: [&str; 3]) -> Result<Merged, Error> {
    let opened = crate::opened(repo);
    let options = Options::of_merge_tree(&opened).unwrap();
    merge_with(Engine::new(&opened, options).unwrap(), trees)
}

fn merge_with(mut engine: Engine, trees: [&str; 3]) -> Result<Merged, Error> {
    let [base, ours, theirs] = trees.map(|id| id.parse::<TreeId>().unwrap());
    engine.merge(base, ours, theirs, &Labels::new(trees[0], trees[1], trees[2]))
}

/// The id of the clean tree that git merges to, if it does.
fn git(repo: &Sandbox, [base, ours, theirs]: [&str; 3]) -> Option<String> {
    let based = format!("--merge-base={base}");
    let done = repo.try_git(&["merge-tree", "--write-tree", "--no-messages", &based, ours, theirs]);
    done.status.success().then(|| String::from_utf8_lossy(&done.stdout).trim().to_owned())
}

fn tree(repo: &Sandbox, files: &[(&str, &str)]) -> String {
    let commit = repo.commit("a tree", files);
    let tree = repo.git(&["rev-parse", &format!("{commit}^{{tree}}")]);
    repo.git(&["rm", "-rq", "--cached", "."]);
    tree
}

#[test]
fn malformed_trees_are_never_called_clean_unless_git_agrees() {
    let repo = Sandbox::bare();
    let honest = [("100644", b"a".as_slice(), "one\n"), ("100644", b"b", "two\n"), ("100644", b"c", "c\n")];
    let rows = |files: &[(&'static str, &'static [u8], &str)]| -> Vec<hostile::Row<'static>> {
        files
            .iter()
            .map(|(mode, name, text)| hostile::Row::file(&repo, mode, name, text.as_bytes()))
            .collect()
    };
    let base = hostile::tree(&repo, &rows(&honest));
    let edited = hostile::tree(&repo, &rows(&[honest[0], honest[1], ("100644", b"c", "edited\n")]));
    let mut strange = hostile::malformed(&repo);
    for (name, why) in hostile::NAMES {
        strange.push((why, hostile::tree(&repo, &[hostile::Row::file(&repo, "100644", name, b"x\n")])));
    }
    for (what, id) in &strange {
        let id = id.as_str();
        for trees in [
            [id, &base, &edited],
            [&base, id, &edited],
            [&base, &edited, id],
            [id, &base, id],
            [id, id, &base],
        ] {
            match merge(&repo, trees) {
                Ok(merged) if merged.is_clean() => {
                    assert_eq!(git(&repo, trees), Some(merged.tree_id.to_string()), "{what}: {trees:?}");
                }
                Ok(_) | Err(Error::Object(ObjectError::Corrupt { .. } | ObjectError::Missing { .. })) => {}
                Err(error) => panic!("{what}: {error}"),
            }
        }
    }
}

#[test]
fn a_name_that_is_a_link_and_a_folder_needs_review() {
    let repo = hostile::with_link_and_folder();
    let id = |name: &str| repo.git(&["rev-parse", &format!("{name}^{{tree}}")]);
    let merged = merge(&repo, [&id("main"), &id("hostile"), &id("main")]);
    assert_eq!(merged.unwrap().tree_id.to_string(), id("hostile"), "an untouched side is taken as it is");
    let honest = tree(&repo, &[("honest.txt", "three\n")]);
    let verdict = merge(&repo, [&id("main"), &id("hostile"), &honest]).unwrap().verdict;
    assert!(matches!(verdict, Verdict::NeedsReview(ReviewReason::MalformedTree { .. })), "{verdict:?}");
}

#[test]
fn objects_that_are_no_trees_are_errors_that_name_them() {
    let repo = Sandbox::bare();
    let blob = String::from_utf8(repo.git_with_input(&["hash-object", "-w", "--stdin"], b"blob")).unwrap();
    let (blob, absent) = (blob.trim(), "1".repeat(40));
    let base = hostile::tree(&repo, &[]);
    let other = hostile::tree(&repo, &[hostile::Row::file(&repo, "100644", b"a", b"a")]);
    assert!(
        matches!(merge(&repo, [&base, blob, &other]), Err(Error::Object(ObjectError::Corrupt { id, .. })) if id.to_string() == blob)
    );
    assert!(
        matches!(merge(&repo, [&base, &absent, &other]), Err(Error::Object(ObjectError::Missing { id, .. })) if id.to_string() == absent)
    );
    let garbage =
        repo.git_with_input(&["hash-object", "-t", "tree", "--literally", "-w", "--stdin"], b"100644 cut");
    let garbage = String::from_utf8(garbage).unwrap();
    assert!(matches!(
        merge(&repo, [&base, garbage.trim(), &other]),
        Err(Error::Object(ObjectError::Corrupt { .. }))
    ));
}

#[test]
fn a_missing_blob_fails_only_the_merge_that_needs_it() {
    let repo = Sandbox::new();
    let base = tree(&repo, &[("a", "1\n2\n3\n"), ("b", "b\n")]);
    let ours = tree(&repo, &[("a", "one\n2\n3\n"), ("b", "b\n")]);
    let theirs = tree(&repo, &[("a", "1\n2\nthree\n"), ("b", "b\n")]);
    let elsewhere = tree(&repo, &[("a", "1\n2\n3\n"), ("b", "other\n")]);
    let lost = repo.git(&["rev-parse", &format!("{ours}:a")]);
    std::fs::remove_file(repo.path().join(".git/objects").join(&lost[..2]).join(&lost[2..])).unwrap();
    let merged = merge(&repo, [&base, &ours, &elsewhere]).unwrap();
    assert!(merged.is_clean());
    let failed = merge(&repo, [&base, &ours, &theirs]);
    assert!(matches!(failed, Err(Error::Object(ObjectError::Missing { id, .. })) if id.to_string() == lost));
}

#[test]
fn a_merge_driver_is_never_run() {
    let repo = Sandbox::new();
    let base = tree(&repo, &[("a.x", "1\n"), ("b", "b\n")]);
    let ours = tree(&repo, &[("a.x", "2\n"), ("b", "b\n")]);
    let theirs = tree(&repo, &[("a.x", "3\n"), ("b", "b\n")]);
    let elsewhere = tree(&repo, &[("a.x", "1\n"), ("b", "other\n")]);
    repo.write(".gitattributes", "*.x merge=mine\n");
    repo.git(&["config", "merge.mine.driver", "touch ran; exit 0"]);
    let verdict = merge(&repo, [&base, &ours, &theirs]).unwrap().verdict;
    let Verdict::NeedsReview(ReviewReason::MergeDriver { path, driver }) = verdict else {
        panic!("{verdict:?}")
    };
    assert_eq!((path.as_bytes(), driver.as_str()), (&b"a.x"[..], "mine"));
    assert!(merge(&repo, [&base, &ours, &elsewhere]).unwrap().is_clean(), "only where it would be asked");
    assert!(!repo.path().join("ran").exists());
}

#[test]
fn folders_of_any_depth_end_in_an_answer() {
    let repo = Sandbox::bare();
    let nested = |text: &str, depth: usize| {
        let stream = format!(
            "commit refs/heads/deep\ncommitter A <a@example.com> 1700000000 +0000\ndata 0\ndeleteall\nM 644 inline {}f\ndata {}\n{text}\n",
            "d/".repeat(depth),
            text.len(),
        );
        repo.git_with_input(&["fast-import", "--quiet", "--force"], stream.as_bytes());
        repo.git(&["rev-parse", "deep^{tree}"])
    };
    let [base, ours, theirs] = ["1\n", "2\n", "3\n"].map(|text| nested(text, 2000));
    assert_eq!(merge(&repo, [&base, &ours, &theirs]).unwrap().verdict, Verdict::Conflicted);
    let [base, ours, theirs] = ["1\n", "2\n", "3\n"].map(|text| nested(text, 2100));
    let verdict = merge(&repo, [&base, &ours, &theirs]).unwrap().verdict;
    assert!(matches!(verdict, Verdict::NeedsReview(ReviewReason::MalformedTree { .. })), "{verdict:?}");
}

#[test]
fn a_cancelled_merge_says_so() {
    let repo = Sandbox::new();
    let base = tree(&repo, &[("a", "1\n")]);
    let ours = tree(&repo, &[("a", "2\n")]);
    let theirs = tree(&repo, &[("a", "3\n")]);
    let cancel = Cancel::new();
    let opened = Repo::discover(repo.path()).unwrap().cancelled_by(cancel.clone());
    let engine = Engine::new(&opened, Options::default()).unwrap();
    cancel.cancel();
    assert!(matches!(merge_with(engine, [&base, &ours, &theirs]), Err(Error::Cancelled)));
}
