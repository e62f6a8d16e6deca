//! Merges over raw object graphs: trees with any names and modes, sorted or not, over blobs, other trees and nothing.
//! Nothing panics, and a side that did not change leaves the other as it is.

#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use rollback_core::merge::raw::Graph;
use rollback_core::merge::{Labels, Options};
use rollback_core::{ObjectId, Repo, TreeId};

/// Modes that occur, and modes that should not.
const MODES: [&str; 10] = ["100644", "100755", "120000", "160000", "40000", "040000", "100664", "0", "7", "99"];

thread_local! {
    static REPO: (tempfile::TempDir, Repo) = {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let repo = empty(folder.path());
        (folder, repo)
    };
}

/// An empty bare repository, made without git.
fn empty(folder: &Path) -> Repo {
    for name in ["objects/info", "objects/pack", "refs/heads"] {
        std::fs::create_dir_all(folder.join(name)).expect("a writable folder");
    }
    std::fs::write(folder.join("HEAD"), "ref: refs/heads/main\n").expect("a writable folder");
    let config = "[core]\n\tbare = true\n\trepositoryformatversion = 0\n";
    std::fs::write(folder.join("config"), config).expect("a writable folder");
    Repo::discover(folder).expect("a repository")
}

/// A blob, or the rows of a tree: mode, name, and which of the objects before it.
#[derive(Debug, arbitrary::Arbitrary)]
enum Object {
    Blob(Vec<u8>),
    Tree(Vec<(u8, Vec<u8>, u8)>),
    Raw(Vec<u8>),
}

fuzz_target!(|objects: Vec<Object>| {
    REPO.with(|(_, repo)| {
        let graph = Graph::new(repo);
        let mut ids: Vec<ObjectId> = vec![graph.blob(b"").expect("a blob")];
        let mut trees: Vec<TreeId> = Vec::new();
        for object in &objects {
            let id = match object {
                Object::Blob(bytes) => graph.blob(bytes),
                Object::Raw(bytes) => graph.tree(bytes),
                Object::Tree(rows) => graph.tree(&spell(rows, &ids)),
            };
            let Ok(id) = id else { return };
            ids.push(id);
            if !matches!(object, Object::Blob(_)) {
                trees.push(TreeId::from(id));
            }
        }
        let [.., base, ours, theirs] = trees[..] else { return };
        let mut engine = graph.engine(Options::default()).expect("attributes can be read");
        let labels = Labels::new("base", "ours", "theirs");
        let _ = engine.merge(base, ours, theirs, &labels);
        if let Ok(merged) = engine.merge(base, ours, base, &labels) {
            let kept = engine.merge(ours, ours, ours, &labels).expect("it was read before");
            assert!(!merged.is_clean() || !kept.is_clean() || merged.tree_id == kept.tree_id);
        }
    });
});

fn spell(rows: &[(u8, Vec<u8>, u8)], ids: &[ObjectId]) -> Vec<u8> {
    let mut raw = Vec::new();
    for (mode, name, object) in rows {
        raw.extend_from_slice(MODES[usize::from(*mode) % MODES.len()].as_bytes());
        raw.push(b' ');
        raw.extend(name.iter().filter(|byte| **byte != 0));
        raw.push(0);
        raw.extend_from_slice(ids[usize::from(*object) % ids.len()].as_bytes());
    }
    raw
}
