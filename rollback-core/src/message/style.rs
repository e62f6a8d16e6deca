//! What the configuration says about messages.

use bstr::{BString, ByteSlice};

use super::Cleanup;
use crate::repo::FollowedGit;

/// The settings of a repository that messages follow. The default is git's without any configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Style {
    /// What begins a comment line: `core.commentString` or `core.commentChar`.
    pub(crate) comment: BString,
    /// `i18n.commitEncoding`, where it is not UTF-8.
    pub(crate) commit_encoding: Option<BString>,
    /// `commit.cleanup`.
    pub(crate) cleanup: Option<Cleanup>,
    /// `revert.reference`.
    pub(crate) reference: bool,
    /// `trailer.separators`.
    pub(crate) separators: BString,
    /// The release of git that is followed.
    pub(crate) git: FollowedGit,
    /// The names and keys of `trailer.<name>.key`.
    pub(crate) known_trailers: Vec<BString>,
}

impl Default for Style {
    fn default() -> Self {
        Self {
            comment: "#".into(),
            commit_encoding: None,
            cleanup: None,
            reference: false,
            separators: ":".into(),
            git: FollowedGit::default(),
            known_trailers: Vec::new(),
        }
    }
}

impl Style {
    /// Reads the settings. Values that git warns about and ignores are ignored.
    pub(crate) fn read(config: &gix::config::File, git: FollowedGit) -> Self {
        let default = Self::default();
        Self {
            comment: comment_string(config).unwrap_or(default.comment),
            commit_encoding: config
                .string("i18n.commitEncoding")
                .map(|name| name.to_owned())
                .filter(|name| !crate::charset::is_utf8(name)),
            cleanup: config
                .string("commit.cleanup")
                .and_then(|name| Cleanup::from_name(name.to_str().ok()?))
                // `commit.cleanup=default` is the word that git's sequencer does not know.
                .filter(|mode| *mode != Cleanup::Default),
            reference: config.boolean("revert.reference").ok().flatten().unwrap_or(false),
            separators: config
                .string("trailer.separators")
                .map_or(default.separators, |separators| separators.to_owned()),
            git,
            known_trailers: known_trailers(config),
        }
    }
}

/// The last of `core.commentChar` and `core.commentString`, which are one setting. `auto` matters to an editor only.
fn comment_string(config: &gix::config::File) -> Option<BString> {
    let mut last = None;
    for section in config.sections_by_name("core")? {
        if section.header().subsection_name().is_some() {
            continue;
        }
        for name in section.value_names() {
            if ["commentchar", "commentstring"].iter().any(|wanted| name.eq_ignore_ascii_case(wanted)) {
                last = section.value(AsRef::<str>::as_ref(&name)).map(|value| value.to_owned());
            }
        }
    }
    last.filter(|value| !value.is_empty() && !value.eq_ignore_ascii_case(b"auto"))
}

fn known_trailers(config: &gix::config::File) -> Vec<BString> {
    let Some(sections) = config.sections_by_name("trailer") else {
        return Vec::new();
    };
    sections
        .filter_map(|section| {
            let name = section.header().subsection_name()?.to_owned();
            Some([Some(name), section.value("key").map(|key| key.to_owned())])
        })
        .flatten()
        .flatten()
        .collect()
}
