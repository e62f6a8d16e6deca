//! YAML: the scalar's own bytes are replaced, and the result must read as the same document but for that value.

use saphyr_parser::{Event, Parser, ScalarStyle, Span};

use super::{FileFormat, Key, Segment, SetError, no_such_key};
use crate::procedure::format::Scalar;

/// No sane file is deeper; a hostile one would exhaust the stack.
const DEEPEST: usize = 128;

pub(super) fn set(text: &str, key: &Key, value: &Scalar) -> Result<String, SetError> {
    let root = read(text)?;
    let mut expected = root.clone();
    let edited = match find(&root, key)? {
        Found::Scalar { node } => {
            let written = write(value, node.style());
            format!("{}{written}{}", &text[..node.start], &text[node.end..])
        }
        Found::Missing { mapping, name } => add(text, mapping, name, value, key)?,
    };
    put(&mut expected, key.segments(), value);
    let found = read(&edited)?;
    if !found.means_the_same(&expected) {
        let why = "the result would not read as the same document with the new value".to_owned();
        return Err(SetError::Unfaithful { key: key.to_string(), why });
    }
    Ok(edited)
}

pub(super) fn get(text: &str, key: &Key) -> Result<Scalar, SetError> {
    match find(&read(text)?, key)? {
        Found::Scalar { node } => Ok(node.scalar()),
        Found::Missing { .. } => Err(SetError::NoSuchKey { key: key.to_string(), nearest: None }),
    }
}

#[derive(Debug, Clone)]
struct Node {
    kind: NodeKind,
    /// Whether it has an anchor or a tag, so that its meaning does not end with its bytes.
    special: bool,
    start: usize,
    end: usize,
}

#[derive(Debug, Clone)]
enum NodeKind {
    Scalar { value: String, style: ScalarStyle },
    List(Vec<Node>),
    Mapping(Vec<(Node, Node)>),
    Alias(usize),
}

impl Node {
    fn style(&self) -> ScalarStyle {
        match &self.kind {
            NodeKind::Scalar { style, .. } => *style,
            _ => ScalarStyle::Plain,
        }
    }

    fn text(&self) -> Option<&str> {
        match &self.kind {
            NodeKind::Scalar { value, .. } => Some(value),
            _ => None,
        }
    }

    fn scalar(&self) -> Scalar {
        match &self.kind {
            NodeKind::Scalar { value, style: ScalarStyle::Plain } => Scalar::from_text(value),
            _ => Scalar::Text(self.text().unwrap_or_default().to_owned()),
        }
    }

    fn means_the_same(&self, other: &Self) -> bool {
        if self.special != other.special {
            return false;
        }
        match (&self.kind, &other.kind) {
            (NodeKind::Scalar { .. }, NodeKind::Scalar { .. }) => self.scalar() == other.scalar(),
            (NodeKind::List(left), NodeKind::List(right)) => {
                left.len() == right.len()
                    && left.iter().zip(right).all(|(left, right)| left.means_the_same(right))
            }
            (NodeKind::Mapping(left), NodeKind::Mapping(right)) => {
                // Where a key was added it stands at another place; the order of a mapping has no meaning.
                left.len() == right.len()
                    && left.iter().all(|(name, value)| {
                        right
                            .iter()
                            .any(|(other, found)| name.means_the_same(other) && value.means_the_same(found))
                    })
            }
            (NodeKind::Alias(left), NodeKind::Alias(right)) => left == right,
            _ => false,
        }
    }
}

enum Found<'a> {
    Scalar { node: &'a Node },
    Missing { mapping: &'a Node, name: &'a str },
}

fn find<'a>(root: &'a Node, key: &'a Key) -> Result<Found<'a>, SetError> {
    let mut at = root;
    for (index, segment) in key.segments().iter().enumerate() {
        if let Some(next) = child(at, key, index)? {
            at = next;
            continue;
        }
        let known: Vec<&str> = match (&at.kind, segment) {
            (NodeKind::Mapping(_), Segment::Name(name)) if index + 1 == key.segments().len() => {
                return Ok(Found::Missing { mapping: at, name });
            }
            (NodeKind::Mapping(members), _) => members.iter().filter_map(|(name, _)| name.text()).collect(),
            _ => Vec::new(),
        };
        return Err(no_such_key(key, index + 1, segment, known));
    }
    plain(at, key)
}

/// What the segment of the key leads to; nothing where it is not there.
fn child<'a>(at: &'a Node, key: &Key, index: usize) -> Result<Option<&'a Node>, SetError> {
    let unfaithful = |why: &str| SetError::Unfaithful { key: key.text(index + 1), why: why.to_owned() };
    if at.special || matches!(at.kind, NodeKind::Alias(_)) {
        return Err(unfaithful("an anchor, an alias or a tag stands on the way"));
    }
    match (&at.kind, &key.segments()[index]) {
        (NodeKind::Mapping(members), Segment::Name(name)) => {
            let mut named = members.iter().filter(|(member, _)| member.text() == Some(name));
            let first = named.next();
            if named.next().is_some() {
                return Err(unfaithful("the name stands there twice"));
            }
            if first.is_none() && members.iter().any(|(member, _)| member.text() == Some("<<")) {
                return Err(unfaithful("the mapping takes members from elsewhere with '<<'"));
            }
            Ok(first.map(|(_, value)| value))
        }
        (NodeKind::List(items), Segment::Index(place)) => Ok(items.get(*place)),
        (NodeKind::List(items), Segment::Row { name, value }) => {
            let mut rows = items.iter().filter(|item| has(item, name, value));
            match (rows.next(), rows.next()) {
                (_, Some(_)) => Err(unfaithful("several rows match")),
                (first, None) => Ok(first),
            }
        }
        _ => Ok(None),
    }
}

/// The node as a plain value.
fn plain<'a>(at: &'a Node, key: &Key) -> Result<Found<'a>, SetError> {
    let not_plain = |found| SetError::NotPlain { key: key.to_string(), found };
    match &at.kind {
        NodeKind::Scalar { .. } if at.special => Err(SetError::Unfaithful {
            key: key.to_string(),
            why: "the value has an anchor or a tag".to_owned(),
        }),
        NodeKind::Scalar { style: ScalarStyle::Literal | ScalarStyle::Folded, .. } => {
            Err(not_plain("a block of text"))
        }
        NodeKind::Scalar { value, style: ScalarStyle::Plain }
            if matches!(value.as_str(), "" | "~" | "null") =>
        {
            Err(not_plain("empty"))
        }
        NodeKind::Scalar { .. } => Ok(Found::Scalar { node: at }),
        NodeKind::List(_) => Err(not_plain("a list")),
        NodeKind::Mapping(_) => Err(not_plain("a mapping")),
        NodeKind::Alias(_) => Err(not_plain("an alias")),
    }
}

fn has(item: &Node, name: &str, value: &str) -> bool {
    match &item.kind {
        NodeKind::Mapping(members) => {
            members.iter().any(|(member, found)| member.text() == Some(name) && found.text() == Some(value))
        }
        _ => false,
    }
}

/// Puts the value into the tree, as the edited file must read.
fn put(node: &mut Node, way: &[Segment], value: &Scalar) {
    let Some((segment, rest)) = way.split_first() else {
        let style =
            if matches!(value, Scalar::Text(_)) { ScalarStyle::DoubleQuoted } else { ScalarStyle::Plain };
        node.kind = NodeKind::Scalar { value: value.to_string(), style };
        return;
    };
    match (&mut node.kind, segment) {
        (NodeKind::Mapping(members), Segment::Name(name)) => {
            if !members.iter().any(|(member, _)| member.text() == Some(name)) {
                let plain = |value: &str| Node {
                    kind: NodeKind::Scalar { value: value.to_owned(), style: ScalarStyle::Plain },
                    special: false,
                    start: 0,
                    end: 0,
                };
                members.push((plain(name), plain("")));
            }
            if let Some((_, member)) = members.iter_mut().find(|(member, _)| member.text() == Some(name)) {
                put(member, rest, value);
            }
        }
        (NodeKind::List(items), Segment::Index(place)) => {
            if let Some(item) = items.get_mut(*place) {
                put(item, rest, value);
            }
        }
        (NodeKind::List(items), Segment::Row { name, value: wanted }) => {
            if let Some(item) = items.iter_mut().find(|item| has(item, name, wanted)) {
                put(item, rest, value);
            }
        }
        _ => {}
    }
}

/// Adds a line after one of the mapping's own one-line members, with the same indent.
fn add(text: &str, mapping: &Node, name: &str, value: &Scalar, key: &Key) -> Result<String, SetError> {
    let unfaithful = |why: &str| SetError::Unfaithful { key: key.to_string(), why: why.to_owned() };
    let NodeKind::Mapping(members) = &mapping.kind else {
        return Err(unfaithful("it is no mapping"));
    };
    if text[mapping.start..].starts_with('{') {
        return Err(unfaithful("the mapping is written in braces"));
    }
    let one_line = |member: &&(Node, Node)| {
        let (name, value) = member;
        value.text().is_some()
            && value.end > value.start
            && !text[name.start..value.end].contains('\n')
            && !matches!(value.style(), ScalarStyle::Literal | ScalarStyle::Folded)
    };
    let (before, _) =
        members.iter().find(one_line).ok_or_else(|| unfaithful("no member of the mapping is one line"))?;
    let line_start = text[..before.start].rfind('\n').map_or(0, |at| at + 1);
    let indent = text[line_start..before.start].chars().count();
    let line_end = text[before.start..].find('\n').map_or(text.len(), |at| before.start + at);
    let carriage = if text[..line_end].ends_with('\r') { "\r" } else { "" };
    let written = format!("\n{}{name}: {}{carriage}", " ".repeat(indent), write(value, ScalarStyle::Plain));
    Ok(format!("{}{written}{}", &text[..line_end], &text[line_end..]))
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

fn read(text: &str) -> Result<Node, SetError> {
    let unreadable = |why: String| SetError::Unreadable { format: FileFormat::Yaml, why };
    // The parser counts characters.
    let mut offsets: Vec<usize> = text.char_indices().map(|(offset, _)| offset).collect();
    offsets.push(text.len());
    let mut reader = Reader { events: Parser::new_from_str(text), offsets };
    let mut root = None;
    loop {
        let (event, span) = reader.next().map_err(unreadable)?;
        match event {
            Event::StreamEnd => break,
            Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd | Event::Nothing => {}
            _ if root.is_some() => return Err(unreadable("it holds several documents".to_owned())),
            event => root = Some(reader.node(event, span, 0).map_err(unreadable)?),
        }
    }
    root.ok_or_else(|| unreadable("it is empty".to_owned()))
}

struct Reader<'a> {
    events: Parser<'a, saphyr_parser::StrInput<'a>>,
    offsets: Vec<usize>,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<(Event<'a>, Span), String> {
        match self.events.next() {
            Some(Ok(found)) => Ok(found),
            Some(Err(error)) => Err(error.to_string()),
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    fn offset(&self, index: usize) -> usize {
        self.offsets.get(index).or(self.offsets.last()).copied().unwrap_or(0)
    }

    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Node, String> {
        if depth > DEEPEST {
            return Err("it is nested too deeply".to_owned());
        }
        let start = self.offset(span.start.index());
        let mut end = self.offset(span.end.index());
        let (kind, special) = match event {
            Event::Scalar(value, style, anchor, tag) => {
                (NodeKind::Scalar { value: value.into_owned(), style }, anchor > 0 || tag.is_some())
            }
            Event::Alias(anchor) => (NodeKind::Alias(anchor), true),
            Event::SequenceStart(anchor, tag) => {
                let mut items = Vec::new();
                loop {
                    let (event, span) = self.next()?;
                    if matches!(event, Event::SequenceEnd) {
                        end = self.offset(span.end.index());
                        break;
                    }
                    items.push(self.node(event, span, depth + 1)?);
                }
                (NodeKind::List(items), anchor > 0 || tag.is_some())
            }
            Event::MappingStart(anchor, tag) => {
                let mut members = Vec::new();
                loop {
                    let (event, span) = self.next()?;
                    if matches!(event, Event::MappingEnd) {
                        end = self.offset(span.end.index());
                        break;
                    }
                    let name = self.node(event, span, depth + 1)?;
                    let (event, span) = self.next()?;
                    members.push((name, self.node(event, span, depth + 1)?));
                }
                (NodeKind::Mapping(members), anchor > 0 || tag.is_some())
            }
            other => return Err(format!("unexpected {other:?}")),
        };
        Ok(Node { kind, special, start, end })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "# CI — lint\nname: Lint\njobs:\n  lint:\n    steps:\n      - uses: actions/checkout@v4\n      - name: Check docstrings   # pedantic\n        run: 'interrogate src/'\n        timeout: 5\n\nflags: { shadow: true, \"canary\": 12 }\n";

    fn edited(key: &str, value: impl Into<Scalar>) -> Result<String, SetError> {
        set(FILE, &key.parse().unwrap(), &value.into())
    }

    #[test]
    fn only_the_value_changes() {
        assert_eq!(edited("flags.canary", 0).unwrap(), FILE.replace("12", "0"));
        assert_eq!(edited("flags.shadow", false).unwrap(), FILE.replace("shadow: true", "shadow: false"));
        assert_eq!(edited("name", "on").unwrap(), FILE.replace("name: Lint", "name: \"on\""));
        assert_eq!(
            edited("jobs.lint.steps[1].run", "echo 'x'").unwrap(),
            FILE.replace("'interrogate src/'", "'echo ''x'''")
        );
    }

    #[test]
    fn a_row_is_found_by_what_it_says_and_a_member_added_to_it() {
        assert_eq!(
            edited("jobs.lint.steps[name=Check docstrings].continue-on-error", true).unwrap(),
            FILE.replace("# pedantic\n", "# pedantic\n        continue-on-error: true\n")
        );
        assert_eq!(
            edited("jobs.lint.steps[name=None].x", 1).unwrap_err().to_string(),
            "there is no key 'jobs.lint.steps[name=None]'"
        );
    }

    #[test]
    fn what_cannot_be_edited_faithfully_is_refused() {
        let refused = |file: &str, key: &str| set(file, &key.parse().unwrap(), &1.into()).unwrap_err();
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
        assert_eq!(set(windows, &"b".parse().unwrap(), &"three".into()).unwrap(), "a: 1\r\nb: three\r\n");
        assert_eq!(set(windows, &"c".parse().unwrap(), &3.into()).unwrap(), "a: 1\r\nc: 3\r\nb: two\r\n");
        assert_eq!(set("a: 1", &"a".parse().unwrap(), &2.into()).unwrap(), "a: 2");
        assert_eq!(set("a: 1", &"b".parse().unwrap(), &2.into()).unwrap(), "a: 1\nb: 2");
    }
}
