//! How similar two files are, by git's measure: the share of the larger file's bytes that stand in chunks
//! which the other has too. A chunk is a line, or 64 bytes of one.

/// The score of files that are the same.
pub(crate) const FULL_SCORE: u64 = 60_000;

/// Chunks are told apart by a number below this.
const KINDS: u32 = 107_927;
const LONGEST_CHUNK: u32 = 64;

/// How many bytes of a file stand in which kind of chunk, sorted by kind.
pub(crate) struct Chunks {
    kinds: Vec<(u32, u32)>,
    /// The size of the file, which may be more than the chunks cover.
    size: u64,
}

/// Counts chunks; reused between files.
#[derive(Default)]
pub(crate) struct Counter {
    bytes: Vec<u32>,
    seen: Vec<u32>,
}

impl Counter {
    /// The chunks of a file. In a text the carriage return of a line ending does not count.
    pub(crate) fn count(&mut self, file: &[u8], is_text: bool) -> Chunks {
        self.bytes.resize(KINDS as usize, 0);
        if is_text && file.contains(&b'\r') {
            self.chunk::<true>(file);
        } else {
            self.chunk::<false>(file);
        }
        self.seen.sort_unstable();
        let bytes = &mut self.bytes;
        let kinds = self.seen.drain(..).map(|kind| (kind, std::mem::take(&mut bytes[kind as usize])));
        Chunks { kinds: kinds.collect(), size: file.len() as u64 }
    }

    fn chunk<const SKIP_RETURNS: bool>(&mut self, file: &[u8]) {
        // Two words of 32 bits, the high one first, that turn in a circle of 64.
        let (mut state, mut length) = (0u64, 0);
        for (at, &byte) in file.iter().enumerate() {
            if SKIP_RETURNS && byte == b'\r' && file.get(at + 1) == Some(&b'\n') {
                continue;
            }
            state = state.rotate_left(7);
            let low = (state as u32).wrapping_add(u32::from(byte));
            state = state & !u64::from(u32::MAX) | u64::from(low);
            length += 1;
            if length == LONGEST_CHUNK || byte == b'\n' {
                self.add(state, length);
                (state, length) = (0, 0);
            }
        }
        if length > 0 {
            self.add(state, length);
        }
    }

    fn add(&mut self, state: u64, length: u32) {
        let (low, high) = (state as u32, (state >> 32) as u32);
        let kind = low.wrapping_add(high.wrapping_mul(0x61)) % KINDS;
        if self.bytes[kind as usize] == 0 {
            self.seen.push(kind);
        }
        self.bytes[kind as usize] += length;
    }
}

impl Chunks {
    pub(crate) fn memory(&self) -> usize {
        size_of_val(self.kinds.as_slice()) + size_of::<Self>()
    }

    /// How many bytes of `self` stand in chunks that `other` has as well.
    fn shared_with(&self, other: &Self) -> u64 {
        let mut others = other.kinds.iter();
        let mut next = others.next();
        let mut shared = 0;
        for &(kind, bytes) in &self.kinds {
            while next.is_some_and(|next| next.0 < kind) {
                next = others.next();
            }
            let common = next.filter(|next| next.0 == kind).map_or(0, |next| next.1.min(bytes));
            shared += u64::from(common);
        }
        shared
    }
}

/// Whether files of these sizes can reach a score of `least` at all.
pub(crate) fn sizes_allow(source: u64, target: u64, least: u64) -> bool {
    let (larger, smaller) = (source.max(target), source.min(target));
    larger * (FULL_SCORE - least) >= (larger - smaller) * FULL_SCORE
}

/// How similar two files are, up to [`FULL_SCORE`]. Scores that are too low count as well: which of several
/// equally similar files comes first depends on the company it is compared in.
pub(crate) fn score(source: &Chunks, target: &Chunks) -> u64 {
    if target.size == 0 {
        return 0;
    }
    source.shared_with(target) * FULL_SCORE / source.size.max(target.size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_with_half_of_its_lines_kept_scores_half() {
        let mut counter = Counter::default();
        let (old, new) = (b"one\ntwo\n".as_slice(), b"one\nsix\n".as_slice());
        let (old_chunks, new_chunks) = (counter.count(old, true), counter.count(new, true));
        assert_eq!(score(&old_chunks, &new_chunks), FULL_SCORE / 2);
        assert_eq!(score(&old_chunks, &old_chunks), FULL_SCORE);
        assert!(sizes_allow(8, 16, FULL_SCORE / 2) && !sizes_allow(8, 17, FULL_SCORE / 2));
    }

    #[test]
    fn line_endings_do_not_count_in_texts() {
        let mut counter = Counter::default();
        let unix = counter.count(b"one\ntwo\n", true);
        assert_eq!(counter.count(b"one\r\ntwo\r\n", true).kinds, unix.kinds);
        assert_ne!(counter.count(b"one\r\ntwo\r\n", false).kinds, unix.kinds);
    }
}
