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

/// What a family of errors says of its variants.
pub(super) trait Family {
    /// The stable name, in kebab-case.
    fn code(&self) -> &'static str;

    /// Who can mend the error.
    fn class(&self) -> ErrorClass {
        ErrorClass::Precondition
    }

    /// The paths the error is about.
    fn paths(&self) -> Vec<RepoPath> {
        Vec::new()
    }
}

impl Error {
    /// The stable name of the error, in kebab-case.
    pub fn code(&self) -> &'static str {
        match self.kind() {
            Kind::Family(family) => family.code(),
            Kind::Common(code, _) => code,
        }
    }

    /// Who can mend the error.
    pub fn class(&self) -> ErrorClass {
        match self.kind() {
            Kind::Family(family) => family.class(),
            Kind::Common(_, class) => class,
        }
    }

    /// The paths the error is about, for machines.
    pub fn paths(&self) -> Vec<RepoPath> {
        match self.kind() {
            Kind::Family(family) => family.paths(),
            Kind::Common(..) => Vec::new(),
        }
    }

    fn kind(&self) -> Kind<'_> {
        match self {
            Self::Repository(error) => Kind::Family(error),
            Self::Revision(error) => Kind::Family(error),
            Self::Path(error) => Kind::Family(error),
            Self::Object(error) => Kind::Family(error),
            Self::WorkTree(error) => Kind::Family(error),
            Self::Landing(error) => Kind::Family(error),
            Self::Sequence(error) => Kind::Family(error),
            Self::Operation(error) => Kind::Family(error),
            Self::Checkpoint(error) => Kind::Family(error),
            Self::Bisect(error) => Kind::Family(error),
            Self::Rehearsal(error) => Kind::Family(error),
            Self::Setting(error) => Kind::Family(error),
            Self::BadRequest(_) => Kind::Common("bad-request", ErrorClass::Usage),
            Self::Io { .. } => Kind::Common("io", ErrorClass::Io),
            Self::Locked { .. } => Kind::Common("locked", ErrorClass::Busy),
            Self::TooLarge { .. } => Kind::Common("too-large", ErrorClass::Precondition),
            Self::Cancelled => Kind::Common("cancelled", ErrorClass::Precondition),
            Self::Internal { source, .. } if is_of_system(source) => Kind::Common("io", ErrorClass::Io),
            Self::Internal { .. } => Kind::Common("internal", ErrorClass::Internal),
        }
    }
}

/// An error of a family, or one that every room can meet, by its code and class.
enum Kind<'a> {
    Family(&'a dyn Family),
    Common(&'static str, ErrorClass),
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
