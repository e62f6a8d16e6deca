//! Files that are too large for memory: written in pieces, or refused by name before anything is.

use super::kit::*;
use crate::error::{Error, WorkTreeError};

const LARGE: usize = 300_000;

/// Both limits far below the large file, which `git` and `rb` are told alike.
fn limit(sandbox: &Sandbox) {
    sandbox.git(&["config", "core.bigFileThreshold", "64k"]);
    sandbox.git(&["config", "rb.blobLimit", "64k"]);
}

/// Bytes that do not compress.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 1u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..length).map(|_| next()).collect()
}

/// The second commit removes a large file; its revert brings it back.
fn removed(content: Vec<u8>) -> Sandbox {
    let sandbox = Sandbox::new();
    limit(&sandbox);
    sandbox.write("large", content).write("small", "one\n").chmod("large", 0o755).commit("first");
    sandbox.remove("large").write("small", "two\n").commit("second");
    sandbox
}

#[test]
fn large_files_that_are_stored_whole_land_as_git_writes_them() {
    for content in [vec![0; LARGE], noise(LARGE)] {
        let loose = removed(content);
        let packed = loose.twin();
        packed.git(&["repack", "-a", "-d", "-q"]);
        assert_lands_like_git(&loose);
        assert_lands_like_git(&packed);
    }
}

#[test]
fn large_files_of_an_alternate_land_too() {
    let first = removed(noise(LARGE));
    let second = first.sibling("second");
    first.git(&["clone", "-q", "--shared", ".", "../second"]);
    limit(&second);
    assert_lands_like_git(&second);
}

fn assert_too_large(sandbox: &Sandbox) {
    let twin = sandbox.twin();
    twin.git(&["revert", "--no-edit", "HEAD"]);
    match assert_refused(sandbox, &landing_like(sandbox, &twin)) {
        Error::TooLarge { what, size, limit } => {
            assert_eq!((what.as_str(), size, limit), ("large", LARGE as u64, 64 << 10));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn large_files_that_are_converted_are_refused_before_anything_is_written() {
    for attributes in ["large text eol=crlf\n", "large ident\n", "large working-tree-encoding=ISO-8859-1\n"] {
        let sandbox = Sandbox::new();
        limit(&sandbox);
        sandbox.write(".gitattributes", attributes).write("large", vec![b'a'; LARGE]).commit("first");
        sandbox.remove("large").commit("second");
        assert_too_large(&sandbox);
    }
}

#[test]
fn large_files_that_are_stored_as_deltas_are_refused_before_anything_is_written() {
    let sandbox = Sandbox::new();
    let content = noise(LARGE);
    sandbox.write("large", &content).commit("first");
    sandbox.write("large", [content.as_slice(), b"more"].concat()).commit("second");
    sandbox.git(&["repack", "-a", "-d", "-q", "-f"]);
    let delta = sandbox.git(&["rev-parse", "HEAD~1:large"]);
    let packs = sandbox.path(".git/objects/pack");
    let index = std::fs::read_dir(packs)
        .unwrap()
        .map(|row| row.unwrap().path())
        .find(|path| path.extension().is_some_and(|extension| extension == "idx"))
        .unwrap();
    let listed = sandbox.git(&["verify-pack", "-v", index.to_str().unwrap()]);
    let row = listed.lines().find(|row| row.starts_with(&delta)).unwrap();
    assert_eq!(row.split_whitespace().count(), 7, "a delta, with its depth and its base: {row}");
    limit(&sandbox);
    assert_too_large(&sandbox);
}

#[test]
fn a_large_file_that_was_edited_is_refused_as_edited() {
    let sandbox = Sandbox::new();
    limit(&sandbox);
    sandbox.write("large", vec![0; LARGE]).commit("first");
    sandbox.write("large", vec![1; LARGE]).commit("second");
    let twin = sandbox.twin();
    twin.git(&["revert", "--no-edit", "HEAD"]);
    let landing = landing_like(&sandbox, &twin);
    sandbox.write("large", vec![2; LARGE]);
    assert!(matches!(assert_refused(&sandbox, &landing), Error::WorkTree(WorkTreeError::InTheWay { .. })));
}
