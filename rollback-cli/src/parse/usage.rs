//! What is wrong with the words that were typed, in the wording of all other errors.

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::args;
use crate::failure::Failure;
use crate::hint::Hint;
use crate::invocation::Invocation;

/// The failure to report in place of the argument parser's own text.
pub(crate) fn failure(error: &clap::Error, invocation: &Invocation) -> Failure {
    let context = |kind| error.get(kind).map(text);
    let arg = context(ContextKind::InvalidArg).unwrap_or_default();
    let value = context(ContextKind::InvalidValue).unwrap_or_default();
    let message = match error.kind() {
        ErrorKind::UnknownArgument => format!("unexpected argument '{arg}'"),
        ErrorKind::InvalidSubcommand => {
            format!("'{}' is not a command", context(ContextKind::InvalidSubcommand).unwrap_or_default())
        }
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            "no command was given".into()
        }
        ErrorKind::MissingRequiredArgument => {
            format!("{} is missing", in_words(&without_hidden(&arg, invocation)))
        }
        ErrorKind::ArgumentConflict => conflict(&arg, context(ContextKind::PriorArg)),
        ErrorKind::InvalidValue if value.is_empty() => format!("{arg} needs a value"),
        ErrorKind::InvalidValue => match context(ContextKind::ValidValue) {
            Some(valid) => format!("'{value}' is no value for {arg}; there are: {valid}"),
            None => format!("'{value}' is no value for {arg}"),
        },
        ErrorKind::ValueValidation => {
            let why =
                std::error::Error::source(error).map(|source| format!(": {source}")).unwrap_or_default();
            format!("'{value}' is no value for {arg}{why}")
        }
        ErrorKind::InvalidUtf8 => "an argument that must be text is not UTF-8".into(),
        _ => error.kind().as_str().unwrap_or("wrong arguments").to_owned(),
    };
    Failure::usage(message).with_hint(hint(error, invocation))
}

fn conflict(arg: &str, prior: Option<String>) -> String {
    match prior {
        Some(prior) if prior == arg => format!("{arg} can be given only once"),
        Some(prior) => format!("{arg} cannot be used together with {prior}"),
        None => format!("{arg} cannot be used together with the other arguments"),
    }
}

fn hint(error: &clap::Error, invocation: &Invocation) -> Hint {
    let suggestion = [
        (ContextKind::InvalidArg, ContextKind::SuggestedArg),
        (ContextKind::InvalidSubcommand, ContextKind::SuggestedSubcommand),
        (ContextKind::InvalidValue, ContextKind::SuggestedValue),
    ]
    .into_iter()
    .find_map(|(typed, meant)| Some((text(error.get(typed)?), best(error.get(meant)?)?)));
    if let Some((typed, meant)) = suggestion {
        return Hint::new("did you mean", invocation.with_replaced(typed.as_ref(), meant.as_ref()));
    }
    Hint::new("see how it is used with", args::usage(invocation))
}

/// The most similar of the values, which the parser names last.
fn best(value: &ContextValue) -> Option<String> {
    match value {
        ContextValue::Strings(texts) => texts.last().cloned(),
        other => Some(text(other)).filter(|text| !text.is_empty()),
    }
}

/// The alternatives of a missing argument without those that no help names.
fn without_hidden(arg: &str, invocation: &Invocation) -> String {
    use clap::CommandFactory;
    let all = args::Cli::command();
    let Some(command) = args::command_name(invocation).and_then(|name| all.find_subcommand(name)) else {
        return arg.to_owned();
    };
    let is_hidden = |part: &&str| {
        let name = part.trim_matches(['<', '>']).strip_prefix("--");
        command.get_arguments().any(|known| known.is_hide_set() && known.get_long() == name)
    };
    arg.split('|').filter(|part| !is_hidden(part)).collect::<Vec<_>>().join("|")
}

/// An argument as the parser spells it, such as `<COMMIT|--file <PATH>>`, without its brackets.
fn in_words(arg: &str) -> String {
    arg.replace(['<', '>'], "").replace("...", "").replace('|', " or ")
}

fn text(value: &ContextValue) -> String {
    match value {
        ContextValue::String(text) => text.clone(),
        ContextValue::Strings(texts) => texts.join(", "),
        ContextValue::StyledStr(text) => text.to_string(),
        ContextValue::Number(number) => number.to_string(),
        ContextValue::Bool(truth) => truth.to_string(),
        _ => String::new(),
    }
}
