//! `rb`: the command line of the rollback toolkit.
//!
//! Arguments become a target and options of `rollback-core`; its plans and receipts become text or
//! JSON and an exit code. No step of a rollback is decided here.

mod args;
mod command;
mod command_line;
mod compat;
mod completing;
mod console;
mod demo;
mod dispatch;
mod editor;
mod environment;
mod exit;
mod failure;
mod fetching;
mod hint;
mod invocation;
mod logging;
mod pager;
mod parse;
mod paths;
mod procedures;
mod progress;
mod render;
mod session;
mod settings;
mod shell;
mod signals;
mod status;
mod terminal;
mod trusted;
mod watch;

use std::process::ExitCode;

fn main() -> ExitCode {
    failure::report_panics();
    signals::defer_while_landing();
    let exit = dispatch::run(std::env::args_os().collect());
    signals::deliver_deferred();
    ExitCode::from(exit.code())
}
