//! Figures of content that several rooms compare: one definition each, so that they agree.

/// The number of lines, a last one without a line feed included.
pub(crate) fn count_lines(content: &[u8]) -> usize {
    let ended = content.iter().filter(|byte| **byte == b'\n').count();
    ended + usize::from(content.last().is_some_and(|last| *last != b'\n'))
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
