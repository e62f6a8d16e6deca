//! A sign of life on standard error, for work that takes longer than half a second in front of a person.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::console::Console;

/// How long a person waits without wondering.
const PATIENCE: Duration = Duration::from_millis(500);

/// Does some work, with a sign of life beside it.
pub(crate) fn during<T>(console: &Console, what: &'static str, work: impl FnOnce() -> T) -> T {
    if !console.draws_progress() {
        return work();
    }
    let ticks = console.look().signs.ticks;
    let (done, wait) = std::sync::mpsc::channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            // The sender is dropped when the work ends, however it ends.
            if wait.recv_timeout(PATIENCE) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
                let spinner = spinner(what, ticks);
                let _ = wait.recv();
                spinner.finish_and_clear();
            }
        });
        let result = work();
        drop(done);
        result
    })
}

fn spinner(what: &'static str, ticks: &str) -> ProgressBar {
    let spinner = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
        spinner.set_style(style.tick_chars(ticks));
    }
    spinner.set_message(what);
    spinner.enable_steady_tick(Duration::from_millis(100));
    spinner
}
