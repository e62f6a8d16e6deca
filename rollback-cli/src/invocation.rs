//! The command as it was typed, and others like it that can be pasted into a shell.

use std::ffi::{OsStr, OsString};
use std::path::Path;

/// The name of the program and the arguments it was called with.
#[derive(Clone, Debug)]
pub(crate) struct Invocation {
    program: &'static str,
    args: Vec<OsString>,
}

impl Invocation {
    /// Splits what the operating system passed; `git-rb` answers to `git rb`.
    pub(crate) fn new(argv: Vec<OsString>) -> Self {
        let mut argv = argv.into_iter();
        let zeroth = argv.next().unwrap_or_default();
        let program = match Path::new(&zeroth).file_stem().and_then(OsStr::to_str) {
            Some("git-rb") => "git rb",
            _ => "rb",
        };
        Self { program, args: argv.collect() }
    }

    /// The name to call the program by: `rb` or `git rb`.
    pub(crate) fn program(&self) -> &'static str {
        self.program
    }

    /// The arguments without the name of the program.
    pub(crate) fn args(&self) -> &[OsString] {
        &self.args
    }

    /// Whether a flag stands among the arguments, for the time before they are parsed.
    pub(crate) fn has(&self, flag: &str) -> bool {
        self.options().any(|arg| arg == flag)
    }

    /// The command as it was typed.
    pub(crate) fn text(&self) -> String {
        line(self.program, &self.args)
    }

    /// The command with one more flag, placed before any `--`.
    pub(crate) fn with(&self, flags: &[&str]) -> String {
        let mut args = self.args.clone();
        let end = self.options().count();
        args.splice(end..end, flags.iter().map(OsString::from));
        line(self.program, &args)
    }

    /// The command without flags that take no value.
    pub(crate) fn without(&self, flags: &[&str]) -> Self {
        let kept = self.args.iter().filter(|arg| !flags.iter().any(|flag| *arg == flag));
        Self { program: self.program, args: kept.cloned().collect() }
    }

    /// The command without an option that takes a value, in any of its spellings.
    pub(crate) fn without_option(&self, short: &str, long: &str) -> String {
        let mut kept = Vec::new();
        let mut args = self.args.iter();
        while let Some(arg) = args.next() {
            let text = arg.to_string_lossy();
            if *text == *short || *text == *long {
                args.next();
            } else if !(text.starts_with(&format!("{long}="))
                || text.starts_with(short) && !text.starts_with("--"))
            {
                kept.push(arg.clone());
            }
        }
        line(self.program, &kept)
    }

    /// The command with one argument in place of another; of several that are equal, the last one.
    pub(crate) fn with_replaced(&self, old: &OsStr, new: &OsStr) -> String {
        let mut args = self.args.clone();
        if let Some(arg) = args.iter_mut().rfind(|arg| *arg == old) {
            *arg = new.to_owned();
        }
        line(self.program, &args)
    }

    /// The command with a flag in front of one of its words; of several that are equal, the last one.
    pub(crate) fn with_flag_before(&self, flag: &str, word: &OsStr) -> String {
        let mut args = self.args.clone();
        if let Some(at) = args.iter().rposition(|arg| arg == word) {
            args.insert(at, flag.into());
        }
        line(self.program, &args)
    }

    /// Another command of this program.
    pub(crate) fn command(&self, args: &[&str]) -> String {
        let args: Vec<_> = args.iter().map(OsString::from).collect();
        line(self.program, &args)
    }

    fn options(&self) -> impl Iterator<Item = &OsString> {
        self.args.iter().take_while(|arg| *arg != "--")
    }
}

/// A command line that a POSIX shell reads as these words.
pub(crate) fn line(program: &str, args: &[OsString]) -> String {
    let mut text = program.to_owned();
    for arg in args {
        text.push(' ');
        text.push_str(&quote(arg.as_encoded_bytes()));
    }
    text
}

/// A word as a POSIX shell reads it back; `$'…'`, as in bash and zsh, where it holds what must not reach a terminal.
pub(crate) fn quote(word: &[u8]) -> String {
    match std::str::from_utf8(word) {
        Ok(text) if is_plain(text) => text.to_owned(),
        Ok(text) if !text.chars().any(crate::render::text::is_unsafe) => {
            format!("'{}'", text.replace('\'', r"'\''"))
        }
        _ => quote_bytes(word),
    }
}

fn is_plain(text: &str) -> bool {
    const PLAIN: &str = "-_./:=@%+,^~{}";
    // A tilde or a brace in front means something to the shell; within a revision such as `HEAD~2` it does not.
    let first = text.chars().next();
    first.is_some_and(|c| c != '~' && c != '{')
        && text.chars().all(|c| c.is_alphanumeric() || PLAIN.contains(c))
        && !(text.contains('{') && (text.contains(',') || text.contains("..")))
}

fn quote_bytes(word: &[u8]) -> String {
    let mut quoted = String::from("$'");
    for chunk in word.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\'' | '\\' => quoted.extend(['\\', c]),
                c if crate::render::text::is_unsafe(c) => {
                    let mut bytes = [0; 4];
                    push_octal(&mut quoted, c.encode_utf8(&mut bytes).as_bytes());
                }
                c => quoted.push(c),
            }
        }
        push_octal(&mut quoted, chunk.invalid());
    }
    quoted.push('\'');
    quoted
}

fn push_octal(quoted: &mut String, bytes: &[u8]) {
    for byte in bytes {
        quoted.push_str(&format!("\\{byte:03o}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(words: &[&str]) -> Invocation {
        Invocation::new(words.iter().map(OsString::from).collect())
    }

    #[test]
    fn the_program_answers_to_git_rb_when_installed_as_git_rb() {
        assert_eq!(typed(&["/usr/bin/git-rb", "revert"]).text(), "git rb revert");
        assert_eq!(typed(&["git-rb.exe"]).text(), "git rb");
        assert_eq!(typed(&["./rb", "history", "a"]).text(), "rb history a");
        assert_eq!(Invocation::new(Vec::new()).text(), "rb");
    }

    #[test]
    fn a_flag_is_added_before_the_paths_that_follow_two_dashes() {
        let revert = typed(&["rb", "revert", "HEAD", "--", "a b"]);
        assert_eq!(revert.with(&["--allow-loss"]), "rb revert HEAD --allow-loss -- 'a b'");
        assert!(!revert.has("a b"));
    }

    #[test]
    fn an_option_goes_together_with_its_value() {
        for words in [
            &["rb", "revert", "-m", "3", "HEAD"][..],
            &["rb", "revert", "-m3", "HEAD"],
            &["rb", "revert", "--mainline=3", "HEAD"],
            &["rb", "revert", "--mainline", "3", "HEAD"],
        ] {
            assert_eq!(typed(words).without_option("-m", "--mainline"), "rb revert HEAD");
        }
        assert_eq!(typed(&["rb", "a", "--json"]).without(&["--json"]).text(), "rb a");
    }

    #[test]
    fn words_are_quoted_so_that_a_shell_reads_them_back() {
        assert_eq!(quote(b"src/a.py"), "src/a.py");
        assert_eq!(quote(b"HEAD~2"), "HEAD~2");
        assert_eq!(quote(b"@{-1}"), "@{-1}");
        assert_eq!(quote(b"~root"), "'~root'");
        assert_eq!(quote(b"{a,b}"), "'{a,b}'");
        assert_eq!(quote(b""), "''");
        assert_eq!(quote(b"it's"), r"'it'\''s'");
        assert_eq!(quote(b"a\x1b[31m"), r"$'a\033[31m'");
        assert_eq!(quote(b"caf\xe9'"), r"$'caf\351\''");
        assert_eq!(quote("\u{202e}x".as_bytes()), r"$'\342\200\256x'");
    }
}
