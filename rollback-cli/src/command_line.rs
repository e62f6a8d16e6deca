//! Commands to type next: shown as a line for a shell, and given to programs as words.

use std::ffi::OsString;
use std::fmt;

use rollback_core::RepoPath;

use crate::terminal::text::is_unsafe;

/// A command that can be pasted into a POSIX shell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CommandLine {
    /// One program with its arguments.
    Words(Vec<OsString>),
    /// More than one program, or a redirection: only a shell can run it.
    Script(String),
}

impl CommandLine {
    /// A program and its arguments.
    pub(crate) fn of<I>(words: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<OsString>,
    {
        Self::Words(words.into_iter().map(Into::into).collect())
    }

    /// The same command with more words.
    pub(crate) fn followed_by(self, more: impl IntoIterator<Item = OsString>) -> Self {
        match self {
            Self::Words(words) => Self::Words(words.into_iter().chain(more).collect()),
            Self::Script(script) => Self::Script(script),
        }
    }

    /// The same command with another environment: `change` as `env` takes it, such as `-u NAME` or `NAME=VALUE`.
    pub(crate) fn in_environment(self, change: impl IntoIterator<Item = OsString>) -> Self {
        match self {
            Self::Words(words) => {
                Self::Words([OsString::from("env")].into_iter().chain(change).chain(words).collect())
            }
            Self::Script(script) => Self::Script(script),
        }
    }

    /// The same command without a variable.
    pub(crate) fn without_variable(self, name: &str) -> Self {
        self.in_environment(["-u", name].map(OsString::from))
    }

    /// Several commands, each run only if the one before it succeeded.
    pub(crate) fn all_of(commands: &[Self]) -> Self {
        let lines: Vec<_> = commands.iter().map(ToString::to_string).collect();
        Self::Script(lines.join(" && "))
    }

    /// The words that a program can start without a shell of its own; a script is handed to `sh`.
    pub(crate) fn words(&self) -> Vec<RepoPath> {
        let word = |word: &OsString| RepoPath::new(word.as_encoded_bytes());
        match self {
            Self::Words(words) => words.iter().map(word).collect(),
            Self::Script(script) => ["sh", "-c", script].map(RepoPath::from).to_vec(),
        }
    }
}

impl fmt::Display for CommandLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Words(words) => {
                let words: Vec<_> = words.iter().map(|word| quote(word.as_encoded_bytes())).collect();
                f.write_str(&words.join(" "))
            }
            Self::Script(script) => f.write_str(script),
        }
    }
}

/// A path as rb and git take it in any folder.
pub(crate) fn from_root(path: &RepoPath) -> OsString {
    os_string([b":/", path.as_bytes()].concat())
}

/// Bytes as a word of a command line.
pub(crate) fn os_string(bytes: Vec<u8>) -> OsString {
    #[cfg(unix)]
    {
        std::os::unix::ffi::OsStringExt::from_vec(bytes)
    }
    #[cfg(not(unix))]
    {
        String::from_utf8_lossy(&bytes).into_owned().into()
    }
}

/// A word as a POSIX shell reads it back; `$'…'`, as in bash and zsh, where it holds what must not reach a terminal.
pub(crate) fn quote(word: &[u8]) -> String {
    match std::str::from_utf8(word) {
        Ok(text) if is_plain(text) => text.to_owned(),
        Ok(text) if !text.chars().any(is_unsafe) => {
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
                c if is_unsafe(c) => {
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

    #[test]
    fn a_line_and_its_words_are_the_same_command() {
        let command = CommandLine::of(["git", "log", "--", "a b"]);
        assert_eq!(command.to_string(), "git log -- 'a b'");
        assert_eq!(command.words(), ["git", "log", "--", "a b"].map(RepoPath::from));
    }

    #[test]
    fn several_commands_are_a_script_of_sh() {
        let both = CommandLine::all_of(&[CommandLine::of(["true"]), CommandLine::of(["echo", "a b"])]);
        assert_eq!(both.to_string(), "true && echo 'a b'");
        assert_eq!(both.words(), ["sh", "-c", "true && echo 'a b'"].map(RepoPath::from));
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
