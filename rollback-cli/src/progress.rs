//! A sign of life on standard error, for work that takes longer than half a second in front of a person.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::console::Console;
use crate::render::Look;
use crate::status::Status;
use crate::terminal::text;

/// How long a person waits without wondering.
const PATIENCE: Duration = Duration::from_millis(500);

/// How soon what is said shows what goes on.
const REFRESH: Duration = Duration::from_millis(100);

/// Does some work, with a sign of life beside it.
pub(crate) fn during<T>(console: &Console, what: &'static str, work: impl FnOnce() -> T) -> T {
    with_status(console, |status| {
        status.say(what);
        work()
    })
}

/// Does some work that tells what it is at, with a sign of life beside it.
pub(crate) fn with_status<T>(console: &Console, work: impl FnOnce(&Status) -> T) -> T {
    let status = console.status().clone();
    if !console.draws_progress() {
        return work(&status);
    }
    let look = console.look();
    let (done, wait) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        let seen = status.clone();
        let sign_of_life = move || {
            // The sender is dropped when the work ends, however it ends.
            if wait.recv_timeout(PATIENCE) != Err(RecvTimeoutError::Timeout) {
                return;
            }
            let spinner = spinner(look.signs.ticks);
            // The sign and the time beside it take a dozen columns.
            let room = look.width().saturating_sub(12);
            loop {
                spinner.set_message(text::fit(&text::escape(&seen.text()), room, look.signs.ellipsis));
                if wait.recv_timeout(REFRESH) != Err(RecvTimeoutError::Timeout) {
                    break;
                }
            }
            spinner.finish_and_clear();
        };
        // Where there is no thread for it, the work goes on without.
        let _ = std::thread::Builder::new().spawn_scoped(scope, sign_of_life);
        let result = work(&status);
        drop(done);
        result
    })
}

/// Lines that stay on standard error, and in front of a person a last line that moves below them.
pub(crate) struct Lines<'c> {
    console: &'c mut Console,
    moving: Option<ProgressBar>,
}

impl<'c> Lines<'c> {
    /// Begins; nothing is written in quiet.
    pub(crate) fn new(console: &'c mut Console) -> Self {
        let moving = console.draws_progress().then(|| spinner(console.look().signs.ticks));
        Self { console, moving }
    }

    /// How the lines may look.
    pub(crate) fn look(&self) -> Look {
        self.console.look()
    }

    /// Writes lines that stay.
    pub(crate) fn stay(&mut self, text: &str) {
        let console = &mut *self.console;
        match &self.moving {
            _ if console.quiet() => {}
            Some(bar) => bar.suspend(|| console.complain(text)),
            None => console.complain(text),
        }
    }

    /// Says what goes on now.
    pub(crate) fn now(&self, text: &str) {
        if let Some(bar) = &self.moving {
            let look = self.console.look();
            let room = look.width().saturating_sub(12);
            bar.set_message(text::fit(&text::escape(text), room, look.signs.ellipsis));
        }
    }
}

impl Drop for Lines<'_> {
    fn drop(&mut self) {
        if let Some(bar) = &self.moving {
            bar.finish_and_clear();
        }
    }
}

fn spinner(ticks: &str) -> ProgressBar {
    let spinner = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
        spinner.set_style(style.tick_chars(ticks));
    }
    spinner.enable_steady_tick(Duration::from_millis(100));
    spinner
}
