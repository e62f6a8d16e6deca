//! The parts of a rehearsal, read from JSON Lines and joined.

use std::collections::HashSet;

use serde_json::Value;

use super::{Rehearsal, RehearsedChange, RehearsedRange};
use crate::error::{RehearsalError, Result};
use crate::plan::SCHEMA_VERSION;
use crate::strategy::AttemptResult;

impl Rehearsal {
    /// The part of a rehearsal in `text`, a JSON document a line as `rb rehearse --json` prints them; `None` where there is
    /// no line. `name` is what errors call it.
    ///
    /// # Errors
    /// [`RehearsalError::Unreadable`]; [`RehearsalError::Mixed`] for lines of different ranges or tips.
    pub fn read(name: &str, text: &str) -> Result<Option<Self>> {
        let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let mut parts = lines.map(|(at, line)| {
            read_line(line).map_err(|why| RehearsalError::Unreadable {
                name: name.to_owned(),
                line: at + 1,
                why,
            })
        });
        let Some(mut whole) = parts.next().transpose()? else { return Ok(None) };
        for part in parts {
            whole.add(part?)?;
        }
        Ok(Some(whole))
    }

    /// Joins shards, in any order, to the rehearsal of the whole range. A change may be there twice.
    ///
    /// # Errors
    /// [`RehearsalError::Nothing`] for no part at all; [`RehearsalError::Mixed`] for changes of different ranges or tips,
    /// one that is there twice with different results, or one that was checked beside one that was not;
    /// [`RehearsalError::Incomplete`].
    pub fn join(parts: impl IntoIterator<Item = Self>) -> Result<Self> {
        let mut parts = parts.into_iter();
        let mut whole = parts.next().ok_or(RehearsalError::Nothing)?;
        for part in parts {
            whole.add(part)?;
        }
        whole.changes.sort_by_key(|change| change.number);
        whole.changes.dedup();
        whole.refuse_contradictions()?;
        let there: HashSet<_> = whole.changes.iter().map(|change| change.number).collect();
        let of = whole.range.of;
        let missing: Vec<_> = (1..=of).filter(|number| !there.contains(number)).collect();
        match missing.is_empty() {
            true => Ok(whole),
            false => Err(RehearsalError::Incomplete { missing, of }.into()),
        }
    }

    fn add(&mut self, part: Self) -> Result<(), RehearsalError> {
        self.range.refuse_other(&part.range)?;
        self.changes.extend(part.changes);
        Ok(())
    }

    /// Refuses changes, in order, that cannot be of one rehearsal.
    fn refuse_contradictions(&self) -> Result<(), RehearsalError> {
        for change in &self.changes {
            self.range.refuse_other(&change.range)?;
            if !(1..=self.range.of).contains(&change.number) {
                return mixed(format!("there is no change {} of {}", change.number, self.range.of));
            }
        }
        if let Some(twice) = self.changes.windows(2).find(|pair| pair[0].number == pair[1].number) {
            return mixed(format!("change {} is there twice, and differs", twice[0].number));
        }
        let clean = || self.changes.iter().filter(|change| change.result == AttemptResult::Clean);
        let checked = clean().find(|change| change.check.is_some());
        let unchecked = clean().find(|change| change.check.is_none());
        match (checked, unchecked) {
            (Some(one), Some(other)) => {
                mixed(format!("change {} was checked, and change {} was not", one.number, other.number))
            }
            _ => Ok(()),
        }
    }
}

impl RehearsedRange {
    fn refuse_other(&self, other: &Self) -> Result<(), RehearsalError> {
        let short = |range: &Self| range.tip.to_hex_with_len(10);
        if self.tip != other.tip {
            return mixed(format!("one is about the tip {}, one about {}", short(self), short(other)));
        }
        if self.of != other.of {
            return mixed(format!("one is of {} changes, one of {}", self.of, other.of));
        }
        if self.range_id != other.range_id {
            return mixed(format!("each is of {} changes, and they are not the same ones", self.of));
        }
        Ok(())
    }
}

fn mixed(why: String) -> Result<(), RehearsalError> {
    Err(RehearsalError::Mixed { why })
}

/// What a line tells: a change or, where the range has none, the range. The error is what is wrong with it.
fn read_line(line: &str) -> Result<Rehearsal, String> {
    let document: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
    if let Some(message) = document["error"]["message"].as_str() {
        return Err(format!("it is a failure: {message}"));
    }
    match &document["schema_version"] {
        Value::Null => {}
        version if *version == SCHEMA_VERSION => {}
        version => return Err(format!("its schema version is {version}, and {SCHEMA_VERSION} is known")),
    }
    if document["of"] == 0 && document["number"].is_null() {
        let range = serde_json::from_value(document).map_err(|error| error.to_string())?;
        return Ok(Rehearsal { range, changes: Vec::new() });
    }
    let change: RehearsedChange = serde_json::from_value(document).map_err(|error| error.to_string())?;
    Ok(Rehearsal { range: change.range.clone(), changes: vec![change] })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    fn line(number: usize, of: usize, tip: char, result: &str) -> String {
        let id = |letter: char| letter.to_string().repeat(40);
        format!(
            "{{\"schema_version\":1,\"number\":{number},\"of\":{of},\"tip\":\"{}\",\"range_id\":\"r\",\
             \"commit_id\":\"{}\",\"subject\":\"s\",\"result\":\"{result}\",\"conflicts\":[]}}\n",
            id(tip),
            id('c')
        )
    }

    fn joined(text: &str) -> Result<Rehearsal> {
        Rehearsal::join(Rehearsal::read("part", text)?)
    }

    #[test]
    fn parts_in_any_order_make_the_whole_and_a_part_given_twice_counts_once() {
        let (one, two) = (line(1, 2, 'a', "clean"), line(2, 2, 'a', "conflicted"));
        let whole = joined(&format!("{one}{two}")).unwrap();
        assert_eq!(joined(&format!("{two}\n{one}{two}")).unwrap(), whole);
        assert_eq!(whole.summary().revertible, 1);
        let parts = [&two, &one].map(|text| Rehearsal::read("part", text).unwrap().unwrap());
        assert_eq!(Rehearsal::join(parts).unwrap(), whole);
    }

    #[test]
    fn a_range_without_changes_says_so_and_no_line_at_all_is_none() {
        let empty = serde_json::to_string(&RehearsedRange {
            of: 0,
            tip: "a".repeat(40).parse().unwrap(),
            range_id: "r".into(),
        });
        let whole = joined(&empty.unwrap()).unwrap();
        assert_eq!((whole.range.of, whole.changes.len()), (0, 0));
        assert_eq!(joined("\n").unwrap_err().code(), "no-rehearsal");
    }

    #[test]
    fn parts_that_make_no_whole_are_refused_by_what_is_wrong() {
        let one = line(1, 3, 'a', "clean");
        let two = || line(2, 3, 'a', "clean");
        let all = format!("{one}{}{}", two(), line(3, 3, 'a', "empty"));
        let checked = two().replace("}\n", ",\"check\":{\"outcome\":\"pass\",\"reason\":\"\"}}\n");
        for (text, code, said) in [
            (one.clone(), "incomplete-rehearsal", "2 of 3 changes are missing: numbers 2, 3"),
            (format!("{one}{}", line(2, 3, 'b', "clean")), "mixed-rehearsals", "tip"),
            (format!("{one}{}", line(2, 4, 'a', "clean")), "mixed-rehearsals", "of 3 changes"),
            (format!("{one}{}", line(1, 3, 'a', "empty")), "mixed-rehearsals", "twice"),
            (format!("{one}{}", two().replace("\"r\"", "\"s\"")), "mixed-rehearsals", "not the same ones"),
            (format!("{all}{}", line(0, 3, 'a', "empty")), "mixed-rehearsals", "no change 0 of 3"),
            (format!("{all}{}", line(4, 3, 'a', "empty")), "mixed-rehearsals", "no change 4 of 3"),
            (all.replace(&two(), &checked), "mixed-rehearsals", "change 2 was checked, and change 1 was not"),
            (one.replace("\"schema_version\":1", "\"schema_version\":2"), "bad-rehearsal", "version is 2"),
            (format!("{one}{{}}"), "bad-rehearsal", "line 2 of part"),
            ("{\"error\":{\"message\":\"there is no commit x\"}}".into(), "bad-rehearsal", "no commit x"),
        ] {
            let error: Error = joined(&text).unwrap_err();
            assert!(error.code() == code && error.to_string().contains(said), "{error}");
        }
    }
}
