//! Dates as people write them, read as git reads them: `GIT_AUTHOR_DATE` and `GIT_COMMITTER_DATE`.
//!
//! git guesses the meaning of each number and word from its shape and from what it has seen before, so the rules here
//! stand in the order in which git tries them (`date.c`, `Documentation/date-formats.txt`, t0006). What git refuses is
//! refused: there is no fallback to the present.

use jiff::civil;
use jiff::tz::TimeZone;

/// A moment with the offset that it is shown in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Date {
    /// Seconds since the epoch.
    pub(crate) seconds: u64,
    /// Minutes east of Greenwich.
    pub(crate) offset: i64,
}

/// The last second that git accepts where it applies an offset: the end of 2099.
const LAST_SECOND: i64 = 4_102_444_799;
/// Numbers from here on are seconds since the epoch, and not a date of eight digits.
const FIRST_EPOCH: u64 = 100_000_000;
const DAY: i64 = 24 * 60 * 60;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [&str; 7] =
    ["Sundays", "Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays"];

/// Zones by name with their hours, summer time included, as git has them. Some are not what an atlas says.
const ZONES: [(&str, i64); 44] = [
    ("IDLW", -12),
    ("NT", -11),
    ("CAT", -10),
    ("HST", -10),
    ("HDT", -9),
    ("YST", -9),
    ("YDT", -8),
    ("PST", -8),
    ("PDT", -7),
    ("MST", -7),
    ("MDT", -6),
    ("CST", -6),
    ("CDT", -5),
    ("EST", -5),
    ("EDT", -4),
    ("AST", -3),
    ("ADT", -2),
    ("WAT", -1),
    ("GMT", 0),
    ("UTC", 0),
    ("Z", 0),
    ("WET", 0),
    ("BST", 1),
    ("CET", 1),
    ("MET", 1),
    ("MEWT", 1),
    ("MEST", 2),
    ("CEST", 2),
    ("MESZ", 2),
    ("FWT", 1),
    ("FST", 2),
    ("EET", 2),
    ("EEST", 3),
    ("WAST", 7),
    ("WADT", 8),
    ("CCT", 8),
    ("JST", 9),
    ("EAST", 10),
    ("EADT", 11),
    ("GST", 10),
    ("NZT", 12),
    ("NZST", 12),
    ("NZDT", 13),
    ("IDLE", 12),
];

impl Date {
    /// Reads `text` as git does; `now` is seconds since the epoch, and `zone` is where a date without an offset lies.
    ///
    /// `None` where git refuses it.
    pub(crate) fn parse(text: &[u8], now: i64, zone: &TimeZone) -> Option<Self> {
        if let Some(date) = text.strip_prefix(b"@").and_then(of_object_header) {
            return Some(date);
        }
        let mut reading =
            Reading { text, at: 0, now, found: Fields::default(), offset: None, is_epoch: false };
        reading.read();
        reading.finish(zone)
    }

    /// The moment as a commit spells it, such as `1700000000 +0100`.
    pub(crate) fn spelled(self) -> String {
        let sign = if self.offset < 0 { '-' } else { '+' };
        let offset = self.offset.abs();
        format!("{} {sign}{:02}{:02}", self.seconds, offset / 60, offset % 60)
    }
}

/// `SECONDS +HHMM` and nothing else: how a commit spells it, however few the seconds are.
fn of_object_header(text: &[u8]) -> Option<Date> {
    let end = digits(text);
    let (seconds, rest) = text.split_at(end);
    let seconds = number(seconds).filter(|_| end > 0)?;
    let (sign, zone) = match rest {
        [b' ', sign @ (b'+' | b'-'), zone @ ..] => (*sign, zone),
        _ => return None,
    };
    let (zone, rest) = zone.split_at_checked(4)?;
    if digits(zone) != 4 || rest.first().is_some_and(|byte| *byte != b'\n') {
        return None;
    }
    let zone = number(zone)? as i64;
    let minutes = zone / 100 * 60 + zone % 100;
    Some(Date { seconds, offset: if sign == b'-' { -minutes } else { minutes } })
}

/// What was found out so far, each part at most once.
#[derive(Clone, Copy, Debug, Default)]
struct Fields {
    year: Option<i64>,
    /// Counted from 1.
    month: Option<i64>,
    day: Option<i64>,
    hour: Option<i64>,
    minute: Option<i64>,
    second: Option<i64>,
}

impl Fields {
    fn is_empty(&self) -> bool {
        [self.year, self.month, self.day, self.hour, self.minute, self.second].iter().all(Option::is_none)
    }

    fn has_date(&self) -> bool {
        self.year.is_some() && self.month.is_some() && self.day.is_some()
    }

    /// An ISO 8601 `T` was seen, and no hour yet.
    fn expects_hour(&self) -> bool {
        self.hour.is_none() && self.minute == Some(0) && self.second == Some(0)
    }

    fn set_time(&mut self, hour: i64, minute: i64, second: i64) -> bool {
        // The 61st second is a leap second.
        let fits = (0..=24).contains(&hour) && (0..60).contains(&minute) && (0..=60).contains(&second);
        if fits {
            (self.hour, self.minute, self.second) = (Some(hour), Some(minute), Some(second));
        }
        fits
    }

    /// Seconds since the epoch, as if in Greenwich; `None` where a part is missing or out of git's range.
    fn seconds(&self) -> Option<i64> {
        const DAYS: [i64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
        let year = self.year? - 1970;
        if !(0..=129).contains(&year) {
            return None;
        }
        let month = self.month?;
        // Months and days that are not there count on: February 31 is in March, as with git.
        let mut day = self.day.unwrap_or(-1);
        if month <= 2 || (year + 2) % 4 != 0 {
            day -= 1;
        }
        let days = year * 365 + (year + 1) / 4 + DAYS.get(usize::try_from(month - 1).ok()?)? + day;
        Some(days * DAY + self.hour? * 3600 + self.minute? * 60 + self.second?)
    }
}

/// How sure git wants to be that a date lies not in the future before it takes it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Future {
    Allowed,
    /// More than ten days ahead is refused, and a missing year is the present one.
    Refused,
}

struct Reading<'a> {
    text: &'a [u8],
    at: usize,
    now: i64,
    found: Fields,
    /// Minutes east of Greenwich.
    offset: Option<i64>,
    /// The moment was given in seconds since the epoch, so that no offset is to be taken off.
    is_epoch: bool,
}

impl Reading<'_> {
    fn read(&mut self) {
        while let Some(byte) = self.text.get(self.at).copied().filter(|byte| !matches!(byte, 0 | b'\n')) {
            let rest = &self.text[self.at..];
            let taken = match byte {
                byte if byte.is_ascii_alphabetic() => self.word(rest),
                byte if byte.is_ascii_digit() => self.number(rest),
                b'-' | b'+' if rest.get(1).is_some_and(u8::is_ascii_digit) => self.zone(rest),
                _ => 1,
            };
            self.at += taken.max(1);
        }
    }

    fn finish(self, zone: &TimeZone) -> Option<Date> {
        let seconds = self.found.seconds()?;
        let offset = self.offset.unwrap_or_else(|| local_offset(seconds, zone));
        let seconds = match (self.is_epoch, offset * 60) {
            (true, _) => seconds,
            (false, ahead) if ahead > 0 && ahead > seconds => return None,
            (false, ahead) if ahead < 0 && -ahead > LAST_SECOND - seconds => return None,
            (false, ahead) => seconds - ahead,
        };
        Some(Date { seconds: u64::try_from(seconds).ok()?, offset })
    }

    /// A month, a weekday, a zone, `AM`, `PM`, or the `T` before a time; anything else means nothing.
    fn word(&mut self, rest: &[u8]) -> usize {
        for (month, name) in (1..).zip(MONTHS) {
            if let Some(length) = matched(rest, name).filter(|length| *length >= 3) {
                self.found.month = Some(month);
                return length;
            }
        }
        if let Some(length) =
            WEEKDAYS.iter().find_map(|name| matched(rest, name).filter(|length| *length >= 3))
        {
            return length;
        }
        for (name, hours) in ZONES {
            if let Some(length) = matched(rest, name).filter(|length| *length >= 3 || *length == name.len()) {
                // A number says more than a name.
                self.offset.get_or_insert(60 * hours);
                return length;
            }
        }
        let half = |name| matched(rest, name) == Some(2);
        if half("PM") || half("AM") {
            let noon = if half("PM") { 12 } else { 0 };
            // An hour that is still missing is -1 to git: PM makes 11 of it, AM leaves it missing.
            self.found.hour = Some(self.found.hour.unwrap_or(-1) % 12 + noon).filter(|hour| *hour >= 0);
            return 2;
        }
        if rest[0] == b'T' && rest.get(1).is_some_and(u8::is_ascii_digit) && self.found.hour.is_none() {
            (self.found.minute, self.found.second) = (Some(0), Some(0));
            return 1;
        }
        rest.iter().take_while(|byte| byte.is_ascii_alphabetic()).count()
    }

    fn number(&mut self, rest: &[u8]) -> usize {
        let length = digits(rest);
        let value = number(&rest[..length]).unwrap_or(u64::MAX);
        if value >= FIRST_EPOCH
            && self.found.is_empty()
            && let Some(fields) = of_epoch(value)
        {
            self.found = fields;
            self.is_epoch = true;
            return length;
        }
        if let Some(separator @ (b':' | b'.' | b'/' | b'-')) = rest.get(length).copied()
            && rest.get(length + 1).is_some_and(u8::is_ascii_digit)
            && let Some(taken) = self.several_numbers(rest, value, separator)
        {
            return taken;
        }
        if length == 8 || length == 6 {
            return self.compact(rest, value, length);
        }
        if self.found.expects_hour() {
            let (hour, minute) = if length == 4 { (value / 100, value % 100) } else { (value, 0) };
            if (length == 4 || length == 2) && self.found.set_time(hour as i64, minute as i64, 0) {
                return length;
            }
            // It is no time after all.
            (self.found.minute, self.found.second) = (None, None);
        }
        self.single_number(value, length);
        length
    }

    /// `YYYYMMDD` or `HHMMSS`, a fraction of a second included.
    fn compact(&mut self, rest: &[u8], value: u64, length: usize) -> usize {
        let (first, second, third) = (value / 10_000, value % 10_000 / 100, value % 100);
        let [first, second, third] = [first, second, third].map(|value| value as i64);
        if length == 8 {
            self.set_date(Some(first), second, Some(third), Future::Allowed);
        } else if self.found.set_time(first, second, third) {
            return length + fraction(&rest[length..]);
        }
        length
    }

    /// A year, an offset, a day or a month, by its length and by what is missing.
    fn single_number(&mut self, value: u64, length: usize) {
        let value = i64::try_from(value).unwrap_or(i64::MAX);
        let found = &mut self.found;
        match length {
            4 if value <= 1400 && self.offset.is_none() => {
                self.offset = Some(value / 100 * 60 + value % 100);
            }
            4 if (1901..2100).contains(&value) => found.year = Some(value),
            1 | 2 if (1..32).contains(&value) && found.day.is_none() => found.day = Some(value),
            2 if found.year.is_none() && value < 10 && found.day.is_some() => found.year = Some(2000 + value),
            2 if found.year.is_none() && value >= 70 => found.year = Some(1900 + value),
            1 | 2 if (1..13).contains(&value) && found.month.is_none() => found.month = Some(value),
            _ => {}
        }
    }

    /// `H:M`, `H:M:S`, or a date with `-`, `/` or `.`; how much of `rest` it took.
    fn several_numbers(&mut self, rest: &[u8], first: u64, separator: u8) -> Option<usize> {
        let first = i64::try_from(first).unwrap_or(i64::MAX);
        let mut end = digits(rest) + 1;
        let next = |end: &mut usize| {
            let length = digits(&rest[*end..]);
            let value = number(&rest[*end..*end + length]).and_then(|value| i64::try_from(value).ok());
            *end += length;
            value.unwrap_or(i64::MAX)
        };
        let second = next(&mut end);
        let mut third = None;
        if rest.get(end) == Some(&separator) && rest.get(end + 1).is_some_and(u8::is_ascii_digit) {
            end += 1;
            third = Some(next(&mut end));
        }
        if separator == b':' {
            if !self.found.set_time(first, second, third.unwrap_or(0)) {
                return None;
            }
            if self.found.has_date() {
                end += fraction(&rest[end..]);
            }
            return Some(end);
        }
        let year_first = first > 70
            && (self.set_date(Some(first), second, third, Future::Allowed)
                || third
                    .is_some_and(|third| self.set_date(Some(first), third, Some(second), Future::Allowed)));
        // Of dates with dots the day comes first, of others the month.
        let guessed = year_first
            || (separator != b'.' && self.set_date(third, first, Some(second), Future::Refused))
            || self.set_date(third, second, Some(first), Future::Refused)
            || (separator == b'.' && self.set_date(third, first, Some(second), Future::Refused));
        guessed.then_some(end)
    }

    /// Whether it is a date that git accepts; then it is the one that was found.
    fn set_date(&mut self, year: Option<i64>, month: i64, day: Option<i64>, future: Future) -> bool {
        let Some(day) = day.filter(|day| (1..32).contains(day) && (1..13).contains(&month)) else {
            return false;
        };
        let mut fields = Fields { month: Some(month), day: Some(day), ..self.found };
        match year {
            None => {
                fields.year = of_epoch(u64::try_from(self.now).unwrap_or_default()).and_then(|now| now.year)
            }
            Some(year @ 1970..2100) => fields.year = Some(year),
            Some(year @ 71..100) => fields.year = Some(1900 + year),
            Some(year) if year < 38 => fields.year = Some(2000 + year),
            Some(_) => {
                if future == Future::Allowed {
                    // git keeps month and day of a date whose year it refuses.
                    self.found = fields;
                }
                return false;
            }
        }
        if future == Future::Refused && fields.seconds().is_some_and(|seconds| self.now + 10 * DAY < seconds)
        {
            return false;
        }
        if year.is_none() {
            fields.year = self.found.year;
        }
        self.found = fields;
        true
    }

    /// `+HHMM`, `-HH`, `+HH:MM`; what is no offset is passed over.
    fn zone(&mut self, rest: &[u8]) -> usize {
        let length = digits(&rest[1..]);
        let value =
            number(&rest[1..1 + length]).and_then(|value| i64::try_from(value).ok()).unwrap_or(i64::MAX);
        let mut end = 1 + length;
        let (hours, minutes) = match length {
            4 => (value / 100, Some(value % 100)),
            2 if rest.get(end) == Some(&b':') => {
                let minutes = digits(&rest[end + 1..]);
                let found = number(&rest[end + 1..end + 1 + minutes]).filter(|_| minutes == 2);
                end += 1 + minutes;
                (value, found.map(|minutes| minutes as i64))
            }
            2 => (value, Some(0)),
            _ => (value, None),
        };
        if let Some(minutes) = minutes.filter(|minutes| *minutes < 60 && hours < 24) {
            let offset = hours * 60 + minutes;
            self.offset = Some(if rest[0] == b'-' { -offset } else { offset });
        }
        end
    }
}

/// How many bytes the start of `text` shares with `name`, in any case; `None` where they part within a word.
fn matched(text: &[u8], name: &str) -> Option<usize> {
    let mut name = name.bytes();
    for (at, byte) in text.iter().enumerate() {
        if name.next().is_some_and(|other| other.eq_ignore_ascii_case(byte)) {
            continue;
        }
        return (!byte.is_ascii_alphanumeric()).then_some(at);
    }
    Some(text.len())
}

fn digits(text: &[u8]) -> usize {
    text.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

fn number(text: &[u8]) -> Option<u64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// How long the fraction of a second is that stands here, its dot included.
fn fraction(rest: &[u8]) -> usize {
    match rest {
        [b'.', digit, ..] if digit.is_ascii_digit() => 1 + digits(&rest[1..]),
        _ => 0,
    }
}

fn of_epoch(seconds: u64) -> Option<Fields> {
    let moment = jiff::Timestamp::from_second(i64::try_from(seconds).ok()?).ok()?;
    let moment = TimeZone::UTC.to_datetime(moment);
    Some(Fields {
        year: Some(i64::from(moment.year())),
        month: Some(i64::from(moment.month())),
        day: Some(i64::from(moment.day())),
        hour: Some(i64::from(moment.hour())),
        minute: Some(i64::from(moment.minute())),
        second: Some(i64::from(moment.second())),
    })
}

/// The offset of the zone at a local time that is given as if it were in Greenwich, in minutes.
fn local_offset(seconds: i64, zone: &TimeZone) -> i64 {
    let local = || -> Option<i64> {
        let moment = jiff::Timestamp::from_second(seconds).ok()?;
        let local: civil::DateTime = TimeZone::UTC.to_datetime(moment);
        let there = zone.to_ambiguous_timestamp(local).compatible().ok()?;
        Some((seconds - there.as_second()) / 60)
    };
    local().unwrap_or_default()
}

#[cfg(all(test, unix))]
mod tests;
