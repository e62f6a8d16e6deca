//! What the end of a program says, whatever it wrote.

use crate::process::{Ended, Output, StartError};
use crate::verdict::{Outcome, Verdict};

/// The verdict on a program of which only the exit code counts: 0 passes, and `skip` says that it cannot judge.
pub(super) fn judge(ran: Result<&Output, &StartError>, skip: Option<i32>) -> Verdict {
    match ran {
        Ok(Output { ended: Ended::Exited(code), .. }) if skip == Some(*code) => {
            Verdict::new(Outcome::Skip, format!("it ended with exit code {code}, which skips"))
        }
        Ok(output) => judge_ending(output, 0).unwrap_or_else(|verdict| verdict),
        Err(error) => Verdict::new(Outcome::Error, error.to_string()),
    }
}

/// A pass where the program ended by itself with the code `expected`.
///
/// # Errors
/// The verdict on any other end; what the program wrote before it is not to be judged.
pub(crate) fn judge_ending(output: &Output, expected: i32) -> Result<Verdict, Verdict> {
    let error = |why| Err(Verdict::new(Outcome::Error, why));
    let (outcome, why, found) = match output.ended {
        // Whole seconds: the same check on the tip runs out of the same time, give or take a little.
        Ended::TimedOut => {
            return error(format!(
                "it was killed after {:.0} s without an end",
                output.elapsed.as_secs_f64()
            ));
        }
        Ended::Cancelled => return error("it was cancelled".to_owned()),
        Ended::Signalled(signal) => return error(format!("it was ended by signal {signal}")),
        Ended::Exited(found) if found == expected => return Ok(Verdict::pass()),
        // A shell's own codes for a command that it could not find or start.
        Ended::Exited(found @ (126 | 127)) => (Outcome::Error, "a program that it needs is missing", found),
        Ended::Exited(found) => (Outcome::Fail, "the exit code differs", found),
    };
    Err(Verdict::new(outcome, why).of(format!("exit code {expected}"), format!("exit code {found}")))
}
