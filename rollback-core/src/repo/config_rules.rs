//! Which values of the configuration git refuses before it reverts or picks anything.
//!
//! The lists are what git 2.47 refuses in `git revert`, found by trying each key with a bad value; a test tries them
//! again. Keys that git reads loosely (`core.eol`, `merge.directoryRenames`) are not in them.

use super::config_file::Setting;

/// What git wants of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// On or off; one of these words counts too.
    Switch(&'static [&'static str]),
    /// On, off, or a number.
    SwitchOrNumber,
    /// A number; one of these words counts too.
    Number(&'static [&'static str]),
    /// How many digits of an id are shown, `auto`, or off.
    Abbreviation,
    /// One of these words.
    Word(&'static [&'static str]),
    /// Anything, but not nothing.
    Text,
    /// Anything with a byte in it.
    SomeText,
}

/// Keys that count wherever they stand, in small letters.
const RULES: &[(&str, Kind)] = &[
    ("core.filemode", Kind::Switch(&[])),
    ("core.trustctime", Kind::Switch(&[])),
    ("core.quotepath", Kind::Switch(&[])),
    ("core.symlinks", Kind::Switch(&[])),
    ("core.ignorecase", Kind::Switch(&[])),
    ("core.prefersymlinkrefs", Kind::Switch(&[])),
    ("core.warnambiguousrefs", Kind::Switch(&[])),
    ("core.preloadindex", Kind::Switch(&[])),
    ("core.precomposeunicode", Kind::Switch(&[])),
    ("core.protecthfs", Kind::Switch(&[])),
    ("core.protectntfs", Kind::Switch(&[])),
    ("core.sparsecheckout", Kind::Switch(&[])),
    ("core.sparsecheckoutcone", Kind::Switch(&[])),
    ("core.commitgraph", Kind::Switch(&[])),
    ("core.multipackindex", Kind::Switch(&[])),
    ("core.usereplacerefs", Kind::Switch(&[])),
    ("core.fsyncobjectfiles", Kind::Switch(&[])),
    ("core.autocrlf", Kind::Switch(&["input"])),
    ("core.safecrlf", Kind::Switch(&["warn"])),
    ("core.logallrefupdates", Kind::Switch(&["always"])),
    ("core.abbrev", Kind::Abbreviation),
    ("core.bigfilethreshold", Kind::Number(&[])),
    ("core.compression", Kind::Number(&[])),
    ("core.loosecompression", Kind::Number(&[])),
    ("core.packedgitlimit", Kind::Number(&[])),
    ("core.packedgitwindowsize", Kind::Number(&[])),
    ("core.deltabasecachelimit", Kind::Number(&[])),
    ("core.filesreflocktimeout", Kind::Number(&[])),
    ("core.packedrefstimeout", Kind::Number(&[])),
    ("core.maxtreedepth", Kind::Number(&[])),
    ("core.checkstat", Kind::Word(&["default", "minimal"])),
    ("core.disambiguate", Kind::Word(&["none", "commit", "committish", "tree", "treeish", "blob"])),
    ("core.createobject", Kind::Word(&["rename", "link"])),
    ("core.commentchar", Kind::SomeText),
    ("core.commentstring", Kind::SomeText),
    ("core.editor", Kind::Text),
    ("core.attributesfile", Kind::Text),
    ("core.excludesfile", Kind::Text),
    ("core.hookspath", Kind::Text),
    ("commit.gpgsign", Kind::Switch(&[])),
    ("user.useconfigonly", Kind::Switch(&[])),
    ("user.name", Kind::Text),
    ("user.email", Kind::Text),
    ("author.name", Kind::Text),
    ("author.email", Kind::Text),
    ("committer.name", Kind::Text),
    ("committer.email", Kind::Text),
    ("revert.reference", Kind::Switch(&[])),
    ("merge.renormalize", Kind::Switch(&[])),
    ("merge.renames", Kind::Switch(&["copies", "copy"])),
    ("merge.renamelimit", Kind::Number(&[])),
    ("merge.verbosity", Kind::Number(&[])),
    ("merge.conflictstyle", Kind::Word(&["merge", "diff3", "zdiff3"])),
    ("diff.renames", Kind::Switch(&["copies", "copy"])),
    ("diff.renamelimit", Kind::Number(&[])),
    ("diff.suppressblankempty", Kind::Switch(&[])),
    ("diff.indentheuristic", Kind::Switch(&[])),
    ("diff.algorithm", Kind::Word(&["default", "myers", "minimal", "patience", "histogram"])),
    ("index.skiphash", Kind::Switch(&[])),
    ("index.sparse", Kind::Switch(&[])),
    ("index.recordendofindexentries", Kind::Switch(&[])),
    ("index.threads", Kind::SwitchOrNumber),
    ("index.version", Kind::Number(&[])),
    ("i18n.commitencoding", Kind::Text),
    ("i18n.logoutputencoding", Kind::Text),
    ("advice.commitbeforemerge", Kind::Switch(&[])),
    ("advice.detachedhead", Kind::Switch(&[])),
    ("advice.implicitidentity", Kind::Switch(&[])),
    ("advice.mergeconflict", Kind::Switch(&[])),
    ("advice.resolveconflict", Kind::Switch(&[])),
    ("advice.sequencerinuse", Kind::Switch(&[])),
    ("advice.statushints", Kind::Switch(&[])),
    ("branch.autosetupmerge", Kind::Switch(&["always", "inherit", "simple"])),
    ("branch.autosetuprebase", Kind::Word(&["never", "local", "remote", "always"])),
    ("mailmap.blob", Kind::Text),
    ("push.default", Kind::Word(&["nothing", "matching", "simple", "upstream", "tracking", "current"])),
    ("pull.twohead", Kind::Text),
    ("pack.compression", Kind::Number(&[])),
    ("feature.manyfiles", Kind::Switch(&[])),
    ("feature.experimental", Kind::Switch(&[])),
    ("include.path", Kind::Text),
];

/// Keys with a subsection: the section, the name and what git wants.
const RULES_WITH_SUBSECTION: &[(&str, &str, Kind)] = &[
    ("filter", "required", Kind::Switch(&[])),
    ("filter", "clean", Kind::Text),
    ("filter", "smudge", Kind::Text),
    ("filter", "process", Kind::Text),
    ("diff", "binary", Kind::Switch(&[])),
    ("diff", "cachetextconv", Kind::Switch(&[])),
    ("remote", "promisor", Kind::Switch(&[])),
];

/// Keys that git reads in the repository's own configuration only.
const RULES_OF_REPOSITORY: &[(&str, Kind)] = &[
    ("core.bare", Kind::Switch(&[])),
    ("core.worktree", Kind::Text),
    ("core.repositoryformatversion", Kind::Number(&[])),
    ("extensions.worktreeconfig", Kind::Switch(&[])),
    ("extensions.preciousobjects", Kind::Switch(&[])),
    ("extensions.relativeworktrees", Kind::Switch(&[])),
    ("extensions.partialclone", Kind::Text),
];

/// Whose configuration a value stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// The repository's, the environment's for the keys that git checks there too.
    Repository,
    /// Any other.
    Elsewhere,
}

/// Why git refuses the value; `None` where it does not.
pub(crate) fn refusal(setting: &Setting, scope: Scope) -> Option<String> {
    let key = setting.key();
    let plain = |rules: &[(&str, Kind)]| {
        let same = |(name, _): &&(&str, Kind)| *name == key;
        rules.iter().find(same).map(|(_, kind)| *kind)
    };
    let with_subsection = || {
        setting.subsection.as_ref()?;
        let rules = RULES_WITH_SUBSECTION.iter();
        let mut fitting =
            rules.filter(|(section, name, _)| setting.section == *section && setting.name == *name);
        fitting.next().map(|(_, _, kind)| *kind)
    };
    let own = || if scope == Scope::Repository { plain(RULES_OF_REPOSITORY) } else { None };
    let kind = plain(RULES).or_else(with_subsection).or_else(own)?;
    let value = setting.value.as_ref().map(|value| value.as_slice());
    if kind.accepts(value) {
        return None;
    }
    Some(match value {
        None => format!("{key} has no value"),
        Some(value) => format!("{key} is {} and not '{}'", kind.describe(), String::from_utf8_lossy(value)),
    })
}

impl Kind {
    fn accepts(self, value: Option<&[u8]>) -> bool {
        let is_one_of = |words: &[&str]| {
            let value = value.unwrap_or_default();
            words.iter().any(|word| value.eq_ignore_ascii_case(word.as_bytes()))
        };
        match self {
            Self::Switch(words) => switch(value).is_some() || is_one_of(words),
            Self::SwitchOrNumber => switch(value).is_some(),
            Self::Number(words) => value.is_some_and(|value| number(value).is_some()) || is_one_of(words),
            Self::Abbreviation => value.is_some_and(|value| {
                is_one_of(&["auto", "no", "off", "false", ""])
                    || number(value).is_some_and(|digits| (4..=64).contains(&digits))
            }),
            Self::Word(words) => value.is_some() && is_one_of(words),
            Self::Text => value.is_some(),
            Self::SomeText => value.is_some_and(|value| !value.is_empty()),
        }
    }

    fn describe(self) -> String {
        let or = |words: &[&str]| words.iter().map(|word| format!(", '{word}'")).collect::<String>();
        match self {
            Self::Switch(words) => format!("'true', 'false'{}", or(words)),
            Self::SwitchOrNumber => "'true', 'false', a number".into(),
            Self::Number(words) => format!("a number{}", or(words)),
            Self::Abbreviation => "'auto', 'no', a number from 4 on".into(),
            Self::Word(words) => or(words).trim_start_matches(", ").into(),
            Self::Text | Self::SomeText => "a text".into(),
        }
    }
}

/// A boolean as git reads it: a word, or a number that is zero or is not.
pub(crate) fn switch(value: Option<&[u8]>) -> Option<bool> {
    let Some(value) = value else { return Some(true) };
    match value.to_ascii_lowercase().as_slice() {
        b"true" | b"yes" | b"on" => Some(true),
        b"false" | b"no" | b"off" | b"" => Some(false),
        _ => number(value).map(|number| number != 0),
    }
}

/// A number as git reads it: decimal, octal or hexadecimal, with `k`, `m` or `g`.
pub(crate) fn number(value: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(value).ok()?.trim_ascii_start();
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (text, unit) = match text.as_bytes().last()?.to_ascii_lowercase() {
        b'k' => (&text[..text.len() - 1], 1 << 10),
        b'm' => (&text[..text.len() - 1], 1 << 20),
        b'g' => (&text[..text.len() - 1], 1 << 30),
        _ => (text, 1),
    };
    let (digits, radix) = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None if text.len() > 1 && text.starts_with('0') => (&text[1..], 8),
        None => (text, 10),
    };
    let value = digits.bytes().all(|digit| digit.is_ascii_alphanumeric()).then_some(digits)?;
    let value = i64::from_str_radix(value, radix).ok()?.checked_mul(unit)?;
    Some(if negative { -value } else { value })
}
