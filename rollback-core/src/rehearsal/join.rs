//! The parts of a rehearsal, read from JSON Lines and joined.

use serde_json::Value;

use super::{Rehearsal, RehearsedChange};
use crate::error::{RehearsalError, Result};

impl Rehearsal {
    /// The changes in `text`, a JSON document a line as `rb rehearse --json` prints them. `name` is what errors call it.
    ///
    /// # Errors
    /// [`RehearsalError::Unreadable`].
    pub fn read(name: &str, text: &str) -> Result<Vec<RehearsedChange>> {
        let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let read = |(at, line): (usize, &str)| {
            serde_json::from_str(line).map_err(|error| {
                RehearsalError::Unreadable { name: name.to_owned(), line: at + 1, why: why(line, &error) }
                    .into()
            })
        };
        lines.map(read).collect()
    }

    /// Joins the changes of shards, in any order, to the rehearsal of the whole range.
    ///
    /// # Errors
    /// [`RehearsalError::Mixed`] for changes of different ranges or tips, or one that is there twice with different
    /// results; [`RehearsalError::Incomplete`].
    pub fn join(mut changes: Vec<RehearsedChange>) -> Result<Self> {
        changes.sort_by_key(|change| change.number);
        changes.dedup();
        let Some(first) = changes.first().cloned() else { return Ok(Self::default()) };
        let mixed = |why: String| Err(RehearsalError::Mixed { why }.into());
        if let Some(other) = changes.iter().find(|change| change.tip != first.tip) {
            let short = |change: &RehearsedChange| change.tip.to_hex_with_len(10);
            return mixed(format!("one is about the tip {}, one about {}", short(&first), short(other)));
        }
        if let Some(other) = changes.iter().find(|change| change.of != first.of) {
            return mixed(format!("one is of {} changes, one of {}", first.of, other.of));
        }
        if let Some(twice) = changes.windows(2).find(|pair| pair[0].number == pair[1].number) {
            return mixed(format!("change {} is there twice, and differs", twice[0].number));
        }
        let there: std::collections::HashSet<_> = changes.iter().map(|change| change.number).collect();
        let missing: Vec<_> = (1..=first.of).filter(|number| !there.contains(number)).collect();
        if !missing.is_empty() {
            return Err(RehearsalError::Incomplete { missing, of: first.of }.into());
        }
        Ok(Self { changes })
    }
}

/// What is wrong with a line: of a shard that failed, what it failed with.
fn why(line: &str, error: &serde_json::Error) -> String {
    let failure = serde_json::from_str::<Value>(line).ok();
    let message = failure.as_ref().and_then(|document| document["error"]["message"].as_str());
    message.map_or_else(|| error.to_string(), |message| format!("it is a failure: {message}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    fn line(number: usize, of: usize, tip: char, result: &str) -> String {
        let id = |letter: char| letter.to_string().repeat(40);
        format!(
            "{{\"schema_version\":1,\"number\":{number},\"of\":{of},\"tip\":\"{}\",\"commit_id\":\"{}\",\
             \"subject\":\"s\",\"result\":\"{result}\",\"conflicts\":[]}}\n",
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
        assert_eq!(joined("").unwrap(), Rehearsal::default());
    }

    #[test]
    fn parts_that_make_no_whole_are_refused_by_what_is_wrong() {
        let one = line(1, 3, 'a', "clean");
        for (text, code, said) in [
            (one.clone(), "incomplete-rehearsal", "2 of 3 changes are missing: numbers 2, 3"),
            (format!("{one}{}", line(2, 3, 'b', "clean")), "mixed-rehearsals", "tip"),
            (format!("{one}{}", line(2, 4, 'a', "clean")), "mixed-rehearsals", "of 3 changes"),
            (format!("{one}{}", line(1, 3, 'a', "empty")), "mixed-rehearsals", "twice"),
            (format!("{one}{{}}"), "bad-rehearsal", "line 2 of part"),
            ("{\"error\":{\"message\":\"there is no commit x\"}}".into(), "bad-rehearsal", "no commit x"),
        ] {
            let error: Error = joined(&text).unwrap_err();
            assert!(error.code() == code && error.to_string().contains(said), "{error}");
        }
    }
}
