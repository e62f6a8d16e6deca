//! The configuration that decides how files, index and references are written, read once and typed.
//!
//! Nothing here writes. A value that git would refuse is refused; a missing one has git's default.

use bstr::{BString, ByteSlice};
use gix::config::Source;

use crate::error::{Error, Result, SettingError};
use crate::reftable::{DEFAULT_FACTOR, Layout};
use crate::repo::Repo;

/// What the configuration says about writing.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// `core.fileMode`: the executable bit of files in the work tree means something.
    pub(crate) file_mode: bool,
    /// `core.symlinks`: links are written as links, not as files that hold the target.
    pub(crate) symlinks: bool,
    /// `core.ignoreCase`: the file system does not tell `A` from `a`.
    pub(crate) ignore_case: bool,
    /// `core.trustctime`: a changed inode change time means a changed file.
    pub(crate) trust_ctime: bool,
    /// `core.checkStat` is not `minimal`: owner, inode and the like are compared too.
    pub(crate) check_stat: bool,
    /// `index.skipHash`: the index ends in zeros where its checksum would be.
    pub(crate) skip_hash: bool,
    /// `core.sharedRepository`.
    pub(crate) shared: Shared,
    /// `core.logAllRefUpdates`.
    pub(crate) reflog: ReflogPolicy,
    /// `core.fsync`. Of the methods in `core.fsyncMethod` only `fsync` is used, which keeps what the others promise.
    pub(crate) fsync: FsyncPolicy,
}

/// How tables of references are written: `reftable.*`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TableSettings {
    /// `reftable.blockSize` and `reftable.restartInterval`.
    pub(crate) layout: Layout,
    /// `reftable.geometricFactor`: how much larger a table of a stack is than the next.
    pub(crate) factor: u64,
}

impl TableSettings {
    /// Reads the settings of `repo`. As in git, 0 stands for the usual.
    ///
    /// # Errors
    /// [`SettingError::Value`] for a number that is out of bounds.
    pub(crate) fn of(repo: &Repo) -> Result<Self> {
        let local = repo.local();
        let config = local.config_snapshot();
        let number = |key: &'static str, most: usize, usual: usize| -> Result<usize> {
            let bad = |why: String| Error::from(SettingError::Value { key: key.into(), why });
            match config.try_integer(key).map_err(|error| bad(error.to_string()))?.unwrap_or(0) {
                0 => Ok(usual),
                value => usize::try_from(value)
                    .ok()
                    .filter(|value| *value <= most)
                    .ok_or_else(|| bad(format!("{value} is not between 0 and {most}"))),
            }
        };
        let usual = Layout::default();
        let block_size = number("reftable.blockSize", 0xff_ffff, usual.block_size)?;
        let restart_interval = number("reftable.restartInterval", 0xffff, usual.restart_interval)?;
        let factor = number("reftable.geometricFactor", 0xff, DEFAULT_FACTOR)?;
        Ok(Self { layout: Layout { block_size, restart_interval }, factor: factor as u64 })
    }
}

/// Who may write the files of the git directory, after `core.sharedRepository`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shared {
    /// The umask decides.
    Umask,
    /// These bits are added to what the umask leaves.
    Add(u32),
    /// Exactly these bits.
    Exactly(u32),
}

impl Shared {
    #[cfg(any(unix, test))]
    /// The permission bits of a file that the umask left with `mode`.
    pub(crate) fn adjust(self, mode: u32) -> u32 {
        // A file without write permission (an object) stays so; one without execute permission, too.
        let allowed = |bits: u32| {
            let bits = if mode & 0o200 == 0 { bits & !0o222 } else { bits };
            if mode & 0o100 == 0 { bits & !0o111 } else { bits | (bits & 0o444) >> 2 }
        };
        match self {
            Self::Umask => mode,
            Self::Add(bits) => mode | allowed(bits),
            Self::Exactly(bits) => (mode & !0o777) | allowed(bits),
        }
    }
}

/// Which references get a log of their moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReflogPolicy {
    /// Only those that have one.
    Existing,
    /// Branches, remote-tracking branches, notes and HEAD.
    Usual,
    /// All.
    Always,
}

impl ReflogPolicy {
    /// Whether a log is begun for the reference called `name`.
    pub(crate) fn begins_for(self, name: &[u8]) -> bool {
        match self {
            Self::Existing => false,
            Self::Always => true,
            Self::Usual => {
                name == b"HEAD"
                    || [&b"refs/heads/"[..], b"refs/remotes/", b"refs/notes/"]
                        .iter()
                        .any(|prefix| name.starts_with(prefix))
            }
        }
    }
}

/// What is forced onto the disk before the next step may rely on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FsyncPolicy {
    /// Loose objects.
    pub(crate) objects: bool,
    /// The index.
    pub(crate) index: bool,
    /// References.
    pub(crate) references: bool,
    /// The journal, the staged files and the folders of the work tree: rb's own promise. It holds unless
    /// the configuration asks for less than git's full set.
    pub(crate) journal: bool,
}

impl FsyncPolicy {
    /// Everything is durable before it is relied on.
    pub(crate) const DURABLE: Self = Self { objects: true, index: true, references: true, journal: true };

    /// Reads git's list of components, such as `committed,-loose-object`.
    fn parse(list: &[u8]) -> Self {
        const LOOSE: u8 = 1;
        const INDEX: u8 = 2;
        const REFERENCE: u8 = 4;
        let mut on = LOOSE | INDEX | REFERENCE;
        for word in
            list.split(|byte| *byte == b',' || byte.is_ascii_whitespace()).filter(|word| !word.is_empty())
        {
            let (remove, name) = word.strip_prefix(b"-").map_or((false, word), |name| (true, name));
            let bits = match name {
                b"none" if !remove => {
                    on = 0;
                    continue;
                }
                b"all" | b"added" => LOOSE | INDEX | REFERENCE,
                b"committed" => LOOSE | REFERENCE,
                b"default" | b"objects" | b"derived-metadata" => LOOSE,
                b"loose-object" => LOOSE,
                b"index" => INDEX,
                b"reference" => REFERENCE,
                b"pack" | b"pack-metadata" | b"commit-graph" => 0,
                // As git: an unknown component asks for nothing.
                _ => 0,
            };
            if remove { on &= !bits } else { on |= bits }
        }
        Self {
            objects: on & LOOSE != 0,
            index: on & INDEX != 0,
            references: on & REFERENCE != 0,
            journal: on == LOOSE | INDEX | REFERENCE,
        }
    }
}

/// The programs for signatures that the repository's own configuration names: keys and commands.
pub(crate) fn own_signers(repo: &gix::Repository) -> Vec<(String, BString)> {
    let config = repo.config_snapshot();
    let mut found = Vec::new();
    for section in config.plumbing().sections_by_name("gpg").into_iter().flatten() {
        if !matches!(section.meta().source, Source::Local | Source::Worktree) {
            continue;
        }
        for key in ["program", "defaultKeyCommand"] {
            let name = match section.header().subsection_name() {
                Some(format) => format!("gpg.{format}.{key}"),
                None => format!("gpg.{key}"),
            };
            found.extend(section.values(key).into_iter().map(|command| (name.clone(), command)));
        }
    }
    found
}

impl Settings {
    /// Reads the settings of `repo`.
    pub(crate) fn of(repo: &Repo) -> Result<Self> {
        let local = repo.local();
        let config = local.config_snapshot();
        let flag = |key: &'static str, default| -> Result<bool> {
            config
                .try_boolean(key)
                .map(|value| value.unwrap_or(default))
                .map_err(|error| SettingError::Value { key: key.into(), why: error.to_string() }.into())
        };
        let bare = local.workdir().is_none();
        Ok(Self {
            file_mode: cfg!(unix) && flag("core.fileMode", true)?,
            symlinks: cfg!(unix) && flag("core.symlinks", true)?,
            ignore_case: flag("core.ignoreCase", false)?,
            trust_ctime: flag("core.trustctime", true)?,
            check_stat: config
                .string("core.checkStat")
                .is_none_or(|value| !value.eq_ignore_ascii_case(b"minimal")),
            skip_hash: flag("index.skipHash", false)?,
            shared: shared(config.string("core.sharedRepository").as_ref().map(|value| value.as_slice()))?,
            reflog: match config.string("core.logAllRefUpdates") {
                Some(value) if value.eq_ignore_ascii_case(b"always") => ReflogPolicy::Always,
                Some(_) if flag("core.logAllRefUpdates", false)? => ReflogPolicy::Usual,
                Some(_) => ReflogPolicy::Existing,
                None if bare => ReflogPolicy::Existing,
                None => ReflogPolicy::Usual,
            },
            fsync: match config.string("core.fsync") {
                Some(list) => FsyncPolicy::parse(&list),
                None => FsyncPolicy::DURABLE,
            },
        })
    }
}

fn shared(value: Option<&[u8]>) -> Result<Shared> {
    let Some(value) = value else {
        return Ok(Shared::Umask);
    };
    Ok(match value.to_ascii_lowercase().as_slice() {
        b"umask" | b"false" | b"no" | b"off" | b"0" => Shared::Umask,
        b"group" | b"true" | b"yes" | b"on" | b"1" => Shared::Add(0o660),
        b"all" | b"world" | b"everybody" | b"2" => Shared::Add(0o664),
        octal => {
            let bits = std::str::from_utf8(octal).ok().and_then(|text| u32::from_str_radix(text, 8).ok());
            match bits.filter(|bits| bits & 0o600 == 0o600) {
                Some(bits) => Shared::Exactly(bits & 0o666),
                None => {
                    return Err(SettingError::Value {
                        key: "core.sharedRepository".into(),
                        why: format!("'{}' must let the owner read and write", octal.as_bstr()),
                    }
                    .into());
                }
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_of_core_fsync_add_and_remove_as_git_counts_them() {
        let policy = |list: &str| FsyncPolicy::parse(list.as_bytes());
        assert_eq!(policy("all"), FsyncPolicy::DURABLE);
        assert!(!policy("none").objects && !policy("none").journal);
        let some = policy("committed,-loose-object,none,reference");
        assert!(some.references && !some.objects && !some.index);
        assert_eq!(policy("everything"), FsyncPolicy::DURABLE, "git ignores what it does not know");
    }

    #[test]
    fn shared_repositories_widen_the_mode_that_the_umask_leaves() {
        assert_eq!(Shared::Umask.adjust(0o644), 0o644);
        assert_eq!(Shared::Add(0o660).adjust(0o644), 0o664);
        assert_eq!(Shared::Add(0o664).adjust(0o444), 0o444);
        assert_eq!(Shared::Add(0o660).adjust(0o755), 0o775);
        assert_eq!(Shared::Exactly(0o640).adjust(0o644), 0o640);
    }
}
