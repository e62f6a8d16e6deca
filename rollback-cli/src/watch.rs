//! What a run shows while it goes on: its step, the time against its target, and what the running program says.
//!
//! On a terminal the last line moves; elsewhere there is a plain line for everything that happens; with `--json` each
//! event is a line of its own on standard output.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::Timestamp;
use rollback_core::Repo;
use rollback_core::procedure::check::Verdict;
use rollback_core::procedure::engine::{Event, Observer, On, RungTried, UnitKind, UnitState};
use rollback_core::procedure::format::Period;

use crate::console::Console;
use crate::environment::Environment;
use crate::render::json;
use crate::render::run::{EventLine, discards, kind_name, on_name, rung_name};
use crate::terminal::style::{Palette, paint};
use crate::terminal::text::{count, escape, escape_lines, fit};

/// Follows a run.
pub(crate) struct Watch<'a> {
    console: &'a mut Console,
    repo: &'a Repo,
    environment: &'a Environment,
    show: Show,
    seen: Seen,
    /// When the run began.
    began: Timestamp,
    rto: Option<Period>,
    units: usize,
    at: usize,
    /// The unit that is being worked on.
    now: String,
}

/// What was seen of a run, whatever became of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// Whether something has landed.
    pub(crate) landed: bool,
}

enum Show {
    Nothing,
    Json,
    Lines,
    Moving(ProgressBar),
}

impl<'a> Watch<'a> {
    /// Follows a run on this console. It began then, or it begins now.
    pub(crate) fn new(
        console: &'a mut Console,
        repo: &'a Repo,
        environment: &'a Environment,
        began: Option<Timestamp>,
    ) -> Self {
        let show = if console.json() {
            Show::Json
        } else if console.quiet() {
            Show::Nothing
        } else if console.draws_progress() {
            Show::Moving(bar(console.look().signs.ticks))
        } else {
            Show::Lines
        };
        let began = began.unwrap_or_else(|| environment.now());
        let (seen, now) = (Seen::default(), String::new());
        Self { console, repo, environment, show, seen, began, rto: None, units: 0, at: 0, now }
    }

    /// Ends the show.
    pub(crate) fn finish(self) -> Seen {
        if let Show::Moving(bar) = &self.show {
            bar.finish_and_clear();
        }
        self.seen
    }

    /// A line for people that stays.
    fn say(&mut self, line: &str) {
        match &self.show {
            Show::Lines => self.console.complain(&format!("{line}\n")),
            Show::Moving(bar) => bar.suspend(|| self.console.complain(&format!("{line}\n"))),
            Show::Nothing | Show::Json => {}
        }
    }

    /// What moves below the lines that stay.
    fn move_on(&self, tail: &str) {
        if let Show::Moving(bar) = &self.show {
            let columns = self.console.look().width().saturating_sub(20);
            let tail = if tail.is_empty() { String::new() } else { format!("  {}", escape(tail)) };
            bar.set_message(fit(&format!("{} {}{tail}", self.place(), self.now), columns, "…"));
        }
    }

    fn place(&self) -> String {
        format!("[{}/{}]", self.at, self.units)
    }

    /// How long it has taken so far, and within which time it should be done.
    fn clock(&self) -> String {
        let elapsed = self.environment.now().duration_since(self.began);
        let elapsed: Duration = elapsed.try_into().unwrap_or_default();
        let elapsed = Period(Duration::from_secs(elapsed.as_secs()));
        match self.rto {
            Some(rto) => format!("{elapsed} of {rto}"),
            None => elapsed.to_string(),
        }
    }

    fn unit_ended(&mut self, state: UnitState, note: Option<&str>) {
        let signs = self.console.look().signs;
        let (sign, style, word) = match state {
            UnitState::Done => (signs.yes, Palette::GOOD, "done"),
            UnitState::Skipped => (signs.untried, Palette::QUIET, "left out"),
            UnitState::Failed => (signs.no, Palette::BAD, "failed"),
            UnitState::Pending | UnitState::Started => (signs.doubt, Palette::WARN, "waits"),
        };
        let note = note.map_or(String::new(), |note| format!(": {}", escape(note)));
        let line = format!(
            "{} {} {}: {word}{note} {}",
            self.place(),
            paint(style, sign),
            self.now,
            paint(Palette::QUIET, format!("({})", self.clock()))
        );
        self.say(&line);
    }

    fn started(&mut self, at: usize, kind: UnitKind, id: &str) {
        self.at = at;
        self.now = named(kind, id);
        if matches!(self.show, Show::Lines) {
            self.say(&format!("{} {}", self.place(), self.now));
        }
        self.move_on("");
    }

    /// A line that a program wrote.
    fn line(&mut self, line: &str) {
        if matches!(self.show, Show::Lines) {
            let bar = self.console.look().signs.line;
            self.say(&format!("  {bar} {}", escape(line)));
        }
        self.move_on(line);
    }

    fn rung(&mut self, rung: &RungTried) {
        let verdict = if rung.taken { "taken" } else { "not taken" };
        self.say(&format!("  rung {}: {verdict}: {}", rung_name(rung), escape(&rung.why)));
        for discarded in discards(rung, self.repo, self.console.look()) {
            self.say(&format!("  {discarded}"));
        }
    }

    fn checked(&mut self, id: &str, on: On, verdict: &Verdict) {
        let style = match verdict.blocks() {
            // Red on the tip as it is is what a rollback is for.
            true if on != On::Control => Palette::BAD,
            true => Palette::QUIET,
            false => Palette::GOOD,
        };
        let verdict = paint(style, escape(&verdict.to_string()));
        self.say(&format!("  check {} on {}: {verdict}", escape(id), on_name(on)));
    }

    fn message(&mut self, id: &str, to: &[String], subject: Option<&str>, text: &str) {
        let to = if to.is_empty() { String::new() } else { format!(" to {}", to.join(", ")) };
        self.say(&format!("  message {}{}:", escape(id), escape(&to)));
        let bar = self.console.look().signs.line;
        let subject = subject.iter().map(|subject| format!("Subject: {subject}\n"));
        let whole: String = subject.chain([text.to_owned()]).collect();
        for line in whole.lines() {
            self.say(&format!("  {bar} {}", escape(line)));
        }
    }

    fn warn(&mut self, line: &str) {
        self.say(&paint(Palette::WARN, line));
    }

    fn tell(&mut self, event: &Event<'_>) {
        match event {
            Event::Run { id, procedure, phase, units, rto } => {
                (self.units, self.rto) = (*units, *rto);
                if *units > 0 {
                    let within = rto.map_or(String::new(), |rto| format!(", to be done within {rto}"));
                    self.say(&format!("run {id}: {procedure}, phase {phase}: {units} steps{within}"));
                }
            }
            Event::Started { at, kind, id } => self.started(*at, *kind, id),
            Event::Ended { state, note, .. } => self.unit_ended(*state, *note),
            Event::Line { line, .. } => self.line(line),
            Event::Rung(rung) => self.rung(rung),
            Event::Check { id, on, verdict } => self.checked(id, *on, verdict),
            Event::Edited { diff } => {
                self.say(&format!("  edited by hand:\n{}", escape_lines(diff.trim_end())));
            }
            Event::Missing { programs } => {
                self.warn(&format!("warning: not found: {}", escape(&programs.join(", "))));
            }
            Event::LeftoversEnded { programs } => {
                self.warn(&format!("ended what the run had left running: {}", count(*programs, "program")));
            }
            Event::DrillDue { every, last } => {
                let last = last.map_or("it never has".to_owned(), |last| format!("it last did at {last}"));
                self.warn(&format!("warning: this procedure should run every {every}, and {last}"));
            }
            Event::Message { id, to, subject, text } => self.message(id, to, *subject, text),
            Event::Landed { commits, reference } => {
                let ids: Vec<_> = commits.iter().map(|id| id.to_hex_with_len(9)).collect();
                let reference = crate::render::short_reference(reference);
                self.say(&format!("  landed on {reference}: {}", paint(Palette::ID, ids.join(" "))));
            }
            Event::Overrun { what, budget } => {
                self.warn(&format!("warning: {} takes longer than {budget}", escape(what)));
            }
            _ => {}
        }
    }
}

impl Observer for Watch<'_> {
    fn event(&mut self, event: &Event<'_>) {
        self.seen.landed |= matches!(event, Event::Landed { .. });
        match self.show {
            Show::Nothing => {}
            Show::Json => self.console.print_now(&json::line(&EventLine::new(event))),
            Show::Lines | Show::Moving(_) => self.tell(event),
        }
    }
}

fn named(kind: UnitKind, id: &str) -> String {
    let kind = kind_name(kind);
    if kind == id { kind } else { format!("{kind} {}", escape(id)) }
}

fn bar(ticks: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed} {msg}") {
        bar.set_style(style.tick_chars(ticks));
    }
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}
