//! Who commits, and when: names, mails and dates from the configuration and the environment, cleaned as git cleans them
//! (`ident.c`).
//!
//! There is no guess from the host name: an identity that is not configured is an error. A date that cannot be read is
//! one too, and never the present.

use bstr::{BString, ByteSlice};
use jiff::tz::TimeZone;

use super::date::Date;
use crate::error::{Error, Result, SettingError};
use crate::local_time;
use crate::repo::{Repo, Signature};

/// The part that a person plays in a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Wrote the change.
    Author,
    /// Made the commit.
    Committer,
}

impl Role {
    fn name(self) -> &'static str {
        match self {
            Self::Author => "author",
            Self::Committer => "committer",
        }
    }

    /// The variables with the name, the mail and the date.
    fn variables(self) -> [&'static str; 3] {
        match self {
            Self::Author => ["GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_AUTHOR_DATE"],
            Self::Committer => ["GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL", "GIT_COMMITTER_DATE"],
        }
    }
}

impl Repo {
    /// Who plays `role` in a commit made now.
    ///
    /// # Errors
    /// [`SettingError::NoIdentity`] where name or mail is not configured, [`SettingError::Identity`] for a name that
    /// git refuses, [`SettingError::Date`] for a date of the environment that git cannot read.
    pub(crate) fn identity(&self, role: Role) -> Result<Signature> {
        let local = self.local();
        let config = local.config_snapshot();
        let sources = Sources {
            variable: &|name| std::env::var_os(name).map(|value| value.into_encoded_bytes().into()),
            value: &|key| config.string(key),
        };
        sources.signature(role, jiff::Timestamp::now().as_second(), &local_time::zone())
    }

    /// Whether `commit.gpgSign` asks for signed commits.
    pub(crate) fn signs_commits(&self) -> bool {
        self.local().config_snapshot().boolean("commit.gpgSign").unwrap_or(false)
    }
}

/// The name or the mail without what git strips: control characters, blanks and `,:;<>"\'` at both ends, and line feeds
/// and angle brackets everywhere.
pub(crate) fn without_crud(text: &[u8]) -> BString {
    let text = text.trim_with(|letter| u8::try_from(letter).is_ok_and(is_crud));
    text.iter().copied().filter(|byte| !matches!(byte, b'\n' | b'<' | b'>')).collect::<Vec<u8>>().into()
}

fn is_crud(byte: u8) -> bool {
    byte <= b' ' || b",:;<>\"\\'".contains(&byte)
}

/// Where names, mails and dates are looked up.
struct Sources<'a> {
    variable: &'a dyn Fn(&str) -> Option<BString>,
    value: &'a dyn Fn(&str) -> Option<BString>,
}

impl Sources<'_> {
    fn signature(&self, role: Role, now: i64, zone: &TimeZone) -> Result<Signature> {
        let [name_variable, email_variable, date_variable] = role.variables();
        let missing = || Error::from(SettingError::NoIdentity { role: role.name() });
        let (email, _) = self.part(email_variable, role, "email").ok_or_else(missing)?;
        let (name, from) = self.part(name_variable, role, "name").ok_or_else(missing)?;
        let name = clean_name(role, &name, from)?;
        let date = match (self.variable)(date_variable).filter(|date| !date.is_empty()) {
            None => of_now(now, zone),
            Some(text) => Date::parse(&text, now, zone)
                .ok_or_else(|| SettingError::Date { variable: date_variable, value: text.to_string() })?,
        };
        Ok(Signature {
            name,
            email: without_crud(&email),
            seconds: date.seconds as i64,
            time: date.spelled(),
        })
    }

    /// A name or a mail, and the variable or key that gives it: of the environment, else of the role, else of the user. A
    /// value for the role that is empty does not count, one of the user does.
    fn part(&self, variable: &str, role: Role, part: &str) -> Option<(BString, String)> {
        let of_variable = |name: &str| Some(((self.variable)(name)?, name.to_owned()));
        let of_key = |key: String| Some(((self.value)(&key)?, key));
        let filled = |found: &(BString, String)| !found.0.is_empty();
        of_variable(variable)
            .or_else(|| of_key(format!("{}.{part}", role.name())).filter(filled))
            .or_else(|| of_key(format!("user.{part}")))
            .or_else(|| of_variable("EMAIL").filter(|found| part == "email" && filled(found)))
    }
}

fn clean_name(role: Role, name: &[u8], from: String) -> Result<BString> {
    let refuse = |why| Err(SettingError::Identity { role: role.name(), from, why }.into());
    if name.is_empty() {
        return refuse("it is empty");
    }
    if name.iter().all(|byte| is_crud(*byte)) {
        return refuse("nothing is left of it once git has stripped blanks and punctuation");
    }
    Ok(without_crud(name))
}

fn of_now(now: i64, zone: &TimeZone) -> Date {
    let moment = jiff::Timestamp::from_second(now).unwrap_or_default();
    Date { seconds: now.max(0) as u64, offset: i64::from(zone.to_offset(moment).seconds() / 60) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crud_is_stripped_at_the_ends_and_delimiters_everywhere() {
        let cleaned = |text: &str| without_crud(text.as_bytes()).to_string();
        assert_eq!(cleaned("<a@b.example>"), "a@b.example");
        assert_eq!(cleaned("A <B>"), "A B");
        assert_eq!(cleaned(" 'Jo \"x\" ;,"), "Jo \"x");
        assert_eq!(cleaned("\tFoo Bar, Jr.\n"), "Foo Bar, Jr.");
        assert_eq!(cleaned("a\nb\u{7}<>c"), "ab\u{7}c");
        assert_eq!(cleaned("«é»"), "«é»");
    }

    #[test]
    fn the_environment_wins_over_the_role_and_the_role_over_the_user() {
        let lookup = |rows: &'static [(&'static str, &'static str)]| {
            move |name: &str| {
                rows.iter().find(|(key, _)| *key == name).map(|(_, value)| BString::from(*value))
            }
        };
        let signature = |variables: &'static [_], values: &'static [_]| {
            let sources = Sources { variable: &lookup(variables), value: &lookup(values) };
            sources.signature(Role::Author, 1_700_000_000, &TimeZone::UTC)
        };
        let user = &[("user.name", "User"), ("user.email", "user@x"), ("author.name", "Author")];
        let line = |variables: &'static [_], values: &'static [_]| {
            signature(variables, values).map(|found| found.line().to_string()).map_err(|error| error.code())
        };
        assert_eq!(line(&[], user).unwrap(), "Author <user@x> 1700000000 +0000");
        assert_eq!(line(&[("GIT_AUTHOR_NAME", "Env")], user).unwrap(), "Env <user@x> 1700000000 +0000");
        assert_eq!(line(&[("GIT_AUTHOR_EMAIL", "")], user).unwrap(), "Author <> 1700000000 +0000");
        assert_eq!(line(&[("EMAIL", "e@x")], &[("user.name", "U")]).unwrap(), "U <e@x> 1700000000 +0000");
        assert_eq!(line(&[("GIT_AUTHOR_NAME", "")], user), Err("bad-identity"));
        assert_eq!(line(&[("GIT_AUTHOR_NAME", " ,; ")], user), Err("bad-identity"));
        assert_eq!(line(&[("GIT_AUTHOR_DATE", "garbage")], user), Err("bad-date"));
        assert_eq!(line(&[], &[("user.email", "user@x")]), Err("no-identity"));
    }
}
