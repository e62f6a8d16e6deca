//! Taking secrets out of bytes: declared values, user names and passwords in URLs, and the usual shapes of tokens.
//!
//! It runs before anything is written, shown or kept. It cannot know a secret that was neither declared nor looks
//! like one.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::bytes::{Captures, Regex};

/// Takes declared secrets and everything that looks like one out of text.
#[derive(Default, Clone)]
pub struct Redactor {
    /// What is looked for and what stands in its place, the longest first.
    needles: Vec<(Vec<u8>, String)>,
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<_> = self.needles.iter().map(|(_, mark)| mark).collect();
        f.debug_tuple("Redactor").field(&names).finish()
    }
}

/// A piece of a secret shorter than this at a cut gives nothing away.
const SHORTEST_PIECE: usize = 3;
/// An encoding of a value shorter than this occurs by chance in ordinary text.
const SHORTEST_ENCODED: usize = 6;
/// No token is longer than this; a longer word at a cut is cut by this much.
const LONGEST_WORD: usize = 512;

struct Shape {
    find: Regex,
    put: &'static [u8],
}

static SHAPES: LazyLock<Vec<Shape>> = LazyLock::new(|| {
    let shape = |find: &str, put: &'static str| Shape {
        find: Regex::new(find).expect("the pattern is a literal of this file"),
        put: put.as_bytes(),
    };
    vec![
        shape(
            r"(?s)-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|\z)",
            "[redacted private key]",
        ),
        shape(r"(?i)\b([a-z][a-z0-9+.-]*://)[^\s/@]+@", "${1}[redacted]@"),
        shape(
            r"(?i)\b(authorization\s*[:=]\s*[\x22']?(?:basic|bearer|token|digest)\s+)[^\s\x22',;]+",
            "${1}[redacted]",
        ),
        shape(r"(?i)\b(bearer\s+)[a-z0-9._~+/=-]{8,}", "${1}[redacted]"),
        shape(
            r"\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{16,}|xox[abeprs]-[A-Za-z0-9-]{8,}|(?:AKIA|ASIA)[A-Z0-9]{16}|sk-[A-Za-z0-9_-]{16,}|AIza[A-Za-z0-9_-]{30,}|npm_[A-Za-z0-9]{30,}|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*)",
            "[redacted token]",
        ),
        shape(
            r"(?i)\b((?:[a-z0-9]+[_-])*(?:password|passwd|secret|api[_-]?key|access[_-]?key|auth[_-]?token|access[_-]?token|token)[\x22']?\s*[:=]\s*[\x22']?)([^\s\x22',;\[][^\s\x22',;]{5,})",
            "${1}[redacted]",
        ),
    ]
});

impl Redactor {
    /// A redactor for these named values, beside everything that looks like a secret. Empty values are ignored.
    pub fn new<N: AsRef<str>, V: AsRef<str>>(secrets: impl IntoIterator<Item = (N, V)>) -> Self {
        let mut needles = Vec::new();
        for (name, value) in secrets {
            let mark = format!("[redacted {}]", name.as_ref());
            for spelling in spellings(value.as_ref()) {
                needles.push((spelling, mark.clone()));
            }
        }
        needles.sort_by_key(|(needle, _)| std::cmp::Reverse(needle.len()));
        needles.dedup();
        Self { needles }
    }

    /// The bytes without secrets.
    pub fn redact(&self, bytes: &[u8]) -> Vec<u8> {
        let mut text = bytes.to_vec();
        for (needle, mark) in &self.needles {
            text = replace_all(&text, needle, mark.as_bytes());
        }
        for shape in SHAPES.iter() {
            let replaced = shape.find.replace_all(&text, |found: &Captures<'_>| {
                let mut put = Vec::new();
                found.expand(shape.put, &mut put);
                put
            });
            if let Cow::Owned(replaced) = replaced {
                text = replaced;
            }
        }
        text
    }

    /// The text without secrets.
    pub fn redact_str(&self, text: &str) -> String {
        String::from_utf8_lossy(&self.redact(text.as_bytes())).into_owned()
    }

    /// As [`Redactor::redact`], for bytes that were cut off at their end.
    pub(super) fn redact_before_cut(&self, bytes: &[u8]) -> Vec<u8> {
        // Whole secrets first, so that cutting a word off never makes a piece of one.
        let mut text = self.redact(bytes);
        let longest_piece = |(needle, _): &(Vec<u8>, String)| {
            (SHORTEST_PIECE..needle.len()).rev().find(|length| text.ends_with(&needle[..*length]))
        };
        let piece = self.needles.iter().filter_map(longest_piece).max().unwrap_or(0);
        text.truncate(text.len() - piece);
        let word =
            text.iter().rev().take(LONGEST_WORD).take_while(|byte| !byte.is_ascii_whitespace()).count();
        text.truncate(text.len() - word);
        text
    }

    /// As [`Redactor::redact`], for bytes whose start was cut off.
    pub(super) fn redact_after_cut(&self, bytes: &[u8]) -> Vec<u8> {
        let text = self.redact(bytes);
        let longest_piece = |(needle, _): &(Vec<u8>, String)| {
            (SHORTEST_PIECE..needle.len())
                .rev()
                .find(|length| text.starts_with(&needle[needle.len() - length..]))
        };
        let piece = self.needles.iter().filter_map(longest_piece).max().unwrap_or(0);
        let rest = &text[piece..];
        let word = rest.iter().take(LONGEST_WORD).take_while(|byte| !byte.is_ascii_whitespace()).count();
        rest[word..].to_vec()
    }
}

/// How a secret may be written: as it is, its lines, percent-encoded, in base64 and hexadecimal, as a JSON string.
fn spellings(value: &str) -> Vec<Vec<u8>> {
    let mut spellings = vec![value.as_bytes().to_vec()];
    spellings.extend(value.lines().filter(|line| line.len() >= 8).map(|line| line.as_bytes().to_vec()));
    let percent: String = value
        .bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect();
    spellings.push(percent.into_bytes());
    if value.len() >= SHORTEST_ENCODED {
        spellings.extend(encodings(value.as_bytes()));
    }
    if let Ok(json) = serde_json::to_string(value) {
        spellings.push(json.trim_matches('"').as_bytes().to_vec());
    }
    spellings.retain(|spelling| !spelling.is_empty());
    spellings.sort();
    spellings.dedup();
    spellings
}

/// Base64 and hexadecimal, as programs print them. In the middle of a longer text base64 depends on where the secret
/// begins: each of the three ways is looked for by the characters that the secret alone decides.
fn encodings(value: &[u8]) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for alphabet in [STANDARD, URL_SAFE] {
        for before in 0..3 {
            let padded = [&[0; 2][..before], value].concat();
            let whole = base64(&padded, alphabet);
            let first = [0, 2, 3][before];
            // The last group is shared with what follows, unless it ends with the secret.
            let last = padded.len() / 3 * 4 + padded.len() % 3;
            found.push(whole[first..last.max(first)].to_vec());
        }
        let whole = base64(value, alphabet);
        // Programs break lines after 76 or 64 characters.
        for line in [76, 64] {
            found.extend(whole.chunks(line).map(<[u8]>::to_vec));
        }
        found.push(whole);
    }
    let hex = |value: &[u8], digits: &[u8; 16], between: &str| {
        let pairs = value.iter().map(|byte| {
            [digits[usize::from(byte >> 4)], digits[usize::from(byte & 15)]].map(char::from).iter().collect()
        });
        pairs.collect::<Vec<String>>().join(between).into_bytes()
    };
    for digits in [b"0123456789abcdef", b"0123456789ABCDEF"] {
        found.extend(["", " ", ":", "\\x", "%"].map(|between| hex(value, digits, between)));
        // As od and xxd break lines.
        found.extend(value.chunks(16).map(|line| hex(line, digits, " ")));
        found.extend(value.chunks(30).map(|line| hex(line, digits, "")));
    }
    found.retain(|spelling| spelling.len() >= SHORTEST_ENCODED);
    found
}

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL_SAFE: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Base64 without padding: what follows it does not matter to a search.
fn base64(bytes: &[u8], alphabet: &[u8; 64]) -> Vec<u8> {
    let mut text = Vec::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let at = |index: usize| u32::from(group.get(index).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for digit in 0..=group.len() {
            text.push(alphabet[(bits >> (18 - 6 * digit) & 63) as usize]);
        }
    }
    text
}

fn replace_all(text: &[u8], needle: &[u8], put: &[u8]) -> Vec<u8> {
    let mut replaced = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(found) = bstr::ByteSlice::find(&text[at..], needle) {
        replaced.extend_from_slice(&text[at..at + found]);
        replaced.extend_from_slice(put);
        at += found + needle.len();
    }
    replaced.extend_from_slice(&text[at..]);
    replaced
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declared_values_go_in_every_spelling() {
        let redactor = Redactor::new([("STATUS_PAGE_TOKEN", "p@ss \"word\"/1"), ("EMPTY", "")]);
        let text = "raw p@ss \"word\"/1 url p%40ss%20%22word%22%2F1 json p@ss \\\"word\\\"/1 end";
        assert_eq!(
            redactor.redact_str(text),
            "raw [redacted STATUS_PAGE_TOKEN] url [redacted STATUS_PAGE_TOKEN] json [redacted STATUS_PAGE_TOKEN] end"
        );
    }

    #[test]
    fn declared_values_go_where_they_are_encoded() {
        let redactor = Redactor::new([("TOKEN", "envtoken-Qx81jz+/%")]);
        for text in [
            // printf %s TOKEN, with one and with two characters before it, and a line after it.
            "ZW52dG9rZW4tUXg4MWp6Ky8l",
            "eGVudnRva2VuLVF4ODFqeisvJQo=",
            "eHhlbnZ0b2tlbi1ReDgxanorLyUKbW9yZQ==",
            "656e76746f6b656e2d517838316a7a2b2f25",
            "65 6e 76 74 6f 6b 65 6e 2d 51 78 38 31 6a 7a 2b 2f 25",
            "656E76746F6B656E2D517838316A7A2B2F25",
        ] {
            let redacted = redactor.redact_str(text);
            assert!(redacted.contains("[redacted TOKEN]"), "{text}: {redacted}");
        }
        assert_eq!(Redactor::new([("PIN", "1234")]).redact_str("31323334"), "31323334");
    }

    #[test]
    fn what_looks_like_a_secret_goes_undeclared() {
        let redactor = Redactor::default();
        for (text, expected) in [
            ("fatal: https://me:hunter22@example.com/x.git", "fatal: https://[redacted]@example.com/x.git"),
            ("Authorization: Basic dXNlcjpwYXNz", "Authorization: Basic [redacted]"),
            ("curl -H 'Authorization: Bearer abc.def.ghi'", "curl -H 'Authorization: Bearer [redacted]'"),
            ("ghp_0123456789abcdefghijklmnopqrstuvwxyz!", "[redacted token]!"),
            ("DB_PASSWORD=swordfish99 next", "DB_PASSWORD=[redacted] next"),
            ("{\"api_key\": \"abcdef123456\"}", "{\"api_key\": \"[redacted]\"}"),
            (
                "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n-----END OPENSSH PRIVATE KEY-----\nok",
                "[redacted private key]\nok",
            ),
        ] {
            assert_eq!(redactor.redact_str(text), expected);
        }
    }

    #[test]
    fn ordinary_output_stays_as_it_is() {
        let text = "15 passed in 0.3s\ncommit 3a8a50f by a@b.org\ntokens: 12\nhttps://example.com/a@b\n";
        assert_eq!(Redactor::default().redact_str(text), text);
    }
}
