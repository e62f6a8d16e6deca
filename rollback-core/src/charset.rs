//! Character encodings by the names that iconv, and so git, knows them by.
//!
//! The tables are `encoding_rs`'s, which are those of the web. Where a name means something else there than under
//! iconv, iconv's reading counts: `ISO-8859-1` has the C1 controls and no Windows characters. A character that the two
//! map to different bytes is one that the encoding lacks here. An unknown name is `None`, never a guess.

use encoding_rs::Encoding;

/// A character encoding.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Charset {
    Utf8,
    Ascii,
    /// The bytes 0x80 to 0x9f are the C1 controls; the web reads Windows characters there.
    IsoWithC1(&'static Encoding),
    /// The C1 controls are no characters of it; the web passes them through.
    WithoutC1(&'static Encoding),
    Web(&'static Encoding),
}

/// How far the tables here and those of iconv agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Agreement {
    /// In every character.
    Full,
    /// In every character that both have. What one of them lacks may be in the other.
    Shared,
    /// Some characters have other bytes.
    Partial,
}

/// The names in capitals, as `iconv -l` of glibc lists them, what they mean, and how well.
const NAMES: [(&[&str], Charset, Agreement); 37] = {
    use Agreement::{Full, Partial, Shared};
    use Charset::{Ascii, IsoWithC1, Web, WithoutC1};
    use encoding_rs as e;
    [
        (&["US-ASCII", "ASCII", "ANSI_X3.4-1968", "ISO646-US", "ISO_646.IRV:1991", "US"], Ascii, Full),
        (
            &["ISO-8859-1", "ISO_8859-1", "ISO8859-1", "ISO88591", "LATIN1", "L1", "CP819", "IBM819"],
            IsoWithC1(e::WINDOWS_1252),
            Full,
        ),
        (&["ISO-8859-2", "ISO_8859-2", "ISO8859-2", "ISO88592", "LATIN2", "L2"], Web(e::ISO_8859_2), Full),
        (&["ISO-8859-3", "ISO_8859-3", "ISO8859-3", "ISO88593", "LATIN3", "L3"], Web(e::ISO_8859_3), Full),
        (&["ISO-8859-4", "ISO_8859-4", "ISO8859-4", "ISO88594", "LATIN4", "L4"], Web(e::ISO_8859_4), Full),
        (&["ISO-8859-5", "ISO_8859-5", "ISO8859-5", "ISO88595", "CYRILLIC"], Web(e::ISO_8859_5), Full),
        (&["ISO-8859-6", "ISO_8859-6", "ISO8859-6", "ISO88596", "ARABIC"], Web(e::ISO_8859_6), Full),
        (&["ISO-8859-7", "ISO_8859-7", "ISO8859-7", "ISO88597", "GREEK", "GREEK8"], Web(e::ISO_8859_7), Full),
        (&["ISO-8859-8", "ISO_8859-8", "ISO8859-8", "ISO88598", "HEBREW"], Web(e::ISO_8859_8), Full),
        (
            &["ISO-8859-9", "ISO_8859-9", "ISO8859-9", "ISO88599", "LATIN5", "L5"],
            IsoWithC1(e::WINDOWS_1254),
            Full,
        ),
        (
            &["ISO-8859-10", "ISO_8859-10", "ISO8859-10", "ISO885910", "LATIN6", "L6"],
            Web(e::ISO_8859_10),
            Full,
        ),
        (&["ISO-8859-11", "ISO8859-11", "ISO885911"], IsoWithC1(e::WINDOWS_874), Full),
        (&["TIS-620", "TIS620"], IsoWithC1(e::WINDOWS_874), Shared),
        (&["ISO-8859-13", "ISO8859-13", "ISO885913", "LATIN7", "L7"], Web(e::ISO_8859_13), Full),
        (
            &["ISO-8859-14", "ISO_8859-14", "ISO8859-14", "ISO885914", "LATIN8", "L8"],
            Web(e::ISO_8859_14),
            Full,
        ),
        (
            &["ISO-8859-15", "ISO_8859-15", "ISO8859-15", "ISO885915", "LATIN9", "LATIN-9"],
            Web(e::ISO_8859_15),
            Full,
        ),
        (
            &["ISO-8859-16", "ISO_8859-16", "ISO8859-16", "ISO885916", "LATIN10", "L10"],
            Web(e::ISO_8859_16),
            Full,
        ),
        (&["KOI8-R", "KOI8R"], Web(e::KOI8_R), Full),
        (&["KOI8-U", "KOI8U"], Web(e::KOI8_U), Shared),
        (&["IBM866", "CP866", "866"], Web(e::IBM866), Full),
        (&["MACINTOSH", "MAC"], Web(e::MACINTOSH), Shared),
        (&["WINDOWS-1250", "CP1250", "MS-EE"], WithoutC1(e::WINDOWS_1250), Full),
        (&["WINDOWS-1251", "CP1251", "MS-CYRL"], WithoutC1(e::WINDOWS_1251), Full),
        (&["WINDOWS-1252", "CP1252", "MS-ANSI"], WithoutC1(e::WINDOWS_1252), Full),
        (&["WINDOWS-1253", "CP1253", "MS-GREEK"], WithoutC1(e::WINDOWS_1253), Full),
        (&["WINDOWS-1254", "CP1254", "MS-TURK"], WithoutC1(e::WINDOWS_1254), Full),
        (&["WINDOWS-1255", "CP1255", "MS-HEBR"], WithoutC1(e::WINDOWS_1255), Shared),
        (&["WINDOWS-1256", "CP1256", "MS-ARAB"], WithoutC1(e::WINDOWS_1256), Full),
        (&["WINDOWS-1257", "CP1257", "WINBALTRIM"], WithoutC1(e::WINDOWS_1257), Full),
        (&["WINDOWS-1258", "CP1258"], WithoutC1(e::WINDOWS_1258), Shared),
        (&["WINDOWS-874", "CP874", "874"], WithoutC1(e::WINDOWS_874), Full),
        (&["GBK", "CP936", "MS936", "WINDOWS-936"], Web(e::GBK), Shared),
        (&["GB18030"], Web(e::GB18030), Partial),
        (&["BIG5", "BIG-5", "BIGFIVE", "CN-BIG5"], Web(e::BIG5), Partial),
        (&["EUC-JP", "EUCJP"], Web(e::EUC_JP), Partial),
        (
            &["SHIFT_JIS", "SHIFT-JIS", "SJIS", "MS_KANJI", "CP932", "MS932", "WINDOWS-31J"],
            Web(e::SHIFT_JIS),
            Shared,
        ),
        (&["EUC-KR", "EUCKR", "UHC", "CP949"], Web(e::EUC_KR), Shared),
    ]
};

impl Charset {
    /// The encoding of that name, in any case.
    pub(crate) fn named(name: &[u8]) -> Option<Self> {
        if is_utf8(name) {
            return Some(Self::Utf8);
        }
        let name = name.to_ascii_uppercase();
        // git itself reads this one so where iconv does not know it.
        let name: &[u8] = if name == b"LATIN-1" { b"ISO-8859-1" } else { &name };
        row_of(name).map(|(_, charset, _)| *charset)
    }

    /// How far iconv agrees about the encoding of that name.
    pub(crate) fn agreement(name: &[u8]) -> Agreement {
        let name = name.to_ascii_uppercase();
        row_of(&name).map_or(Agreement::Full, |(_, _, agreement)| *agreement)
    }

    /// The text; `None` where some of the bytes are none.
    pub(crate) fn decode(self, bytes: &[u8]) -> Option<String> {
        match self {
            Self::Utf8 => String::from_utf8(bytes.to_vec()).ok(),
            Self::Ascii => bytes.is_ascii().then(|| String::from_utf8(bytes.to_vec()).ok())?,
            Self::IsoWithC1(encoding) => bytes
                .iter()
                .map(|byte| match byte {
                    0x80..=0x9f => Some(char::from(*byte)),
                    _ => strictly(encoding, &[*byte])?.chars().next(),
                })
                .collect(),
            Self::WithoutC1(encoding) => strictly(encoding, bytes).filter(|text| !text.contains(is_c1)),
            Self::Web(encoding) => strictly(encoding, bytes),
        }
    }

    /// The bytes; `None` where the encoding lacks a character.
    pub(crate) fn encode(self, text: &str) -> Option<Vec<u8>> {
        match self {
            Self::Utf8 => Some(text.into()),
            Self::Ascii => text.is_ascii().then(|| text.into()),
            Self::IsoWithC1(encoding) => {
                let mut out = Vec::with_capacity(text.len());
                for letter in text.chars() {
                    if is_c1(letter) {
                        out.push(u32::from(letter) as u8);
                        continue;
                    }
                    match encode_strictly(encoding, letter.encode_utf8(&mut [0; 4]))?.as_slice() {
                        // What the web puts in the place of a C1 control is no character of this encoding.
                        [0x80..=0x9f] => return None,
                        bytes => out.extend_from_slice(bytes),
                    }
                }
                Some(out)
            }
            Self::WithoutC1(_) if text.contains(is_c1) => None,
            Self::WithoutC1(encoding) | Self::Web(encoding) => encode_strictly(encoding, text),
        }
    }
}

fn row_of(name: &[u8]) -> Option<&'static (&'static [&'static str], Charset, Agreement)> {
    NAMES.iter().find(|(names, ..)| names.iter().any(|known| known.as_bytes() == name))
}

/// Text for people: in the encoding of that name, and lossy UTF-8 where it is none, is not known or does not fit.
pub(crate) fn text_for_people(bytes: &[u8], encoding: Option<&[u8]>) -> String {
    let decoded = encoding.and_then(|name| Charset::named(name)?.decode(bytes));
    decoded.unwrap_or_else(|| String::from_utf8_lossy(bytes).into_owned())
}

/// Whether git takes the name for UTF-8: with or without the hyphen, in any case.
pub(crate) fn is_utf8(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"utf-8") || name.eq_ignore_ascii_case(b"utf8")
}

fn is_c1(letter: char) -> bool {
    matches!(letter, '\u{80}'..='\u{9f}')
}

fn strictly(encoding: &'static Encoding, bytes: &[u8]) -> Option<String> {
    Some(encoding.decode_without_bom_handling_and_without_replacement(bytes)?.into_owned())
}

/// Encodes without replacing anything; `None` where the encoding lacks a character or can only be read.
fn encode_strictly(encoding: &'static Encoding, text: &str) -> Option<Vec<u8>> {
    let (bytes, used, replaced) = encoding.encode(text);
    (!replaced && used == encoding).then(|| bytes.into_owned())
}

#[cfg(all(test, unix))]
mod tests {
    use std::io::Write;
    use std::process::{Command, Stdio};

    use super::*;

    /// What `iconv` makes of the text; what it cannot convert is left out. `None` where there is no iconv.
    fn iconv(from: &str, to: &str, text: Vec<u8>) -> Option<Vec<u8>> {
        let mut child = Command::new("iconv")
            .args(["-c", "-f", from, "-t", to])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let mut stdin = child.stdin.take()?;
        let writer = std::thread::spawn(move || stdin.write_all(&text));
        let out = child.wait_with_output().ok()?.stdout;
        let _ = writer.join();
        Some(out)
    }

    #[test]
    fn encodings_of_one_byte_are_those_of_iconv() {
        let bytes: Vec<u8> = (0x20..=0xff).filter(|byte| *byte != b'\n').collect();
        let lines: Vec<u8> = bytes.iter().flat_map(|byte| [*byte, b'\n']).collect();
        let exact = NAMES.iter().filter(|(_, _, agreement)| *agreement == Agreement::Full);
        for name in exact.flat_map(|(names, ..)| *names) {
            let charset = Charset::named(name.as_bytes()).expect("it is in the table");
            let Some(theirs) = iconv(name, "UTF-8", lines.clone()) else { return };
            let theirs = String::from_utf8(theirs).expect("iconv writes UTF-8");
            assert_eq!(theirs.lines().count(), bytes.len(), "{name}");
            for (byte, theirs) in bytes.iter().zip(theirs.split('\n')) {
                let ours = charset.decode(&[*byte]).unwrap_or_default();
                assert_eq!(ours, theirs, "{name} {byte:#x}");
                if !ours.is_empty() {
                    assert_eq!(charset.encode(&ours), Some(vec![*byte]), "{name} {byte:#x}");
                }
            }
        }
    }
}
