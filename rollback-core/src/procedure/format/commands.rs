//! Every command of a procedure, wherever it stands: what trust shows and pins, and what is checked, is one list.

use super::Document;
use super::phase::Phase;
use super::source::{Step as Way, way};
use super::step::Publish;

/// A command and the way to it in the file.
pub(crate) struct Located<'a> {
    pub(crate) way: Vec<Way>,
    pub(crate) run: &'a [String],
}

impl Document {
    /// Every command, in the order of the format.
    pub(crate) fn commands(&self) -> Vec<Located<'_>> {
        let mut found = Vec::new();
        macro_rules! rows {
            ($($list:ident . $field:ident),* $(,)?) => {
                $(for (at, row) in self.$list.iter().enumerate() {
                    found.push(Located { way: way![stringify!($list), at, stringify!($field)].to_vec(), run: &row.$field });
                })*
            };
        }
        rows!(check.run, step.run, step.undo, evidence.run, message.send);
        for (at, row) in self.diagnose.iter().enumerate() {
            for (index, run) in row.run.iter().enumerate() {
                found.push(Located { way: way!["diagnose", at, "run", index].to_vec(), run });
            }
        }
        for (name, metric) in self.metric.iter() {
            found.push(Located { way: way!["metric", name, "run"].to_vec(), run: &metric.run });
        }
        for (way, phase) in self.located_phases() {
            for (at, rung) in phase.ladder.iter().enumerate() {
                let way = [&way[..], &way!["ladder", at, "run"]].concat();
                found.push(Located { way, run: &rung.run });
            }
        }
        for (way, publish) in self.publishing() {
            found.push(Located { way: [&way[..], &way!["run"]].concat(), run: &publish.run });
        }
        found.retain(|command| !command.run.is_empty());
        found
    }

    /// Every way in which a result leaves this machine.
    pub(crate) fn publishing(&self) -> Vec<(Vec<Way>, &Publish)> {
        let mut found: Vec<(Vec<Way>, &Publish)> = Vec::new();
        found.extend(self.publish.iter().map(|publish| (way!["publish"].to_vec(), publish)));
        let undo = self.undo.iter().filter_map(|undo| undo.publish.as_ref());
        found.extend(undo.map(|publish| (way!["undo", "publish"].to_vec(), publish)));
        for (way, phase) in self.located_phases() {
            let way = [&way[..], &way!["publish"]].concat();
            found.extend(phase.publish.iter().map(|publish| (way.clone(), publish)));
        }
        found
    }

    /// Every phase and the way to it, each followed by its variants.
    fn located_phases(&self) -> Vec<(Vec<Way>, &Phase)> {
        let mut found = Vec::new();
        for (name, phase) in self.phase.iter() {
            found.push((way!["phase", name].to_vec(), phase));
            for (variant, phase) in phase.variants.iter() {
                found.push((way!["phase", name, "variant", variant].to_vec(), phase));
            }
        }
        found
    }

    /// Every phase, each followed by its variants.
    pub(crate) fn phases(&self) -> impl Iterator<Item = &Phase> {
        self.located_phases().into_iter().map(|(_, phase)| phase)
    }
}

/// Shells: the script, or the text after `-c`, is run.
const SHELLS: &str = "sh bash dash zsh ksh mksh ash fish csh tcsh cmd powershell pwsh";

/// Programs whose arguments are the text of a shell, here or elsewhere.
const TEXTS: &str = "eval ssh rsh su runuser watch script at batch expect parallel";

/// Programs with a language of their own, whose arguments can be written in it.
const LANGUAGES: &str = "awk gawk mawk nawk sed gsed make gmake ninja vim";

/// Interpreters: what comes before the script and after an option for code is theirs.
const INTERPRETERS: &str =
    "python pypy perl ruby node nodejs deno bun php lua luajit tclsh Rscript osascript groovy java";

/// Programs that start the one that they are given.
const WRAPPERS: &str = "env xargs sudo doas nice nohup timeout time setsid stdbuf ionice chroot unshare flock \
    strace exec command busybox";

/// Options of those, without their dash, that have a value of their own.
const WRAPPER_VALUES: &str = "CugDhprtUsaId";

/// Options, without their dashes, after which code or the name of a program stands, of whatever program.
const CODE_OPTIONS: &str =
    "c e E ex execdir exec-batch ok okdir cmd print config-env exec-path checkpoint-action init-command";

/// The same, which can be shortened as `--eva` for `--eval`.
const LONG_CODE_OPTIONS: &str =
    "eval exec command upload-pack receive-pack rsh to-command use-compress-program";

/// Whether one of the lists, whose words are separated by blanks, has a name.
fn is_among(name: &str, lists: &[&str]) -> bool {
    lists.iter().any(|list| list.split(' ').any(|known| known == name))
}

/// The name of a program, without its folder, ending and version.
fn plain_name(program: &str) -> &str {
    let name = program.rsplit('/').next().unwrap_or(program);
    let name = name.strip_suffix(".exe").unwrap_or(name);
    name.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | '-'))
}

/// Whether no argument of a program is safe from being read as code.
pub(super) fn reads_code(program: &str) -> bool {
    is_among(plain_name(program), &[SHELLS, TEXTS, LANGUAGES, "env xargs"])
}

/// Whether a program runs the script that it is given.
pub(super) fn is_interpreter(program: &str) -> bool {
    is_among(plain_name(program), &[INTERPRETERS])
}

/// Whether an argument is an option after which, or in which, code stands.
pub(super) fn takes_code(argument: &str) -> bool {
    let Some(option) = argument.strip_prefix('-') else { return false };
    let is_long = option.starts_with('-');
    let name = option.trim_start_matches('-').split('=').next().unwrap_or_default();
    let shortened = name.len() >= 3
        && LONG_CODE_OPTIONS.split(' ').any(|known| known == name || is_long && known.starts_with(name));
    // Short options can stand together, as in -lc, and one that is attached to its value begins with it, as in -e1.
    let together = !is_long && (option.starts_with(['c', 'e', 'E']) || name.ends_with('c'));
    is_among(name, &[CODE_OPTIONS]) || shortened || together
}

/// What an argument is to its program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// It names, or is, what would run.
    Code,
    /// It is the text of a shell.
    Text,
    /// It is what the program reads.
    Data,
}

/// What each argument of a command is to its program, as far as the usual programs tell.
pub(crate) fn roles(run: &[String]) -> Vec<Role> {
    enum Next {
        /// A program, after the options of the one that starts it.
        Program,
        /// A value of an option before the program.
        Value,
        /// A script, after the options of its interpreter.
        Script {
            is_shell: bool,
        },
        All(Role),
        One(Role),
    }
    let mut next = Next::Program;
    let mut roles = Vec::with_capacity(run.len());
    for argument in run {
        let name = plain_name(argument);
        let (role, then) = match next {
            Next::All(role) => (role, Next::All(role)),
            Next::One(role) => (role, Next::All(Role::Data)),
            Next::Value => (Role::Data, Next::Program),
            Next::Program if argument.starts_with('-') && !roles.is_empty() => {
                let has_value = argument.len() == 2 && WRAPPER_VALUES.contains(&argument[1..]);
                (Role::Code, if has_value { Next::Value } else { Next::Program })
            }
            Next::Program if argument.contains('=') || argument.starts_with(|c: char| c.is_ascii_digit()) => {
                (Role::Code, Next::Program)
            }
            Next::Program if is_among(name, &[WRAPPERS]) => (Role::Code, Next::Program),
            Next::Program if is_among(name, &[TEXTS]) => (Role::Code, Next::All(Role::Text)),
            Next::Program if is_among(name, &[SHELLS]) => (Role::Code, Next::Script { is_shell: true }),
            Next::Program if is_among(name, &[INTERPRETERS, LANGUAGES]) => {
                (Role::Code, Next::Script { is_shell: false })
            }
            Next::Program => (Role::Code, Next::All(Role::Data)),
            Next::Script { is_shell: true } if argument.starts_with('-') => {
                let text = !argument.starts_with("--") && argument.contains('c');
                (Role::Code, if text { Next::One(Role::Text) } else { Next::Script { is_shell: true } })
            }
            Next::Script { is_shell: false } if argument == "-m" || takes_code(argument) => {
                (Role::Code, Next::All(Role::Data))
            }
            Next::Script { is_shell } if argument.starts_with('-') => (Role::Code, Next::Script { is_shell }),
            Next::Script { .. } => (Role::Code, Next::All(Role::Data)),
        };
        roles.push(role);
        next = then;
    }
    roles
}

/// The words of the text of a shell that name what it would run: programs, and what is read in or passed to an
/// interpreter.
pub(crate) fn started_by(text: &str) -> Vec<String> {
    const KEYWORDS: &str = "if then else elif while until do ! { . source eval builtin trap";
    let mut words = Vec::new();
    let mut wanted = true;
    let mut word = String::new();
    for c in text.chars().chain(['\n']) {
        if matches!(c, '"' | '\'') {
            continue;
        }
        if !(c.is_whitespace() || ";|&()`<>".contains(c)) {
            word.push(c);
            continue;
        }
        if !word.is_empty() {
            let goes_on = word.starts_with(|c: char| c == '-' || c.is_ascii_digit())
                || word.contains('=')
                || is_among(&word, &[KEYWORDS])
                || is_among(plain_name(&word), &[SHELLS, INTERPRETERS, WRAPPERS, LANGUAGES]);
            let word = std::mem::take(&mut word);
            if wanted {
                words.push(word);
                wanted = goes_on;
            }
        }
        // What is read from a file can be a script; what is written to one is none.
        wanted = match c {
            '>' => false,
            ';' | '|' | '&' | '(' | ')' | '`' | '<' | '\n' => true,
            _ => wanted,
        };
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_a_shell_tells_what_it_runs_from_what_it_reads() {
        for (text, started) in [
            ("test -f shim.py && echo $(cat count) passed", &["test", "echo", "cat"][..]),
            ("set -e; . ./s/x.sh", &["set", ".", "./s/x.sh"]),
            ("source \"$PWD/s/x.sh\"", &["source", "$PWD/s/x.sh"]),
            ("cd s && ./x.sh a", &["cd", "./x.sh"]),
            ("A=1 python3 -u s/x.py data", &["A=1", "python3", "-u", "s/x.py"]),
            ("sh < s/x.sh > out.log", &["sh", "s/x.sh"]),
        ] {
            let found = started_by(text);
            assert!(started.iter().all(|word| found.iter().any(|other| other == word)), "{text}: {found:?}");
            assert!(
                !["shim.py", "count", "data", "out.log"]
                    .iter()
                    .any(|word| found.iter().any(|other| other == word))
            );
        }
    }

    #[test]
    fn options_that_take_code_are_told_from_others() {
        for option in
            ["-c", "-lc", "-e", "-ce", "--eval", "--eva", "--eval=1", "-exec", "--receive-pack=x", "-e1"]
        {
            assert!(takes_code(option), "{option}");
        }
        for option in ["-x", "--checkpoint", "--config", "--comment", "-n", "--output", "c", "--percentage"] {
            assert!(!takes_code(option), "{option}");
        }
    }
}
