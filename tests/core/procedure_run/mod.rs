//! Runs: what lands, what does not, what pauses, and what is left after a crash.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "what fails in a test says so by its line")]

mod again;
mod approvals;
mod around;
mod bench;
mod consent;
mod cut_off;
mod desired_state;
mod going_on;
mod hal9;
mod landing;
mod matriz;
mod mdm;
mod outside;
mod refusals;
mod scripts;
mod wp5;
