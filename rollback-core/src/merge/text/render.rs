//! The merged text written out, with conflict markers.

use std::ops::Range;

use bstr::BStr;

use super::lines::{Lines, Version};
use super::regions::{Owner, Region};
use super::{ConflictStyle, Favor, TextLabels, TextOptions};

const DEFAULT_MARKER_SIZE: usize = 7;

pub(super) fn render(
    regions: &[Region],
    lines: &Lines,
    bytes: [&[u8]; 3],
    labels: TextLabels<'_>,
    options: &TextOptions,
) -> Vec<u8> {
    let mut page = Page { out: Vec::with_capacity(bytes[1].len() + bytes[2].len() / 8), bytes, lines };
    let mut done = 0;
    for region in regions {
        let (ours, theirs) = match (region.owner, options.favor) {
            // Equal on both sides: it is copied with our lines around it.
            (Owner::Agreed, _) => continue,
            (Owner::Conflict, None) => {
                page.ours(done..region.ours.start, false, false);
                page.conflict(region, labels, options);
                done = region.ours.end;
                continue;
            }
            (Owner::Ours, _) | (Owner::Conflict, Some(Favor::Ours)) => (true, false),
            (Owner::Theirs, _) | (Owner::Conflict, Some(Favor::Theirs)) => (false, true),
            (Owner::Conflict, Some(Favor::Union)) => (true, true),
        };
        page.ours(done..region.ours.start, false, false);
        if ours {
            let carriage_return = page.needs_carriage_return(region);
            page.ours(region.ours.clone(), theirs, carriage_return);
        }
        if theirs {
            page.theirs(region.theirs.clone(), false, false);
        }
        done = region.ours.end;
    }
    page.ours(done..lines.ours.len(), false, false);
    page.out
}

struct Page<'a> {
    out: Vec<u8>,
    /// Base, ours and theirs.
    bytes: [&'a [u8]; 3],
    lines: &'a Lines,
}

impl Page<'_> {
    fn conflict(&mut self, region: &Region, labels: TextLabels<'_>, options: &TextOptions) {
        let carriage_return = self.needs_carriage_return(region);
        let size = if options.marker_size == 0 { DEFAULT_MARKER_SIZE } else { options.marker_size };
        self.marker(b'<', size, Some(labels.ours), carriage_return);
        self.ours(region.ours.clone(), true, carriage_return);
        if options.style != ConflictStyle::Merge {
            self.marker(b'|', size, Some(labels.base), carriage_return);
            self.copy(self.bytes[0], self.lines.base.span(region.base.clone()), true, carriage_return);
        }
        self.marker(b'=', size, None, carriage_return);
        self.theirs(region.theirs.clone(), true, carriage_return);
        self.marker(b'>', size, Some(labels.theirs), carriage_return);
    }

    fn marker(&mut self, sign: u8, size: usize, label: Option<&BStr>, carriage_return: bool) {
        self.out.extend(std::iter::repeat_n(sign, size));
        if let Some(label) = label {
            self.out.push(b' ');
            self.out.extend_from_slice(label);
        }
        self.end_line(carriage_return);
    }

    fn end_line(&mut self, carriage_return: bool) {
        self.out.extend_from_slice(if carriage_return { b"\r\n" } else { b"\n" });
    }

    fn ours(&mut self, lines: Range<usize>, complete: bool, carriage_return: bool) {
        self.copy(self.bytes[1], self.lines.ours.span(lines), complete, carriage_return);
    }

    fn theirs(&mut self, lines: Range<usize>, complete: bool, carriage_return: bool) {
        self.copy(self.bytes[2], self.lines.theirs.span(lines), complete, carriage_return);
    }

    /// Copies lines; `complete` ends the last one where the file does not.
    fn copy(&mut self, bytes: &[u8], span: Range<usize>, complete: bool, carriage_return: bool) {
        let text = &bytes[span];
        self.out.extend_from_slice(text);
        if complete && !text.is_empty() && !text.ends_with(b"\n") {
            self.end_line(carriage_return);
        }
    }

    /// Whether the lines around a region end in CRLF, as far as the three versions tell.
    fn needs_carriage_return(&self, region: &Region) -> bool {
        let before = |line: usize| line.saturating_sub(1);
        let [base, ours, theirs] = self.bytes;
        let ending = |version: &Version, bytes, line| line_ending(version, bytes, line);
        if ending(&self.lines.ours, ours, before(region.ours.start)) == Some(false)
            || ending(&self.lines.theirs, theirs, before(region.theirs.start)) == Some(false)
        {
            return false;
        }
        ending(&self.lines.base, base, 0).unwrap_or(false)
    }
}

/// Whether `line` ends in CRLF; `None` where the file has no line ending to go by.
fn line_ending(version: &Version, bytes: &[u8], line: usize) -> Option<bool> {
    let text = |line: usize| &bytes[version.span(line..line + 1)];
    if line + 1 < version.len() {
        return Some(text(line).ends_with(b"\r\n"));
    }
    if line >= version.len() {
        return None;
    }
    if text(line).ends_with(b"\n") {
        return Some(text(line).ends_with(b"\r\n"));
    }
    (line > 0).then(|| text(line - 1).ends_with(b"\r\n"))
}
