//! Names as git quotes them: plain where nothing in them could be misread, else between quotes and with escapes.

/// The name, quoted where it has to be; bytes beyond ASCII count as such where `beyond_ascii`.
pub(super) fn quoted(name: &[u8], beyond_ascii: bool) -> Vec<u8> {
    joined(b"", name, beyond_ascii)
}

/// The same with something before the name, inside of the quotes.
pub(super) fn joined(prefix: &[u8], name: &[u8], beyond_ascii: bool) -> Vec<u8> {
    let whole = [prefix, name].concat();
    if !whole.iter().any(|byte| needs_escape(*byte, beyond_ascii)) {
        return whole;
    }
    let mut quoted = vec![b'"'];
    for byte in whole {
        match byte {
            0x07 => quoted.extend(b"\\a"),
            0x08 => quoted.extend(b"\\b"),
            b'\t' => quoted.extend(b"\\t"),
            b'\n' => quoted.extend(b"\\n"),
            0x0b => quoted.extend(b"\\v"),
            0x0c => quoted.extend(b"\\f"),
            b'\r' => quoted.extend(b"\\r"),
            b'"' | b'\\' => quoted.extend([b'\\', byte]),
            _ if needs_escape(byte, beyond_ascii) => quoted.extend(format!("\\{byte:03o}").bytes()),
            _ => quoted.push(byte),
        }
    }
    quoted.push(b'"');
    quoted
}

fn needs_escape(byte: u8, beyond_ascii: bool) -> bool {
    byte < 0x20 || byte == 0x7f || matches!(byte, b'"' | b'\\') || beyond_ascii && byte >= 0x80
}
