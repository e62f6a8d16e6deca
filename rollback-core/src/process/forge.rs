//! Pull requests by the programs of the forges, `gh` and `glab`: what they are asked, and what they answer.
//!
//! Values stand behind `--flag=`, so that none can become an option; no program asks a question.

use std::path::Path;

use super::push::{PushOptions, TRANSPORT_ENVIRONMENT};
use super::{Command, DEFAULT_ENVIRONMENT};

/// The variables by which these programs find hosts and credentials.
const FORGE_ENVIRONMENT: &[&str] = &[
    "GH_TOKEN",
    "GITHUB_TOKEN",
    "GH_ENTERPRISE_TOKEN",
    "GITHUB_ENTERPRISE_TOKEN",
    "GH_HOST",
    "GH_CONFIG_DIR",
    "GITLAB_TOKEN",
    "GITLAB_ACCESS_TOKEN",
    "GITLAB_HOST",
    "GL_HOST",
    "GLAB_CONFIG_DIR",
    "CI_JOB_TOKEN",
];

/// Those of them that are secrets.
pub const FORGE_SECRETS: &[&str] = &[
    "GH_TOKEN",
    "GITHUB_TOKEN",
    "GH_ENTERPRISE_TOKEN",
    "GITHUB_ENTERPRISE_TOKEN",
    "GITLAB_TOKEN",
    "GITLAB_ACCESS_TOKEN",
    "CI_JOB_TOKEN",
];

/// The most bytes of a description: forges refuse longer ones, and systems longer arguments.
const LONGEST_BODY: usize = 60_000;

/// A forge whose program is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Forge {
    /// GitHub, by `gh`.
    GitHub,
    /// GitLab, by `glab`.
    GitLab,
}

/// A pull request that is wanted.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct WantedRequest<'a> {
    /// The branch that has the commits, at the remote.
    pub head: &'a str,
    /// The branch that they are for; the forge's default where absent.
    pub base: Option<&'a str>,
    /// Its title.
    pub title: &'a str,
    /// Its description, in Markdown.
    pub body: &'a str,
    /// Whether it is not to be merged yet.
    pub draft: bool,
    /// The address of the project; the program reads the remotes of the folder where absent.
    pub project: Option<&'a str>,
}

impl Forge {
    /// The forge of this name, as `rb.forge` has it.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "github" => Some(Self::GitHub),
            "gitlab" => Some(Self::GitLab),
            _ => None,
        }
    }

    /// The forge that the name of a host tells; `None` where it tells none.
    pub fn of_host(host: &str) -> Option<Self> {
        match host.to_ascii_lowercase() {
            host if host.contains("github") => Some(Self::GitHub),
            host if host.contains("gitlab") => Some(Self::GitLab),
            _ => None,
        }
    }

    /// The program that opens pull requests there.
    pub fn program(self) -> &'static str {
        match self {
            Self::GitHub => "gh",
            Self::GitLab => "glab",
        }
    }

    /// The command that lists an open pull request of the branch; [`Forge::found`] reads what it writes.
    pub fn find_command(
        self,
        folder: &Path,
        wanted: &WantedRequest<'_>,
        options: &PushOptions<'_>,
    ) -> Command {
        let words = match self {
            Self::GitHub => {
                vec!["pr", "list", "--state=open", "--json=url", "--limit=1"]
            }
            Self::GitLab => vec!["mr", "list", "--output=json", "--per-page=1"],
        };
        let mut words: Vec<String> = words.into_iter().map(ToOwned::to_owned).collect();
        words.push(format!("--{}={}", self.head_flag(), wanted.head));
        self.command(folder, words, wanted, options)
    }

    /// The address of an open pull request, from the output of [`Forge::find_command`].
    pub fn found(self, output: &[u8]) -> Option<String> {
        let rows: serde_json::Value = serde_json::from_slice(output).ok()?;
        let key = match self {
            Self::GitHub => "url",
            Self::GitLab => "web_url",
        };
        rows.get(0)?.get(key)?.as_str().map(ToOwned::to_owned)
    }

    /// The command that opens a pull request; [`address`] reads what it writes.
    pub fn open_command(
        self,
        folder: &Path,
        wanted: &WantedRequest<'_>,
        options: &PushOptions<'_>,
    ) -> Command {
        let body = shortened(wanted.body);
        let base = match self {
            Self::GitHub => "base",
            Self::GitLab => "target-branch",
        };
        let mut words: Vec<String> = match self {
            Self::GitHub => ["pr", "create", "--body-file=-"].map(ToOwned::to_owned).into(),
            Self::GitLab => ["mr", "create", "--yes"].map(ToOwned::to_owned).into(),
        };
        words.push(format!("--{}={}", self.head_flag(), wanted.head));
        words.extend(wanted.base.map(|branch| format!("--{base}={branch}")));
        words.push(format!("--title={}", wanted.title));
        if self == Self::GitLab {
            words.push(format!("--description={body}"));
        }
        words.extend(wanted.draft.then(|| "--draft".to_owned()));
        let command = self.command(folder, words, wanted, options);
        match self {
            Self::GitHub => command.input(body.into_bytes()),
            Self::GitLab => command,
        }
    }

    fn head_flag(self) -> &'static str {
        match self {
            Self::GitHub => "head",
            Self::GitLab => "source-branch",
        }
    }

    fn command(
        self,
        folder: &Path,
        mut words: Vec<String>,
        wanted: &WantedRequest<'_>,
        options: &PushOptions<'_>,
    ) -> Command {
        words.extend(wanted.project.map(|project| format!("--repo={project}")));
        let words = std::iter::once(self.program().to_owned()).chain(words);
        let mut command =
            Command::new(words, folder).timeout(options.timeout).redact(options.redactor.clone());
        for name in DEFAULT_ENVIRONMENT.iter().chain(TRANSPORT_ENVIRONMENT).chain(FORGE_ENVIRONMENT) {
            if let Some(value) = (options.environment)(name) {
                command = command.env(*name, value);
            }
        }
        command
            .env("GH_PROMPT_DISABLED", "1")
            .env("NO_PROMPT", "1")
            .env("NO_COLOR", "1")
            .env("GIT_TERMINAL_PROMPT", "0")
    }
}

/// The address that a program wrote last.
pub fn address(output: &str) -> Option<String> {
    let is_address = |word: &&str| word.starts_with("https://") || word.starts_with("http://");
    output.split_whitespace().rfind(is_address).map(ToOwned::to_owned)
}

/// The host and the path of a remote's URL; `None` for a folder of this machine.
pub fn host_and_path(url: &str) -> Option<(&str, &str)> {
    if let Some((scheme, rest)) = url.split_once("://") {
        let (place, path) = rest.split_once('/')?;
        let host = place.rsplit_once('@').map_or(place, |(_, host)| host);
        let host = host.split_once(':').map_or(host, |(host, _)| host);
        return (scheme != "file" && !host.is_empty()).then_some((host, path));
    }
    let (host, path) = url.split_once(':')?;
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    (!host.is_empty() && !host.contains('/')).then_some((host, path.trim_start_matches('/')))
}

/// The address of a project for `--repo`: of hosts with a domain alone, since any other name can be an alias of ssh's.
pub fn project(url: &str) -> Option<String> {
    let (host, path) = host_and_path(url).filter(|(host, _)| host.contains('.'))?;
    let path = path.trim_end_matches('/').trim_end_matches(".git");
    path.contains('/').then(|| format!("https://{host}/{path}"))
}

fn shortened(body: &str) -> String {
    if body.len() <= LONGEST_BODY {
        return body.to_owned();
    }
    let end = (0..=LONGEST_BODY).rev().find(|at| body.is_char_boundary(*at)).unwrap_or(0);
    format!("{}\n\n(cut off)\n", &body[..end])
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_remote_tells_its_host_and_its_project() {
        for (url, host, address) in [
            ("https://github.com/o/n.git", "github.com", Some("https://github.com/o/n")),
            (
                "https://me:pw@gitlab.example.com:8443/g/s/n",
                "gitlab.example.com",
                Some("https://gitlab.example.com/g/s/n"),
            ),
            ("git@github.com:o/n.git", "github.com", Some("https://github.com/o/n")),
            ("ssh://git@github.com:22/o/n.git", "github.com", Some("https://github.com/o/n")),
            ("work:o/n.git", "work", None),
        ] {
            assert_eq!(host_and_path(url).map(|(host, _)| host), Some(host), "{url}");
            assert_eq!(project(url).as_deref(), address, "{url}");
        }
        for url in ["../o.git", "/srv/o.git", "file:///srv/o.git"] {
            assert_eq!((host_and_path(url), project(url)), (None, None), "{url}");
        }
    }

    #[test]
    fn no_value_becomes_an_option_and_the_longest_description_fits() {
        let body = "\u{e9}".repeat(LONGEST_BODY);
        let wanted = WantedRequest {
            head: "--web",
            base: Some("-x"),
            title: "--fill",
            body: &body,
            draft: true,
            project: Some("https://github.com/o/n"),
        };
        let token = |name: &str| (name == "GH_TOKEN").then(|| "t".to_owned());
        let options = PushOptions {
            environment: &token,
            secrets: &[],
            redactor: Arc::default(),
            timeout: Duration::from_secs(1),
        };
        for forge in [Forge::GitHub, Forge::GitLab] {
            let command = forge.open_command(Path::new("/"), &wanted, &options);
            let values =
                command.arguments()[3..].iter().all(|word| word.starts_with("--") && word != "--web");
            assert!(values && !command.arguments().contains(&"--fill".to_owned()));
            assert!(command.arguments().iter().all(|word| word.len() < LONGEST_BODY + 100));
            assert_eq!(command.variable("GH_TOKEN"), Some("t"));
        }
    }

    #[test]
    fn answers_are_read() {
        assert_eq!(Forge::GitHub.found(br#"[{"url":"https://h/1"}]"#).as_deref(), Some("https://h/1"));
        assert_eq!(
            Forge::GitLab.found(br#"[{"iid":1,"web_url":"https://h/2"}]"#).as_deref(),
            Some("https://h/2")
        );
        assert_eq!(Forge::GitHub.found(b"[]"), None);
        assert_eq!(
            address("\n!7 Revert (x)\n https://h/o/-/merge_requests/7\n\n").as_deref(),
            Some("https://h/o/-/merge_requests/7")
        );
        assert_eq!(address("no"), None);
    }
}
