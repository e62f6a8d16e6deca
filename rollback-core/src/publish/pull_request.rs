//! The pull request for what was pushed, by the program of the forge.

use super::push::why_failed;
use super::{Programs, PublishRequest, PullRequestText};
use crate::process::forge::{Forge, WantedRequest, address, host_and_path, project};
use crate::process::{Command, Output, StartError};
use crate::receipt::{Published, PullRequest};
use crate::repo::Repo;

impl Repo {
    /// Opens a pull request for what was pushed, or finds the one that is open.
    pub(super) fn open_pull_request(
        &self,
        published: &Published,
        base: Option<&str>,
        (request, text): (&PublishRequest, &PullRequestText),
        programs: &Programs<'_>,
    ) -> PullRequest {
        let url = self.url_of(request.remote.as_str());
        let project = url.as_deref().and_then(project);
        let wanted = WantedRequest {
            head: published.branch(),
            base,
            title: &text.title,
            body: &text.body,
            draft: text.draft,
            project: project.as_deref(),
        };
        let mut answer = PullRequest {
            program: String::new(),
            url: None,
            was_open: false,
            draft: text.draft,
            failure: None,
        };
        for forge in self.forges(url.as_deref()) {
            answer.program = forge.program().to_owned();
            match self.open_by(forge, &wanted, programs) {
                Ok((url, was_open)) => {
                    (answer.url, answer.was_open, answer.failure) = (Some(url), was_open, None);
                    break;
                }
                Err(Trouble::NotInstalled) if answer.failure.is_none() => {
                    answer.failure = Some(format!("{} is not installed", forge.program()));
                }
                Err(Trouble::NotInstalled) => {
                    answer.failure = Some("neither gh nor glab is installed".to_owned());
                }
                Err(Trouble::Failed(why)) => {
                    answer.failure = Some(why);
                    break;
                }
            }
        }
        answer
    }

    /// The forges to ask: what `rb.forge` says, else what the host tells, else both in turn.
    fn forges(&self, url: Option<&str>) -> Vec<Forge> {
        let configured = self.config_string("rb.forge").and_then(|name| Forge::named(&name));
        let of_host = || Forge::of_host(host_and_path(url?)?.0);
        match configured.or_else(of_host) {
            Some(forge) => vec![forge],
            None => vec![Forge::GitHub, Forge::GitLab],
        }
    }

    /// The URL of a remote: what it is pushed to, else what is fetched from.
    fn url_of(&self, remote: &str) -> Option<String> {
        let key = |key: &str| self.config_string(&format!("remote.{remote}.{key}"));
        key("pushurl").or_else(|| key("url")).or_else(|| remote.contains(':').then(|| remote.to_owned()))
    }

    fn open_by(
        &self,
        forge: Forge,
        wanted: &WantedRequest<'_>,
        programs: &Programs<'_>,
    ) -> Result<(String, bool), Trouble> {
        let (place, options) = (self.place(), programs.options());
        let found = run(forge.find_command(&place, wanted, &options), programs)?;
        if let Some(url) = forge.found(found.stdout.as_bytes()).filter(|_| found.ended.is_success()) {
            return Ok((url, true));
        }
        let opened = run(forge.open_command(&place, wanted, &options), programs)?;
        if !opened.ended.is_success() {
            return Err(Trouble::Failed(why_failed(&opened)));
        }
        let (stdout, stderr) = (opened.stdout.to_str_lossy(), opened.stderr.to_str_lossy());
        let url = address(&stdout).or_else(|| address(&stderr));
        url.map(|url| (url, false))
            .ok_or_else(|| Trouble::Failed(format!("{} said nothing of an address", forge.program())))
    }
}

/// Why a forge opened nothing.
enum Trouble {
    NotInstalled,
    Failed(String),
}

fn run(command: Command, programs: &Programs<'_>) -> Result<Output, Trouble> {
    let output = programs.runner.run(&command.cancel(programs.cancel.clone()), &mut ());
    output.map_err(|error| match error {
        StartError::NotFound { .. } => Trouble::NotInstalled,
        error => Trouble::Failed(error.to_string()),
    })
}
