//! Checkpoints for people.

use rollback_core::checkpoint::{Checkpoint, OutsideKind, Restored, Verified};
use rollback_core::receipt::OutcomeKind;
use rollback_core::{Repo, RepoPath};

use super::operations::moment;
use super::{Look, short_reference};
use crate::terminal::style::{Palette, paint};
use crate::terminal::text;

/// What was kept.
pub(crate) fn created(checkpoint: &Checkpoint, repo: &Repo, again: &str, look: Look) -> String {
    let mut said = format!(
        "Kept: checkpoint {} at {}{}.\n",
        name(checkpoint),
        repo.abbreviation(checkpoint.commit_id),
        contents(checkpoint)
    );
    said.push_str(&left_out(checkpoint, look));
    said.push_str(&format!("next: come back to it with: {}\n", paint(Palette::COMMAND, again)));
    said
}

/// The checkpoints, a line each.
pub(crate) fn list(found: &[Checkpoint], repo: &Repo, _: Look) -> String {
    if found.is_empty() {
        return "There are no checkpoints.\n".to_owned();
    }
    let mut said = String::new();
    for checkpoint in found {
        said.push_str(&format!(
            "{}  {}  {}{}{}\n",
            name(checkpoint),
            moment(checkpoint.time),
            repo.abbreviation(checkpoint.commit_id),
            contents(checkpoint),
            checkpoint.message.as_ref().map(|said| format!("  {}", text::escape(said))).unwrap_or_default()
        ));
    }
    said
}

/// One checkpoint, in full.
pub(crate) fn show(checkpoint: &Checkpoint, repo: &Repo, look: Look) -> String {
    let mut said = format!(
        "checkpoint {}\nmade {}, on {} at {}\n",
        name(checkpoint),
        moment(checkpoint.time),
        short_reference(&checkpoint.head.to_string()),
        repo.abbreviation(checkpoint.commit_id)
    );
    if let Some(operation) = &checkpoint.operation {
        said.push_str(&format!("in the middle of {}\n", text::escape(operation)));
    }
    if let Some(message) = &checkpoint.message {
        said.push_str(&format!("{}\n", text::escape(message)));
    }
    if let Some(part) = &checkpoint.work_tree {
        said.push_str(&format!(
            "work tree: {} files, {} of them not tracked\nindex: {} entries, {} paths in conflict\n",
            part.files, part.untracked, part.index_entries, part.conflicts
        ));
        said.push_str(&paths("ignored and taken along", &part.ignored, look));
    }
    for part in &checkpoint.outside {
        let bytes: u64 = part.entries.iter().map(|entry| size(&entry.kind)).sum();
        said.push_str(&format!(
            "outside: {} ({} entries, {bytes} bytes)\n",
            text::path(&part.path),
            part.entries.len()
        ));
    }
    said.push_str(&left_out(checkpoint, look));
    said
}

/// Whether it could be restored.
pub(crate) fn verified(checkpoint: &Checkpoint, verified: &Verified, _: Look) -> String {
    if verified.problems.is_empty() {
        return format!(
            "checkpoint {} is sound: {} files, {} objects read, {} bytes\n",
            name(checkpoint),
            verified.files,
            verified.objects,
            verified.bytes
        );
    }
    let mut said = format!("checkpoint {} is {}:\n", name(checkpoint), paint(Palette::ERROR, "damaged"));
    for problem in &verified.problems {
        said.push_str(&format!("  {}\n", text::escape(problem)));
    }
    said
}

/// What was restored, or would be.
pub(crate) fn restored(restored: &Restored, dry_run: bool, look: Look) -> String {
    let checkpoint = name(&restored.checkpoint);
    if restored.kind == OutcomeKind::NothingToDo {
        return format!("Nothing to do: the state is that of checkpoint {checkpoint}.\n");
    }
    let mut said = match dry_run {
        true => format!("Would restore checkpoint {checkpoint}; nothing was changed.\n"),
        false => format!("Restored: checkpoint {checkpoint}.\n"),
    };
    said.push_str(&paths("written", &restored.written, look));
    said.push_str(&paths("removed", &restored.removed, look));
    if restored.index_changed {
        said.push_str("  the index is as it was\n");
    }
    if let Some(operation) = &restored.operation_put_aside {
        said.push_str(&format!("  put aside: {}, as it was in progress\n", text::escape(operation)));
    }
    if let Some(operation) = &restored.operation {
        said.push_str(&format!("  in progress again: {}\n", text::escape(operation)));
    }
    if let Some(reference) = &restored.reference {
        said.push_str(&format!("  {} moves back\n", short_reference(&reference.to_string())));
    }
    said.push_str(&paths("put back outside the repository", &restored.outside, look));
    said
}

/// What may follow.
pub(crate) fn after_restoring(restored: &Restored, dry_run: bool, with_outside: &str, undo: &str) -> String {
    let mut said = String::new();
    if !restored.outside_left.is_empty() {
        let list: Vec<_> = restored.outside_left.iter().map(text::path).collect();
        said.push_str(&format!(
            "note: outside the repository these differ and were left as they are: {}\n      put them back with: {}\n",
            list.join(", "),
            paint(Palette::COMMAND, with_outside)
        ));
    }
    if let Some(before) = restored.before.as_ref().filter(|_| !dry_run) {
        said.push_str(&format!("What was there before is kept as checkpoint {}.\n", name(before)));
        said.push_str(&format!("next: take it back with: {}\n", paint(Palette::COMMAND, undo)));
    }
    said
}

/// What is forgotten.
pub(crate) fn dropped(found: &[Checkpoint]) -> String {
    found.iter().map(|checkpoint| format!("Dropped: checkpoint {}.\n", name(checkpoint))).collect()
}

fn name(checkpoint: &Checkpoint) -> String {
    paint(Palette::ID, text::escape(&checkpoint.full_name()))
}

fn contents(checkpoint: &Checkpoint) -> String {
    let mut said = match &checkpoint.work_tree {
        Some(part) => format!(", {} ({} not tracked)", text::count(part.files, "file"), part.untracked),
        None => String::new(),
    };
    if let Some(operation) = &checkpoint.operation {
        said.push_str(&format!(", in the middle of {}", text::escape(operation)));
    }
    if !checkpoint.outside.is_empty() {
        said.push_str(&format!(", {} outside", checkpoint.outside.len()));
    }
    said
}

fn left_out(checkpoint: &Checkpoint, look: Look) -> String {
    let skipped = checkpoint.work_tree.iter().flat_map(|part| &part.skipped);
    let rows: Vec<_> = skipped
        .map(|skipped| {
            format!("  left out: {} ({})\n", text::path(&skipped.path), text::escape(&skipped.why))
        })
        .collect();
    let shown = look.shown(12);
    let mut said: String = rows.iter().take(shown).map(String::as_str).collect();
    if rows.len() > shown {
        said.push_str(&format!("  and {} more left out (-v shows all)\n", rows.len() - shown));
    }
    said
}

fn paths(what: &str, paths: &[RepoPath], look: Look) -> String {
    let shown = look.shown(12);
    let mut said: String =
        paths.iter().take(shown).map(|path| format!("  {what}: {}\n", text::path(path))).collect();
    if paths.len() > shown {
        said.push_str(&format!("  {what}: {} more (-v shows all)\n", paths.len() - shown));
    }
    said
}

fn size(kind: &OutsideKind) -> u64 {
    match kind {
        OutsideKind::File { size, .. } => *size,
        _ => 0,
    }
}
