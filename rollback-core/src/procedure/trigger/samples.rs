//! Recorded samples: JSON Lines, CSV, or a dump in the text format of Prometheus.
//!
//! A figure without a unit is taken in the unit that the procedure declares for the metric. What cannot be read is
//! refused with its line; a value that is not a number is no sample.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::procedure::format::{Document, Metric, Scalar, Unit, split_while, unit_of};

/// One measurement.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Sample {
    /// When.
    pub time: Timestamp,
    /// The figure in the unit's base: percent, seconds, bytes, pieces, times.
    pub value: f64,
    /// The unit, where the sample or the metric has one.
    pub unit: Option<Unit>,
}

/// Samples by metric, in the order of time.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Samples(BTreeMap<String, Vec<Sample>>);

/// How samples are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SampleFormat {
    /// One object a line: `metric`, `time`, `value`.
    JsonLines,
    /// With a header: `metric,time,value`, or `time` and a column for each metric.
    Csv,
    /// The text format of Prometheus.
    Prometheus,
}

impl SampleFormat {
    /// The format that the name of a file stands for.
    pub fn of(path: &str) -> Option<Self> {
        match path.rsplit('.').next()? {
            "jsonl" | "ndjson" | "json" => Some(Self::JsonLines),
            "csv" => Some(Self::Csv),
            "prom" | "txt" | "metrics" => Some(Self::Prometheus),
            _ => None,
        }
    }
}

/// A line that holds no sample.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {why}")]
#[non_exhaustive]
pub struct BadSamples {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub why: String,
}

impl Samples {
    /// Reads samples. `now` is the time of those that have none.
    ///
    /// # Errors
    /// [`BadSamples`], naming the first line that cannot be read.
    pub fn read(
        bytes: &[u8],
        format: SampleFormat,
        document: &Document,
        now: Timestamp,
    ) -> Result<Self, BadSamples> {
        let text = std::str::from_utf8(bytes).map_err(|error| BadSamples {
            line: line_at(bytes, error.valid_up_to()),
            why: "it is not UTF-8".to_owned(),
        })?;
        let mut samples = Self::default();
        let mut reader = Reader { document, now, samples: &mut samples };
        match format {
            SampleFormat::JsonLines => reader.json_lines(text)?,
            SampleFormat::Csv => reader.csv(text)?,
            SampleFormat::Prometheus => reader.prometheus(text)?,
        }
        for series in samples.0.values_mut() {
            series.sort_by_key(|sample| sample.time);
        }
        Ok(samples)
    }

    /// The samples of a metric, in the order of time.
    pub fn of(&self, metric: &str) -> &[Sample] {
        self.0.get(metric).map_or(&[], Vec::as_slice)
    }

    /// Adds a sample.
    pub fn push(&mut self, metric: &str, sample: Sample) {
        let series = self.0.entry(metric.to_owned()).or_default();
        let at = series.partition_point(|other| other.time <= sample.time);
        series.insert(at, sample);
    }

    /// The time of the newest sample.
    pub fn newest(&self) -> Option<Timestamp> {
        self.0.values().filter_map(|series| series.last()).map(|sample| sample.time).max()
    }
}

/// Reads a figure as the metric is declared to be measured; `None` where it is not a number.
pub(crate) fn figure(metric: Option<&Metric>, text: &str) -> Result<Option<(f64, Option<Unit>)>, String> {
    let text = text.trim();
    if text.eq_ignore_ascii_case("nan") || text.is_empty() || text == "null" {
        return Ok(None);
    }
    let of_a_number = |c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | '+' | 'e' | 'E');
    let (number, unit) = split_while(text, of_a_number);
    let number: f64 = match text {
        "true" => 1.0,
        "false" => 0.0,
        _ => number.parse().map_err(|_| format!("'{text}' is not a figure"))?,
    };
    let unit = unit.trim();
    if unit.is_empty() || matches!(text, "true" | "false") {
        let ratio = metric.is_some_and(|metric| metric.ratio);
        let unit = metric.and_then(|metric| metric.unit).or(ratio.then_some(Unit::Percent));
        return Ok(Some((if ratio { number * 100.0 } else { number }, unit)));
    }
    match unit_of(unit) {
        Some((unit, factor)) => Ok(Some((number * factor, Some(unit)))),
        None => Err(format!("unknown unit '{unit}' in '{text}'")),
    }
}

struct Reader<'a> {
    document: &'a Document,
    now: Timestamp,
    samples: &'a mut Samples,
}

impl Reader<'_> {
    fn add(&mut self, line: usize, metric: &str, time: Timestamp, value: &str) -> Result<(), BadSamples> {
        let declared = self.document.metric.get(metric);
        let figure = figure(declared, value).map_err(|why| BadSamples { line, why })?;
        if let Some((value, unit)) = figure {
            self.samples.0.entry(metric.to_owned()).or_default().push(Sample { time, value, unit });
        }
        Ok(())
    }

    fn json_lines(&mut self, text: &str) -> Result<(), BadSamples> {
        #[derive(serde::Deserialize)]
        struct Row {
            metric: String,
            #[serde(default)]
            time: Option<Scalar>,
            value: Option<Scalar>,
        }
        for (line, row) in lines(text) {
            let bad = |why: String| BadSamples { line, why };
            let row: Row = serde_json::from_str(row).map_err(|error| bad(error.to_string()))?;
            let time = match &row.time {
                Some(time) => timestamp(&time.to_string()).map_err(bad)?,
                None => self.now,
            };
            let value = row.value.map_or_else(|| "null".to_owned(), |value| value.to_string());
            self.add(line, &row.metric, time, &value)?;
        }
        Ok(())
    }

    fn csv(&mut self, text: &str) -> Result<(), BadSamples> {
        let mut rows = lines(text);
        let Some((first, header)) = rows.next() else {
            return Ok(());
        };
        let header = fields(header);
        let column = |name: &str| header.iter().position(|field| field == name);
        let no_time = || BadSamples { line: first, why: "the header has no column 'time'".to_owned() };
        let time = column("time").or_else(|| column("timestamp")).ok_or_else(no_time)?;
        let long = column("metric").zip(column("value"));
        for (line, row) in rows {
            let row = fields(row);
            let bad = |why: String| BadSamples { line, why };
            if row.len() != header.len() {
                return Err(bad(format!("{} fields, and the header has {}", row.len(), header.len())));
            }
            let at = timestamp(&row[time]).map_err(bad)?;
            match long {
                Some((metric, value)) => self.add(line, &row[metric], at, &row[value])?,
                None => {
                    for (field, value) in row.iter().enumerate().filter(|(field, _)| *field != time) {
                        self.add(line, &header[field], at, value)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn prometheus(&mut self, text: &str) -> Result<(), BadSamples> {
        for (line, row) in lines(text) {
            if row.starts_with('#') {
                continue;
            }
            let bad = |why: String| BadSamples { line, why };
            let none = || bad("it is not 'name{labels} value'".to_owned());
            let series = Series::parse(row).ok_or_else(none)?;
            let time = series.time.map_or(Ok(self.now), Timestamp::from_millisecond);
            let time = time.map_err(|error| bad(error.to_string()))?;
            for (metric, declared) in self.document.metric.iter() {
                let wanted = declared.prometheus.as_deref().unwrap_or(metric);
                if Series::parse(&format!("{wanted} 0")).is_some_and(|wanted| series.is_one_of(&wanted)) {
                    self.add(line, metric, time, series.value)?;
                }
            }
        }
        Ok(())
    }
}

/// A line of the text format.
struct Series<'a> {
    name: &'a str,
    labels: Vec<(&'a str, &'a str)>,
    value: &'a str,
    time: Option<i64>,
}

impl<'a> Series<'a> {
    fn parse(row: &'a str) -> Option<Self> {
        let end = row.find(|c: char| c == '{' || c.is_whitespace())?;
        let (name, mut rest) = row.split_at(end);
        let mut labels = Vec::new();
        if let Some(inside) = rest.strip_prefix('{') {
            rest = inside.trim_start();
            while !rest.starts_with('}') {
                let (label, after) = rest.split_once('=')?;
                let after = after.trim_start().strip_prefix('"')?;
                let close = closing_quote(after)?;
                labels.push((label.trim(), &after[..close]));
                rest = after[close + 1..].trim_start().trim_start_matches(',').trim_start();
            }
            rest = &rest[1..];
        }
        let mut words = rest.split_whitespace();
        let value = words.next()?;
        let time = words.next().map(str::parse).transpose().ok()?;
        Some(Self { name, labels, value, time })
    }

    fn is_one_of(&self, wanted: &Self) -> bool {
        self.name == wanted.name && wanted.labels.iter().all(|label| self.labels.contains(label))
    }
}

/// Where a label's value ends; a backslash takes the next character along.
fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.char_indices().find_map(|(at, c)| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends.then_some(at)
    })
}

fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(at, line)| (at + 1, line.trim())).filter(|(_, line)| !line.is_empty())
}

fn line_at(bytes: &[u8], offset: usize) -> usize {
    bytes[..offset].iter().filter(|byte| **byte == b'\n').count() + 1
}

/// Fields of a line; one in quotes may hold commas, and doubles its quotes.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    let mut characters = line.chars().peekable();
    while let Some(c) = characters.next() {
        let field = fields.last_mut().expect("it starts with one and only grows");
        match c {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                field.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            other => field.push(other),
        }
    }
    fields.iter().map(|field| field.trim().to_owned()).collect()
}

/// A time: RFC 3339, or seconds since the epoch.
fn timestamp(text: &str) -> Result<Timestamp, String> {
    if let Ok(seconds) = text.parse::<f64>() {
        return Timestamp::from_millisecond((seconds * 1000.0) as i64).map_err(|error| error.to_string());
    }
    text.parse().map_err(|_| {
        format!("'{text}' is not a time: write 2025-11-12T10:00:00Z, or seconds since the epoch")
    })
}
