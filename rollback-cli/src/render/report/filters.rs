//! What the templates do to values: times, lengths of time, sizes, and quoting for Markdown.

use jiff::Timestamp;
use minijinja::Environment;
use minijinja::value::Value;
use rollback_core::markdown::{cell, code, fenced};
use rollback_core::verdict::Verdict;

/// Adds them all.
pub(super) fn add(environment: &mut Environment<'_>) {
    environment.add_filter("clock", |at: &str| formatted(at, "%H:%M:%S"));
    environment.add_filter("minute", |at: &str| formatted(at, "%H:%M"));
    environment.add_filter("date", |at: &str| formatted(at, "%Y-%m-%d"));
    environment.add_filter("when", |at: &str| formatted(at, "%Y-%m-%d %H:%M:%S UTC"));
    environment.add_filter("day", day);
    environment.add_filter("lasting", lasting);
    environment.add_filter("size", size);
    environment.add_filter("cell", |text: Option<&str>| cell(text.unwrap_or_default()));
    environment.add_filter("code", |text: Option<&str>| code(text.unwrap_or_default()));
    environment.add_filter("fenced", |text: Option<&str>| fenced(text.unwrap_or_default()));
    environment.add_filter("fenced_diff", |text: Option<&str>| {
        fenced(text.unwrap_or_default()).replacen("```\n", "```diff\n", 1)
    });
    environment.add_filter("verdict", |look: &Value| verdict(look));
}

fn formatted(at: &str, format: &str) -> String {
    at.parse::<Timestamp>().map_or_else(|_| at.to_owned(), |at| at.strftime(format).to_string())
}

fn day(seconds: i64) -> String {
    Timestamp::from_second(seconds).map_or_else(|_| String::new(), |at| at.strftime("%Y-%m-%d").to_string())
}

/// A length of time in the two largest units that say something.
pub(super) fn lasting(ms: u64) -> String {
    let seconds = ms / 1000;
    match seconds {
        0 => format!("{ms} ms"),
        1..=9 => format!("{:.1} s", ms as f64 / 1000.0),
        10..=59 => format!("{seconds} s"),
        60..=3599 if seconds.is_multiple_of(60) => format!("{} min", seconds / 60),
        60..=3599 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ if seconds % 3600 < 60 => format!("{} h", seconds / 3600),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

fn size(bytes: u64) -> String {
    match bytes {
        0..=999 => format!("{bytes} B"),
        1000..=999_999 => format!("{:.1} kB", bytes as f64 / 1e3),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}

/// A verdict in a few words; nothing where there is none.
fn verdict(look: &Value) -> String {
    let value = serde_json::to_value(look).unwrap_or_default();
    serde_json::from_value::<Verdict>(value).map_or_else(|_| String::new(), |verdict| verdict.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_said_in_units_that_fit() {
        for (ms, said) in [
            (7, "7 ms"),
            (4_260, "4.3 s"),
            (59_999, "59 s"),
            (60_000, "1 min"),
            (252_000, "4 min 12 s"),
            (7_200_000, "2 h"),
            (5_400_000, "1 h 30 min"),
        ] {
            assert_eq!(lasting(ms), said);
        }
    }
}
