//! `RB_LOG`: what the library does, logged to standard error.

use std::str::FromStr;

use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt;
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// The variable that chooses what is logged.
pub(crate) const VARIABLE: &str = "RB_LOG";

/// Logs from now on what the variable asks for; nothing where it is unset or empty.
///
/// # Errors
/// What is wrong with the variable, for people.
pub(crate) fn start() -> Result<(), String> {
    let Some(wanted) = std::env::var_os(VARIABLE).filter(|wanted| !wanted.is_empty()) else { return Ok(()) };
    let wanted = wanted.to_string_lossy();
    let targets = Targets::from_str(&wanted).map_err(|error| {
        format!("{VARIABLE}='{wanted}' is no filter such as 'debug' or 'rollback_core::apply=debug': {error}")
    })?;
    let lines = fmt::layer()
        .with_writer(std::io::stderr)
        .with_timer(fmt::time::uptime())
        .with_span_events(FmtSpan::CLOSE)
        .with_ansi(false);
    // A second subscriber is no reason to stop.
    let _ = tracing_subscriber::registry().with(targets).with(lines).try_init();
    Ok(())
}
