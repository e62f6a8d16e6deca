//! The identity of a patch: what a change does to lines, wherever it lands.
//!
//! Two changes have one identity where `git patch-id` gives them one id: the same paths, and the same lines taken away, put in
//! and standing around them, white space and line numbers aside. Modes of files count as well.

use crate::content::is_space;
use crate::error::Result;
use crate::history::{PathChange, paths_between};
use crate::id::{Entry, TreeId};
use crate::merge::looks_binary;
use crate::patch::{Hunk, LineKind};
use crate::repo::{Objects, sha256};

/// How many unchanged lines around a change belong to it.
const CONTEXT: usize = 3;

/// The identity of what leads from the tree `before` to the tree `after`; `None` where nothing differs.
///
/// # Errors
/// Those of reading trees and blobs.
pub(super) fn patch_identity(objects: &Objects, before: TreeId, after: TreeId) -> Result<Option<String>> {
    let changes = paths_between(objects, before, after)?;
    let mut all = Vec::new();
    for change in &changes {
        all.extend(identity_of(objects, change)?);
    }
    Ok((!changes.is_empty()).then(|| sha256(&all)))
}

fn identity_of(objects: &Objects, change: &PathChange) -> Result<Vec<u8>> {
    let mode = |entry: Option<Entry>| entry.map_or_else(String::new, |entry| entry.mode.to_string());
    let mut text = change.path.as_bytes().to_vec();
    text.extend(format!("\0{}\0{}\0", mode(change.before), mode(change.after)).into_bytes());
    let sides = [change.before, change.after];
    let is_text = |entry: &Option<Entry>| entry.is_none_or(|entry| entry.mode.is_file());
    let contents = match sides.iter().all(is_text) {
        true => Some([content(objects, change.before)?, content(objects, change.after)?]),
        false => None,
    };
    match contents {
        Some([before, after]) if !looks_binary(&before) && !looks_binary(&after) => {
            text.extend(hunks(&before, &after));
        }
        _ => {
            let id = |entry: &Option<Entry>| entry.map_or_else(String::new, |entry| entry.id.to_string());
            text.extend(sides.iter().map(id).collect::<Vec<_>>().join(" ").into_bytes());
        }
    }
    text.push(0);
    Ok(text)
}

fn content(objects: &Objects, entry: Option<Entry>) -> Result<Vec<u8>> {
    entry.map_or_else(|| Ok(Vec::new()), |entry| objects.blob(entry.id))
}

/// The lines of the diff without white space; where they stand does not count.
fn hunks(before: &[u8], after: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    for line in Hunk::between(before, after, CONTEXT).iter().flat_map(|hunk| &hunk.lines) {
        match line.kind {
            LineKind::Old => text.push(b'-'),
            LineKind::New => text.push(b'+'),
            LineKind::Context => {}
        }
        text.extend(line.text.iter().filter(|byte| !is_space(**byte)));
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use test_kit::Sandbox;

    use super::*;
    use crate::repo::Repo;

    /// Commits on branches of their own, each a patch on a start that differs elsewhere, near by, or not at all.
    fn patches() -> Sandbox {
        let lines = |marks: &[(usize, &str)]| -> String {
            let mark = |at| marks.iter().find(|(line, _)| *line == at).map(|(_, text)| (*text).to_owned());
            (1..=40).map(|at| mark(at).unwrap_or_else(|| format!("line {at}")) + "\n").collect()
        };
        let sandbox = Sandbox::new();
        sandbox.commit("start", &[("f", lines(&[])), ("g", "g\n".into()), ("bin", "\0a".into())]);
        let mut number = 0;
        for near in [0, 12, 30] {
            let start = if near == 0 { vec![] } else { vec![(near, "edited")] };
            for what in ["ten", "ten ", "\tten", "ten\u{c}", "TEN", "two", "gone", "new", "binary", "other"] {
                number += 1;
                sandbox.git(&["switch", "-q", "--detach", "main"]);
                sandbox.commit(&format!("start {number}"), &[("f", lines(&start))]);
                let changed = |at, text| lines(&[start.clone(), vec![(at, text)]].concat());
                match what {
                    "two" => drop(sandbox.commit(what, &[("f", changed(10, "x")), ("g", "G\n".into())])),
                    "gone" => {
                        sandbox.git(&["rm", "-q", "g"]);
                        sandbox.commit_index(b"gone\n");
                    }
                    "new" => drop(sandbox.commit(what, &[("n", "new\n")])),
                    "binary" => drop(sandbox.commit(what, &[("bin", "\0b")])),
                    "other" => drop(sandbox.commit(what, &[("f", changed(20, "x"))])),
                    text => drop(sandbox.commit(what, &[("f", changed(10, text))])),
                }
                sandbox.git(&["tag", &format!("patch-{number}")]);
            }
        }
        sandbox
    }

    #[test]
    fn patches_are_the_same_where_git_gives_them_one_id() {
        let sandbox = patches();
        let repo = Repo::discover(sandbox.path()).expect("it is a repository");
        let objects = repo.objects();
        let tree = |name: &str| repo.tree_of_commit(repo.resolve_commit(name).unwrap()).unwrap();
        let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut of_git: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for tag in sandbox.git(&["tag", "-l", "patch-*"]).lines() {
            let own = patch_identity(&objects, tree(&format!("{tag}^")), tree(tag)).unwrap().unwrap();
            let patch = sandbox.git_bytes(&["show", "--no-renames", "--binary", "--full-index", tag]);
            let id = sandbox.git_with_input(&["patch-id", "--stable"], &patch);
            let id = String::from_utf8_lossy(&id).split(' ').next().unwrap_or_default().to_owned();
            groups.entry(own).or_default().push(tag.to_owned());
            of_git.entry(id).or_default().push(tag.to_owned());
        }
        let sorted = |groups: BTreeMap<String, Vec<String>>| {
            let mut groups: Vec<_> = groups.into_values().collect();
            groups.sort();
            groups
        };
        let (groups, of_git) = (sorted(groups), sorted(of_git));
        assert_eq!(groups, of_git);
        assert!(groups.len() > 7 && groups.iter().any(|group| group.len() > 4), "{groups:?}");
        assert_eq!(patch_identity(&objects, tree("main"), tree("main")).unwrap(), None);
    }
}
