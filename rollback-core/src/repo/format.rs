//! The format of a repository: its version and its extensions, and git's rules for both.
//!
//! git reads these keys in the repository's own configuration file alone; version 0 knows fewer extensions than
//! version 1, and without a version none of them counts.

use std::path::Path;

use super::config_file::Setting;
use super::config_rules::number;
use crate::error::{Result, SettingError};

/// The newest version that git reads.
const NEWEST: i64 = 1;

/// Where git honours an extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    /// In every version.
    Always,
    /// From version 1 on; with version 0 it is refused.
    FromOne,
    /// From version 1 on, and this crate does not support it.
    Unsupported(&'static str),
}

/// Refuses a format that git refuses, and one that would be misread or damaged here.
///
/// # Errors
/// [`SettingError::Format`].
pub(crate) fn check(file: &Path, settings: &[Setting]) -> Result<()> {
    let refuse = |what: String, line| Err(SettingError::Format { what, path: file.to_owned(), line }.into());
    let plain = |setting: &&Setting| setting.subsection.is_none();
    let mut versions =
        settings.iter().filter(plain).filter(|setting| setting.key() == "core.repositoryformatversion");
    let Some((version, line)) =
        versions.next_back().and_then(|setting| Some((number(setting.value.as_ref()?)?, setting.line)))
    else {
        return Ok(());
    };
    if version > NEWEST {
        return refuse(format!("repository format version {version} is newer than git reads"), line);
    }
    let extensions = settings.iter().filter(|setting| setting.section == "extensions");
    for extension in extensions.filter(|_| version >= 0) {
        let name = extension.key()["extensions.".len()..].to_owned();
        let value = extension.value.as_ref().map(ToString::to_string).unwrap_or_default();
        match known(&name, &value) {
            None if version >= 1 => return refuse(format!("unknown extension '{name}'"), extension.line),
            Some(Known::FromOne | Known::Unsupported(_)) if version == 0 => {
                return refuse(
                    format!("extension '{name}' needs core.repositoryFormatVersion = 1, which is 0"),
                    extension.line,
                );
            }
            Some(Known::Unsupported(why)) => {
                return refuse(format!("extension '{name}' is not supported: {why}"), extension.line);
            }
            _ => {}
        }
    }
    Ok(())
}

fn known(name: &str, value: &str) -> Option<Known> {
    Some(match name {
        "noop" | "preciousobjects" | "partialclone" | "worktreeconfig" => Known::Always,
        "noop-v1" | "relativeworktrees" => Known::FromOne,
        "objectformat" if matches!(value, "sha1" | "sha256") => Known::FromOne,
        "objectformat" => Known::Unsupported("its hash is neither sha1 nor sha256"),
        "compatobjectformat" => {
            Known::Unsupported("git keeps a second id of each object, which is not written here")
        }
        "refstorage" if matches!(value, "files" | "reftable") => Known::FromOne,
        "refstorage" => {
            Known::Unsupported("only the storages 'files' and 'reftable' can be read and written")
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use crate::repo::config_file;

    fn outcome(text: &str) -> Result<(), (String, usize)> {
        let settings = config_file::read(text.as_bytes()).expect("it is well-formed");
        check(Path::new("config"), &settings).map_err(|error| match error {
            Error::Setting(SettingError::Format { what, line, .. }) => (what, line),
            other => (other.to_string(), 0),
        })
    }

    #[test]
    fn extensions_count_by_the_version_as_in_git() {
        let with = |version: &str, rest: &str| {
            outcome(&format!("[core]\n\trepositoryformatversion = {version}\n[extensions]\n\t{rest}\n"))
        };
        assert_eq!(with("1", "noop"), Ok(()));
        assert_eq!(with("1", "NOOP-v1 = x"), Ok(()));
        assert_eq!(with("1", "fromTheFuture = 1"), Err(("unknown extension 'fromthefuture'".into(), 4)));
        assert_eq!(with("0", "fromTheFuture = 1"), Ok(()));
        assert_eq!(with("0", "partialClone = origin"), Ok(()));
        assert!(with("0", "noop-v1").is_err() && with("0", "objectFormat = sha1").is_err());
        assert_eq!(with("1", "objectFormat = sha256"), Ok(()));
        assert!(with("1", "compatObjectFormat = sha1").is_err());
        assert_eq!(with("1", "refStorage = reftable"), Ok(()));
        assert!(with("1", "refStorage = cloud").is_err_and(|(what, _)| what.contains("refstorage")));
        assert!(with("7", "noop").is_err_and(|(what, line)| what.contains("version 7") && line == 2));
        assert_eq!(outcome("[extensions]\n\tfromTheFuture\n"), Ok(()), "without a version nothing counts");
    }
}
