//! What an error is called, who can mend it, and which paths it is about.

use super::{Error, Source};
use crate::path::RepoPath;

/// Who can mend an error; each class has one exit code of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorClass {
    /// The request is wrong as it was typed.
    Usage,
    /// The repository is not in a state in which the request could be carried out.
    Precondition,
    /// Loss, trust or approval was not given.
    Consent,
    /// A file could not be read or written.
    Io,
    /// Another process is at work here.
    Busy,
    /// A mistake of this crate.
    Internal,
}

impl Error {
    /// The stable name of the error, in kebab-case.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Repository(error) => error.code(),
            Self::Revision(error) => error.code(),
            Self::Path(error) => error.code(),
            Self::Object(error) => error.code(),
            Self::WorkTree(error) => error.code(),
            Self::Landing(error) => error.code(),
            Self::Operation(error) => error.code(),
            Self::Checkpoint(error) => error.code(),
            Self::Setting(error) => error.code(),
            Self::BadRequest(_) => "bad-request",
            Self::Io { .. } => "io",
            Self::Locked { .. } => "locked",
            Self::TooLarge { .. } => "too-large",
            Self::Cancelled => "cancelled",
            Self::Internal { source, .. } if is_of_system(source) => "io",
            Self::Internal { .. } => "internal",
        }
    }

    /// Who can mend the error.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Repository(error) => error.class(),
            Self::Revision(error) => error.class(),
            Self::Path(error) => error.class(),
            Self::Object(error) => error.class(),
            Self::WorkTree(error) => error.class(),
            Self::Landing(error) => error.class(),
            Self::Operation(error) => error.class(),
            Self::Checkpoint(error) => error.class(),
            Self::Setting(error) => error.class(),
            Self::BadRequest(_) => ErrorClass::Usage,
            Self::Io { .. } => ErrorClass::Io,
            Self::Locked { .. } => ErrorClass::Busy,
            Self::TooLarge { .. } | Self::Cancelled => ErrorClass::Precondition,
            Self::Internal { source, .. } if is_of_system(source) => ErrorClass::Io,
            Self::Internal { .. } => ErrorClass::Internal,
        }
    }

    /// The paths the error is about, for machines.
    pub fn paths(&self) -> Vec<RepoPath> {
        match self {
            Self::Repository(error) => error.paths(),
            Self::Revision(error) => error.paths(),
            Self::Path(error) => error.paths(),
            Self::Object(error) => error.paths(),
            Self::WorkTree(error) => error.paths(),
            Self::Landing(error) => error.paths(),
            Self::Operation(error) => error.paths(),
            Self::Checkpoint(error) => error.paths(),
            Self::Setting(error) => error.paths(),
            Self::BadRequest(_)
            | Self::Io { .. }
            | Self::Locked { .. }
            | Self::TooLarge { .. }
            | Self::Cancelled
            | Self::Internal { .. } => Vec::new(),
        }
    }
}

/// Whether an error of the system, such as a permission that is missing, is among the causes.
fn is_of_system(source: &Option<Source>) -> bool {
    fn is(error: &(dyn std::error::Error + 'static)) -> bool {
        let io = error.downcast_ref::<std::io::Error>();
        // An error inside of an error of the standard library is not among its sources.
        let inner =
            io.and_then(std::io::Error::get_ref).map(|inner| inner as &(dyn std::error::Error + 'static));
        io.and_then(std::io::Error::raw_os_error).is_some() || inner.or(error.source()).is_some_and(is)
    }
    source.as_deref().is_some_and(|source| is(source))
}

#[cfg(test)]
mod tests {
    use std::io::{Error as IoError, ErrorKind};

    use super::*;
    use crate::error::LandingError;

    fn class_of(source: IoError) -> (&'static str, ErrorClass) {
        let error = Error::internal("x", source);
        (error.code(), error.class())
    }

    #[test]
    fn a_family_adds_nothing_to_text_and_causes() {
        let error = Error::from(LandingError::Signing { source: "no key".into() });
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        assert_eq!(
            (error.to_string(), cause),
            ("the commit could not be signed".into(), Some("no key".into()))
        );
    }

    #[test]
    fn an_error_of_the_system_is_one_however_it_is_wrapped() {
        let denied = || IoError::from_raw_os_error(13);
        let io = ("io", ErrorClass::Io);
        assert_eq!(class_of(denied()), io);
        assert_eq!(class_of(IoError::other(denied())), io);
        assert_eq!(class_of(IoError::other(Error::io("read", "a", denied()))), io);
        let internal = ("internal", ErrorClass::Internal);
        assert_eq!(class_of(IoError::new(ErrorKind::InvalidData, "no number")), internal);
    }
}
