//! What the attributes of a path and the configuration ask for together, after `gitattributes(5)`.

use bstr::{BStr, BString, ByteSlice};
use gix::attrs::StateRef;
use gix::attrs::search::Outcome;
use gix::filter::plumbing::eol::{AttributesDigest, Configuration, Mode};

use crate::charset::is_utf8;

/// The attributes that are looked up, in the order in which they are found.
pub(super) const ATTRIBUTES: [&str; 6] = ["crlf", "ident", "filter", "eol", "text", "working-tree-encoding"];

/// The conversions at one path.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    pub(super) ident: bool,
    pub(super) eol: AttributesDigest,
    pub(super) encoding: Option<BString>,
    pub(super) driver: Option<BString>,
}

impl Rules {
    pub(super) fn read(found: &Outcome, config: Configuration) -> Self {
        let mut states = [StateRef::Unspecified; ATTRIBUTES.len()];
        for (state, matched) in states.iter_mut().zip(found.iter_selected()) {
            *state = matched.assignment.state;
        }
        let [crlf, ident, filter, eol, text, encoding] = states;
        Self {
            ident: ident == StateRef::Set,
            eol: line_ends(text, crlf, eol, config),
            encoding: encoding_of(encoding),
            driver: value(filter).map(ToOwned::to_owned),
        }
    }
}

fn value<'a>(state: StateRef<'a>) -> Option<&'a BStr> {
    match state {
        StateRef::Value(value) => Some(value.as_bstr()),
        _ => None,
    }
}

/// The name of an encoding other than UTF-8. Set or unset without a name it is none: git ends with an error there.
fn encoding_of(state: StateRef<'_>) -> Option<BString> {
    match state {
        StateRef::Set => Some("true".into()),
        StateRef::Unset => Some("false".into()),
        StateRef::Unspecified => None,
        StateRef::Value(value) => {
            Some(value.as_bstr().to_owned()).filter(|name| !name.is_empty() && !is_utf8(name))
        }
    }
}

fn line_ends(
    text: StateRef<'_>,
    crlf: StateRef<'_>,
    eol: StateRef<'_>,
    config: Configuration,
) -> AttributesDigest {
    use AttributesDigest::{Binary, Text, TextAuto, TextAutoCrlf, TextAutoInput, TextCrlf, TextInput};
    let wanted = match value(eol).map(|value| value.as_bytes()) {
        Some(b"lf") => Some(Mode::Lf),
        Some(b"crlf") => Some(Mode::CrLf),
        _ => None,
    };
    match (kind(text).or_else(|| kind(crlf)), wanted) {
        (Some(Binary), _) => Binary,
        (Some(TextAuto), Some(Mode::Lf)) => TextAutoInput,
        (Some(TextAuto), Some(Mode::CrLf)) => TextAutoCrlf,
        (_, Some(Mode::Lf)) => TextInput,
        (_, Some(Mode::CrLf)) => TextCrlf,
        (Some(Text), None) => config.to_eol().into(),
        (Some(other), None) => other,
        (None, None) => config.auto_crlf.into(),
    }
}

/// What `text`, or its older name `crlf`, says by itself.
fn kind(state: StateRef<'_>) -> Option<AttributesDigest> {
    match state {
        StateRef::Set => Some(AttributesDigest::Text),
        StateRef::Unset => Some(AttributesDigest::Binary),
        StateRef::Value(value) if value.as_bstr() == "input" => Some(AttributesDigest::TextInput),
        StateRef::Value(value) if value.as_bstr() == "auto" => Some(AttributesDigest::TextAuto),
        StateRef::Value(_) | StateRef::Unspecified => None,
    }
}
