//! What content is made of, as several rooms see it: one definition each, so that they agree.

/// The number of lines, a last one without a line feed included.
pub(crate) fn count_lines(content: &[u8]) -> usize {
    let ended = content.iter().filter(|byte| **byte == b'\n').count();
    ended + usize::from(content.last().is_some_and(|last| *last != b'\n'))
}

/// Whether git takes a byte for white space: it has a table of its own (`ctype.c`), in which form feeds and vertical tabs
/// are none.
pub fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// The bytes without the white space at their end.
pub(crate) fn without_space_at_end(bytes: &[u8]) -> &[u8] {
    let kept = bytes.iter().rposition(|byte| !is_space(*byte)).map_or(0, |last| last + 1);
    &bytes[..kept]
}

#[cfg(test)]
mod tests {
    use super::count_lines;

    #[test]
    fn a_last_line_without_a_line_feed_counts() {
        let counts = [(&b""[..], 0), (b"\n", 1), (b"a", 1), (b"a\n", 1), (b"a\nb", 2), (b"a\n\n", 2)];
        for (content, lines) in counts {
            assert_eq!(count_lines(content), lines, "{content:?}");
        }
    }
}
