//! Configuration of the environment: `GIT_CONFIG_COUNT` with its keys and values, and `GIT_CONFIG_PARAMETERS`, in which
//! `git -c key=value rb …` hands over what was typed.
//!
//! The environment is the user's own, so these values count as the user's. Keys that git reads in the repository's own
//! file alone are left out, as git leaves them out.

use std::path::Path;

use bstr::{BString, ByteSlice};
use gix::config::{File, Source, file};

use super::config_file::Setting;
use super::config_rules::{Scope, refusal};
use crate::error::{Error, Result, SettingError};

/// The variable that `git -c` fills.
const PARAMETERS: &str = "GIT_CONFIG_PARAMETERS";
const COUNT: &str = "GIT_CONFIG_COUNT";

/// The values, in git's order: later ones win.
///
/// # Errors
/// [`SettingError::Environment`] where git refuses them.
pub(crate) fn settings(variable: &dyn Fn(&str) -> Option<BString>) -> Result<Vec<Setting>> {
    let mut settings = counted(variable)?;
    if let Some(text) = variable(PARAMETERS) {
        settings.extend(parameters(&text).map_err(|why| refused(PARAMETERS, why))?);
    }
    for setting in &settings {
        if let Some(why) = refusal(setting, Scope::Repository) {
            let variable = if variable(PARAMETERS).is_some() { PARAMETERS } else { COUNT };
            return Err(refused(variable, why));
        }
    }
    settings.retain(|setting| !is_of_repository(setting));
    Ok(settings)
}

/// The values as a configuration, the files that they include among them.
///
/// # Errors
/// [`SettingError::Environment`].
pub(crate) fn file(settings: &[Setting], git_dir: &Path) -> Result<File> {
    let failed = |error: gix::Error| refused(PARAMETERS, error.to_string());
    let mut file = File::new(file::Metadata::from(Source::Cli));
    for setting in settings {
        let subsection = setting.subsection.as_ref().map(|subsection| subsection.as_bstr());
        let section = setting.section.to_str_lossy();
        let mut section = file.section_mut_or_create_new(&*section, subsection).map_err(failed)?;
        let value = setting.value.as_ref().map(|value| value.as_bstr());
        section.push(&*setting.name.to_str_lossy(), value).map_err(failed)?;
    }
    let home = gix::path::env::home_dir();
    let interpolate =
        gix::config::path::interpolate::Context { home_dir: home.as_deref(), ..Default::default() };
    let conditional = file::includes::conditional::Context { git_dir: Some(git_dir), branch_name: None };
    let includes = file::includes::Options::follow(interpolate, conditional);
    file.resolve_includes(file::init::Options { includes, ..Default::default() }).map_err(failed)?;
    Ok(file)
}

fn refused(variable: &str, why: impl Into<String>) -> Error {
    SettingError::Environment { variable: variable.into(), why: why.into() }.into()
}

/// Whether git reads the key in the file of the repository alone. Keys of the object library are not git's at all.
fn is_of_repository(setting: &Setting) -> bool {
    let own = ["core.bare", "core.worktree", "core.repositoryformatversion"];
    own.contains(&setting.key().as_str()) || setting.section == "extensions" || setting.section == "gitoxide"
}

fn counted(variable: &dyn Fn(&str) -> Option<BString>) -> Result<Vec<Setting>> {
    let Some(count) = variable(COUNT).filter(|count| !count.is_empty()) else { return Ok(Vec::new()) };
    let bogus = || refused(COUNT, format!("'{count}' is no number of values"));
    let count: u32 = count.to_str().ok().and_then(|count| count.parse().ok()).ok_or_else(bogus)?;
    let mut settings = Vec::new();
    for number in 0..count {
        let part = |part: &str| {
            let name = format!("GIT_CONFIG_{part}_{number}");
            variable(&name).ok_or_else(|| refused(COUNT, format!("{name} is missing")))
        };
        let setting = setting(&part("KEY")?, Some(part("VALUE")?)).map_err(|why| refused(COUNT, why))?;
        settings.push(setting);
    }
    Ok(settings)
}

/// Both spellings: `'key=value'`, and since git 2.31 `'key'='value'`, in which a key without a value ends with `=`.
fn parameters(text: &[u8]) -> Result<Vec<Setting>, String> {
    const BOGUS: &str = "it is not quoted as git quotes it";
    let mut settings = Vec::new();
    let mut rest = text.trim_ascii_start();
    while !rest.is_empty() {
        let (word, after) = unquoted(rest).ok_or(BOGUS)?;
        let (read, after) = match after {
            [] | [b' ' | b'\t' | b'\n', ..] => {
                let (key, value) = match word.split_once_str("=") {
                    Some((key, value)) => (key, Some(BString::from(value))),
                    None => (word.as_slice(), None),
                };
                (setting(key.trim_ascii(), value)?, after)
            }
            [b'=', after @ ..] if after.starts_with(b"'") => {
                let (value, after) = unquoted(after).ok_or(BOGUS)?;
                (setting(&word, Some(value))?, after)
            }
            [b'=', after @ ..] => (setting(&word, None)?, after),
            _ => return Err(BOGUS.into()),
        };
        if after.first().is_some_and(|byte| !byte.is_ascii_whitespace()) {
            return Err(BOGUS.into());
        }
        settings.push(read);
        rest = after.trim_ascii_start();
    }
    Ok(settings)
}

/// A word in single quotes, in which `'\''` and `'\!'` stand for a quote and an exclamation mark, and what follows it.
fn unquoted(text: &[u8]) -> Option<(BString, &[u8])> {
    let mut rest = text.strip_prefix(b"'")?;
    let mut word = BString::default();
    loop {
        let end = rest.find_byte(b'\'')?;
        word.extend_from_slice(&rest[..end]);
        match &rest[end + 1..] {
            [b'\\', escaped @ (b'\'' | b'!'), b'\'', after @ ..] => {
                word.push(*escaped);
                rest = after;
            }
            after => return Some((word, after)),
        }
    }
}

/// A value under its key, where git takes the key for one.
fn setting(key: &[u8], value: Option<BString>) -> Result<Setting, String> {
    let shown = key.as_bstr();
    if key.is_empty() {
        return Err("a key is empty".into());
    }
    let end =
        key.rfind_byte(b'.').filter(|end| *end > 0).ok_or(format!("the key '{shown}' has no section"))?;
    let (path, name) = (&key[..end], &key[end + 1..]);
    let (section, subsection) = match path.split_once_str(".") {
        Some((section, subsection)) => (section, Some(BString::from(subsection))),
        None => (path, None),
    };
    let word = |text: &[u8]| text.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-');
    let named = name.first().is_some_and(u8::is_ascii_alphabetic) && word(name);
    let placed = word(section) && !subsection.as_ref().is_some_and(|text| text.contains(&b'\n'));
    if !named || !placed {
        return Err(format!("'{shown}' is no key"));
    }
    let lower = |text: &[u8]| BString::from(text.to_ascii_lowercase());
    Ok(Setting { section: lower(section), subsection, name: lower(name), value, line: 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Vec<(String, Option<String>)>> {
        let found = settings(&|name| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| BString::from(*value))
        })?;
        Ok(found.iter().map(|one| (one.key(), one.value.as_ref().map(ToString::to_string))).collect())
    }

    fn row(key: &str, value: Option<&str>) -> (String, Option<String>) {
        (key.to_owned(), value.map(str::to_owned))
    }

    #[test]
    fn both_spellings_of_parameters_are_read() {
        let text = r"'User.Name=Old = Style' 'a.B.c=d'='it'\''s '\!'' 'core.x'= 'core.y'  'a.b'=''";
        let expected = [
            row("user.name", Some("Old = Style")),
            row("a.B.c=d", Some("it's !")),
            row("core.x", None),
            row("core.y", None),
            row("a.b", Some("")),
        ];
        // A variable never holds a `=`, so the second key is refused, as in git.
        assert!(read(&[("GIT_CONFIG_PARAMETERS", text)]).is_err());
        let text = text.replace("c=d", "c");
        let mut expected = expected;
        expected[1].0 = "a.B.c".into();
        assert_eq!(read(&[("GIT_CONFIG_PARAMETERS", &text)]).unwrap(), expected);
        let subsection = [("GIT_CONFIG_PARAMETERS", "'url.https://a=b.insteadOf'='c'")];
        assert_eq!(read(&subsection).unwrap(), [row("url.https://a=b.insteadof", Some("c"))]);
    }

    #[test]
    fn counted_values_come_first_and_wrong_ones_are_refused() {
        let both = [
            ("GIT_CONFIG_COUNT", "1"),
            ("GIT_CONFIG_KEY_0", "user.name"),
            ("GIT_CONFIG_VALUE_0", "counted"),
            ("GIT_CONFIG_PARAMETERS", "'user.name'='typed'"),
        ];
        let expected = [row("user.name", Some("counted")), row("user.name", Some("typed"))];
        assert_eq!(read(&both).unwrap(), expected);
        for wrong in [
            "bogus",
            "'a.b",
            "'nodot'='x'",
            "''=''",
            "'core.1x'",
            "'a.b'x",
            "'a.b'='c'd",
            "'core.filemode'='maybe'",
        ] {
            let error = read(&[("GIT_CONFIG_PARAMETERS", wrong)]).expect_err(wrong);
            assert_eq!(error.code(), "bad-configuration", "{wrong}");
        }
        assert!(read(&[("GIT_CONFIG_COUNT", "x")]).is_err() && read(&both[..2]).is_err());
        assert_eq!(read(&[("GIT_CONFIG_COUNT", "")]).unwrap(), []);
    }

    #[test]
    fn what_git_reads_in_the_file_of_the_repository_alone_does_not_count() {
        let text = "'core.worktree'='/x' 'core.bare'='true' 'extensions.new'='1' 'core.abbrev'='9'";
        assert_eq!(read(&[("GIT_CONFIG_PARAMETERS", text)]).unwrap(), [row("core.abbrev", Some("9"))]);
    }
}
