//! A temporary repository with a clock of its own.

use std::cell::Cell;
use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

use crate::environment::{EPOCH, home_beside, isolated};

/// A repository in a temporary folder, gone when it is dropped. Ids are the same in every run.
pub struct Sandbox {
    _folder: TempDir,
    path: PathBuf,
    /// Seconds since the epoch of the next commit.
    now: Cell<i64>,
}

impl Default for Sandbox {
    fn default() -> Self {
        Self::new()
    }
}

impl Sandbox {
    /// An empty repository with a work tree, on the unborn branch `main`.
    pub fn new() -> Self {
        Self::init(&["init", "-q", "-b", "main"])
    }

    /// An empty bare repository.
    pub fn bare() -> Self {
        Self::init(&["init", "-q", "--bare", "-b", "main"])
    }

    fn init(args: &[&str]) -> Self {
        let sandbox = Self::folder();
        sandbox.git(args);
        sandbox
    }

    /// An empty folder without a repository.
    pub fn folder() -> Self {
        Self::folder_in(&std::env::temp_dir())
    }

    /// As [`Sandbox::folder`], below `parent`.
    pub fn folder_in(parent: &Path) -> Self {
        let folder = tempfile::Builder::new().prefix("rb-test-").tempdir_in(parent);
        let folder = folder.expect("a temporary folder");
        // The path that git prints has no symbolic link in it.
        let path = folder.path().canonicalize().expect("the folder exists").join("repo");
        fs::create_dir(&path).expect("an empty folder");
        Self { _folder: folder, path, now: Cell::new(EPOCH) }
    }

    /// The work tree, or the git directory of a bare repository.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Runs git and returns what it printed, without the last line end. Panics where git fails.
    #[track_caller]
    pub fn git<S: AsRef<OsStr>>(&self, args: &[S]) -> String {
        let out = self.git_bytes(args);
        String::from_utf8_lossy(&out).trim_end_matches('\n').to_owned()
    }

    /// As [`Sandbox::git`], with the bytes as they are.
    #[track_caller]
    pub fn git_bytes<S: AsRef<OsStr>>(&self, args: &[S]) -> Vec<u8> {
        succeeded(args, self.try_git(args))
    }

    /// git's files of what is in progress: each name with its bytes, `None` where it is not there.
    pub fn files_in_progress(&self) -> Vec<(&'static str, Option<Vec<u8>>)> {
        let names = [
            "MERGE_MSG",
            "AUTO_MERGE",
            "REVERT_HEAD",
            "CHERRY_PICK_HEAD",
            "ORIG_HEAD",
            "sequencer/todo",
            "sequencer/head",
            "sequencer/opts",
            "sequencer/abort-safety",
        ];
        names.map(|name| (name, self.state_file(name))).to_vec()
    }

    /// A file of git's state. Where references are stored in tables, `REVERT_HEAD` and its kin are references, and given
    /// as their files would be.
    pub fn state_file(&self, name: &str) -> Option<Vec<u8>> {
        let git_dir = self.path.join(".git");
        let is_reference = ["AUTO_MERGE", "REVERT_HEAD", "CHERRY_PICK_HEAD", "ORIG_HEAD"].contains(&name);
        if !is_reference || !git_dir.join("reftable").is_dir() {
            return fs::read(git_dir.join(name)).ok();
        }
        let out = self.try_git(&["rev-parse", "-q", "--verify", name]);
        out.status.success().then_some(out.stdout)
    }

    /// Runs git with `input` on its standard input.
    #[track_caller]
    pub fn git_with_input<S: AsRef<OsStr>>(&self, args: &[S], input: &[u8]) -> Vec<u8> {
        let mut command = self.command("git");
        let mut child = command
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("git starts");
        let mut stdin = child.stdin.take().expect("it is piped");
        let out = std::thread::scope(|scope| {
            // git may answer before it has read all, so somebody else writes. A closed pipe shows in its exit code.
            scope.spawn(move || stdin.write_all(input));
            child.wait_with_output().expect("git ends")
        });
        succeeded(args, out)
    }

    /// Runs git, which may fail.
    pub fn try_git<S: AsRef<OsStr>>(&self, args: &[S]) -> Output {
        self.command("git").args(args).stdin(Stdio::null()).output().expect("git starts")
    }

    /// A command in this repository, isolated, at the time of the sandbox's clock.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        let date = format!("{} +0000", self.now.get());
        isolated(&mut command, &home_beside(&self.path))
            .env("GIT_AUTHOR_DATE", &date)
            .env("GIT_COMMITTER_DATE", &date)
            .current_dir(&self.path);
        command
    }

    /// `strace` in this repository, which does `what` at a system call, such as `signal=KILL:when=3`; the program follows.
    pub fn strace(&self, call: &str, what: &str) -> Command {
        let mut command = self.command("strace");
        command.args(["-f", "-qq", "-o", "/dev/null", "-e"]).arg(format!("trace={call}"));
        command.arg("-e").arg(format!("inject={call}:{what}"));
        command
    }

    /// Whether `strace` can trace here; says that the caller is skipped where it cannot.
    pub fn can_trace() -> bool {
        let mut command = Command::new("strace");
        let status = command.args(["-o", "/dev/null", "true"]).stderr(Stdio::null()).status();
        let can = status.is_ok_and(|status| status.success());
        if !can {
            #[expect(clippy::print_stderr, reason = "a test that shows nothing has to say so")]
            {
                eprintln!("SKIPPED: strace cannot trace here");
            }
        }
        can
    }

    /// The command `rb` in this repository; the caller knows the binary: `env!("CARGO_BIN_EXE_rb")`.
    pub fn rb(&self, binary: impl AsRef<OsStr>) -> assert_cmd::Command {
        assert_cmd::Command::from_std(self.command(binary))
    }

    /// Writes a file and the folders it lies in.
    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let file = self.path.join(path);
        fs::create_dir_all(file.parent().expect("it lies in the repository"))
            .expect("the folder can be made");
        fs::write(file, content).expect("the file can be written");
    }

    /// Writes the files, commits everything and returns the id. Each commit is a minute after the one before.
    #[track_caller]
    pub fn commit<C: AsRef<[u8]>>(&self, message: &str, files: &[(&str, C)]) -> String {
        for (path, content) in files {
            self.write(path, content);
        }
        self.git(&["add", "-A"]);
        self.commit_index(message.as_bytes())
    }

    /// Commits the index with exactly this message and returns the id.
    #[track_caller]
    pub fn commit_index(&self, message: &[u8]) -> String {
        self.tick();
        self.git_with_input(
            &["commit", "-q", "--allow-empty", "--allow-empty-message", "--cleanup=verbatim", "-F", "-"],
            message,
        );
        self.git(&["rev-parse", "HEAD"])
    }

    /// Moves the clock on by a minute.
    pub fn tick(&self) {
        self.now.set(self.now.get() + 60);
    }

    /// A copy of the whole folder, with the same modification times and a clock that shows the same time.
    pub fn twin(&self) -> Self {
        let twin = Self::folder();
        copy_folder(&self.path, &twin.path);
        self.refreshed(twin)
    }

    /// A copy below `parent`, with all that lies beside the repository: its home, and what programs keep there.
    pub fn twin_with_surroundings(&self, parent: &Path) -> Self {
        let twin = Self::folder_in(parent);
        fs::remove_dir(&twin.path).expect("it is empty");
        copy_folder(self.around(), twin.around());
        self.refreshed(twin)
    }

    /// The folder that the repository lies in, with nothing else of anybody's.
    pub fn around(&self) -> &Path {
        self.path.parent().expect("it lies in a temporary folder")
    }

    fn refreshed(&self, twin: Self) -> Self {
        twin.now.set(self.now.get());
        // Inodes and change times are others: without a refresh, the index would take every file for edited.
        twin.try_git(&["update-index", "-q", "--refresh"]);
        twin
    }
}

#[track_caller]
fn succeeded<S: AsRef<OsStr>>(args: &[S], out: Output) -> Vec<u8> {
    assert!(
        out.status.success(),
        "git {:?} failed ({})\n{}{}",
        args.iter().map(AsRef::as_ref).collect::<Vec<_>>(),
        out.status,
        String::from_utf8_lossy(&out.stdout),
        String::from_utf8_lossy(&out.stderr),
    );
    out.stdout
}

fn copy_folder(from: &Path, to: &Path) {
    for row in fs::read_dir(from).expect("a readable folder") {
        let row = row.expect("a readable row");
        let (source, target) = (row.path(), to.join(row.file_name()));
        let meta = row.metadata().expect("it exists");
        if meta.is_dir() {
            fs::create_dir(&target).expect("the folder can be made");
            copy_folder(&source, &target);
        } else if meta.is_symlink() {
            copy_symlink(&source, &target);
        } else {
            fs::copy(&source, &target).expect("the file can be copied");
            let times = fs::FileTimes::new().set_modified(meta.modified().expect("it has a time"));
            set_times(&target, times);
        }
    }
}

/// Sets the times of a file that may be read-only, as loose objects are.
fn set_times(path: &Path, times: fs::FileTimes) {
    // Opening for reading suffices for the owner.
    fs::File::open(path).and_then(|file| file.set_times(times)).expect("the time can be set");
}

#[cfg(unix)]
fn copy_symlink(from: &Path, to: &Path) {
    let target = fs::read_link(from).expect("a readable link");
    std::os::unix::fs::symlink(target, to).expect("the link can be made");
}

#[cfg(not(unix))]
fn copy_symlink(from: &Path, to: &Path) {
    fs::copy(from, to).expect("what the link names can be copied");
}
