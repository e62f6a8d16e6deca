//! How much of one file lives on in another, measured as git measures it: the bytes of equal lines (or of
//! pieces of 64 bytes), as a share of the larger file.

/// The share, in 60,000ths as git counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Score(u32);

impl Score {
    const MOST: u64 = 60_000;
    /// Half of the larger file: from here on git calls it a rename.
    pub(crate) const RENAME: Self = Self(Self::MOST as u32 / 2);
    /// Three quarters: enough for two files that alone carry a name.
    pub(crate) const SAME_NAME: Self = Self(Self::MOST as u32 * 3 / 4);

    /// The best score that files of these sizes can reach.
    pub(crate) fn ceiling(one: u64, other: u64) -> Self {
        let (smaller, larger) = (one.min(other), one.max(other));
        Self((smaller * Self::MOST).checked_div(larger).unwrap_or(0) as u32)
    }
}

/// A file, cut into pieces: hash and total bytes of each distinct piece, sorted by hash.
pub(crate) struct Pieces {
    size: u64,
    pieces: Vec<(u64, u64)>,
}

impl Pieces {
    pub(crate) fn of(content: &[u8]) -> Self {
        const LONGEST: usize = 64;
        // Git calls a file binary by a zero byte in its first 8,000 bytes.
        let is_text = !content.iter().take(8_000).any(|byte| *byte == 0);
        let mut pieces = Vec::with_capacity(content.len() / 32);
        let mut rest = content;
        while !rest.is_empty() {
            let window = &rest[..rest.len().min(LONGEST)];
            let end = window.iter().position(|byte| *byte == b'\n').map_or(window.len(), |at| at + 1);
            let (piece, tail) = rest.split_at(end);
            let piece = match piece {
                [line @ .., b'\r', b'\n'] if is_text => hash_line(line),
                _ => (hash(piece, SEED), piece.len() as u64),
            };
            pieces.push(piece);
            rest = tail;
        }
        pieces.sort_unstable();
        pieces.dedup_by(|next, kept| {
            let equal = next.0 == kept.0;
            if equal {
                kept.1 += next.1;
            }
            equal
        });
        Self { size: content.len() as u64, pieces }
    }

    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// How much of `self` lives on in `other`.
    pub(crate) fn score(&self, other: &Self) -> Score {
        let larger = self.size.max(other.size);
        if larger == 0 {
            return Score(0);
        }
        let (mut common, mut theirs) = (0, other.pieces.iter().peekable());
        for (hash, bytes) in &self.pieces {
            while theirs.next_if(|(other, _)| other < hash).is_some() {}
            if let Some((_, found)) = theirs.next_if(|(other, _)| other == hash) {
                common += bytes.min(found);
            }
        }
        Score((common * Score::MOST / larger) as u32)
    }
}

const SEED: u64 = 0xcbf2_9ce4_8422_2325;

/// A line that ends in CR LF counts as the same line without the CR.
fn hash_line(line: &[u8]) -> (u64, u64) {
    (hash(b"\n", hash(line, SEED)), line.len() as u64 + 1)
}

/// FNV-1a: pieces are short, and nothing depends on its strength.
fn hash(bytes: &[u8], seed: u64) -> u64 {
    bytes.iter().fold(seed, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_lines_is_a_rename_and_less_is_none() {
        let lines = |range: std::ops::Range<u32>| range.map(|n| format!("line {n:04}\n")).collect::<String>();
        let score =
            |one: String, other: String| Pieces::of(one.as_bytes()).score(&Pieces::of(other.as_bytes()));
        assert_eq!(score(lines(0..10), lines(0..10)), Score(60_000));
        assert_eq!(score(lines(0..10), lines(5..15)), Score::RENAME);
        assert!(score(lines(0..10), lines(6..16)) < Score::RENAME);
        assert_eq!(score(String::new(), String::new()), Score(0));
    }

    #[test]
    fn line_endings_of_text_make_no_difference() {
        let unix = Pieces::of(b"one\ntwo\n");
        let dos = Pieces::of(b"one\r\ntwo\r\n");
        assert_eq!(unix.score(&dos), Score::ceiling(8, 10));
    }
}
