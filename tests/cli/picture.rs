//! The picture in README.md is a run of `rb revert`: `.github/assets/rb-revert.svg` is drawn from what it prints.
//!
//! `RB_BLESS=1 cargo test --workspace --test cli picture` draws it again.
#![cfg(unix)]

use anstyle_svg::{Term, WIN10_CONSOLE};
use test_kit::Fixture;
use test_kit::page::hold;

use crate::kit::{done, shell};
use crate::tutorial::without_what_varies;

const COMMAND: &str = "rb revert --file MATRIZ/__init__.py";

#[test]
fn the_picture_of_the_readme_is_what_rb_prints() {
    let repo = Fixture::import("matriz");
    let dates = "GIT_AUTHOR_DATE=2025-11-14T09:00:00Z GIT_COMMITTER_DATE=2025-11-14T09:00:00Z";
    let run = done(shell(&repo, &format!("{dates} {COMMAND} --color always 2>&1")));
    let terminal = Term::new().palette(WIN10_CONSOLE);
    let picture = terminal.render_svg(&format!("\u{1b}[1m$ {COMMAND}\u{1b}[0m\n\n{}", run.stdout));
    // What is set back must still be read.
    let picture = picture.replace("opacity: 0.4", "opacity: 0.7");
    hold(".github/assets/rb-revert.svg", &picture, without_what_varies);
}
