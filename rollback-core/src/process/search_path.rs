//! Where programs are looked for: in absolute folders alone. An empty or relative entry means the folder that a program
//! runs in, which is the repository's, and would let a file of the tree stand in for any program.

use std::ffi::{OsStr, OsString};

/// `PATH` without its empty and relative entries; `None` where nothing is left, since an empty `PATH` is a relative one.
pub(super) fn absolute(path: &OsStr) -> Option<OsString> {
    let folders: Vec<_> = std::env::split_paths(path).filter(|folder| folder.is_absolute()).collect();
    // An entry that cannot be spelled again (with a quote on Windows) is dropped with the rest.
    std::env::join_paths(folders).ok().filter(|path| !path.is_empty())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn only_absolute_folders_are_searched() {
        let of = |path: &str| absolute(OsStr::new(path)).map(|path| path.into_string().unwrap());
        assert_eq!(of("/usr/bin:/bin").as_deref(), Some("/usr/bin:/bin"));
        for path in ["/bin:", ":/bin", "/bin::", ".:/bin", "/bin:s", "./s:/bin:..", "~/bin:/bin"] {
            assert_eq!(of(path).as_deref(), Some("/bin"), "{path}");
        }
        assert_eq!(of(""), None);
        assert_eq!(of(".:bin"), None);
    }
}
