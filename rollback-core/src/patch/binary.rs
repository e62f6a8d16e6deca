//! Binary content in a patch: compressed, in git's spelling of base 85.

use std::io::Write;

use crate::error::{Error, Result};

/// Bytes of a line before they are spelled.
const LINE: usize = 52;
const DIGITS: &[u8; 85] =
    b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~";

/// The lines that make a file of `bytes`: how many they are, the bytes themselves, and an empty line.
pub(super) fn literal(bytes: &[u8]) -> Result<Vec<Vec<u8>>> {
    let mut lines = vec![format!("literal {}\n", bytes.len()).into_bytes()];
    lines.extend(deflated(bytes)?.chunks(LINE).map(spelled));
    lines.push(b"\n".to_vec());
    Ok(lines)
}

fn deflated(bytes: &[u8]) -> Result<Vec<u8>> {
    let failed = |error| Error::internal("cannot compress a file for a patch", error);
    let level = gix::zlib::Compression::default();
    let mut deflate = gix::zlib::stream::deflate::Write::new(Vec::new(), level);
    deflate.write_all(bytes).map_err(failed)?;
    deflate.flush().map_err(failed)?;
    Ok(deflate.into_inner())
}

/// A letter that tells how many bytes follow, and four bytes in five digits each.
fn spelled(bytes: &[u8]) -> Vec<u8> {
    let count = bytes.len() as u8;
    let mut line = vec![if count <= 26 { b'A' + count - 1 } else { b'a' + count - 27 }];
    for four in bytes.chunks(4) {
        let mut number =
            four.iter().enumerate().fold(0, |sum, (nth, byte)| sum | u32::from(*byte) << (24 - 8 * nth));
        let mut digits = [0; 5];
        for digit in digits.iter_mut().rev() {
            *digit = DIGITS[(number % 85) as usize];
            number /= 85;
        }
        line.extend(digits);
    }
    line.push(b'\n');
    line
}
