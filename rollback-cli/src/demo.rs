//! The demos that travel inside the program: scripts and histories, as `demos/README.md` describes them.
//!
//! Which demos there are, and what they are called, is known to their files only. Playing one is the work of the
//! command.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use serde::Deserialize;

/// The programs that stand in for those of the outside world: name and text.
const PROGRAMS: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/programs.rs"));

/// Name, script and history of every demo, sorted by name.
const EMBEDDED: &[(&str, &str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/demos.rs"));

/// A demo.
#[derive(Debug)]
pub(crate) struct Demo {
    /// What `rb demo` calls it.
    pub(crate) name: &'static str,
    /// What is played.
    pub(crate) script: Script,
    /// The history that it is played in, a `git fast-import` stream.
    pub(crate) history: &'static [u8],
}

/// What is played.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Script {
    /// The version of the format: 1.
    version: u32,
    /// Whether this is the demo that is played when none is named.
    #[serde(default)]
    default: bool,
    /// The heading.
    pub(crate) title: String,
    /// One line for the list of demos.
    pub(crate) about: String,
    /// The branch that is checked out at the start.
    pub(crate) branch: String,
    /// Who commits.
    pub(crate) identity: Identity,
    /// The stream that the history comes from, where it has another name than the demo; read when rb is built.
    #[serde(default, rename = "history")]
    _history: Option<String>,
    /// The procedure that the demo runs, with stand-ins for the programs of the outside world.
    pub(crate) procedure: Option<String>,
    /// Files of the home folder that the programs see: path and text.
    #[serde(default)]
    pub(crate) home: BTreeMap<String, String>,
    /// Untracked files of the work tree: path and text.
    #[serde(default)]
    pub(crate) untracked: BTreeMap<String, String>,
    /// The steps, in order.
    #[serde(rename = "step")]
    pub(crate) steps: Vec<Step>,
}

/// Who commits.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Identity {
    pub(crate) name: String,
    pub(crate) email: String,
}

/// A step: something to say, perhaps a command, and what must hold then.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    pub(crate) title: String,
    /// What there is to see.
    pub(crate) say: Option<String>,
    /// The arguments of rb; none where the step only looks.
    #[serde(default)]
    pub(crate) run: Vec<String>,
    /// Programs that fail during this step.
    #[serde(default)]
    pub(crate) fail: Vec<String>,
    /// The exit code that is expected.
    #[serde(default)]
    pub(crate) exit: u8,
    #[serde(default)]
    pub(crate) expect: Vec<Expectation>,
}

/// Something that must hold in the work tree.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expectation {
    /// The path, with `/` between its parts.
    path: String,
    #[serde(default)]
    absent: bool,
    lines: Option<usize>,
    contains: Option<String>,
}

impl Demo {
    /// All demos, sorted by name.
    pub(crate) fn all() -> Vec<Self> {
        EMBEDDED.iter().map(|(name, script, history)| Self::parse(name, script, history)).collect()
    }

    /// The demo of this name, or the one that is played when none is named.
    pub(crate) fn find(name: Option<&str>) -> Option<Self> {
        Self::all().into_iter().find(|demo| match name {
            Some(name) => demo.name == name,
            None => demo.script.default,
        })
    }

    /// Puts the programs that stand in for those of the outside world into a folder.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn write_programs(folder: &Path) -> io::Result<()> {
        for (name, text) in PROGRAMS {
            let file = folder.join(name);
            std::fs::write(&file, text)?;
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt;
                std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755))?;
            }
        }
        Ok(())
    }

    /// The programs that can be told to fail.
    pub(crate) fn programs() -> impl Iterator<Item = &'static str> {
        PROGRAMS.iter().map(|(name, _)| *name).filter(|name| *name != "stand-in")
    }

    fn parse(name: &'static str, script: &str, history: &'static [u8]) -> Self {
        let script: Script = toml_edit::de::from_str(script).expect("the tests read every script");
        assert_eq!(script.version, 1, "the tests read every script");
        Self { name, script, history }
    }
}

impl Expectation {
    /// What is expected, for people.
    pub(crate) fn describe(&self) -> String {
        let mut facts = Vec::new();
        facts.extend(self.absent.then(|| "is not there".to_owned()));
        facts.extend(self.lines.map(|lines| format!("has {lines} lines")));
        facts.extend(self.contains.as_ref().map(|text| format!("contains \"{text}\"")));
        if facts.is_empty() {
            facts.push("is there".into());
        }
        format!("{} {}", self.path, facts.join(" and "))
    }

    /// Whether it holds in the work tree at `folder`.
    pub(crate) fn holds(&self, folder: &Path) -> bool {
        let Ok(content) = std::fs::read(folder.join(&self.path)) else { return self.absent };
        let text = String::from_utf8_lossy(&content);
        !self.absent
            && self.lines.is_none_or(|lines| text.lines().count() == lines)
            && self.contains.as_ref().is_none_or(|wanted| text.contains(wanted))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rollback_core::import::{ImportOptions, create};

    #[test]
    fn every_demo_has_a_script_that_can_be_read_and_one_is_the_default() {
        let demos = Demo::all();
        assert_eq!(demos.iter().filter(|demo| demo.script.default).count(), 1);
        for demo in demos {
            assert_eq!(Demo::find(Some(demo.name)).expect("by its name").name, demo.name);
            assert!(demo.script.steps.iter().any(|step| !step.run.is_empty()), "{} does nothing", demo.name);
        }
    }

    #[test]
    fn what_holds_before_the_first_command_holds_in_the_history() {
        for demo in Demo::all() {
            let folder = tempfile::tempdir().expect("a folder");
            let mut options = ImportOptions::default();
            options.branch = demo.script.branch.clone();
            create(folder.path(), demo.history, &options).expect("a repository");
            for step in demo.script.steps.iter().take_while(|step| step.run.is_empty()) {
                for expectation in &step.expect {
                    assert!(expectation.holds(folder.path()), "{}: {}", demo.name, expectation.describe());
                }
            }
        }
    }
}
