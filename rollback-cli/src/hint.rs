//! What to type next, for every error of the library: a line that can be pasted, or the reason why
//! there is none.

mod run;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use rollback_core::error::InTheWay;
use rollback_core::{Error, RepoPath};

use crate::invocation::{Invocation, quote};

/// What is known when an error is reported.
pub(crate) struct Situation<'a> {
    /// What was typed.
    pub(crate) invocation: &'a Invocation,
    /// Where.
    pub(crate) folder: &'a Path,
}

/// What to type next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Hint {
    /// What it does, and the line to type.
    Type {
        /// What the line is good for.
        what: &'static str,
        /// The line.
        line: String,
    },
    /// There is nothing to type, and why.
    Nothing {
        /// Why.
        why: &'static str,
    },
}

impl Hint {
    fn new(what: &'static str, line: impl Into<String>) -> Self {
        Self::Type { what, line: line.into() }
    }

    fn nothing(why: &'static str) -> Self {
        Self::Nothing { why }
    }

    /// The hint as it is printed.
    pub(crate) fn into_text(self) -> Option<String> {
        match self {
            Self::Type { what, line } => Some(format!("{what}: {line}")),
            Self::Nothing { .. } => None,
        }
    }
}

impl Situation<'_> {
    /// What to type after this error.
    pub(crate) fn hint(&self, error: &Error) -> Hint {
        let typed = self.invocation;
        match error {
            Error::NotARepository { .. } => {
                Hint::new("name the folder of a repository with", format!("{} -C FOLDER …", typed.program()))
            }
            Error::NotOwned { path } => Hint::new(
                "if you trust its owner",
                format!(
                    "git config --global --add safe.directory {}",
                    quote(work_tree_of(path).as_os_str().as_encoded_bytes())
                ),
            ),
            Error::Unsupported { what, .. } => unsupported(what),
            Error::LinkInGitDir { .. } => Hint::new(
                "see where links in it lead with",
                "find \"$(git rev-parse --absolute-git-dir)\" -type l -ls",
            ),
            Error::WorkTreeElsewhere { work_tree } => {
                let work_tree = quote(work_tree.as_os_str().as_encoded_bytes());
                let command = format!("GIT_WORK_TREE={work_tree} {}", typed.text());
                Hint::new("if that is what you mean, say so with", command)
            }
            Error::ForeignRecord { .. } => Hint::new(
                "if no rb of yours left it, put it aside with",
                "mv \"$(git rev-parse --absolute-git-dir)/rb\" \"$(git rev-parse --absolute-git-dir)/rb.aside\"",
            ),
            Error::BadReferences { .. } => Hint::new("see what else is wrong with", "git fsck --full"),
            Error::NeedsWorkTree { .. } => Hint::new(
                "put the result on a branch with",
                typed.without(&["-n", "--no-commit"]).with(&["--branch", "NAME"]),
            ),
            Error::UnknownRevision { spec, .. } => self.unknown_revision(spec),
            Error::AmbiguousRevision { spec, candidates } => {
                match candidates.first().and_then(|candidate| candidate.split(' ').next()) {
                    Some(id) => Hint::new(
                        "give more digits, such as",
                        typed.with_replaced(OsStr::new(spec), OsStr::new(id)),
                    ),
                    None => Hint::new(
                        "see what it could be with",
                        format!("git rev-parse --disambiguate={}", quoted(spec)),
                    ),
                }
            }
            Error::NotACommit { spec, .. } => Hint::new(
                "find the commits that have it with",
                format!("git log --all --oneline --find-object={}", quoted(spec)),
            ),
            Error::EmptyCommitSet { specs } => Hint::new(
                "see what lies between them with",
                format!(
                    "git log --oneline --left-right {}",
                    specs
                        .iter()
                        .map(|spec| quoted(&spec.replacen("..", "...", 1)))
                        .collect::<Vec<_>>()
                        .join(" ")
                ),
            ),
            Error::InvalidPath { .. } => Hint::new(
                "count from the root of the repository with a leading ':/', as in",
                format!("{} history :/PATH", typed.program()),
            ),
            Error::PathNeverExisted { path, last_seen, case_twins, .. } => {
                if let Some(twin) = case_twins.first() {
                    return Hint::new("did you mean", self.with_path(path, twin));
                }
                match last_seen {
                    Some(seen) => Hint::new(
                        "it was last seen elsewhere; take it from there with",
                        format!(
                            "{} restore {} -s {}",
                            typed.program(),
                            from_root(path),
                            quoted(&seen.reference)
                        ),
                    ),
                    None => Hint::new(
                        "look for its name in all of history with",
                        format!(
                            "git log --all --oneline -- {}",
                            quoted(&format!(
                                ":(top,icase,glob)**/{}",
                                String::from_utf8_lossy(path.file_name())
                            ))
                        ),
                    ),
                }
            }
            Error::NeverGood { path, .. } => Hint::new(
                "see what happened to it with",
                format!("{} history {}", typed.program(), from_root(path)),
            ),
            Error::MainlineOutOfRange { commit, parents, .. } => match parents {
                0 | 1 => Hint::new(
                    "it is not a merge, so leave the mainline out",
                    typed.without_option("-m", "--mainline"),
                ),
                _ => Hint::new(
                    "see its parents, counted from 1, with",
                    format!("git show --no-patch --format=%P {commit}"),
                ),
            },
            Error::BadRequest(_) => Hint::new("see how it is used with", self.help()),
            Error::MissingObject { id, partial_clone, .. } => {
                if *partial_clone {
                    Hint::new("fetch it with", format!("git cat-file -p {id} >/dev/null"))
                } else {
                    Hint::new("see what else is missing with", "git fsck --full")
                }
            }
            Error::CorruptObject { .. } => Hint::new("see how far the damage goes with", "git fsck --full"),
            Error::ShallowHistory { .. } => Hint::new("fetch more of it with", "git fetch --deepen=1000"),
            Error::Unborn { .. } => Hint::new(
                "base the result on a branch that has commits with",
                typed.with(&["--onto", "REV", "--branch", "NAME"]),
            ),
            // Giving it up would throw work away, so the line to paste is the one that explains both.
            Error::OperationInProgress { .. } => {
                Hint::new("see how to finish it or give it up with", "git status")
            }
            Error::Unmerged { .. } => Hint::new("see what waits to be resolved with", "git status"),
            Error::InTheWay { reason, paths } => in_the_way(*reason, paths),
            Error::CaseCollision { .. } => Hint::new(
                "put the result on a branch without writing files, with",
                typed.without(&["-n", "--no-commit"]).with(&["--branch", "NAME"]),
            ),
            Error::HostilePath { .. } => Hint::nothing("no command makes it safe to write such a path"),
            Error::Moved { reference, .. } if command_with_help(typed) == Some("undo") => {
                Hint::new("see where it went with", format!("git reflog show {}", quoted(reference)))
            }
            Error::Moved { .. } => Hint::new("plan again with", self.plan_again()),
            Error::BranchExists { branch, .. } => {
                Hint::new("see what it holds with", format!("git log --oneline -5 {}", quoted(branch)))
            }
            Error::InvalidBranchName { name } => Hint::new(
                "see whether git accepts a name with",
                format!("git check-ref-format --branch {}", quoted(name)),
            ),
            Error::BranchCheckedOut { worktree, .. } => Hint::new(
                "work there, without --branch",
                format!("{} -C {} …", typed.program(), quote(worktree.as_os_str().as_encoded_bytes())),
            ),
            Error::UnknownOperation { .. } => Hint::new("see what there is with", typed.command(&["ops"])),
            Error::AlreadyUndone { by, .. } => {
                Hint::new("take the undo back with", typed.command(&["undo", by]))
            }
            Error::UnknownCheckpoint { .. } => {
                Hint::new("see what there is with", typed.command(&["checkpoint", "list"]))
            }
            Error::CheckpointExists { name, .. } => Hint::new(
                "give it another name, or drop it with",
                typed.command(&["checkpoint", "drop", name]),
            ),
            Error::DamagedCheckpoint { .. } => {
                Hint::new("see how far the damage goes with", "git fsck --full")
            }
            Error::TooLarge { size, .. } => Hint::new(
                "if that fits into memory, raise the limit with",
                format!("git config rb.blobLimit {size}"),
            ),
            Error::LaterCommits { commits, .. } if commits.is_empty() => {
                Hint::new("see what came later with", "git log --oneline -20")
            }
            Error::LaterCommits { commits, .. } | Error::Published { commits, .. } => {
                let commits: Vec<_> = commits.iter().map(ToString::to_string).collect();
                let words: Vec<_> =
                    std::iter::once("revert").chain(commits.iter().map(String::as_str)).collect();
                Hint::new("undo it by a commit of its own with", typed.command(&words))
            }
            Error::MadeElsewhere { made_on, .. } if made_on.as_bytes() == b"HEAD" => {
                Hint::new("it was detached; see which work tree has it with", "git worktree list")
            }
            Error::MadeElsewhere { made_on, .. } => {
                Hint::new("go back to that first with", format!("git switch {}", quoted_branch(made_on)))
            }
            Error::ReferenceGone { reference, expected, .. } => Hint::new(
                "if it is to be there, bring it back with",
                format!("git branch {} {expected}", quoted_branch(reference)),
            ),
            Error::UpstreamAhead { upstream, .. } => Hint::new(
                "take these changes in first (or land anyway with --stale-ok) with",
                format!("git merge {}", quoted(upstream.strip_prefix("refs/remotes/").unwrap_or(upstream))),
            ),
            Error::LossNotAllowed { .. } => {
                Hint::new("if that is what you want", typed.with(&["--allow-loss"]))
            }
            Error::OutsideNotAllowed { .. } => {
                Hint::new("take those back too with", typed.with(&["--with-outside"]))
            }
            Error::NotPutBack { .. } => Hint::new("try once more with", typed.command(&["status"])),
            Error::DriverNotTrusted { .. } | Error::SignerNotTrusted { .. } => {
                Hint::new("see what it would run, and trust it, with", typed.command(&["trust"]))
            }
            Error::FilterFailed { filter, .. } => Hint::new(
                "see what it runs with",
                format!(
                    "git config --show-origin --get-regexp {}",
                    quoted(&format!("^filter\\.{filter}\\."))
                ),
            ),
            Error::CrossCheckFailed { .. } => Hint::new(
                "land it without asking git, with",
                typed.without(&["--cross-check"]).with(&["--no-cross-check"]),
            ),
            Error::NoIdentity { .. } => Hint::new(
                "say who you are with",
                "git config user.name 'Your Name' && git config user.email you@example.com",
            ),
            Error::Signing { .. } => Hint::new("land it unsigned with", typed.with(&["--no-gpg-sign"])),
            Error::Hook { hook, .. } => Hint::new("run it alone with", format!("git hook run {hook}")),
            Error::Config { key, .. } => Hint::new(
                "see where it is set with",
                format!("git config --show-origin --get-all {}", quoted(key)),
            ),
            Error::Locked { path, .. } => Hint::new(
                "if no git is running, remove the lock with",
                format!("rm {}", quote(path.as_os_str().as_encoded_bytes())),
            ),
            Error::CorruptIndex { .. } => Hint::new(
                "write it anew from HEAD, which unstages what is staged, with",
                "rm \"$(git rev-parse --git-path index)\" && git reset",
            ),
            Error::SetAside { folder, .. } => Hint::new(
                "see what was kept with",
                format!("find {} -type f", quote(folder.as_os_str().as_encoded_bytes())),
            ),
            Error::Io { .. } => {
                Hint::new("put right what the system refused, then try again with", typed.text())
            }
            Error::Cancelled => Hint::nothing("whoever cancelled knows"),
            _ => Hint::nothing("a mistake of this program is to be reported"),
        }
    }

    fn help(&self) -> String {
        let command = command_with_help(self.invocation);
        let words: Vec<_> = command.into_iter().chain(["--help"]).collect();
        self.invocation.command(&words)
    }

    /// A plan file is made by another command; everything else plans anew each time.
    fn plan_again(&self) -> String {
        match command_with_help(self.invocation) {
            Some("apply") => format!("{} revert … --dry-run --json > plan.json", self.invocation.program()),
            _ => self.invocation.with(&["--dry-run"]),
        }
    }

    fn unknown_revision(&self, spec: &str) -> Hint {
        let typed = self.invocation;
        if command_with_help(typed) == Some("revert") && self.is_like_a_path(spec) {
            return Hint::new(
                "it looks like a path; did you mean",
                typed.with_flag_before("--file", OsStr::new(spec)),
            );
        }
        if spec.len() >= 4 && spec.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Hint::new("it may not be fetched yet; fetch with", "git fetch --all");
        }
        Hint::new("see the names there are with", "git branch --all --list && git tag --list")
    }

    /// A file that is there, or a name with the ending of one: the file may be what went missing.
    fn is_like_a_path(&self, spec: &str) -> bool {
        let ending = Path::new(spec).extension().and_then(OsStr::to_str);
        self.folder.join(spec).symlink_metadata().is_ok()
            || ending.is_some_and(|ending| ending.chars().all(|c| c.is_ascii_alphabetic()))
    }

    /// What was typed, with the path spelled as its twin. Twins differ in case alone, so they are equally long.
    fn with_path(&self, path: &RepoPath, twin: &RepoPath) -> String {
        let typed = self.invocation;
        let respelled = typed.args().iter().find_map(|arg| {
            let tail = common_tail(arg.as_encoded_bytes(), path.as_bytes());
            let start = path.as_bytes().len() - tail;
            let same_folder = path.as_bytes()[..start] == twin.as_bytes()[..start];
            if tail < path.file_name().len() || !same_folder {
                return None;
            }
            let mut meant = arg.as_encoded_bytes()[..arg.len() - tail].to_vec();
            meant.extend_from_slice(&twin.as_bytes()[start..]);
            Some((arg, String::from_utf8(meant).ok()?))
        });
        match respelled {
            Some((arg, meant)) => typed.with_replaced(arg, OsStr::new(&meant)),
            None => format!("{} history {}", typed.program(), from_root(twin)),
        }
    }
}

/// How many bytes at their ends are the same.
fn common_tail(one: &[u8], other: &[u8]) -> usize {
    one.iter().rev().zip(other.iter().rev()).take_while(|(a, b)| a == b).count()
}

/// The command that was typed, if its name can be made out.
pub(crate) fn command_with_help(invocation: &Invocation) -> Option<&str> {
    use clap::CommandFactory;
    let definition = crate::args::Cli::command();
    invocation
        .args()
        .iter()
        .filter_map(|arg| arg.to_str())
        .find(|arg| definition.find_subcommand(arg).is_some())
}

fn quoted(text: &str) -> String {
    quote(text.as_bytes())
}

/// The name of a branch without `refs/heads/`.
fn quoted_branch(reference: &RepoPath) -> String {
    let name = reference.as_bytes();
    quote(name.strip_prefix(b"refs/heads/").unwrap_or(name))
}

/// A path as it can be typed in any folder.
fn from_root(path: &RepoPath) -> String {
    let mut spelled = b":/".to_vec();
    spelled.extend_from_slice(path.as_bytes());
    quote(&spelled)
}

/// Paths as git takes them in any folder.
fn pathspecs(paths: &[RepoPath]) -> String {
    const SHOWN: usize = 8;
    if paths.len() > SHOWN {
        return ":/".into();
    }
    let spelled: Vec<_> = paths.iter().map(from_root).collect();
    spelled.join(" ")
}

fn work_tree_of(git_dir: &Path) -> PathBuf {
    match git_dir.parent() {
        Some(parent) if git_dir.file_name() == Some(OsStr::new(".git")) => parent.to_owned(),
        _ => git_dir.to_owned(),
    }
}

fn unsupported(what: &str) -> Hint {
    if what.contains("reftable") || what.contains("reference storage") {
        return Hint::new("convert the references with", "git refs migrate --ref-format=files");
    }
    if what.contains("sparse") {
        return Hint::new("write the index in full with", "git sparse-checkout init --no-sparse-index");
    }
    Hint::nothing("git has no command that takes the format away")
}

fn in_the_way(reason: InTheWay, paths: &[RepoPath]) -> Hint {
    let stash = |flag: &str| format!("git stash push {flag}-- {}", pathspecs(paths));
    match reason {
        InTheWay::Edited | InTheWay::Staged => Hint::new("put them aside with", stash("")),
        InTheWay::Untracked => Hint::new("put them aside with", stash("--include-untracked ")),
        InTheWay::Ignored => Hint::new("put them aside with", stash("--all ")),
        InTheWay::Obstructed => match paths.first() {
            Some(path) => {
                let name = quote(path.as_bytes());
                let aside = quote(&[path.as_bytes(), b".aside"].concat());
                Hint::new("put it aside with", format!("mv {name} {aside}"))
            }
            None => Hint::new("see what it is with", "git status"),
        },
    }
}

#[cfg(test)]
mod tests;
