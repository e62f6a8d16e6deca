//! YAML: the scalar's own bytes are replaced, and the result must read as the same document but for that value.

use std::ops::Range;

use saphyr_parser::{Event, Parser, ScalarStyle};

use super::{FileFormat, Key, Segment, SetError, no_such_key, only};
use crate::procedure::format::Scalar;

/// No sane file is deeper.
const DEEPEST: usize = 128;

pub(super) fn set(text: &str, key: &Key, value: &Scalar) -> Result<String, SetError> {
    let nodes = read(text)?;
    let mut expected: Vec<Meaning> = nodes.iter().map(Node::meaning).collect();
    let scalar = |value: &Scalar| match value {
        Scalar::Text(_) => (Kind::Scalar, false, value.clone()),
        other => (Kind::Scalar, false, Scalar::from_text(&other.to_string())),
    };
    let edited = match find(&nodes, key)? {
        Found::Scalar(at) => {
            expected[at] = scalar(value);
            let Range { start, end } = nodes[at].bytes;
            [&text[..start], &write(value, nodes[at].style), &text[end..]].concat()
        }
        Found::Missing { mapping, name } => {
            let before = one_line_member(text, &nodes, mapping, key)?;
            let after = nodes[before].next + 1;
            expected.splice(after..after, [scalar(&Scalar::from_text(name)), scalar(value)]);
            add(text, nodes[before].bytes.start, name, value)
        }
    };
    if !read(&edited)?.iter().map(Node::meaning).eq(expected) {
        let why = "the result would not read as the same document with the new value";
        return Err(SetError::unfaithful(key.to_string(), why));
    }
    Ok(edited)
}

pub(super) fn get(text: &str, key: &Key) -> Result<Scalar, SetError> {
    let nodes = read(text)?;
    match find(&nodes, key)? {
        Found::Scalar(at) => Ok(nodes[at].scalar()),
        Found::Missing { .. } => Err(SetError::NoSuchKey { key: key.to_string(), nearest: None }),
    }
}

/// A node of the document, in the order of the text. What lies in a list or mapping follows it, up to an [`Kind::End`].
struct Node {
    kind: Kind,
    /// The text of a scalar.
    text: String,
    style: ScalarStyle,
    /// Whether it has an anchor or a tag, so that its meaning does not end with its bytes.
    special: bool,
    bytes: Range<usize>,
    /// The index of the first node that does not lie in it.
    next: usize,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Scalar,
    List,
    Mapping,
    /// What stands for the node of this anchor.
    Alias(usize),
    /// The end of a list or mapping.
    End,
}

/// What a node says, wherever it stands.
type Meaning = (Kind, bool, Scalar);

impl Node {
    fn is(&self, text: &str) -> bool {
        self.kind == Kind::Scalar && self.text == text
    }

    fn scalar(&self) -> Scalar {
        match self.style {
            ScalarStyle::Plain => Scalar::from_text(&self.text),
            _ => Scalar::Text(self.text.clone()),
        }
    }

    fn meaning(&self) -> Meaning {
        (self.kind, self.special, self.scalar())
    }
}

/// The nodes that lie in a list or mapping, by their index: items, or names and values in turn.
fn children(nodes: &[Node], at: usize) -> impl Iterator<Item = usize> {
    let first = matches!(nodes[at].kind, Kind::List | Kind::Mapping).then_some(at + 1);
    std::iter::successors(first, |child| Some(nodes[*child].next))
        .take_while(|child| nodes[*child].kind != Kind::End)
}

/// Names and values of a mapping, by their index.
fn members(nodes: &[Node], at: usize) -> impl Iterator<Item = (usize, usize)> {
    let mut children = children(nodes, at).filter(move |_| nodes[at].kind == Kind::Mapping);
    std::iter::from_fn(move || children.next().zip(children.next()))
}

/// The values of a mapping under a name.
fn named(nodes: &[Node], at: usize, name: &str) -> impl Iterator<Item = usize> {
    members(nodes, at).filter(move |(member, _)| nodes[*member].is(name)).map(|(_, value)| value)
}

enum Found<'a> {
    /// The index of a plain value.
    Scalar(usize),
    /// The index of a mapping that does not have the name.
    Missing { mapping: usize, name: &'a str },
}

fn find<'a>(nodes: &[Node], key: &'a Key) -> Result<Found<'a>, SetError> {
    let mut at = 0;
    for (index, segment) in key.segments().iter().enumerate() {
        match child(nodes, at, key, index)? {
            Some(next) => at = next,
            None => {
                if let (Kind::Mapping, Segment::Name(name)) = (nodes[at].kind, segment)
                    && index + 1 == key.segments().len()
                {
                    return Ok(Found::Missing { mapping: at, name });
                }
                let known = members(nodes, at).map(|(name, _)| nodes[name].text.as_str());
                return Err(no_such_key(key, index + 1, known));
            }
        }
    }
    refuse_what_is_not_plain(&nodes[at], key)?;
    Ok(Found::Scalar(at))
}

/// What the segment of the key leads to; nothing where it is not there.
fn child(nodes: &[Node], at: usize, key: &Key, index: usize) -> Result<Option<usize>, SetError> {
    let unfaithful = |why: &str| Err(SetError::unfaithful(key.text(index + 1), why));
    if nodes[at].special {
        return unfaithful("an anchor, an alias or a tag stands on the way");
    }
    match (nodes[at].kind, &key.segments()[index]) {
        (Kind::Mapping, Segment::Name(name)) => {
            let found = only(named(nodes, at, name), key, index + 1)?;
            if found.is_none() && named(nodes, at, "<<").next().is_some() {
                return unfaithful("the mapping takes members from elsewhere with '<<'");
            }
            Ok(found)
        }
        (Kind::List, Segment::Index(place)) => Ok(children(nodes, at).nth(*place)),
        (Kind::List, Segment::Row { name, value }) => {
            let has = |item: &usize| named(nodes, *item, name).any(|found| nodes[found].is(value));
            only(children(nodes, at).filter(has), key, index + 1)
        }
        _ => Ok(None),
    }
}

fn refuse_what_is_not_plain(node: &Node, key: &Key) -> Result<(), SetError> {
    let found = match node.kind {
        Kind::Scalar if node.special => {
            return Err(SetError::unfaithful(key.to_string(), "the value has an anchor or a tag"));
        }
        Kind::Scalar => match (node.style, node.text.as_str()) {
            (ScalarStyle::Literal | ScalarStyle::Folded, _) => "a block of text",
            (ScalarStyle::Plain, "" | "~" | "null") => "empty",
            _ => return Ok(()),
        },
        Kind::Mapping => "a mapping",
        Kind::Alias(_) => "an alias",
        Kind::List | Kind::End => "a list",
    };
    Err(SetError::NotPlain { key: key.to_string(), found })
}

/// The name of a member of the mapping that is written in one line, by its index.
fn one_line_member(text: &str, nodes: &[Node], mapping: usize, key: &Key) -> Result<usize, SetError> {
    let unfaithful = |why: &str| SetError::unfaithful(key.to_string(), why);
    if text[nodes[mapping].bytes.start..].starts_with('{') {
        return Err(unfaithful("the mapping is written in braces"));
    }
    let one_line = |(name, value): &(usize, usize)| {
        let (name, value) = (&nodes[*name], &nodes[*value]);
        value.kind == Kind::Scalar
            && !value.bytes.is_empty()
            && !text[name.bytes.start..value.bytes.end].contains('\n')
            && !matches!(value.style, ScalarStyle::Literal | ScalarStyle::Folded)
    };
    let found = members(nodes, mapping).find(one_line).map(|(name, _)| name);
    found.ok_or_else(|| unfaithful("no member of the mapping is one line"))
}

/// Adds a line after the one of the member that begins at `before`, with the same indent.
fn add(text: &str, before: usize, name: &str, value: &Scalar) -> String {
    let line_start = text[..before].rfind('\n').map_or(0, |at| at + 1);
    let indent = " ".repeat(text[line_start..before].chars().count());
    let line_end = text[before..].find('\n').map_or(text.len(), |at| before + at);
    let (head, tail) = text.split_at(line_end);
    let carriage = if head.ends_with('\r') { "\r" } else { "" };
    format!("{head}\n{indent}{name}: {}{carriage}{tail}", write(value, ScalarStyle::Plain))
}

/// The value in the style of the one it replaces, if it reads the same then.
fn write(value: &Scalar, style: ScalarStyle) -> String {
    let Scalar::Text(text) = value else {
        return value.to_string();
    };
    match style {
        ScalarStyle::SingleQuoted if !text.contains('\n') => {
            format!("'{}'", text.replace('\'', "''"))
        }
        ScalarStyle::Plain if is_plain(text) => text.clone(),
        _ => serde_json::to_string(text).unwrap_or_default(),
    }
}

/// Whether the text can stand without quotes for every reader, also those that take `on` for a truth value.
fn is_plain(text: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | '+');
    let taken = ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "~"];
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(word)
        && !taken.contains(&text.to_ascii_lowercase().as_str())
}

fn read(text: &str) -> Result<Vec<Node>, SetError> {
    let unreadable = |why: String| SetError::Unreadable { format: FileFormat::Yaml, why };
    // The parser counts characters.
    let offsets: Vec<usize> = text.char_indices().map(|(offset, _)| offset).chain([text.len()]).collect();
    let offset = |index: usize| offsets.get(index).copied().unwrap_or(text.len());
    let mut nodes: Vec<Node> = Vec::new();
    let mut open = Vec::new();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| unreadable(error.to_string()))?;
        let (kind, special) = match &event {
            Event::Scalar(_, _, anchor, tag) => (Kind::Scalar, *anchor > 0 || tag.is_some()),
            Event::SequenceStart(anchor, tag) => (Kind::List, *anchor > 0 || tag.is_some()),
            Event::MappingStart(anchor, tag) => (Kind::Mapping, *anchor > 0 || tag.is_some()),
            Event::Alias(anchor) => (Kind::Alias(*anchor), true),
            Event::SequenceEnd | Event::MappingEnd => (Kind::End, false),
            _ => continue,
        };
        let (at, is_root) = (nodes.len(), open.is_empty());
        match kind {
            _ if is_root && at > 0 => return Err(unreadable("it holds several documents".to_owned())),
            Kind::End => open.pop().into_iter().for_each(|start: usize| nodes[start].next = at + 1),
            Kind::List | Kind::Mapping => open.push(at),
            Kind::Scalar | Kind::Alias(_) => {}
        }
        if open.len() > DEEPEST {
            return Err(unreadable("it is nested too deeply".to_owned()));
        }
        let (text, style) = match event {
            Event::Scalar(text, style, ..) => (text.into_owned(), style),
            _ => (String::new(), ScalarStyle::Plain),
        };
        let bytes = offset(span.start.index())..offset(span.end.index());
        nodes.push(Node { kind, text, style, special, bytes, next: at + 1 });
    }
    match nodes.is_empty() {
        true => Err(unreadable("it is empty".to_owned())),
        false => Ok(nodes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "# CI — lint\nname: Lint\njobs:\n  lint:\n    steps:\n      - uses: actions/checkout@v4\n      - name: Check docstrings   # pedantic\n        run: 'interrogate src/'\n        timeout: 5\n\nflags: { shadow: true, \"canary\": 12 }\n";

    fn edited(key: &str, value: &str) -> Result<String, SetError> {
        set(FILE, &key.parse().unwrap(), &Scalar::from_text(value))
    }

    #[test]
    fn only_the_value_changes() {
        assert_eq!(edited("flags.canary", "0").unwrap(), FILE.replace("12", "0"));
        assert_eq!(edited("flags.shadow", "false").unwrap(), FILE.replace("shadow: true", "shadow: false"));
        assert_eq!(edited("name", "on").unwrap(), FILE.replace("name: Lint", "name: \"on\""));
        assert_eq!(
            edited("jobs.lint.steps[1].run", "echo 'x'").unwrap(),
            FILE.replace("'interrogate src/'", "'echo ''x'''")
        );
    }

    #[test]
    fn a_row_is_found_by_what_it_says_and_a_member_added_to_it() {
        assert_eq!(
            edited("jobs.lint.steps[name=Check docstrings].continue-on-error", "true").unwrap(),
            FILE.replace("# pedantic\n", "# pedantic\n        continue-on-error: true\n")
        );
        assert_eq!(
            edited("jobs.lint.steps[name=None].x", "1").unwrap_err().to_string(),
            "there is no key 'jobs.lint.steps[name=None]'"
        );
    }

    #[test]
    fn what_cannot_be_edited_faithfully_is_refused() {
        let refused =
            |file: &str, key: &str| set(file, &key.parse().unwrap(), &Scalar::Integer(1)).unwrap_err();
        assert!(matches!(refused("a: &x 1\nb: *x\n", "a"), SetError::Unfaithful { .. }));
        assert!(matches!(refused("a: &x 1\nb: *x\n", "b"), SetError::NotPlain { .. }));
        assert!(matches!(refused("a: !!str 1\n", "a"), SetError::Unfaithful { .. }));
        assert!(matches!(
            refused("d: &d {x: 1}\na:\n  <<: *d\n  y: 2\n", "a.x"),
            SetError::Unfaithful { .. }
        ));
        assert!(matches!(refused("a: |\n  text\n", "a"), SetError::NotPlain { .. }));
        assert!(matches!(refused("a:\n", "a"), SetError::NotPlain { .. }));
        assert!(matches!(
            refused("a: 1\na: 2\n", "a"),
            SetError::Unfaithful { .. } | SetError::Unreadable { .. }
        ));
        assert!(matches!(refused("a: 1\n---\na: 2\n", "a"), SetError::Unreadable { .. }));
        assert!(matches!(refused("a: {b: 1}\n", "a.c"), SetError::Unfaithful { .. }));
        assert!(matches!(refused("a: [\n", "a"), SetError::Unreadable { .. }));
        assert!(matches!(refused(&"[".repeat(100_000), "a"), SetError::Unreadable { .. }));
    }

    #[test]
    fn line_ends_and_missing_last_newlines_stay() {
        let windows = "a: 1\r\nb: two\r\n";
        assert_eq!(
            set(windows, &"b".parse().unwrap(), &Scalar::from_text("three")).unwrap(),
            "a: 1\r\nb: three\r\n"
        );
        assert_eq!(
            set(windows, &"c".parse().unwrap(), &Scalar::Integer(3)).unwrap(),
            "a: 1\r\nc: 3\r\nb: two\r\n"
        );
        assert_eq!(set("a: 1", &"a".parse().unwrap(), &Scalar::Integer(2)).unwrap(), "a: 2");
        assert_eq!(set("a: 1", &"b".parse().unwrap(), &Scalar::Integer(2)).unwrap(), "a: 1\nb: 2");
    }
}
