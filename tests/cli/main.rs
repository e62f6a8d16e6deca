//! The command line as people and pipelines meet it: words in; text, documents and exit codes out.

mod answers;
mod bad_input;
mod by_hand;
mod checkpoint;
mod checks;
mod cross_check;
mod drills;
mod drivers;
mod faults;
mod filters;
mod foresight;
mod history;
mod hooks;
mod kit;
mod landing;
mod oplog;
mod output;
mod plumbing;
mod procedures;
mod publish;
mod report;
mod report_browser;
mod schema;
mod trust;
mod unasked;
