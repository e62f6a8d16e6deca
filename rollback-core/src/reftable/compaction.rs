//! Which tables of a stack are merged, so that few are read and little is written again: each table stays at least
//! twice as large as the next.

use std::ops::Range;

/// How much larger a table is than the next, where `reftable.geometricFactor` says nothing.
pub(crate) const DEFAULT_FACTOR: usize = 2;

/// The tables that are merged into one, oldest first; `None` where the stack is in order. Sizes are those of the files
/// without their headers.
///
/// From the newest table backward the first that is too large for the one before it ends the run; the run begins with
/// the last table, going on backward, that is too small for all after it together.
pub(crate) fn segment(sizes: &[u64], factor: u64) -> Option<Range<usize>> {
    let last = (1..sizes.len()).rev().find(|at| sizes[at - 1] < sizes[*at].saturating_mul(factor))?;
    let mut start = last;
    let mut bytes = sizes[last];
    for at in (0..last).rev() {
        if sizes[at] < bytes.saturating_mul(factor) {
            start = at;
        }
        bytes = bytes.saturating_add(sizes[at]);
    }
    Some(start..last + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_merged_until_each_is_twice_the_next() {
        // The examples of git's own unit tests (`u-reftable-stack.c`).
        assert_eq!(segment(&[512, 64, 17, 16, 9, 9, 9, 16, 2, 16], 2), Some(1..10));
        assert_eq!(segment(&[64, 32, 16, 8, 4, 2], 2), None);
        assert_eq!(segment(&[64, 32, 16, 8, 4, 3, 1], 2), Some(0..6));
        assert_eq!(segment(&[128, 32, 16, 8, 4, 3, 1], 2), Some(1..6));
        assert_eq!(segment(&[7], 2), None);
        assert_eq!(segment(&[], 2), None);
        assert_eq!(segment(&[1, 1], 2), Some(0..2));
    }
}
