//! Where text goes: standard output and standard error, their colours, and what to do when a reader
//! has gone away.
//!
//! A closed pipe is no reason to stop: the work goes on, and its exit code is what counts.

use std::cell::RefCell;
use std::io::{self, IsTerminal, Write};
use std::ops::ControlFlow;
use std::rc::Rc;

use anstream::{AutoStream, ColorChoice};
use rollback_core::Repo;

use crate::args::{Color, Common};
use crate::exit::Exit;
use crate::pager::Pager;
use crate::render::Look;
use crate::signals::Stopping;
use crate::status::Status;
use crate::terminal::style::{Palette, Signs, paint};

/// Both streams, and how talkative the run is.
pub(crate) struct Console {
    out: Sink,
    err: Sink,
    look: Look,
    json: bool,
    quiet: bool,
    interactive: bool,
    landed: bool,
    status: Status,
    /// Where bytes go that are not to be stripped of colours.
    raw: Sink,
    /// Whether what is printed is to have colours.
    colours: bool,
    /// Whether the configuration may still say when there is colour.
    unsettled: bool,
    /// Whether standard output is a terminal.
    terminal: bool,
    /// Whether a pager may be started.
    pages: bool,
    pager: Option<Paging>,
}

/// A pager that runs, and the stretch of time in which a signal is its user's: a person leaves it with one, and the process
/// ends as the signal asks once it is left.
struct Paging {
    pager: Rc<RefCell<Pager>>,
    signals: Stopping,
}

/// What a run wrote to both its streams, in order, with colours.
#[derive(Clone, Debug, Default)]
pub(crate) struct Captured(Rc<RefCell<Vec<u8>>>);

impl Captured {
    /// What was written so far.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.borrow()).into_owned()
    }
}

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Console {
    /// The streams of the process.
    pub(crate) fn of_process(common: &Common) -> Self {
        let chosen = choice(common.color, &io::stdout());
        let out = AutoStream::new(io::stdout(), chosen);
        let terminal = io::stdout().is_terminal();
        let err = AutoStream::new(io::stderr(), choice(common.color, &io::stderr()));
        let columns = if io::stdout().is_terminal() { terminal_columns() } else { None };
        Self {
            out: Sink::new(io::BufWriter::new(out)),
            err: Sink::new(err),
            look: Look { signs: Signs::of_environment(), columns, verbose: common.verbose },
            json: common.json,
            quiet: common.quiet,
            interactive: io::stdin().is_terminal() && io::stderr().is_terminal(),
            landed: false,
            status: Status::default(),
            raw: Sink::new(io::BufWriter::new(io::stdout())),
            colours: chosen == ColorChoice::Always,
            unsettled: common.color == Color::Auto && forced().is_none(),
            terminal,
            pages: terminal && !common.no_pager,
            pager: None,
        }
    }

    /// Both streams into one buffer, for a command that is shown rather than run.
    pub(crate) fn captured(common: &Common, look: Look, into: &Captured) -> Self {
        Self {
            out: Sink::new(into.clone()),
            err: Sink::new(into.clone()),
            look: Look { verbose: common.verbose, ..look },
            json: common.json,
            quiet: common.quiet,
            interactive: false,
            landed: false,
            status: Status::default(),
            raw: Sink::new(into.clone()),
            colours: true,
            unsettled: false,
            terminal: false,
            pages: false,
            pager: None,
        }
    }

    /// Whether what is printed is to have colours.
    pub(crate) fn colours(&self) -> bool {
        self.colours
    }

    /// Lets the user's pager show what is written from now on, where standard output is a terminal.
    pub(crate) fn begin_paging(&mut self, repo: &Repo) {
        if !self.pages || self.json || self.pager.is_some() {
            return;
        }
        self.flush();
        let signals = Stopping::begin();
        let Some(pager) = Pager::start(repo) else { return };
        let pager = Rc::new(RefCell::new(pager));
        let to_pager = || -> Box<dyn Write> { Box::new(Paged(Rc::clone(&pager))) };
        self.out = Sink::new(io::BufWriter::new(AutoStream::new(to_pager(), self.choice())));
        self.raw = Sink::new(io::BufWriter::new(to_pager()));
        self.pager = Some(Paging { pager, signals });
    }

    /// Waits until the pager was left, where there is one.
    pub(crate) fn end_paging(&mut self) {
        let Some(Paging { pager, signals }) = self.pager.take() else { return };
        self.flush();
        self.out = Sink::new(io::BufWriter::new(AutoStream::new(io::stdout(), self.choice())));
        self.raw = Sink::new(io::BufWriter::new(io::stdout()));
        if let Ok(pager) = Rc::try_unwrap(pager) {
            pager.into_inner().finish();
        }
        drop(signals);
    }

    /// Does as `color.ui` says, unless flags or the environment have said when there is colour. Nothing has been written yet.
    pub(crate) fn color_ui(&mut self, value: &str) {
        let always = match value {
            "always" => true,
            "never" | "false" | "no" | "off" | "0" => false,
            _ => return,
        };
        if std::mem::take(&mut self.unsettled) {
            self.flush();
            self.colours = always;
            let choice = self.choice();
            self.out = Sink::new(io::BufWriter::new(AutoStream::new(io::stdout(), choice)));
            self.err = Sink::new(AutoStream::new(io::stderr(), choice));
        }
    }

    fn choice(&self) -> ColorChoice {
        if self.colours { ColorChoice::Always } else { ColorChoice::Never }
    }

    /// Whether standard output is a terminal, with a pager before it or without: what it is sent may not steer it.
    pub(crate) fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// Writes a piece of a patch, every byte of it; tells whether more is wanted, which it is not where the reader has gone or a
    /// signal waits for the pager to be left.
    pub(crate) fn print_patch(&mut self, bytes: &[u8]) -> ControlFlow<()> {
        self.out.flush();
        self.raw.write(bytes);
        let interrupted = self.pager.as_ref().is_some_and(|paging| paging.signals.token().is_cancelled());
        match self.raw.closed || interrupted {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }

    fn flush(&mut self) {
        self.out.flush();
        self.raw.flush();
    }

    /// What goes on, as the line of progress shows it.
    pub(crate) fn status(&self) -> &Status {
        &self.status
    }

    /// Signs and width to render for.
    pub(crate) fn look(&self) -> Look {
        self.look
    }

    /// Whether a document is wanted in place of text.
    pub(crate) fn json(&self) -> bool {
        self.json
    }

    /// Whether only what went wrong is to be said.
    pub(crate) fn quiet(&self) -> bool {
        self.quiet
    }

    /// Whether there is a terminal to start an editor in.
    pub(crate) fn interactive(&self) -> bool {
        self.interactive
    }

    /// Whether a person can be asked: there is one, and what the question is about has been shown.
    pub(crate) fn can_ask(&self) -> bool {
        self.interactive && !self.json && !self.quiet
    }

    /// What a person answered to the question on standard error. No answer is a no.
    pub(crate) fn read_yes(&self) -> bool {
        let mut answer = String::new();
        let _ = io::stdin().read_line(&mut answer);
        matches!(answer.trim(), "y" | "Y" | "yes")
    }

    /// Whether progress may be drawn.
    pub(crate) fn draws_progress(&self) -> bool {
        self.interactive && !self.quiet && io::stderr().is_terminal()
    }

    /// Writes what was asked for: a document, or the answer to a question.
    pub(crate) fn print(&mut self, text: &str) {
        self.print_bytes(text.as_bytes());
    }

    /// As [`Console::print`], for a reader who waits for it.
    pub(crate) fn print_now(&mut self, text: &str) {
        self.print_bytes(text.as_bytes());
        self.out.flush();
    }

    /// Writes bytes as they are.
    pub(crate) fn print_bytes(&mut self, bytes: &[u8]) {
        self.raw.flush();
        self.out.write(bytes);
    }

    /// Writes text for people about what was done, unless the run is quiet or its output is a document.
    pub(crate) fn tell(&mut self, text: &str) {
        if !self.quiet && !self.json {
            self.print_bytes(text.as_bytes());
        }
    }

    /// Writes to standard error.
    pub(crate) fn complain(&mut self, text: &str) {
        self.flush();
        self.err.write(text.as_bytes());
    }

    /// Remembers that a result has landed, so that a failure to report it is told apart from a failure to land.
    pub(crate) fn has_landed(&mut self) {
        self.landed = true;
    }

    /// Flushes, and turns a failure to write (a full disk, not a closed pipe) into an exit code.
    pub(crate) fn finish(mut self, exit: Exit) -> Exit {
        self.end_paging();
        self.flush();
        let Some(error) = self.out.failure.take().or(self.raw.failure.take()) else {
            return exit;
        };
        let text = format!(
            "{} cannot write to standard output\n{} {error}\n",
            paint(Palette::ERROR, "error:"),
            paint(Palette::HEADING, "caused by:")
        );
        self.err.write(text.as_bytes());
        match exit {
            Exit::Done if self.landed => Exit::LandedWithFailure,
            Exit::Done | Exit::NothingToDo => Exit::Io,
            other => other,
        }
    }
}

/// The way into a pager.
struct Paged(Rc<RefCell<Pager>>);

impl Write for Paged {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.borrow_mut().flush()
    }
}

/// A stream that swallows a closed pipe and remembers any other failure.
struct Sink {
    to: Box<dyn Write>,
    closed: bool,
    failure: Option<io::Error>,
}

impl Sink {
    fn new(to: impl Write + 'static) -> Self {
        Self { to: Box::new(to), closed: false, failure: None }
    }

    fn write(&mut self, bytes: &[u8]) {
        if !self.closed {
            let written = self.to.write_all(bytes);
            self.note(written);
        }
    }

    fn flush(&mut self) {
        if !self.closed {
            let flushed = self.to.flush();
            self.note(flushed);
        }
    }

    fn note(&mut self, outcome: io::Result<()>) {
        if let Err(error) = outcome {
            self.closed = true;
            if error.kind() != io::ErrorKind::BrokenPipe {
                self.failure = Some(error);
            }
        }
    }
}

fn choice(wanted: Color, stream: &impl IsTerminal) -> ColorChoice {
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    match (wanted, forced()) {
        (Color::Always, _) | (Color::Auto, Some(true)) => ColorChoice::Always,
        (Color::Auto, None) if stream.is_terminal() && !dumb => ColorChoice::Always,
        _ => ColorChoice::Never,
    }
}

/// What the environment says of colour: `NO_COLOR` counts for more than `CLICOLOR_FORCE`.
fn forced() -> Option<bool> {
    let value = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    match (value("NO_COLOR"), value("CLICOLOR_FORCE")) {
        (Some(_), _) => Some(false),
        (None, Some(force)) if force != "0" => Some(true),
        _ => None,
    }
}

fn terminal_columns() -> Option<usize> {
    let set =
        std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok()).filter(|columns| *columns > 0);
    set.or_else(|| terminal_size::terminal_size().map(|(width, _)| usize::from(width.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Broken(io::ErrorKind);

    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn writing_to(kind: io::ErrorKind) -> Console {
        Console {
            out: Sink::new(Broken(kind)),
            err: Sink::new(Captured::default()),
            look: Look::plain(),
            json: false,
            quiet: false,
            interactive: false,
            landed: false,
            status: Status::default(),
            raw: Sink::new(Captured::default()),
            colours: false,
            unsettled: false,
            terminal: false,
            pages: false,
            pager: None,
        }
    }

    #[test]
    fn a_closed_pipe_does_not_change_how_the_run_ended() {
        let mut console = writing_to(io::ErrorKind::BrokenPipe);
        console.print("text");
        console.print("more");
        assert_eq!(console.finish(Exit::NoCleanRung), Exit::NoCleanRung);
    }

    #[test]
    fn a_full_disk_under_standard_output_is_reported() {
        let mut console = writing_to(io::ErrorKind::StorageFull);
        console.print("text");
        assert_eq!(console.finish(Exit::Done), Exit::Io);

        let mut landed = writing_to(io::ErrorKind::StorageFull);
        landed.has_landed();
        landed.print("text");
        assert_eq!(landed.finish(Exit::Done), Exit::LandedWithFailure);
    }
}
