//! The flags of `git revert` and `git cherry-pick`, read as git's own parser reads them: short ones in a row, long ones by
//! any beginning that names one, `--no-` before those that can be switched off. What it does not know is left for the walk
//! over revisions.

use rollback_core::message::Cleanup;
use rollback_core::sequence::{SequenceAction, SequenceOptions, SignCommits, WhenEmpty};

/// What is done with a sequence that is in progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command {
    Quit,
    Continue,
    Abort,
    Skip,
}

impl Command {
    fn flag(self) -> &'static str {
        match self {
            Self::Quit => "--quit",
            Self::Continue => "--continue",
            Self::Abort => "--abort",
            Self::Skip => "--skip",
        }
    }
}

/// What was typed.
#[derive(Debug, Default)]
pub(super) struct Parsed {
    pub(super) command: Option<Command>,
    pub(super) options: SequenceOptions,
    /// Revisions, and options of the walk over them.
    pub(super) revisions: Vec<String>,
}

/// Why nothing can be made of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// A line, then how the command is used.
    Usage(String),
    /// How the command is used, on standard output: it was asked for.
    Help,
    /// A line, without more.
    Error(String),
    /// A line that ends the program.
    Fatal(String),
}

/// What kind of value an option has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Value {
    None,
    Needed,
    Attached,
}

/// An option of both commands or of one.
struct Known {
    short: Option<char>,
    long: &'static str,
    value: Value,
    /// Whether `--no-` can stand before it.
    negated: bool,
    only: Option<SequenceAction>,
}

const fn known(short: Option<char>, long: &'static str, value: Value, negated: bool) -> Known {
    Known { short, long, value, negated, only: None }
}

const fn of_pick(short: Option<char>, long: &'static str, value: Value, negated: bool) -> Known {
    Known { short, long, value, negated, only: Some(SequenceAction::Pick) }
}

const KNOWN: [Known; 23] = [
    known(None, "quit", Value::None, false),
    known(None, "continue", Value::None, false),
    known(None, "abort", Value::None, false),
    known(None, "skip", Value::None, false),
    known(None, "cleanup", Value::Needed, true),
    known(Some('n'), "no-commit", Value::None, false),
    known(None, "commit", Value::None, false),
    known(Some('e'), "edit", Value::None, true),
    known(Some('r'), "", Value::None, false),
    known(Some('s'), "signoff", Value::None, true),
    known(Some('m'), "mainline", Value::Needed, true),
    known(None, "rerere-autoupdate", Value::None, true),
    known(None, "strategy", Value::Needed, true),
    known(Some('X'), "strategy-option", Value::Needed, true),
    known(Some('S'), "gpg-sign", Value::Attached, true),
    of_pick(Some('x'), "", Value::None, false),
    of_pick(None, "ff", Value::None, true),
    of_pick(None, "allow-empty", Value::None, true),
    of_pick(None, "allow-empty-message", Value::None, true),
    of_pick(None, "keep-redundant-commits", Value::None, true),
    of_pick(None, "empty", Value::Needed, false),
    Known {
        short: None,
        long: "reference",
        value: Value::None,
        negated: true,
        only: Some(SequenceAction::Revert),
    },
    known(Some('h'), "", Value::None, false),
];

/// What was given beside the options themselves.
#[derive(Default)]
struct Given {
    empty: Option<WhenEmpty>,
    keep_redundant: bool,
    edit: Option<bool>,
}

/// The options that git has for this.
fn known_for(action: SequenceAction) -> impl Iterator<Item = &'static Known> {
    KNOWN.iter().filter(move |known| known.only.is_none_or(|only| only == action))
}

/// Whether git has a long flag of this name, in full or after `no-`.
pub(super) fn is_known(action: SequenceAction, name: &str) -> bool {
    let negated = name.strip_prefix("no-");
    known_for(action)
        .filter(|known| !known.long.is_empty())
        .any(|known| known.long == name || known.negated && negated == Some(known.long))
}

/// Reads what was typed after the name of the command.
pub(super) fn parse(action: SequenceAction, words: &[String]) -> Result<Parsed, Refusal> {
    let mut reader = Reader { action, parsed: Parsed::default(), given: Given::default() };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if word == "--" {
            reader.parsed.revisions.push(word.clone());
            reader.parsed.revisions.extend(words.by_ref().cloned());
        } else if let Some(long) = word.strip_prefix("--").filter(|long| !long.is_empty()) {
            reader.long(long, word, &mut words)?;
        } else if word.len() > 1 && word.starts_with('-') {
            reader.short(word, &mut words)?;
        } else {
            reader.parsed.revisions.push(word.clone());
        }
    }
    reader.finish()
}

struct Reader {
    action: SequenceAction,
    parsed: Parsed,
    given: Given,
}

impl Reader {
    fn long<'a>(
        &mut self,
        long: &str,
        word: &str,
        words: &mut impl Iterator<Item = &'a String>,
    ) -> Result<(), Refusal> {
        let (name, attached) =
            long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value.to_owned())));
        let Some((known, on)) = self.find(name)? else {
            self.parsed.revisions.push(word.to_owned());
            return Ok(());
        };
        let value = match (known.value, attached) {
            (_, attached) if !on => {
                if attached.is_some() {
                    return Err(Refusal::Usage(format!("error: option `no-{}' takes no value", known.long)));
                }
                None
            }
            (Value::None, Some(_)) => {
                return Err(Refusal::Usage(format!("error: option `{}' takes no value", known.long)));
            }
            (Value::None, None) => None,
            (Value::Attached, attached) => attached,
            (Value::Needed, Some(value)) => Some(value),
            (Value::Needed, None) => match words.next() {
                Some(value) => Some(value.clone()),
                None => {
                    return Err(Refusal::Usage(format!("error: option `{}' requires a value", known.long)));
                }
            },
        };
        self.set(known, on, value)
    }

    /// The option of this name, or of the only one that begins so, and whether it is switched on.
    fn find(&self, name: &str) -> Result<Option<(&'static Known, bool)>, Refusal> {
        let exact = known_for(self.action).find(|known| !known.long.is_empty() && known.long == name);
        if let Some(known) = exact {
            return Ok(Some((known, true)));
        }
        let negated = name.strip_prefix("no-");
        if let Some(bare) = negated
            && let Some(known) = known_for(self.action).find(|known| known.negated && known.long == bare)
        {
            return Ok(Some((known, false)));
        }
        let mut found: Vec<(&'static Known, bool, String)> = Vec::new();
        for known in known_for(self.action).filter(|known| !known.long.is_empty()) {
            if known.long.starts_with(name) {
                found.push((known, true, known.long.to_owned()));
            }
            let spelled = format!("no-{}", known.long);
            if known.negated && (spelled.starts_with(name)) {
                found.push((known, false, spelled));
            }
        }
        match found.as_slice() {
            [] => Ok(None),
            [(known, on, _)] => Ok(Some((known, *on))),
            [(.., one), (.., other), ..] => Err(Refusal::Usage(format!(
                "error: ambiguous option: {name} (could be --{one} or --{other})"
            ))),
        }
    }

    fn short<'a>(&mut self, word: &str, words: &mut impl Iterator<Item = &'a String>) -> Result<(), Refusal> {
        let letters: Vec<char> = word.chars().skip(1).collect();
        for (at, letter) in letters.iter().enumerate() {
            let Some(known) = known_for(self.action).find(|known| known.short == Some(*letter)) else {
                if at == 0 {
                    self.parsed.revisions.push(word.to_owned());
                    return Ok(());
                }
                return Err(Refusal::Usage(format!("error: unknown switch `{letter}'")));
            };
            let rest: String = letters[at + 1..].iter().collect();
            let value = match known.value {
                Value::None => None,
                Value::Attached => Some(rest.clone()).filter(|rest| !rest.is_empty()),
                Value::Needed if rest.is_empty() => match words.next() {
                    Some(value) => Some(value.clone()),
                    None => return Err(Refusal::Usage(format!("error: switch `{letter}' requires a value"))),
                },
                Value::Needed => Some(rest.clone()),
            };
            self.set(known, true, value)?;
            if known.value != Value::None {
                break;
            }
        }
        Ok(())
    }

    fn set(&mut self, known: &Known, on: bool, value: Option<String>) -> Result<(), Refusal> {
        let options = &mut self.parsed.options;
        let text = value.clone().unwrap_or_default();
        match (known.long, known.short) {
            ("quit", _) => self.command(Command::Quit)?,
            ("continue", _) => self.command(Command::Continue)?,
            ("abort", _) => self.command(Command::Abort)?,
            ("skip", _) => self.command(Command::Skip)?,
            ("cleanup", _) => {
                options.cleanup = match on {
                    true => Some(
                        Cleanup::from_name(&text)
                            .ok_or_else(|| Refusal::Fatal(format!("fatal: Invalid cleanup mode {text}")))?,
                    ),
                    false => None,
                }
            }
            ("no-commit", _) => options.no_commit = true,
            ("commit", _) => options.no_commit = false,
            ("edit", _) => self.given.edit = Some(on),
            ("signoff", _) => options.signoff = on,
            ("mainline", _) if on => {
                let number = text.parse::<usize>().ok().filter(|number| *number > 0);
                let wrong = "error: option `mainline' expects a number greater than zero";
                options.mainline = Some(number.ok_or_else(|| Refusal::Error(wrong.to_owned()))?);
            }
            ("mainline", _) => options.mainline = None,
            ("rerere-autoupdate", _) => options.rerere_autoupdate = Some(on),
            ("strategy", _) => options.strategy = on.then_some(text),
            ("strategy-option", _) if on => options.strategy_options.push(text),
            ("strategy-option", _) => options.strategy_options.clear(),
            ("gpg-sign", _) => {
                options.sign = if on { SignCommits::WithKey(text) } else { SignCommits::No };
            }
            ("ff", _) => options.allow_ff = on,
            ("allow-empty", _) => options.allow_empty = on,
            ("allow-empty-message", _) => options.allow_empty_message = on,
            ("keep-redundant-commits", _) => self.given.keep_redundant = on,
            ("empty", _) => {
                self.given.empty = Some(match text.as_str() {
                    "stop" => WhenEmpty::Stop,
                    "drop" => WhenEmpty::Drop,
                    "keep" => WhenEmpty::Keep,
                    _ => return Err(Refusal::Error(format!("error: invalid value for '--empty': '{text}'"))),
                });
            }
            ("reference", _) => options.reference = Some(on),
            (_, Some('x')) => options.record_origin = true,
            (_, Some('h')) => return Err(Refusal::Help),
            _ => {}
        }
        Ok(())
    }

    fn command(&mut self, command: Command) -> Result<(), Refusal> {
        match self.parsed.command.replace(command) {
            Some(other) if other != command => {
                let (one, other) = (command.flag(), other.flag());
                Err(Refusal::Error(format!("error: options '{one}' and '{other}' cannot be used together")))
            }
            _ => Ok(()),
        }
    }

    fn finish(mut self) -> Result<Parsed, Refusal> {
        let options = &mut self.parsed.options;
        options.edit = self.given.edit;
        options.empty = match (self.given.keep_redundant, self.given.empty) {
            (true, _) => WhenEmpty::Keep,
            (false, given) => given.unwrap_or_default(),
        };
        options.allow_empty |= options.empty == WhenEmpty::Keep;
        let me = self.action.command();
        if let Some(command) = self.parsed.command {
            let excluded = [
                ("--no-commit", options.no_commit),
                ("--signoff", options.signoff),
                ("--mainline", options.mainline.is_some()),
                ("--strategy", options.strategy.is_some()),
                ("--strategy-option", !options.strategy_options.is_empty()),
                ("-x", options.record_origin),
                ("--ff", options.allow_ff),
                ("--rerere-autoupdate", options.rerere_autoupdate == Some(true)),
                ("--no-rerere-autoupdate", options.rerere_autoupdate == Some(false)),
                ("--keep-redundant-commits", options.empty == WhenEmpty::Keep),
                ("--empty", self.given.empty.is_some()),
            ];
            if let Some((flag, _)) = excluded.iter().find(|(_, given)| *given) {
                return Err(Refusal::Fatal(format!(
                    "fatal: {me}: {flag} cannot be used with {}",
                    command.flag()
                )));
            }
        }
        if options.allow_ff {
            let excluded = [
                ("--signoff", options.signoff),
                ("--no-commit", options.no_commit),
                ("-x", options.record_origin),
                ("--edit", options.edit == Some(true)),
            ];
            if let Some((flag, _)) = excluded.iter().find(|(_, given)| *given) {
                return Err(Refusal::Fatal(format!("fatal: {me}: {flag} cannot be used with --ff")));
            }
        }
        let names = !self.parsed.revisions.is_empty();
        if names == self.parsed.command.is_some() {
            return Err(Refusal::Usage(String::new()));
        }
        Ok(self.parsed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(action: SequenceAction, words: &[&str]) -> Result<Parsed, Refusal> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        parse(action, &words)
    }

    #[test]
    fn flags_are_read_as_git_reads_them() {
        let pick =
            read(SequenceAction::Pick, &["-nxm2", "--sign", "-Skey", "A..B", "--keep", "-Xours"]).unwrap();
        let options = &pick.options;
        assert!(options.no_commit && options.record_origin && options.signoff);
        assert_eq!((options.mainline, options.empty), (Some(2), WhenEmpty::Keep));
        assert_eq!(options.sign, SignCommits::WithKey("key".into()));
        assert_eq!(
            (options.strategy_options.as_slice(), pick.revisions),
            (&["ours".to_owned()][..], vec!["A..B".to_owned()])
        );

        let revert =
            read(SequenceAction::Revert, &["--no-edit", "--no-gpg-sign", "-2", "--reverse", "X"]).unwrap();
        assert_eq!((revert.options.edit, revert.options.sign), (Some(false), SignCommits::No));
        assert_eq!(revert.revisions, ["-2", "--reverse", "X"]);
    }

    #[test]
    fn what_git_refuses_is_refused_in_its_words() {
        let refusal = |words: &[&str]| read(SequenceAction::Pick, words).unwrap_err();
        let error = |text: &str| Refusal::Error(text.into());
        let fatal = |text: &str| Refusal::Fatal(text.into());
        assert_eq!(
            refusal(&["-m", "0", "A"]),
            error("error: option `mainline' expects a number greater than zero")
        );
        assert_eq!(refusal(&["--empty=x", "A"]), error("error: invalid value for '--empty': 'x'"));
        assert_eq!(refusal(&["--ff", "-x", "A"]), fatal("fatal: cherry-pick: -x cannot be used with --ff"));
        assert_eq!(
            refusal(&["--continue", "-n"]),
            fatal("fatal: cherry-pick: --no-commit cannot be used with --continue")
        );
        assert_eq!(
            refusal(&["--abort", "--quit"]),
            error("error: options '--quit' and '--abort' cannot be used together")
        );
        assert_eq!(refusal(&["--continue", "A"]), Refusal::Usage(String::new()));
        assert_eq!(refusal(&[]), Refusal::Usage(String::new()));
        // Options of the other command are left to the walk, which does not know them.
        assert_eq!(read(SequenceAction::Revert, &["-x", "A"]).unwrap().revisions, ["-x", "A"]);
    }
}
