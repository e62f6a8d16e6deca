//! Patches, compared line by line.

/// The lines of a patch, with colours or without, as text in which every byte can be told. What stands in binary files is
/// left out: git compresses it by another library, so that only `git apply` can compare it.
pub fn without_binary(patch: &[u8]) -> Vec<String> {
    let mut binary = false;
    let mut kept = Vec::new();
    for line in patch.split(|byte| *byte == b'\n') {
        let bare = line.strip_prefix(b"\x1b[1m").unwrap_or(line);
        binary = !bare.starts_with(b"diff --git ") && (binary || bare.starts_with(b"GIT binary patch"));
        if !binary {
            kept.push(line.escape_ascii().to_string());
        }
    }
    kept
}

/// Where a patch first differs from the one of git, what stands in binary files aside; `None` where it does not.
pub fn difference(found: &[u8], expected: &[u8]) -> Option<String> {
    let (found, expected) = (without_binary(found), without_binary(expected));
    let differs = |at: &usize| found.get(*at) != expected.get(*at);
    let at = (0..found.len().max(expected.len())).find(differs)?;
    Some(format!("line {}: {:?}, git has {:?}", at + 1, found.get(at), expected.get(at)))
}
