//! The command as it was typed, and others like it that can be pasted into a shell.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use rollback_core::RepoPath;

use crate::command_line::{CommandLine, from_root};

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

    /// The command with `help COMMAND…` written as `COMMAND… --help`, which says the same.
    pub(crate) fn with_help_as_option(mut self) -> Self {
        if let Some(at) = self.first_word()
            && self.args[at] == "help"
        {
            self.args.remove(at);
            let end = self.options().count();
            self.args.insert(end, "--help".into());
        }
        self
    }

    /// Where the first word stands that is neither an option nor the value of a common one.
    fn first_word(&self) -> Option<usize> {
        let mut args = self.args.iter().enumerate();
        while let Some((at, arg)) = args.next() {
            match arg.to_str() {
                Some("-C" | "--color") => drop(args.next()),
                Some("--") => return None,
                Some(option) if option.starts_with('-') => {}
                _ => return Some(at),
            }
        }
        None
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
    pub(crate) fn as_typed(&self) -> CommandLine {
        self.line(self.args.clone())
    }

    /// The command with more flags, placed before any `--`.
    pub(crate) fn with(&self, flags: &[&str]) -> CommandLine {
        let mut args = self.args.clone();
        let end = self.options().count();
        args.splice(end..end, flags.iter().map(OsString::from));
        self.line(args)
    }

    /// The command with the options that stand behind `--` in front of it; `None` where `word` is no such option.
    pub(crate) fn with_options_in_front(&self, word: &[u8]) -> Option<CommandLine> {
        let is_option = |arg: &&OsString| arg.as_encoded_bytes().starts_with(b"-");
        let end = self.options().count();
        let (front, behind) = (&self.args[..end], self.args.get(end + 1..)?);
        if !behind.iter().filter(is_option).any(|arg| arg.as_encoded_bytes() == word) {
            return None;
        }
        let mut args: Vec<_> = front.iter().chain(behind.iter().filter(is_option)).cloned().collect();
        let mut paths = behind.iter().filter(|arg| !is_option(arg)).peekable();
        if paths.peek().is_some() {
            args.push("--".into());
        }
        args.extend(paths.cloned());
        Some(self.line(args))
    }

    /// The command without flags that take no value.
    pub(crate) fn without(&self, flags: &[&str]) -> Self {
        let end = self.options().count();
        let kept = self.options().filter(|arg| !flags.iter().any(|flag| *arg == flag));
        Self { program: self.program, args: kept.chain(&self.args[end..]).cloned().collect() }
    }

    /// The command that does what a dry run of it has shown, which is not shown once more.
    pub(crate) fn without_dry_run(&self) -> Self {
        self.without(&["--dry-run", "--patch", "--stat", "--color-words"])
    }

    /// The command without an option that takes a value, in any of its spellings.
    pub(crate) fn without_option(&self, short: &str, long: &str) -> Self {
        let mut kept = Vec::new();
        let end = self.options().count();
        let mut args = self.args[..end].iter();
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
        kept.extend_from_slice(&self.args[end..]);
        Self { program: self.program, args: kept }
    }

    /// The command with one argument in place of another; of several that are equal, the last one.
    pub(crate) fn with_replaced(&self, old: &OsStr, new: &OsStr) -> CommandLine {
        let mut args = self.args.clone();
        if let Some(arg) = args.iter_mut().rfind(|arg| *arg == old) {
            *arg = new.to_owned();
        }
        self.line(args)
    }

    /// The command with a flag in front of one of its words; of several that are equal, the last one.
    pub(crate) fn with_flag_before(&self, flag: &str, word: &OsStr) -> CommandLine {
        let mut args = self.args.clone();
        if let Some(at) = args.iter().rposition(|arg| arg == word) {
            args.insert(at, flag.into());
        }
        self.line(args)
    }

    /// Another command of this program, in the folder that was named with `-C`.
    pub(crate) fn command(&self, args: &[&str]) -> CommandLine {
        let args = args.iter().map(OsString::from);
        self.line(self.folder_option().into_iter().chain(args).collect())
    }

    /// The command with another option and its value in place of one that takes a value.
    pub(crate) fn with_option_in_place_of(&self, old: &str, new: &str, value: &str) -> Self {
        let mut changed = self.without_option(old, old);
        let end = changed.options().count();
        changed.args.splice(end..end, [new, value].map(OsString::from));
        changed
    }

    /// The command without what stands after `--`.
    pub(crate) fn without_paths(&self) -> CommandLine {
        self.line(self.options().cloned().collect())
    }

    /// Another command of this program, with a path among its words.
    pub(crate) fn on_path(&self, before: &[&str], path: &RepoPath, after: &[&str]) -> CommandLine {
        let before = before.iter().map(OsString::from).chain([from_root(path)]);
        let args = before.chain(after.iter().map(OsString::from));
        self.line(self.folder_option().into_iter().chain(args).collect())
    }

    /// A command of git, in the folder that was named with `-C`.
    pub(crate) fn git(&self, args: &[&str]) -> CommandLine {
        let args = args.iter().map(OsString::from);
        CommandLine::Words(
            [OsString::from("git")].into_iter().chain(self.folder_option()).chain(args).collect(),
        )
    }

    /// The `-C DIR` that was typed, as separate words; nothing where there was none.
    fn folder_option(&self) -> Vec<OsString> {
        let mut options = self.options();
        while let Some(option) = options.next() {
            let bytes = option.as_encoded_bytes();
            let folder = match bytes.strip_prefix(b"-C") {
                Some(b"") => options.next().cloned(),
                Some(_) => option.to_str().map(|text| OsString::from(&text[2..])),
                None => None,
            };
            if let Some(folder) = folder {
                return vec!["-C".into(), folder];
            }
        }
        Vec::new()
    }

    fn line(&self, args: Vec<OsString>) -> CommandLine {
        CommandLine::Words(self.program.split(' ').map(OsString::from).chain(args).collect())
    }

    fn options(&self) -> impl Iterator<Item = &OsString> {
        self.args.iter().take_while(|arg| *arg != "--")
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
        assert_eq!(typed(&["/usr/bin/git-rb", "revert"]).as_typed().to_string(), "git rb revert");
        assert_eq!(typed(&["git-rb.exe"]).as_typed().to_string(), "git rb");
        assert_eq!(typed(&["./rb", "history", "a"]).as_typed().to_string(), "rb history a");
        assert_eq!(Invocation::new(Vec::new()).as_typed().to_string(), "rb");
    }

    #[test]
    fn a_flag_is_added_before_the_paths_that_follow_two_dashes() {
        let revert = typed(&["rb", "revert", "HEAD", "--", "a b"]);
        assert_eq!(revert.with(&["--allow-loss"]).to_string(), "rb revert HEAD --allow-loss -- 'a b'");
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
            assert_eq!(
                typed(words).without_option("-m", "--mainline").as_typed().to_string(),
                "rb revert HEAD"
            );
        }
        assert_eq!(typed(&["rb", "a", "--json"]).without(&["--json"]).as_typed().to_string(), "rb a");
        let paths = typed(&["rb", "revert", "--json", "HEAD", "--", "--json", "-m"]);
        let text = |typed: Invocation| typed.as_typed().to_string();
        assert_eq!(text(paths.without(&["--json"])), "rb revert HEAD -- --json -m");
        assert_eq!(text(paths.without_option("-m", "--mainline")), "rb revert --json HEAD -- --json -m");
    }

    #[test]
    fn help_is_an_option_that_stands_in_front() {
        let written = |words: &[&str]| typed(words).with_help_as_option().as_typed().to_string();
        assert_eq!(written(&["rb", "help", "revert"]), "rb revert --help");
        assert_eq!(written(&["rb", "help", "procedure", "show"]), "rb procedure show --help");
        assert_eq!(written(&["rb", "help"]), "rb --help");
        assert_eq!(written(&["rb", "-C", "d", "help", "run", "--json"]), "rb -C d run --json --help");
        assert_eq!(written(&["rb", "revert", "help"]), "rb revert help", "a branch of that name");
    }

    #[test]
    fn the_folder_that_was_named_is_named_again() {
        for words in [&["rb", "-C", "a b", "ops"][..], &["rb", "ops", "-Ca b"]] {
            assert_eq!(typed(words).command(&["status"]).to_string(), "rb -C 'a b' status");
            assert_eq!(typed(words).git(&["status"]).to_string(), "git -C 'a b' status");
        }
        assert_eq!(typed(&["git-rb", "ops"]).command(&["status"]).to_string(), "git rb status");
        assert_eq!(typed(&["rb", "history", "--", "-C"]).git(&["status"]).to_string(), "git status");
    }
}
