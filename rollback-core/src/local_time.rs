//! The local time zone, read from one file.
//!
//! `TZ` and `/etc/localtime` are read as the C library of git reads them. The database of the time library is not asked:
//! it lists every folder of time zones first, which takes longer than a small landing.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use jiff::Zoned;
use jiff::tz::TimeZone;

use crate::bounded;

/// Where the system keeps its time zones, unless `TZDIR` says otherwise.
const ZONES: &str = "/usr/share/zoneinfo";
/// The zone of the system where `TZ` is not set.
const LOCAL: &str = "/etc/localtime";
/// The largest file of a zone that is read, in bytes. Those of the IANA database have less than 4 KiB.
const LARGEST: u64 = 1 << 20;

/// The time zone of this process: that of its first call, unless `TZ` or `TZDIR` has changed since.
pub fn zone() -> TimeZone {
    if cfg!(not(unix)) {
        return TimeZone::system();
    }
    let named = (std::env::var_os("TZ"), std::env::var_os("TZDIR"));
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    match &*known {
        Some((names, zone)) if *names == named => zone.clone(),
        _ => known.insert((named.clone(), look_up(named))).1.clone(),
    }
}

/// The values of `TZ` and `TZDIR`, where they are set.
type Names = (Option<OsString>, Option<OsString>);

/// The zone that was looked up last, and by which names.
static KNOWN: Mutex<Option<(Names, TimeZone)>> = Mutex::new(None);

fn look_up((name, folder): Names) -> TimeZone {
    let folder = folder.map_or_else(|| ZONES.into(), PathBuf::from);
    match name.map(OsString::into_string) {
        Some(Ok(name)) => named(&name, &folder),
        None => read(Path::new(LOCAL)).unwrap_or(TimeZone::UTC),
        Some(Err(_)) => TimeZone::UTC,
    }
}

/// Now, in the local time zone.
pub fn now() -> Zoned {
    jiff::Timestamp::now().to_zoned(zone())
}

/// The zone that a value of `TZ` names: a file, or a rule such as `CET-1CEST,M3.5.0,M10.5.0/3`; UTC where it is neither.
fn named(name: &str, folder: &Path) -> TimeZone {
    let name = name.strip_prefix(':').unwrap_or(name);
    if name.is_empty() {
        return TimeZone::UTC;
    }
    read(&folder.join(name)).or_else(|| TimeZone::posix(name).ok()).unwrap_or(TimeZone::UTC)
}

fn read(file: &Path) -> Option<TimeZone> {
    let bytes = bounded::read(file, LARGEST).ok()?;
    TimeZone::tzif("", &bytes).ok()
}

#[cfg(all(test, unix))]
mod tests;
