//! Hints where a bisection has nothing to search, or a check tells nothing apart.

use rollback_core::error::BisectError;

use super::{Hint, Situation};

pub(super) fn hint(situation: &Situation<'_>, error: &BisectError) -> Option<Hint> {
    let typed = situation.invocation;
    let help = || typed.command(&["bisect", "--help"]);
    Some(match error {
        BisectError::NothingBetween { good, bad } => Hint::new(
            "see what lies between them with",
            situation.git(&["log", "--oneline", "--left-right", &format!("{good}...{bad}")]),
        ),
        BisectError::BadIsGood { .. } => Hint::new("name a commit at which it fails; how is told by", help()),
        BisectError::GoodIsBad { .. } | BisectError::MendedSince { .. } => Hint::new(
            "have a good commit searched for with",
            typed.without_option("--good", "--good").as_typed(),
        ),
        BisectError::NotJudged { .. } => Hint::new("what a check finds where it runs is told by", help()),
        BisectError::NoGood { oldest, .. } => Hint::new(
            "see what was merged in since, and name a good commit among it, with",
            situation.git(&["log", "--oneline", "--graph", &format!("{oldest}..")]),
        ),
        BisectError::NotInPaths { .. } if situation.command_name() == Some("bisect") => {
            Hint::new("search all commits with", typed.without_paths())
        }
        BisectError::NotInPaths { .. } => Hint::new("how all commits are searched is told by", help()),
        _ => return None,
    })
}
