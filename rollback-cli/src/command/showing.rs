//! Showing what changes: counts with every plan, a table or a patch where it is asked for.

use rollback_core::patch::{Diff, DiffDocument, DiffOptions};
use rollback_core::{Error, Plan, Repo};

use crate::args::Showing;
use crate::console::Console;
use crate::progress;
use crate::render::patch::{self, Style};

/// More paths than this are counted only where that is asked for.
const COUNTED: usize = 500;

/// What changes: the files to compare, and their counts.
#[derive(Debug)]
pub(super) struct Shown {
    diff: Diff,
    /// The counts, and the patch where the output is a document.
    pub(super) document: DiffDocument,
}

/// What a plan changes; `None` where nothing of it is chosen, and where it is not asked for and counting would take long.
///
/// # Errors
/// Where it is asked for and an object cannot be read.
pub(super) fn of_plan(
    plan: &Plan,
    args: &Showing,
    repo: &Repo,
    console: &Console,
) -> Result<Option<Shown>, Error> {
    let Some(chosen) = plan.chosen_attempt() else { return Ok(None) };
    let found = || found(repo, args, console, |options| repo.plan_patch(plan, options));
    if args.is_asked_for() {
        return found();
    }
    // What was not asked for costs no fetch and no failure.
    if repo.is_partial_clone() || chosen.paths_touched.len() > COUNTED {
        return Ok(None);
    }
    Ok(found().unwrap_or(None))
}

/// What differs, as `compare` finds it.
///
/// # Errors
/// Those of `compare` and of reading files.
pub(super) fn found(
    repo: &Repo,
    args: &Showing,
    console: &Console,
    compare: impl FnOnce(&DiffOptions) -> Result<Option<Diff>, Error>,
) -> Result<Option<Shown>, Error> {
    progress::during(console, "comparing", || {
        let Some(diff) = compare(&DiffOptions::from_config(repo)?)? else { return Ok(None) };
        let document = diff.document(args.patch && console.json())?;
        Ok(Some(Shown { diff, document }))
    })
}

/// Lets the user's pager show what follows, where a patch is to be read on a terminal.
pub(super) fn begin(shown: Option<&Shown>, args: &Showing, repo: &Repo, console: &mut Console) {
    if shown.is_some() && (args.patch || args.color_words) {
        console.begin_paging(repo);
    }
}

/// Writes the table and the patch, behind what was said before.
///
/// # Errors
/// Where a file cannot be read.
pub(super) fn write(shown: Option<&Shown>, args: &Showing, console: &mut Console) -> Result<(), Error> {
    let Some(shown) = shown.filter(|_| !console.json() && args.is_asked_for()) else { return Ok(()) };
    if args.stat {
        console.tell("\n");
        let columns = console.look().columns;
        console.print(&patch::stat(&shown.document, columns));
    }
    if args.patch || args.color_words {
        console.tell("\n");
        let (style, escaped) = (style(args, console), console.is_terminal());
        patch::write(&shown.diff, style, escaped, |bytes| console.print_patch(bytes))?;
    }
    Ok(())
}

/// Says that what has landed cannot be shown, which is no failure of the landing.
pub(super) fn warn(error: &Error, console: &mut Console) {
    console.complain(&format!("warning: the patch cannot be shown: {error}\n"));
}

fn style(args: &Showing, console: &Console) -> Style {
    match (args.color_words, console.colours()) {
        (true, true) => Style::Words,
        (_, true) => Style::Coloured,
        (_, false) => Style::Exact,
    }
}
