//! How many lines change in each file, as `git diff --stat` lays it out.

use rollback_core::RepoPath;
use rollback_core::patch::{DiffDocument, FileCounts};

use super::{NEW, OLD, RESET};
use crate::terminal::text;

/// The widest line where the output is no terminal.
const WIDTH: usize = 80;

/// The table, for lines of so many columns.
pub(crate) fn stat(diff: &DiffDocument, columns: Option<usize>) -> String {
    let names: Vec<String> = diff.files.iter().map(name).collect();
    let layout = Layout::of(diff, &names, columns.unwrap_or(WIDTH));
    let mut table = String::new();
    for (file, name) in diff.files.iter().zip(&names) {
        table.push_str(&layout.row(file, name));
    }
    table.push_str(&summary(diff));
    table
}

/// ` 2 files changed, 1 insertion(+)`, as git sums up.
fn summary(diff: &DiffDocument) -> String {
    let files = diff.files.len();
    let mut text = format!(" {} changed", text::count(files, "file"));
    if files == 0 {
        return format!("{text}\n");
    }
    let plural = |number: usize| if number == 1 { "" } else { "s" };
    if diff.added > 0 || diff.deleted == 0 {
        text.push_str(&format!(", {} insertion{}(+)", diff.added, plural(diff.added)));
    }
    if diff.deleted > 0 || diff.added == 0 {
        text.push_str(&format!(", {} deletion{}(-)", diff.deleted, plural(diff.deleted)));
    }
    text.push('\n');
    text
}

/// A path; of one that moved both names, with what they share written once.
fn name(file: &FileCounts) -> String {
    let Some(from) = &file.from else { return text::path(&file.path) };
    let (old, new) = (from.as_bytes(), file.path.as_bytes());
    let shared = old.iter().zip(new).take_while(|(one, other)| one == other).count();
    let head = old[..shared].iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1);
    let tail = tail_of(old, new, head);
    let text = |bytes: &[u8]| text::path(&RepoPath::new(bytes));
    let middle = |bytes: &[u8]| {
        let end = bytes.len().saturating_sub(tail).max(head);
        if head == end { String::new() } else { text(&bytes[head..end]) }
    };
    let whole = format!("{} => {}", middle(old), middle(new));
    if head + tail == 0 {
        return whole;
    }
    let part = |bytes: &[u8]| if bytes.is_empty() { String::new() } else { text(bytes) };
    format!("{}{{{whole}}}{}", part(&old[..head]), part(&old[old.len() - tail..]))
}

/// How many bytes both names end with, from a slash on; one slash may be part of the head as well.
fn tail_of(old: &[u8], new: &[u8], head: usize) -> usize {
    let overlap = usize::from(head > 0);
    let most = old.len().min(new.len()) + overlap - head;
    let pairs = old.iter().rev().zip(new.iter().rev()).take(most).enumerate();
    let mut tail = 0;
    for (nth, (one, other)) in pairs {
        if one != other {
            break;
        }
        if *one == b'/' {
            tail = nth + 1;
        }
    }
    tail
}

/// How the columns share a line.
struct Layout {
    name: usize,
    number: usize,
    graph: usize,
    most: usize,
}

impl Layout {
    fn of(diff: &DiffDocument, names: &[String], columns: usize) -> Self {
        let changed = |file: &FileCounts| file.added.unwrap_or(0) + file.deleted.unwrap_or(0);
        let most = diff.files.iter().map(changed).max().unwrap_or(0);
        let longest = names.iter().map(|name| text::width(name)).max().unwrap_or(0);
        let binary = diff.files.iter().filter_map(|file| file.bytes);
        let binary = binary.map(|[old, new]| 14 + digits(old as usize) + digits(new as usize)).max();
        let number = digits(most).max(if binary.is_some() { 3 } else { 0 });
        let columns = columns.max(16 + 6 + number);
        let wanted = match binary {
            Some(width) if most + 4 <= width => width - 4,
            _ => most,
        };
        let (mut name, mut graph) = (longest, wanted);
        if name + number + 6 + graph > columns {
            let room = (columns * 3 / 8).saturating_sub(number + 6);
            if graph > room {
                graph = room.max(6);
            }
            if name > columns - number - 6 - graph {
                name = columns - number - 6 - graph;
            } else {
                graph = columns - number - 6 - name;
            }
        }
        Self { name, number, graph, most }
    }

    fn row(&self, file: &FileCounts, name: &str) -> String {
        let name = self.fitted(name);
        if let Some([old, new]) = file.bytes {
            let (number, width) = ("Bin", self.number);
            let sizes = format!(" {OLD}{old}{RESET} -> {NEW}{new}{RESET} bytes");
            return format!(" {name} | {number:>width$}{}\n", if old + new == 0 { "" } else { &sizes });
        }
        let (Some(added), Some(deleted)) = (file.added, file.deleted) else {
            return format!(" {name} | {:>width$}\n", "?", width = self.number);
        };
        let (plus, minus) = self.scaled(added, deleted);
        let graph = |colour: &str, sign: &str, number: usize| match number {
            0 => String::new(),
            number => format!("{colour}{}{RESET}", sign.repeat(number)),
        };
        let gap = if added + deleted == 0 { "" } else { " " };
        let (number, width) = (added + deleted, self.number);
        format!(" {name} | {number:>width$}{gap}{}{}\n", graph(NEW, "+", plus), graph(OLD, "-", minus))
    }

    /// A name cut from its front, at a slash where there is one, or followed by spaces.
    fn fitted(&self, name: &str) -> String {
        if text::width(name) <= self.name {
            return text::pad(name, self.name);
        }
        let room = self.name.saturating_sub(3);
        let mut rest = name;
        while text::width(rest) > room {
            let mut letters = rest.chars();
            letters.next();
            rest = letters.as_str();
        }
        if let Some(slash) = rest.find('/') {
            rest = &rest[slash..];
        }
        format!("...{}", text::pad(rest, room))
    }

    fn scaled(&self, added: usize, deleted: usize) -> (usize, usize) {
        if self.graph > self.most {
            return (added, deleted);
        }
        let linear = |number: usize| match number {
            0 => 0,
            number => 1 + number * (self.graph - 1) / self.most,
        };
        let mut total = linear(added + deleted);
        if total < 2 && added > 0 && deleted > 0 {
            total = 2;
        }
        if added < deleted {
            let plus = linear(added);
            (plus, total - plus)
        } else {
            let minus = linear(deleted);
            (total - minus, minus)
        }
    }
}

fn digits(number: usize) -> usize {
    number.to_string().len()
}
