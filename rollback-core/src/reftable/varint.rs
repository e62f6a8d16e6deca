//! Whole numbers of varying length and strings that begin with one, as in packs: each byte holds seven bits, the highest
//! ones first, and a byte that continues stands for one more than it holds.

use super::{Result, malformed};

/// Appends the number.
pub(super) fn put(out: &mut Vec<u8>, mut value: u64) {
    let mut bytes = [0; 10];
    let mut at = bytes.len() - 1;
    bytes[at] = (value & 0x7f) as u8;
    loop {
        value >>= 7;
        if value == 0 {
            break;
        }
        value -= 1;
        at -= 1;
        bytes[at] = 0x80 | (value & 0x7f) as u8;
    }
    out.extend_from_slice(&bytes[at..]);
}

/// Appends the length and the bytes.
pub(super) fn put_string(out: &mut Vec<u8>, text: &[u8]) {
    put(out, text.len() as u64);
    out.extend_from_slice(text);
}

/// Bytes that are read from the front.
#[derive(Clone, Copy)]
pub(super) struct Input<'a>(pub(super) &'a [u8]);

impl<'a> Input<'a> {
    /// The next `count` bytes.
    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        match self.0.split_at_checked(count) {
            Some((taken, rest)) => {
                self.0 = rest;
                Ok(taken)
            }
            None => malformed("a record ends beyond its block"),
        }
    }

    /// The next number.
    pub(super) fn number(&mut self) -> Result<u64> {
        let mut byte = self.take(1)?[0];
        let mut value = u64::from(byte & 0x7f);
        while byte & 0x80 != 0 {
            value += 1;
            if value >> (64 - 7) != 0 {
                return malformed("a number has more than 64 bits");
            }
            byte = self.take(1)?[0];
            value = (value << 7) + u64::from(byte & 0x7f);
        }
        Ok(value)
    }

    /// The next number, as a length within the block.
    pub(super) fn length(&mut self) -> Result<usize> {
        usize::try_from(self.number()?).or_else(|_| malformed("a record ends beyond its block"))
    }

    /// The next string.
    pub(super) fn string(&mut self) -> Result<&'a [u8]> {
        let length = self.length()?;
        self.take(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_in_the_fewest_bytes() {
        for (value, length) in [(0, 1), (127, 1), (128, 2), (16511, 2), (16512, 3), (u64::MAX, 10)] {
            let mut bytes = Vec::new();
            put(&mut bytes, value);
            assert_eq!(bytes.len(), length, "{value}");
            let mut input = Input(&bytes);
            assert_eq!(input.number().unwrap(), value);
            assert!(input.0.is_empty());
        }
    }

    #[test]
    fn a_number_that_is_cut_or_too_large_is_refused() {
        assert!(Input(&[]).number().is_err());
        assert!(Input(&[0x80]).number().is_err());
        assert!(Input(&[0xff; 11]).number().is_err());
    }
}
