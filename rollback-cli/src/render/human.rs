//! Plans and receipts for people: what was found, the ways back, what changes, what is lost, what to
//! type next.

use std::slice;

use rollback_core::conflict::ConflictKind;
use rollback_core::hooks::{HookResult, HookRun};
use rollback_core::plan::{
    Attempt, AttemptResult, CulpritSummary, Dependent, DependentReason, LossClass, Note, NoteKind,
};
use rollback_core::receipt::{Outcome, OutcomeKind, Recovery};
use rollback_core::{CommitId, Plan, RepoPath, Target};

use super::{Commits, Look, changes, checks, day, graph, ladder, short_reference, stopped};
use crate::terminal::style::{Palette, paint};
use crate::terminal::text::{self, count};

/// How the view ends.
#[derive(Clone, Debug)]
pub(crate) enum Ending<'a> {
    /// It goes on: a question or an error follows.
    None,
    /// Nothing was written on purpose.
    DryRun {
        /// How the plan can be landed; nothing where it would be refused.
        land_with: Option<LandWith>,
    },
    /// The plan was to land, and this is what happened.
    Landed(&'a Outcome),
}

/// How a plan can be landed.
#[derive(Clone, Debug)]
pub(crate) struct LandWith {
    /// The command.
    pub(crate) command: String,
    /// What it gives consent to.
    pub(crate) needs: Option<&'static str>,
}

/// A plan and what became of it.
pub(crate) fn plan(plan: &Plan, commits: &Commits, look: Look, ending: Ending<'_>) -> String {
    let view = PlanView { plan, commits, look };
    let landed = match &ending {
        Ending::Landed(outcome) => Some(*outcome),
        _ => None,
    };
    let sections = [
        view.headline(),
        graph::render(plan, landed, commits, look),
        view.ways(),
        view.conflicts(),
        view.dependents(),
        checks::render(plan, look),
        view.changes(&ending),
        view.loss(),
        view.message(&ending),
        view.notes(&ending),
        view.ending(ending),
    ];
    let mut text = String::new();
    for section in sections.iter().filter(|section| !section.is_empty()) {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(section);
    }
    text
}

/// What became of a plan that has been shown already.
pub(crate) fn outcome(plan: &Plan, outcome: &Outcome, commits: &Commits, look: Look) -> String {
    PlanView { plan, commits, look }.landed(outcome)
}

struct PlanView<'a> {
    plan: &'a Plan,
    commits: &'a Commits,
    look: Look,
}

impl PlanView<'_> {
    fn headline(&self) -> String {
        let target = &self.plan.target;
        match (&target.culprit, target.kind.as_str()) {
            (Some(culprit), _) => self.culprit(culprit),
            (None, "paths") => format!("{} is as it was before it was changed\n", self.names(&target.paths)),
            (None, "restore") => self.restore(),
            (None, "to") => self.back_to(),
            (None, "pick") => self.replaying(&target.commits),
            (None, _) => self.undoing(&target.commits),
        }
    }

    fn culprit(&self, culprit: &CulpritSummary) -> String {
        let id = paint(Palette::ID, self.commits.short(culprit.commit_id));
        let plural = if self.plan.target.paths.len() > 1 { "were" } else { "was" };
        let mut text = format!(
            "{} {plural} {} by {id} ({}, {})\n",
            self.names(&self.plan.target.paths),
            paint(Palette::HEADING, culprit.change),
            text::escape(&culprit.author),
            day(culprit.time),
        );
        text.push_str(&format!("    {}\n", text::escape(&culprit.subject)));
        let mut facts = vec![format!("touches {}", count(culprit.paths_touched, "path"))];
        if culprit.parents.len() > 1 {
            facts.push(format!("is a merge of {} parents", culprit.parents.len()));
        }
        if let Some(merge) = culprit.introduced_by {
            facts.push(format!("came in through the merge {}", self.commits.short(merge)));
        }
        if !culprit.further_changes.is_empty() {
            facts.push(format!(
                "{} to the path since",
                count(culprit.further_changes.len(), "further change")
            ));
        }
        text.push_str(&format!("    {}\n", paint(Palette::QUIET, facts.join(", "))));
        text
    }

    fn restore(&self) -> String {
        let source = self
            .plan
            .chosen_attempt()
            .or_else(|| self.plan.attempts.first())
            .and_then(|attempt| attempt.from);
        let from = match source {
            Some(id) => format!(" from {}", self.reference(id)),
            None => String::new(),
        };
        format!("restoring {}{from}\n", self.names(&self.plan.target.paths))
    }

    /// Where the branch is brought back to, and what that takes back; the graph names each.
    fn back_to(&self) -> String {
        let target = &self.plan.target;
        let what = match target.paths.as_slice() {
            [] => short_reference(&self.plan.tip.reference),
            paths => self.names(paths),
        };
        let state = target.back_to.map(|id| self.reference(id)).unwrap_or_default();
        format!(
            "bringing {what} back to {state}, which takes back {}\n",
            count(target.commits.len(), "commit")
        )
    }

    /// What is undone; of several commits the graph names each.
    fn undoing(&self, ids: &[CommitId]) -> String {
        match ids {
            [id] => format!("undoing {}{}\n", self.reference(*id), self.only_paths()),
            ids => format!("undoing {}{}\n", count(ids.len(), "commit"), self.only_paths()),
        }
    }

    /// What is replayed. It need not be in the history of the tip, so it is listed and not drawn.
    fn replaying(&self, ids: &[CommitId]) -> String {
        if let [id] = ids {
            return format!("replaying {}{}\n", self.reference(*id), self.only_paths());
        }
        let shown = self.look.shown(8);
        let mut text = format!("replaying {}{}\n", count(ids.len(), "commit"), self.only_paths());
        for id in ids.iter().take(shown) {
            text.push_str(&format!("    {}\n", self.reference(*id)));
        }
        text.push_str(&more(ids.len(), shown, "    "));
        text
    }

    fn only_paths(&self) -> String {
        match self.plan.target.paths.as_slice() {
            [] => String::new(),
            paths => format!(", only in {}", self.names(paths)),
        }
    }

    fn ways(&self) -> String {
        if self.plan.attempts.is_empty() {
            return String::new();
        }
        format!(
            "{}\n{}",
            paint(Palette::HEADING, if self.plan.target.kind == "pick" { "Ways" } else { "Ways back" }),
            ladder::render(self.plan, self.commits, self.look)
        )
    }

    /// The conflicts of the last rung that has some, unless another one is taken.
    fn conflicts(&self) -> String {
        let with_conflicts = |attempt: &&Attempt| !attempt.conflicts.is_empty();
        let last = || self.plan.attempts.iter().rev().find(with_conflicts);
        let stop = self.plan.stops_at();
        let Some(attempt) = stop.or_else(|| last().filter(|_| self.plan.chosen.is_none())) else {
            return String::new();
        };
        let shown = self.look.shown(12);
        let mut text = format!("{}\n", paint(Palette::HEADING, format!("Conflicts of {}", attempt.strategy)));
        for conflict in attempt.conflicts.iter().take(shown) {
            text.push_str(&format!(
                "  {} {}: {}\n",
                paint(Palette::BAD, self.look.signs.no),
                text::path(&conflict.path),
                explain(conflict.kind)
            ));
        }
        text.push_str(&more(attempt.conflicts.len(), shown, "  "));
        text.push_str(stopped::hunks(&attempt.hunks, self.look).trim_end_matches('\n'));
        format!("{}\n", text.trim_end_matches('\n'))
    }

    /// The later commits that keep the first conflicted rung from being taken, unless they are named as a loss.
    fn dependents(&self) -> String {
        let in_the_way = |attempt: &&Attempt| {
            !attempt.conflicts.is_empty() && attempt.dependents.as_ref().is_some_and(|ids| !ids.is_empty())
        };
        let Some(attempt) = self.plan.attempts.iter().find(in_the_way) else {
            return String::new();
        };
        let ids = attempt.dependents.as_deref().unwrap_or_default();
        let discards = self.plan.chosen_attempt().map_or(&[][..], |chosen| &chosen.loss.discards);
        if ids.len() == discards.len() && ids.iter().all(|id| discards.contains(id)) {
            return String::new();
        }
        let heading = paint(Palette::HEADING, format!("In the way of {}", attempt.strategy));
        let shown = self.look.shown(8);
        let mut text = format!("{heading}{}\n", self.way_around(attempt));
        for (nth, id) in ids.iter().take(shown).enumerate() {
            let place = attempt.dependent_on.get(nth).map(|one| self.place(one, attempt)).unwrap_or_default();
            text.push_str(&format!("  {}{place}\n", self.reference(*id)));
        }
        text.push_str(&more(ids.len(), shown, "  "));
        text
    }

    /// Where a later commit is in the way, and of what where that is another than the change.
    fn place(&self, one: &Dependent, attempt: &Attempt) -> String {
        let path = &one.path;
        let place = match (one.reason, one.first_line, one.last_line) {
            (DependentReason::Lines, Some(first), Some(last)) if first < last => {
                format!("{path}:{first}-{last}")
            }
            (DependentReason::Lines, Some(line), _) => format!("{path}:{line}"),
            (DependentReason::Modifies, ..) => format!("changed {path}"),
            (DependentReason::Deletes, ..) => format!("deleted or moved {path}"),
            _ => format!("touched {path}"),
        };
        let of = match Some(one.blocks) == attempt.commit_id {
            true => String::new(),
            false => format!(", in the way of {}", self.commits.short(one.blocks)),
        };
        paint(Palette::QUIET, format!("  ({place}{of})"))
    }

    /// How the commits in the way could be undone too, where that was tried, is clean, and was not asked for yet.
    fn way_around(&self, attempt: &Attempt) -> String {
        let named = matches!(self.plan.request.target, Target::Commits(_));
        let is_clean = attempt.with_dependents == Some(AttemptResult::Clean);
        if !named || !is_clean || self.plan.request.options.with_dependents {
            return String::new();
        }
        paint(Palette::QUIET, " (--with-dependents undoes them too)")
    }

    /// The way around a loss: only what is in the way is undone, by commits of its own.
    fn way_around_loss(&self, attempt: &Attempt) -> String {
        let only = match attempt.dependents.as_deref().unwrap_or_default() {
            [id] => self.commits.short(*id),
            ids => format!("{} of them", ids.len()),
        };
        match self.way_around(attempt).is_empty() {
            true => String::new(),
            false => paint(Palette::QUIET, format!(" (--with-dependents undoes only {only})")),
        }
    }

    /// Commits, one a line.
    fn list(&self, ids: &[CommitId], usual: usize) -> String {
        let shown = self.look.shown(usual);
        let mut text: String =
            ids.iter().take(shown).map(|id| format!("  {}\n", self.reference(*id))).collect();
        text.push_str(&more(ids.len(), shown, "  "));
        text
    }

    fn changes(&self, ending: &Ending<'_>) -> String {
        let Some(chosen) = self.plan.chosen_attempt() else {
            return String::new();
        };
        let heading = match ending {
            Ending::Landed(outcome) if outcome.kind == OutcomeKind::NothingToDo => return String::new(),
            Ending::Landed(_) => "Changed",
            Ending::None | Ending::DryRun { .. } => "Would change",
        };
        format!(
            "{} {}",
            paint(Palette::HEADING, heading),
            changes::render(chosen, self.plan.diff.as_ref(), self.look)
        )
    }

    fn loss(&self) -> String {
        let Some(chosen) = self.plan.chosen_attempt() else {
            return String::new();
        };
        let discards = &chosen.loss.discards;
        if chosen.loss.class != LossClass::Snapshot || discards.is_empty() {
            return String::new();
        }
        let heading = format!(
            "Discards what {} did to {}",
            count(discards.len(), "later commit"),
            ladder::few(&chosen.paths_touched)
        );
        let heading = paint(Palette::WARN, heading);
        let stuck = self.plan.attempts.iter().find(|attempt| attempt.with_dependents.is_some());
        let way_around = stuck.map(|attempt| self.way_around_loss(attempt)).unwrap_or_default();
        format!("{heading}{way_around}\n{}", self.list(discards, 8))
    }

    /// The message that would be written: before landing, so that it can be judged.
    fn message(&self, ending: &Ending<'_>) -> String {
        let (Ending::DryRun { .. }, Some(message)) = (ending, &self.plan.message) else {
            return String::new();
        };
        let commits = self.plan.chosen_attempt().map_or(0, |chosen| chosen.steps.len());
        let heading = match commits {
            0 | 1 => "Message".to_owned(),
            number => format!("Message of the last of {number} commits"),
        };
        let mut text = format!("{}\n", paint(Palette::HEADING, heading));
        let escaped = text::escape_lines(message);
        let lines: Vec<_> = escaped.trim_end().lines().collect();
        let shown = self.look.shown(16);
        for line in lines.iter().take(shown) {
            let indent = if line.is_empty() { "" } else { "    " };
            text.push_str(&format!("{indent}{line}\n"));
        }
        text.push_str(&more(lines.len(), shown, "    "));
        text
    }

    fn notes(&self, ending: &Ending<'_>) -> String {
        let mut grouped: Vec<Note> = Vec::new();
        for note in &self.plan.notes {
            let alike = |known: &&mut Note| {
                known.kind == note.kind && known.paths == note.paths && known.reference == note.reference
            };
            match grouped.iter_mut().find(alike) {
                Some(known) => known.commits.extend(&note.commits),
                None => grouped.push(note.clone()),
            }
        }
        if matches!(ending, Ending::Landed(_)) {
            // What came of those hooks is said with the result.
            grouped.retain(|note| note.kind != NoteKind::HookToRun);
        }
        let said =
            grouped.iter().filter_map(|note| self.note(note)).chain(self.left_out()).chain(self.decided());
        said.map(|said| self.labelled("note:", &said)).collect()
    }

    /// The commits for which no commit is made, where others have one.
    fn left_out(&self) -> Option<String> {
        let ids = self.plan.chosen_attempt()?.left_out.as_slice();
        let keep = match self.plan.target.kind.as_str() {
            "pick" => " (--allow-empty keeps those that are empty from the start)",
            _ => "",
        };
        let verb = if ids.len() == 1 { "changes nothing here and is" } else { "change nothing here and are" };
        (!ids.is_empty()).then(|| format!("{} {verb} left out{keep}", self.references(ids)))
    }

    /// The conflicts that an option of the merge decided.
    fn decided(&self) -> Option<String> {
        let paths = self.plan.chosen_attempt()?.decided.as_slice();
        let option = self
            .plan
            .request
            .options
            .strategy_options
            .iter()
            .rfind(|name| ["ours", "theirs"].contains(&name.as_str()))?;
        (!paths.is_empty())
            .then(|| format!("-X {option} decided what would be a conflict in {}", self.names(paths)))
    }

    fn further_changes_are_shown(&self) -> bool {
        self.plan.target.culprit.as_ref().is_some_and(|culprit| !culprit.further_changes.is_empty())
    }

    /// A line with a label, continued below its text.
    fn labelled(&self, label: &str, said: &str) -> String {
        let indent = label.len() + 1;
        let lines = text::wrap(said, self.look.width().saturating_sub(indent));
        let joined = lines.join(&format!("\n{}", " ".repeat(indent)));
        format!("{} {joined}\n", paint(Palette::WARN, label))
    }

    /// A note in words; nothing for what the headline says already.
    fn note(&self, note: &Note) -> Option<String> {
        let commits = || self.references(&note.commits);
        let paths = || self.names(&note.paths);
        let reference = || note.reference.as_deref().map_or_else(|| "the upstream".into(), short_reference);
        Some(match note.kind {
            NoteKind::IntroducedByMerge if self.plan.target.culprit.is_some() => return None,
            NoteKind::IntroducedByMerge => format!("it came in through {}", commits()),
            NoteKind::RemergeTrap if self.plan.chosen.is_none() => return None,
            NoteKind::MainlineAssumed => {
                let (what, whose) = match note.commits.len() {
                    1 => ("is a merge", "its first parent"),
                    _ => ("are merges", "the first parent of each"),
                };
                format!("{} {what}; {whose} was taken as the mainline (-m 1)", commits())
            }
            NoteKind::RemergeTrap => format!(
                "merging the branch of {} again will bring nothing back: git takes its commits as merged (rb reapply will)",
                commits()
            ),
            NoteKind::RenameKept => {
                format!("{} stays; --with-renames removes it", paths())
            }
            NoteKind::RenamedSince => {
                let [now, then] = note.paths.as_slice() else { return None };
                let (now, then) = (slice::from_ref(now), slice::from_ref(then));
                format!("{} is called {} in {}", self.names(now), self.names(then), commits())
            }
            NoteKind::Multiple if self.further_changes_are_shown() => return None,
            NoteKind::Multiple => format!("changed more than once since it was last good: {}", commits()),
            NoteKind::GoodOnBothSides => format!(
                "what you ask of good content holds for {} before and after {} alike: it does not tell good from \
                 bad, so the last change is undone",
                paths(),
                commits()
            ),
            NoteKind::Mended => format!(
                "{} is good since {}, which repaired it and did not roll it back: it is left as it is",
                paths(),
                commits()
            ),
            NoteKind::UpstreamAhead => {
                format!("{} has newer changes to {} that are not here", reference(), paths())
            }
            NoteKind::NeverThere => format!(
                "{} never was at {} along its first parents, so this is no return: what it had beside that commit \
                 goes, and what only that commit has comes",
                reference(),
                commits()
            ),
            NoteKind::CaseTwin => {
                format!("{} differs from it only in upper and lower case", paths())
            }
            NoteKind::ContentToFetch => {
                let remote = note.reference.as_deref().unwrap_or_default();
                format!("landing this first fetches what {} becomes, from {}", paths(), text::escape(remote))
            }
            NoteKind::HookSkipped => {
                format!("a hook is not run before it is trusted (rb trust): {}", reference())
            }
            NoteKind::HookToRun => {
                format!("a hook runs when this lands on what is checked out: {}", reference())
            }
            _ => return None,
        })
    }

    fn ending(&self, ending: Ending<'_>) -> String {
        match ending {
            Ending::None => String::new(),
            Ending::DryRun { .. } if self.plan.is_nothing_to_do() => "Nothing to do.\n".into(),
            Ending::DryRun { .. } if self.plan.chosen.is_none() => String::new(),
            Ending::DryRun { land_with: None } => "This was a dry run: nothing was written.\n".into(),
            Ending::DryRun { land_with: Some(LandWith { command, needs }) } => {
                let consent = needs.map(|what| format!(" Landing it needs your consent to {what}."));
                format!(
                    "This was a dry run: nothing was written.{}\n{}",
                    consent.unwrap_or_default(),
                    next("land it with", &command)
                )
            }
            Ending::Landed(outcome) => self.landed(outcome),
        }
    }

    fn landed(&self, outcome: &Outcome) -> String {
        let recovered = outcome.recovered.as_ref().map(|recovery| self.recovered(recovery));
        let hooks: String = outcome.hooks.iter().filter_map(|run| self.hook(run)).collect();
        format!("{}{hooks}{}", recovered.unwrap_or_default(), self.result(outcome))
    }

    /// What became of a hook; nothing for what a note has said.
    fn hook(&self, run: &HookRun) -> Option<String> {
        let hook = run.hook;
        let said = match run.result {
            HookResult::Ran | HookResult::Failed if run.runs > 1 => {
                format!("the {hook} hook ran {} times", run.runs)
            }
            HookResult::Ran | HookResult::Failed => format!("the {hook} hook ran"),
            HookResult::NotCheckedOut => {
                format!("the {hook} hook was not run: the result is not checked out")
            }
            HookResult::Changed => format!("the {hook} hook was not run: it is another one now"),
            _ => return None,
        };
        let lines = run.output.lines().map(|line| format!("  {hook}: {}\n", text::escape(line)));
        Some(format!("{}{}", self.labelled("note:", &said), lines.collect::<String>()))
    }

    /// What became of an earlier landing that a crash had cut off.
    fn recovered(&self, recovery: &Recovery) -> String {
        let said = match recovery {
            Recovery::Finished { operation_id, not_put_back } if not_put_back.is_empty() => {
                format!(
                    "landing {operation_id} had been cut off after its result was in; it was finished first"
                )
            }
            Recovery::Finished { operation_id, not_put_back } => {
                let left: Vec<_> = not_put_back.iter().map(|left| left.path.clone()).collect();
                format!(
                    "landing {operation_id} had been cut off after its result was in; it was finished first, but {} \
                     could not be put back",
                    self.names(&left)
                )
            }
            Recovery::TakenBack { operation_id, edited } if edited.is_empty() => {
                format!("landing {operation_id} had been cut off; it was taken back first")
            }
            Recovery::TakenBack { operation_id, edited } => format!(
                "landing {operation_id} had been cut off; it was taken back first, but for {}, edited since",
                self.names(edited)
            ),
            Recovery::SetAside { operation_id, folder } => format!(
                "landing {operation_id} had been cut off, and the branch has moved since; the files it had \
                 displaced lie in {}",
                text::escape(folder)
            ),
            Recovery::Kept { paths, folder, .. } => format!(
                "{} had been written to after the last landing replaced it; what was written lies in {}",
                self.names(paths),
                text::escape(folder)
            ),
            _ => return String::new(),
        };
        self.labelled("note:", &said)
    }

    fn result(&self, outcome: &Outcome) -> String {
        let branch = outcome
            .reference
            .as_deref()
            .map_or_else(|| short_reference(&self.plan.tip.reference), short_reference);
        match outcome.kind {
            OutcomeKind::Committed => {
                let ids = outcome.commit_ids.as_slice();
                let short = |id: &CommitId| self.commits.short(*id);
                let (made, show) = match ids {
                    [id] => (self.reference(*id), format!("git show {}", short(id))),
                    [.., last] => (
                        count(ids.len(), "commit"),
                        format!("git log --oneline {}..{}", short(&self.plan.tip.commit_id), short(last)),
                    ),
                    [] => ("the result".to_owned(), "git log -1".to_owned()),
                };
                format!(
                    "{} on {}: {made}\n{}",
                    paint(Palette::GOOD, "Landed"),
                    paint(Palette::HEADING, branch),
                    next("look at it with", &show),
                )
            }
            OutcomeKind::Staged => format!(
                "{} in index and work tree; no commit was made\n{}",
                paint(Palette::GOOD, "Done"),
                next("look at it with", "git diff --cached"),
            ),
            OutcomeKind::LeftConflicted => format!(
                "{} index and work tree hold the conflicts\n{}",
                paint(Palette::WARN, "Paused:"),
                next("see them with", "git status"),
            ),
            OutcomeKind::NothingToDo if self.plan.chosen.is_some() => {
                format!("Nothing to do: {} holds this result already.\n", paint(Palette::HEADING, branch))
            }
            OutcomeKind::NothingToDo => "Nothing to do.\n".into(),
            _ => String::new(),
        }
    }

    /// The names of paths, or how many there are.
    fn names(&self, paths: &[RepoPath]) -> String {
        match paths {
            [] => "everything".into(),
            [path] => paint(Palette::NAME, text::path(path)),
            [first, second] => format!(
                "{} and {}",
                paint(Palette::NAME, text::path(first)),
                paint(Palette::NAME, text::path(second))
            ),
            [first, rest @ ..] => {
                format!("{} and {} more", paint(Palette::NAME, text::path(first)), rest.len())
            }
        }
    }

    /// A commit by its id and its subject.
    fn reference(&self, id: CommitId) -> String {
        let short = paint(Palette::ID, self.commits.short(id));
        match self.commits.subject(id) {
            Some(subject) => format!("{short} {subject}"),
            None => short,
        }
    }

    fn references(&self, ids: &[CommitId]) -> String {
        let shown: Vec<_> = ids
            .iter()
            .take(self.look.shown(4))
            .map(|id| paint(Palette::ID, self.commits.short(*id)))
            .collect();
        match ids.len() - shown.len() {
            0 => shown.join(", "),
            more => format!("{} and {more} more", shown.join(", ")),
        }
    }
}

fn next(what: &str, command: &str) -> String {
    format!("{} {what}: {}\n", paint(Palette::QUIET, "next:"), paint(Palette::COMMAND, text::escape(command)))
}

fn more(all: usize, shown: usize, indent: &str) -> String {
    match all.saturating_sub(shown) {
        0 => String::new(),
        more => format!("{indent}and {more} more (-v shows all)\n"),
    }
}

/// A kind of conflict in words.
pub(crate) fn explain(kind: ConflictKind) -> &'static str {
    match kind {
        ConflictKind::Content => "both sides changed the same lines",
        ConflictKind::AddAdd => "both sides added it, with different content",
        ConflictKind::ModifyDelete => "one side changed it, the other deleted it",
        ConflictKind::RenameDelete => "one side renamed it, the other deleted it",
        ConflictKind::RenameRename => "both sides renamed it, to different names",
        ConflictKind::FileDirectory => "a folder on one side, a file on the other",
        ConflictKind::DistinctTypes => "the sides disagree on what it is",
        ConflictKind::DirectoryRename => "its folder was renamed on one side",
        ConflictKind::Binary => "both sides changed it, and it is not text",
        ConflictKind::Symlink => "both sides changed where the link points",
        ConflictKind::Submodule => "both sides moved the submodule",
        ConflictKind::Mode => "the sides disagree on its mode",
        _ => "the merge cannot decide",
    }
}
