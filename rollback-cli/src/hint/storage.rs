//! Hints where objects, the index or files of the git directory cannot be read or written.

use std::ffi::OsString;

use rollback_core::{Error, ObjectId};

use super::{Hint, Situation};
use crate::command_line::CommandLine;

pub(super) fn hint(situation: &Situation<'_>, error: &Error) -> Option<Hint> {
    let typed = situation.invocation;
    let fsck = || situation.git(&["fsck", "--full"]);
    Some(match error {
        Error::MissingObject { id, partial_clone: true, .. } => {
            Hint::new("fetch it with", situation.git(&["cat-file", "-p", &id.to_string()]))
        }
        Error::MissingObject { .. } => Hint::new("see what else is missing with", fsck()),
        Error::ObjectsNotFetched { ids, remote } => situation.not_fetched(ids, remote),
        Error::FetchFailed { remote, .. } => {
            Hint::new("see whether it can be reached with", situation.git(&["ls-remote", "--heads", remote]))
        }
        Error::UnsafeRemote { remote, .. } => Hint::new(
            "see how it is configured with",
            situation.git(&["config", "--show-origin", "--get-regexp", &format!("^remote\\.{remote}\\.")]),
        ),
        Error::CorruptObject { .. } | Error::DamagedCheckpoint { .. } => {
            Hint::new("see how far the damage goes with", fsck())
        }
        Error::ShallowHistory { .. } => {
            Hint::new("fetch more of it with", situation.git(&["fetch", "--deepen=1000"]))
        }
        Error::TooLarge { size, .. } => Hint::new(
            "if that fits into memory, raise the limit with",
            situation.git(&["config", "rb.blobLimit", &size.to_string()]),
        ),
        Error::Locked { path, .. } => Hint::new(
            "if no git is running, remove the lock with",
            CommandLine::of([OsString::from("rm"), path.into()]),
        ),
        Error::CorruptIndex { .. } => {
            Hint::new("write it anew from HEAD, which unstages what is staged, with", situation.new_index())
        }
        Error::SetAside { folder, .. } => Hint::new(
            "see what was kept with",
            CommandLine::of([OsString::from("find"), folder.into(), "-type".into(), "f".into()]),
        ),
        Error::NotPutBack { .. } => Hint::new("try once more with", typed.command(&["status"])),
        Error::Io { .. } => {
            Hint::new("put right what the system refused, then try again with", typed.as_typed())
        }
        Error::Cancelled => Hint::nothing("the one who cancelled knows"),
        Error::Internal { .. } => Hint::nothing("a defect of this program is to be reported"),
        _ => return None,
    })
}

impl Situation<'_> {
    /// What fetches the objects: rb itself where it was not forbidden, else git where the line is no longer than that.
    fn not_fetched(&self, ids: &[ObjectId], remote: &str) -> Hint {
        const TYPED: usize = 20;
        let typed = self.invocation;
        if !typed.has("--no-fetch") || ids.len() > TYPED {
            let allowed = typed.without(&["--no-fetch"]).with(&["--fetch"]);
            return Hint::new("let it fetch them with", allowed);
        }
        let ids: Vec<_> = ids.iter().map(ToString::to_string).collect();
        let options = ["fetch", "--no-tags", "--no-write-fetch-head", "--filter=blob:none", remote];
        let words: Vec<_> = options.into_iter().chain(ids.iter().map(String::as_str)).collect();
        Hint::new("fetch them with", self.git(&words))
    }

    fn new_index(&self) -> CommandLine {
        let index = self.repo.map(|repo| repo.git_dir().join("index"));
        let index = index.and_then(|index| std::path::absolute(index).ok()).unwrap_or(".git/index".into());
        let remove = CommandLine::of([OsString::from("rm"), index.into()]);
        CommandLine::all_of(&[remove, self.git(&["reset"])])
    }
}
