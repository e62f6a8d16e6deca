//! Command lines of the configuration, for a shell: what stands in place of their marks.

use bstr::{BStr, BString, ByteSlice};

/// The command with `%%` as `%` and each other mark as `meaning` has it; one without a meaning stays, as under git.
pub(crate) fn expand(command: &BStr, meaning: impl Fn(u8) -> Option<BString>) -> BString {
    let mut out = BString::default();
    let mut rest = command.as_bytes();
    while let Some(at) = rest.find_byte(b'%') {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at + 1..];
        let expanded = match rest.first() {
            Some(b'%') => Some("%".into()),
            Some(letter) => meaning(*letter),
            None => None,
        };
        match expanded {
            Some(text) => {
                out.extend_from_slice(&text);
                rest = &rest[1..];
            }
            None => out.push(b'%'),
        }
    }
    out.extend_from_slice(rest);
    out
}

/// The word as a shell takes it for one.
pub(crate) fn quoted(word: &[u8]) -> BString {
    gix::quote::single(word.as_bstr())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_quoted_for_the_shell_and_percent_signs_are_kept() {
        let with = |command: &str, path: &str| {
            expand(command.into(), |letter| (letter == b'f').then(|| quoted(path.as_bytes()))).to_string()
        };
        assert_eq!(with("lfs smudge -- %f", "a b.bin"), "lfs smudge -- 'a b.bin'");
        assert_eq!(with("x %f %% %d 50%", "it's!"), r"x 'it'\''s'\!'' % %d 50%");
    }
}
