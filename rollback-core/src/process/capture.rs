//! Keeping the start and the end of what a program writes, within a fixed amount of memory.

use std::collections::VecDeque;

use super::Redactor;

/// One stream of a program: all of it, or its start and its end with a marker between them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Captured {
    bytes: Vec<u8>,
    total: u64,
    omitted: u64,
}

impl Captured {
    /// A stream of which nothing is missing.
    pub fn whole(bytes: Vec<u8>) -> Self {
        Self { total: bytes.len() as u64, omitted: 0, bytes }
    }

    /// What was kept, redacted; where something is missing, a line says how much.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What was kept as text; bytes that are not UTF-8 become U+FFFD.
    pub fn to_str_lossy(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.bytes)
    }

    /// How many bytes the program wrote.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// How many bytes were not kept.
    pub fn omitted(&self) -> u64 {
        self.omitted
    }
}

/// A stream while it is being read.
pub(super) struct Capture {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    half: usize,
    total: u64,
}

impl Capture {
    pub(super) fn new(limit: usize) -> Self {
        Self { head: Vec::new(), tail: VecDeque::new(), half: (limit / 2).max(1), total: 0 }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.total += bytes.len() as u64;
        let to_head = bytes.len().min(self.half - self.head.len());
        self.head.extend_from_slice(&bytes[..to_head]);
        // Only the last `half` bytes can survive, so a flood costs no more than that.
        let rest = &bytes[to_head..];
        let rest = &rest[rest.len().saturating_sub(self.half)..];
        let surplus = (self.tail.len() + rest.len()).saturating_sub(self.half);
        self.tail.drain(..surplus);
        self.tail.extend(rest);
    }

    /// Redacts what was kept. At a cut, what could be a piece of a secret goes too.
    pub(super) fn finish(self, redactor: &Redactor) -> Captured {
        let tail = Vec::from(self.tail);
        let omitted = self.total - self.head.len() as u64 - tail.len() as u64;
        if omitted == 0 {
            let bytes = redactor.redact(&[self.head, tail].concat());
            return Captured { bytes, total: self.total, omitted };
        }
        let mut bytes = redactor.redact_before_cut(&self.head);
        bytes.extend_from_slice(format!("\n[... {omitted} bytes omitted ...]\n").as_bytes());
        bytes.extend_from_slice(&redactor.redact_after_cut(&tail));
        Captured { bytes, total: self.total, omitted }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_keeps_its_start_and_its_end_and_says_what_is_missing() {
        let mut capture = Capture::new(20);
        for _ in 0..1000 {
            capture.push(b"0123456 ");
        }
        let captured = capture.finish(&Redactor::default());
        assert_eq!(captured.total(), 8000);
        assert_eq!(captured.omitted(), 7980);
        assert_eq!(
            captured.to_str_lossy(),
            "0123456 \n[... 7980 bytes omitted ...]\n 0123456 ",
            "the broken words at the cut are gone"
        );
    }

    #[test]
    fn what_fits_is_kept_whole() {
        let mut capture = Capture::new(20);
        capture.push(b"0123456789");
        capture.push(b"0123456789");
        let captured = capture.finish(&Redactor::default());
        assert_eq!(captured, Captured::whole(b"01234567890123456789".to_vec()));
    }

    #[test]
    fn a_secret_that_the_cut_divides_leaves_neither_half() {
        let redactor = Redactor::new([("TOKEN", "correct horse battery")]);
        for shift in 0..40 {
            let mut capture = Capture::new(64);
            capture.push("x".repeat(shift).as_bytes());
            capture.push(b" correct horse battery ");
            capture.push(&[b'.'; 100]);
            capture.push(b" correct horse battery ");
            capture.push("y".repeat(shift).as_bytes());
            let text = capture.finish(&redactor).to_str_lossy().into_owned();
            for piece in ["corre", "horse", "batte", "ttery"] {
                assert!(!text.contains(piece), "shift {shift}: {text}");
            }
        }
    }
}
