//! Pushing with the installed git, and asking a remote what it has.
//!
//! rb speaks no network protocol of its own. git is started with values that cannot become options, over protocols that
//! only transport; it never forces, and nothing but the named commit leaves: no tags, no submodules.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::{Command, DEFAULT_ENVIRONMENT};
use crate::id::CommitId;

/// The variables by which git finds keys, helpers and proxies.
pub(super) const TRANSPORT_ENVIRONMENT: &[&str] = &[
    "SSH_AUTH_SOCK",
    "SSH_AGENT_PID",
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "GIT_ASKPASS",
    "SSH_ASKPASS",
    "DISPLAY",
    "XDG_CONFIG_HOME",
    "XDG_RUNTIME_DIR",
    "DBUS_SESSION_BUS_ADDRESS",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_SYSTEM",
    "GIT_CONFIG_NOSYSTEM",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "GIT_SSL_CAINFO",
    "GIT_SSL_NO_VERIFY",
    "SSL_CERT_FILE",
];

/// The schemes of URLs that only transport: none of them names a program to start.
const SCHEMES: &[&str] = &["https", "http", "ssh", "git", "file", "git+ssh", "ssh+git"];

/// The protocols that git may use, whatever its configuration allows.
const PROTOCOLS: &str = "file:git:http:https:ssh";

/// Where a result is pushed to: the name of a configured remote, or a URL of a known scheme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote(String);

impl Remote {
    /// The remote that `text` names.
    ///
    /// # Errors
    /// Why it names none, as a fragment.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.is_empty() || text.starts_with('-') {
            return Err("it begins with '-' or is empty, and git would take it for an option");
        }
        if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err("it holds white space or a control character");
        }
        if let Some((scheme, rest)) = text.split_once("://") {
            let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
            return match SCHEMES.contains(&scheme.to_ascii_lowercase().as_str()) {
                true if rest.starts_with('-') || host.starts_with('-') => Err("its host begins with '-'"),
                true => Ok(Self(text.to_owned())),
                false => Err("its scheme is not https, http, ssh, git or file"),
            };
        }
        match text.split_once(':') {
            Some((_, rest)) if rest.starts_with(':') => {
                Err("it names a program: a remote helper of git, written with '::'")
            }
            // The short form of ssh: [USER@]HOST:PATH.
            Some((host, path)) => {
                let name = host.rsplit_once('@').map_or(host, |(_, name)| name);
                let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '@');
                match !name.is_empty()
                    && !name.starts_with('-')
                    && !path.is_empty()
                    && host.chars().all(plain)
                {
                    true => Ok(Self(text.to_owned())),
                    false => Err("it is neither a name nor a URL"),
                }
            }
            None if is_name(text) => Ok(Self(text.to_owned())),
            None => Err("it is neither the name of a remote nor a URL of a known scheme"),
        }
    }

    /// Whether it is a name, which the configuration has to have, and no URL.
    pub fn is_name(&self) -> bool {
        is_name(&self.0)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Remote {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_name(text: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '/');
    text.chars().all(plain) && text.split('/').all(|part| !part.is_empty() && !part.starts_with('.'))
}

/// What is given to the commands of this room.
#[derive(Clone)]
#[non_exhaustive]
pub struct PushOptions<'a> {
    /// The variables of the environment.
    pub environment: &'a dyn Fn(&str) -> Option<String>,
    /// Further variables that git gets, such as one that a credential helper reads.
    pub secrets: &'a [String],
    /// The values taken out of what git says.
    pub redactor: Arc<super::Redactor>,
    /// After what time git is stopped.
    pub timeout: Duration,
}

/// The command, run in `folder`, that lists the branches of a remote; [`advertised`] reads what it writes.
pub fn list_command(folder: &Path, remote: &Remote, options: &PushOptions<'_>) -> Command {
    git(folder, &["ls-remote", "--refs", "--heads", "--", remote.as_str()], options)
}

/// The command, run in `folder`, that lets `reference` of a remote name `commit`, where that is a fast-forward.
pub fn push_command(
    folder: &Path,
    remote: &Remote,
    (commit, reference): (CommitId, &str),
    options: &PushOptions<'_>,
) -> Command {
    let refspec = format!("{commit}:{reference}");
    let words = ["push", "--no-follow-tags", "--recurse-submodules=no", "--", remote.as_str(), &refspec];
    git(folder, &words, options)
}

/// As [`push_command`], saying for programs what became of it; [`pushed`] reads what it writes.
pub fn porcelain_push_command(
    folder: &Path,
    remote: &Remote,
    (commit, reference): (CommitId, &str),
    options: &PushOptions<'_>,
) -> Command {
    let refspec = format!("{commit}:{reference}");
    let flags = ["push", "--porcelain", "--no-follow-tags", "--recurse-submodules=no", "--"];
    let words: Vec<&str> = flags.into_iter().chain([remote.as_str(), &refspec]).collect();
    git(folder, &words, options)
}

/// What a remote did with a push.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PushAnswer {
    /// The reference names the commit.
    Accepted,
    /// The reference has commits that the pushed one lacks.
    Moved(String),
    /// The remote refused: a hook, or a protected branch.
    Declined(String),
    /// It did not come to an answer.
    None,
}

/// What a remote did with a push of one reference, from the output of [`porcelain_push_command`].
pub fn pushed(output: &[u8]) -> PushAnswer {
    let text = String::from_utf8_lossy(output);
    let row = |line: &str| {
        let (flag, rest) = line.split_once('\t')?;
        let summary = rest.split_once('\t')?.1.trim().to_owned();
        Some((flag.to_owned(), summary))
    };
    let Some((flag, summary)) = text.lines().find_map(row) else { return PushAnswer::None };
    let reason =
        summary.rsplit_once('(').map_or(summary.as_str(), |(_, reason)| reason.trim_end_matches(')'));
    let moved = ["non-fast-forward", "fetch first", "needs force", "stale info"];
    match flag.as_str() {
        "!" if !summary.starts_with("[remote") && moved.contains(&reason) => {
            PushAnswer::Moved(reason.to_owned())
        }
        "!" => PushAnswer::Declined(reason.to_owned()),
        _ => PushAnswer::Accepted,
    }
}

/// What the remote itself said during a push, without the mark that git puts in front of each line.
pub fn remote_words(stderr: &str) -> Vec<String> {
    let words = stderr.lines().filter_map(|line| line.strip_prefix("remote:"));
    words.map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
}

/// The references that a remote has, from the output of [`list_command`].
pub fn advertised(output: &[u8]) -> BTreeMap<String, CommitId> {
    let text = String::from_utf8_lossy(output);
    let row = |line: &str| {
        let (id, name) = line.split_once('\t')?;
        Some((name.to_owned(), id.parse().ok()?))
    };
    text.lines().filter_map(row).collect()
}

fn git(folder: &Path, words: &[&str], options: &PushOptions<'_>) -> Command {
    let mut command = Command::new(std::iter::once("git").chain(words.iter().copied()), folder)
        .timeout(options.timeout)
        .redact(options.redactor.clone());
    let names = DEFAULT_ENVIRONMENT.iter().chain(TRANSPORT_ENVIRONMENT).copied();
    for name in names.chain(options.secrets.iter().map(String::as_str)) {
        if let Some(value) = (options.environment)(name) {
            command = command.env(name, value);
        }
    }
    // This git has no terminal: a question is a failure.
    command.env("GIT_TERMINAL_PROMPT", "0").env("GIT_ALLOW_PROTOCOL", PROTOCOLS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remotes_are_names_and_urls_that_only_transport() {
        for good in [
            "origin",
            "team/upstream",
            "https://example.com/x.git",
            "ssh://git@example.com:22/x.git",
            "git@example.com:x/y.git",
            "host:path",
            "file:///srv/x.git",
        ] {
            assert_eq!(Remote::parse(good).map(|remote| remote.to_string()), Ok(good.to_owned()));
        }
        for bad in [
            "",
            "-x",
            "--receive-pack=touch x;",
            "--exec=x",
            "ext::sh -c touch% x",
            "ext::sh",
            "fd::17",
            "EXT::x",
            "javascript://x",
            "ext://x",
            "ssh://-oProxyCommand=x/y",
            "ssh://me@-oProxyCommand=x/y",
            "-oProxyCommand=x:y",
            "me@-oProxyCommand=x:y",
            "a b",
            "../x.git",
            "/srv/x.git",
            "origin\n--exec=x",
        ] {
            assert!(Remote::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn the_answer_to_a_push_is_read_from_its_line_for_programs() {
        let answer = |line: &str| pushed(format!("To ../o.git\n{line}\nDone\n").as_bytes());
        assert_eq!(answer("*\ta:refs/heads/x\t[new branch]"), PushAnswer::Accepted);
        assert_eq!(answer(" \ta:refs/heads/x\t1..2"), PushAnswer::Accepted);
        assert_eq!(answer("=\ta:refs/heads/x\t[up to date]"), PushAnswer::Accepted);
        for reason in ["non-fast-forward", "fetch first"] {
            let line = format!("!\ta:refs/heads/x\t[rejected] ({reason})");
            assert_eq!(answer(&line), PushAnswer::Moved(reason.to_owned()));
        }
        for reason in ["pre-receive hook declined", "protected branch hook declined", "fetch first"] {
            let line = format!("!\ta:refs/heads/x\t[remote rejected] ({reason})");
            assert_eq!(answer(&line), PushAnswer::Declined(reason.to_owned()));
        }
        assert_eq!(pushed(b"To ../o.git\n"), PushAnswer::None);
        assert_eq!(remote_words("To x\nremote: no.\nremote: \n"), ["no."]);
    }

    #[test]
    fn what_a_remote_has_is_read_line_by_line() {
        let id = "1234567890123456789012345678901234567890";
        let found = advertised(format!("{id}\trefs/heads/main\nwarning: x\n").as_bytes());
        assert_eq!(
            found.into_iter().collect::<Vec<_>>(),
            [("refs/heads/main".to_owned(), id.parse().unwrap())]
        );
    }
}
