//! The exit codes. They are frozen: pipelines branch on them.
//!
//! A dry run exits as the real run would before landing.

use rollback_core::error::ErrorClass;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// What was asked for is done.
    Done,
    /// No clean way back; nothing was changed.
    NoCleanRung,
    /// The request is wrong as it was typed.
    Usage,
    /// The state asked for was there already.
    NothingToDo,
    /// Checks failed; nothing landed.
    ChecksFailed,
    /// A precondition does not hold.
    Refused,
    /// Loss, trust or approval was not given.
    Consent,
    /// Something waits for a person.
    Paused,
    /// The result landed and a later step failed.
    LandedWithFailure,
    /// A question was answered with no, or a trigger fired.
    GateSaysNo,
    /// A mistake of this program.
    Internal,
    /// A file could not be read or written.
    Io,
    /// Another process is at work in the repository.
    Busy,
    /// A signal ended the run.
    Signal(u8),
    /// What git would end with, where `RB_COMPAT` asks for that.
    AsGit(u8),
}

impl Exit {
    /// Every code with what it means, as the manual prints them; the signal stands for all of its kind.
    pub(crate) const ALL: [(Self, &'static str); 14] = [
        (Self::Done, "done"),
        (Self::NoCleanRung, "no clean way back; nothing was changed"),
        (Self::Usage, "usage: wrong arguments, -m out of range or on a commit that is no merge"),
        (Self::NothingToDo, "nothing to do (0 with --allow-noop): the state asked for is there already"),
        (Self::ChecksFailed, "checks failed; nothing landed"),
        (
            Self::Refused,
            "refused: a precondition does not hold, such as an unknown revision or a file in the way",
        ),
        (Self::Consent, "refused: loss, trust or approval was not given"),
        (Self::Paused, "paused: conflicts left on request, or a manual step"),
        (Self::LandedWithFailure, "landed, but a later step failed"),
        (Self::GateSaysNo, "a question was answered with no, or a trigger fired"),
        (Self::Internal, "internal error"),
        (Self::Io, "a file could not be read or written"),
        (Self::Busy, "busy: another process is at work here"),
        (Self::Signal(0), "128 and the number of a signal: ended by it"),
    ];

    /// The number the process ends with.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::NoCleanRung => 1,
            Self::Usage => 2,
            Self::NothingToDo => 3,
            Self::ChecksFailed => 4,
            Self::Refused => 5,
            Self::Consent => 6,
            Self::Paused => 7,
            Self::LandedWithFailure => 8,
            Self::GateSaysNo => 10,
            Self::Internal => 70,
            Self::Io => 74,
            Self::Busy => 75,
            Self::Signal(number) => 128 + number,
            Self::AsGit(code) => code,
        }
    }
}

impl From<ErrorClass> for Exit {
    fn from(class: ErrorClass) -> Self {
        match class {
            ErrorClass::Usage => Self::Usage,
            ErrorClass::Precondition => Self::Refused,
            ErrorClass::Consent => Self::Consent,
            ErrorClass::Io => Self::Io,
            ErrorClass::Busy => Self::Busy,
            _ => Self::Internal,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_that_pipelines_rely_on() {
        let numbers = Exit::ALL.map(|(exit, _)| exit.code());
        assert_eq!(numbers, [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 70, 74, 75, 128]);
        assert_eq!(Exit::Signal(2).code(), 130);
    }

    #[test]
    fn every_class_of_error_has_its_own_code() {
        let classes = [
            (ErrorClass::Usage, 2),
            (ErrorClass::Precondition, 5),
            (ErrorClass::Consent, 6),
            (ErrorClass::Io, 74),
            (ErrorClass::Busy, 75),
            (ErrorClass::Internal, 70),
        ];
        for (class, code) in classes {
            assert_eq!(Exit::from(class).code(), code, "{class:?}");
        }
    }
}
