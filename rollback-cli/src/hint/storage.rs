//! Hints where objects, the index or files of the git directory cannot be read or written.

use std::ffi::OsString;

use rollback_core::Error;

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
    fn new_index(&self) -> CommandLine {
        let index = self.repo.map(|repo| repo.git_dir().join("index"));
        let index = index.and_then(|index| std::path::absolute(index).ok()).unwrap_or(".git/index".into());
        let remove = CommandLine::of([OsString::from("rm"), index.into()]);
        CommandLine::all_of(&[remove, self.git(&["reset"])])
    }
}
