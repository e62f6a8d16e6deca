//! Placeholders in the texts of a procedure: `{input.pr}`, `{run.duration}`, `{check.smoke.found}`.
//!
//! A placeholder is a namespace, a dot and a name within braces; any other brace is text, and `{{a.b}}` writes
//! `{a.b}`. A value is put in once and never read again for placeholders, so that it cannot smuggle one in.

use std::fmt::Write as _;
use std::sync::LazyLock;

use regex::Regex;

static PLACEHOLDER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\{(\{)?([a-z][a-z_-]*)\.([A-Za-z0-9_][A-Za-z0-9_.-]*)\}(\})?")
        .expect("the pattern is a literal")
});

/// A placeholder as a text spells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placeholder<'a> {
    /// What stands before the first dot.
    pub namespace: &'a str,
    /// What stands after it.
    pub name: &'a str,
}

impl std::fmt::Display for Placeholder<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{{{}.{}}}", self.namespace, self.name)
    }
}

/// The placeholders of a text, in order.
pub fn placeholders(text: &str) -> impl Iterator<Item = Placeholder<'_>> {
    PLACEHOLDER.captures_iter(text).filter(|found| found.get(1).is_none()).filter_map(|found| {
        Some(Placeholder { namespace: found.get(2)?.as_str(), name: found.get(3)?.as_str() })
    })
}

/// The text with every placeholder replaced.
///
/// # Errors
/// The first error of `lookup`.
pub fn fill<'t, E>(
    text: &'t str,
    mut lookup: impl FnMut(Placeholder<'t>) -> Result<String, E>,
) -> Result<String, E> {
    let mut filled = String::with_capacity(text.len());
    let mut at = 0;
    for found in PLACEHOLDER.captures_iter(text) {
        let (Some(whole), Some(namespace), Some(name)) = (found.get(0), found.get(2), found.get(3)) else {
            continue;
        };
        filled.push_str(&text[at..whole.start()]);
        let escaped = found.get(1).is_some();
        let closed_twice = found.get(4).is_some();
        if escaped {
            let _ = write!(filled, "{{{}.{}}}", namespace.as_str(), name.as_str());
        } else {
            filled.push_str(&lookup(Placeholder { namespace: namespace.as_str(), name: name.as_str() })?);
        }
        if closed_twice && !escaped {
            // A brace that belongs to what stands around the placeholder.
            filled.push('}');
        }
        at = whole.end();
    }
    filled.push_str(&text[at..]);
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str) -> String {
        fill(text, |found| Ok::<_, ()>(format!("<{} {}>", found.namespace, found.name))).unwrap()
    }

    #[test]
    fn placeholders_are_filled_and_other_braces_stay() {
        assert_eq!(filled("merge {input.pr} of {phase.id}"), "merge <input pr> of <phase id>");
        assert_eq!(filled(r#"{"status": "x", "n": {run.id}}"#), r#"{"status": "x", "n": <run id>}"#);
        assert_eq!(filled("stash@{0} {} {word} ${HOME}"), "stash@{0} {} {word} ${HOME}");
        assert_eq!(filled("{{input.pr}}"), "{input.pr}");
        assert_eq!(filled("{check.lane-guard.found}"), "<check lane-guard.found>");
    }

    #[test]
    fn a_value_is_not_read_again() {
        let text = fill("{input.a}", |_| Ok::<_, ()>("{input.b}".to_owned())).unwrap();
        assert_eq!(text, "{input.b}");
    }

    #[test]
    fn placeholders_are_listed_in_order() {
        let found: Vec<_> = placeholders("{a.b} {{c.d}} {e.f-g}").map(|found| found.to_string()).collect();
        assert_eq!(found, ["{a.b}", "{e.f-g}"]);
    }
}
