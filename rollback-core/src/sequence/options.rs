//! What a sequence of reverts or picks is asked to do, and the file `sequencer/opts` that keeps it over a stop.

use bstr::{BString, ByteSlice};

use crate::error::{Error, Result};
use crate::message::Cleanup;
use crate::repo::config_file;

/// What is done with each commit of a sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SequenceAction {
    /// It is undone.
    Revert,
    /// It is replayed.
    Pick,
}

impl SequenceAction {
    /// git's name for the command.
    pub fn command(self) -> &'static str {
        match self {
            Self::Revert => "revert",
            Self::Pick => "cherry-pick",
        }
    }

    /// The word in a line of `sequencer/todo`.
    pub(super) fn todo_word(self) -> &'static str {
        match self {
            Self::Revert => "revert",
            Self::Pick => "pick",
        }
    }

    /// The file that names the commit at which it stopped.
    pub(super) fn head_file(self) -> &'static str {
        match self {
            Self::Revert => "REVERT_HEAD",
            Self::Pick => "CHERRY_PICK_HEAD",
        }
    }
}

/// What becomes of a commit whose change is there already (`--empty`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenEmpty {
    /// The sequence stops.
    #[default]
    Stop,
    /// No commit is made.
    Drop,
    /// An empty commit is made.
    Keep,
}

/// How the commits are signed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SignCommits {
    /// As `commit.gpgSign` says.
    #[default]
    AsConfigured,
    /// Not at all.
    No,
    /// With this key; the committer's own where it is empty.
    WithKey(String),
}

/// What a sequence is asked to do. [`SequenceOptions::default`] is what git does without a flag.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SequenceOptions {
    /// Change index and work tree only, each commit on top of the one before (`-n`).
    pub no_commit: bool,
    /// Whether each message is edited; the caller decides where absent, and nothing is edited.
    pub edit: Option<bool>,
    /// Keep commits that are empty from the start.
    pub allow_empty: bool,
    /// Kept for later steps; a pick of an empty message succeeds in any case.
    pub allow_empty_message: bool,
    /// What becomes of commits that have become empty.
    pub empty: WhenEmpty,
    /// Add a `Signed-off-by` trailer.
    pub signoff: bool,
    /// Say in the message which commit it came from (`-x`).
    pub record_origin: bool,
    /// Move the branch to the very commit where its parent is HEAD (`--ff`).
    pub allow_ff: bool,
    /// The parent that a merge is compared with, from 1.
    pub mainline: Option<usize>,
    /// The name of another merge strategy, which a pick hands to the caller.
    pub strategy: Option<String>,
    /// Signing.
    pub sign: SignCommits,
    /// Options of the merge, as `-X` takes them. One that git does not know is ignored, as git does.
    pub strategy_options: Vec<String>,
    /// Whether a replayed resolution is staged; `rerere.autoUpdate` decides where absent.
    pub rerere_autoupdate: Option<bool>,
    /// How messages are cleaned up; `commit.cleanup` decides where absent.
    pub cleanup: Option<Cleanup>,
    /// Refer to a reverted commit as `abbreviated id (subject, date)`; `revert.reference` decides where absent.
    /// It is not kept over a stop, as under git.
    pub reference: Option<bool>,
}

impl SequenceOptions {
    /// The text of `sequencer/opts`: what differs from the default. Empty where nothing does; git then has no file.
    pub(super) fn to_file(&self, signing_key: Option<&str>) -> Result<BString> {
        let failed = |error| Error::internal("cannot write sequencer/opts", error);
        let mut rows: Vec<(&str, String)> = Vec::new();
        let mut flag = |name, on: bool| rows.extend(on.then(|| (name, "true".to_owned())));
        flag("no-commit", self.no_commit);
        if let Some(edit) = self.edit {
            rows.push(("edit", edit.to_string()));
        }
        let mut flag = |name, on: bool| rows.extend(on.then(|| (name, "true".to_owned())));
        flag("allow-empty", self.allow_empty || self.empty == WhenEmpty::Keep);
        flag("allow-empty-message", self.allow_empty_message);
        flag("drop-redundant-commits", self.empty == WhenEmpty::Drop);
        flag("keep-redundant-commits", self.empty == WhenEmpty::Keep);
        flag("signoff", self.signoff);
        flag("record-origin", self.record_origin);
        flag("allow-ff", self.allow_ff);
        rows.extend(self.mainline.map(|parent| ("mainline", parent.to_string())));
        rows.extend(self.strategy.clone().map(|strategy| ("strategy", strategy)));
        rows.extend(signing_key.map(|key| ("gpg-sign", key.to_owned())));
        rows.extend(self.strategy_options.iter().map(|option| ("strategy-option", option.clone())));
        rows.extend(self.rerere_autoupdate.map(|on| ("allow-rerere-auto", on.to_string())));
        rows.extend(self.cleanup.map(|mode| ("default-msg-cleanup", mode.name().to_owned())));
        let mut file = gix::config::File::default();
        if !rows.is_empty() {
            let mut section = file.new_section("options", None).map_err(failed)?;
            for (name, value) in rows {
                section.push(name, value.as_str()).map_err(failed)?;
            }
        }
        Ok(file.to_bstring())
    }

    /// Reads `sequencer/opts`.
    ///
    /// # Errors
    /// [`Error::BadRequest`] for a key or a value that git does not know either.
    pub(super) fn from_file(text: &[u8]) -> Result<Self> {
        let bad = |what: String| Error::BadRequest(format!("sequencer/opts: {what}"));
        let settings = config_file::read(text).map_err(|line| bad(format!("line {line} cannot be read")))?;
        let mut options = Self::default();
        for setting in settings {
            let key = setting.key();
            let value = setting.value.map(|value| value.to_str_lossy().into_owned());
            let invalid = || bad(format!("invalid value for '{key}'"));
            let value = value.ok_or_else(invalid)?;
            let flag = || {
                let read = gix::config::Boolean::try_from(value.as_str());
                read.map(|truth| truth.is_true()).map_err(|_| invalid())
            };
            match key.as_str() {
                "options.no-commit" => options.no_commit = flag()?,
                "options.edit" => options.edit = Some(flag()?),
                "options.allow-empty" => options.allow_empty = flag()?,
                "options.allow-empty-message" => options.allow_empty_message = flag()?,
                "options.drop-redundant-commits" if flag()? => options.empty = WhenEmpty::Drop,
                "options.keep-redundant-commits" if flag()? => options.empty = WhenEmpty::Keep,
                "options.drop-redundant-commits" | "options.keep-redundant-commits" => {}
                "options.signoff" => options.signoff = flag()?,
                "options.record-origin" => options.record_origin = flag()?,
                "options.allow-ff" => options.allow_ff = flag()?,
                "options.mainline" => options.mainline = Some(value.parse().map_err(|_| invalid())?),
                "options.strategy" => options.strategy = Some(value),
                "options.gpg-sign" => options.sign = SignCommits::WithKey(value),
                "options.strategy-option" => options.strategy_options.push(value),
                "options.allow-rerere-auto" => options.rerere_autoupdate = Some(flag()?),
                "options.default-msg-cleanup" => {
                    options.cleanup = Some(Cleanup::from_name(&value).ok_or_else(invalid)?);
                }
                _ => return Err(bad(format!("invalid key: {key}"))),
            }
        }
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_written_as_git_writes_them_and_read_again() {
        let options = SequenceOptions {
            no_commit: true,
            edit: Some(false),
            empty: WhenEmpty::Keep,
            allow_empty: true,
            mainline: Some(2),
            strategy_options: vec!["ours".into(), " a;\"b\\ ".into()],
            rerere_autoupdate: Some(false),
            cleanup: Some(Cleanup::Scissors),
            sign: SignCommits::WithKey("me".into()),
            ..SequenceOptions::default()
        };
        let text = options.to_file(Some("me")).unwrap();
        let expected = "[options]\n\tno-commit = true\n\tedit = false\n\tallow-empty = true\n\t\
            keep-redundant-commits = true\n\tmainline = 2\n\tgpg-sign = me\n\tstrategy-option = ours\n\t\
            strategy-option = \" a;\\\"b\\\\ \"\n\tallow-rerere-auto = false\n\t\
            default-msg-cleanup = scissors\n";
        assert_eq!(text, expected);
        assert_eq!(SequenceOptions::from_file(&text).unwrap(), options);
        assert_eq!(SequenceOptions::default().to_file(None).unwrap(), "");
    }

    #[test]
    fn what_git_refuses_in_the_options_is_refused() {
        for text in ["[options]\n\tfoo = 1\n", "[options]\n\tedit = maybe\n", "[options]\n\tmainline\n", "["]
        {
            assert!(SequenceOptions::from_file(text.as_bytes()).is_err(), "{text}");
        }
    }
}
