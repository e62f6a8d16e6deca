//! How a run says that it could not do what was asked: `error:`, `caused by:`, one `hint:`, an exit code,
//! and the same as a document.

use std::sync::atomic::{AtomicBool, Ordering};

use rollback_core::procedure::catalogue::CatalogueError;
use rollback_core::procedure::engine::EngineError;
use rollback_core::{Error, RepoPath};
use serde::{Deserialize, Serialize};

use crate::exit::Exit;
use crate::hint::{Hint, Situation};
use crate::terminal::style::{Palette, paint};
use crate::terminal::text::{escape, escape_lines};

/// Why a command could not do what was asked.
#[derive(Debug)]
pub(crate) enum Problem {
    /// The library refused or failed.
    Library(Error),
    /// There is no procedure to run.
    Catalogue(Box<CatalogueError>),
    /// A run was refused or failed; with what names its procedure on a command line, where one is known.
    Run(Box<EngineError>, Option<String>),
    /// The command line refused.
    Own(Failure),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self::Library(error)
    }
}

impl From<CatalogueError> for Problem {
    fn from(error: CatalogueError) -> Self {
        Self::Catalogue(Box::new(error))
    }
}

impl From<EngineError> for Problem {
    fn from(error: EngineError) -> Self {
        Self::of_run(error, None)
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        Self::Own(failure)
    }
}

impl Problem {
    /// A refusal or failure of a run; `procedure` is what names its procedure on a command line.
    pub(crate) fn of_run(error: EngineError, procedure: Option<&str>) -> Self {
        match error {
            EngineError::Core(error) => Self::Library(error),
            error => Self::Run(Box::new(error), procedure.map(ToOwned::to_owned)),
        }
    }

    /// The failure to report; a hint depends on what was typed and where.
    pub(crate) fn into_failure(self, situation: &Situation<'_>) -> Failure {
        match self {
            Self::Library(error) => Failure::of(&error, situation),
            Self::Catalogue(error) => Failure {
                hint: Some(situation.hint_without_procedure(&error)),
                causes: causes(error.as_ref()),
                ..Failure::new(error.class().into(), error.code(), error.to_string())
            },
            Self::Run(error, procedure) => Failure {
                hint: Some(situation.hint_for_run(&error, procedure.as_deref())),
                causes: causes(error.as_ref()),
                ..Failure::new(error.class().into(), error.code(), error.to_string())
            },
            Self::Own(failure) => failure,
        }
    }
}

/// A failure as it is reported.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    exit: Exit,
    code: &'static str,
    message: String,
    causes: Vec<String>,
    hint: Option<Hint>,
    paths: Vec<RepoPath>,
}

impl Failure {
    /// What is wrong with the request as it was typed.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, "usage", message)
    }

    /// A failure of the command line itself.
    pub(crate) fn new(exit: Exit, code: &'static str, message: impl Into<String>) -> Self {
        Self { exit, code, message: message.into(), causes: Vec::new(), hint: None, paths: Vec::new() }
    }

    /// The same with something to type next.
    pub(crate) fn with_hint(mut self, hint: Hint) -> Self {
        self.hint = Some(hint);
        self
    }

    /// The same with what lies behind it.
    pub(crate) fn caused_by(mut self, cause: impl std::fmt::Display) -> Self {
        self.causes.push(cause.to_string());
        self
    }

    /// The same, said of something that has not happened.
    pub(crate) fn about(mut self, what: &str) -> Self {
        self.message = format!("{what}: {}", self.message);
        self
    }

    /// The same, of what came after a landing, which counts for more than what it was.
    pub(crate) fn after_landing(mut self) -> Self {
        self.exit = Exit::LandedWithFailure;
        self.about("it has landed, and what came after that did not go well")
    }

    fn of(error: &Error, situation: &Situation<'_>) -> Self {
        Self {
            exit: error.class().into(),
            code: error.code(),
            message: error.to_string(),
            causes: causes(error),
            hint: Some(situation.hint(error)),
            paths: error.paths(),
        }
    }

    /// The code the process ends with.
    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }

    /// The failure for people; with `verbose` down to what a library below had to say.
    pub(crate) fn text(&self, verbose: bool) -> String {
        let mut text = format!("{} {}\n", paint(Palette::ERROR, "error:"), escape_lines(&self.message));
        // What a parser thought of a name that does not exist is no help.
        let causes = self.causes.iter().filter(|_| verbose || self.code != "unknown-revision");
        for cause in causes {
            let label = paint(Palette::HEADING, "caused by:");
            text.push_str(&format!("{label} {}\n", escape_lines(cause.trim_end())));
        }
        if let Some(hint) = self.hint.as_ref().and_then(Hint::text) {
            let label = paint(Palette::COMMAND, "hint:");
            text.push_str(&format!("{label} {}\n", escape(&hint)));
        }
        text
    }

    /// The failure for programs.
    pub(crate) fn document(&self) -> ErrorDocument {
        ErrorDocument {
            schema_version: rollback_core::plan::SCHEMA_VERSION,
            error: ErrorBody {
                code: self.code.to_owned(),
                message: self.message.clone(),
                hint: self.hint.as_ref().and_then(Hint::text),
                hint_command: self.hint.as_ref().and_then(Hint::words),
                paths: self.paths.clone(),
                caused_by: self.causes.clone(),
            },
        }
    }
}

fn causes(error: &dyn std::error::Error) -> Vec<String> {
    let mut causes = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        let text = cause.to_string();
        // Some libraries repeat the cause in their own text.
        if causes.last() != Some(&text) {
            causes.push(text);
        }
        next = cause.source();
    }
    causes
}

/// What `--json` prints where a request failed.
#[derive(Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub(crate) struct ErrorDocument {
    /// The version of this document.
    schema_version: u32,
    /// What went wrong.
    pub(crate) error: ErrorBody,
}

/// What went wrong.
#[derive(Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub(crate) struct ErrorBody {
    /// A stable name, in kebab-case.
    code: String,
    /// What went wrong, for people.
    message: String,
    /// What to type next, where that can be said.
    hint: Option<String>,
    /// The command of the hint, as words to start without a shell; null where the hint has no command.
    hint_command: Option<Vec<RepoPath>>,
    /// The paths concerned.
    paths: Vec<RepoPath>,
    /// What lies behind it, outermost first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    caused_by: Vec<String>,
}

/// Makes a panic read as what it is, a mistake of this program, and say how to report it.
pub(crate) fn report_panics() {
    std::panic::set_hook(Box::new(|panic| {
        use std::io::Write;
        let payload = panic.payload();
        let text = payload.downcast_ref::<&str>().copied();
        let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        let what = escape_lines(text.unwrap_or("panic"));
        if what.starts_with(UNCLOSED_FOLDER) {
            FOLDER_UNCLOSED.store(true, Ordering::Relaxed);
            let _ = writeln!(std::io::stderr(), "error: the system failed while a folder was closed: {what}");
            return;
        }
        let place = panic
            .location()
            .map(|place| format!(" at {}:{}", place.file(), place.line()))
            .unwrap_or_default();
        // Standard error may be closed; then there is nowhere to say it.
        let _ = writeln!(
            std::io::stderr(),
            "error: internal error: {what}{place}\nhint: this is a bug in rb {}; please report it with the command \
             that was typed and the line above",
            env!("CARGO_PKG_VERSION")
        );
    }));
}

/// How the standard library says that a folder could not be closed, which it does by a panic.
const UNCLOSED_FOLDER: &str = "unexpected error during closedir";

/// Whether the panic was that one.
static FOLDER_UNCLOSED: AtomicBool = AtomicBool::new(false);

/// The failure that stands for a panic in a document.
pub(crate) fn after_panic() -> Failure {
    if FOLDER_UNCLOSED.load(Ordering::Relaxed) {
        return Failure::new(Exit::Io, "io", "the system failed while a folder was closed")
            .with_hint(Hint::say("whatever was cut off is completed or taken back by the next command"));
    }
    Failure::new(Exit::Internal, "internal", "internal error")
        .with_hint(Hint::say("this is a bug; please report it with the command that was typed"))
}
