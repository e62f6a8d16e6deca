//! Real file systems that are full, read-only in parts, or can do less than others. They need the right to mount.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use test_kit::Sandbox;

use super::words;

/// A mounted file system, gone when it is dropped.
struct Disk {
    folder: tempfile::TempDir,
    device: Option<String>,
}

fn ran(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

impl Disk {
    fn tmpfs(options: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_str().unwrap();
        let mounted = ran("mount", &["-t", "tmpfs", "-o", options, "none", path]);
        mounted.map(|_| Self { folder, device: None })
    }

    /// exFAT through FUSE: neither hard links, modes nor symbolic links, and names are compared without their case.
    fn exfat() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let (image, mounted) = (folder.path().join("image"), folder.path().join("mounted"));
        fs::File::create(&image).unwrap().set_len(48 << 20).unwrap();
        fs::create_dir(&mounted).unwrap();
        ran("mkfs.exfat", &[image.to_str().unwrap()])?;
        let device = ran("losetup", &["-f", "--show", image.to_str().unwrap()])?;
        let disk = Self { folder, device: Some(device.clone()) };
        ran("mount.exfat-fuse", &[&device, mounted.to_str().unwrap()])?;
        Some(disk)
    }

    fn path(&self) -> PathBuf {
        match self.device {
            Some(_) => self.folder.path().join("mounted"),
            None => self.folder.path().to_owned(),
        }
    }

    /// A repository on it, with a change to take back.
    fn repository(&self, from: &Sandbox) -> PathBuf {
        let path = self.path().join("repo");
        let cloned =
            from.command("git").args(["clone", "-q", "--no-hardlinks", "."]).arg(&path).output().unwrap();
        assert!(cloned.status.success(), "{cloned:?}");
        path
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = ran("umount", &[self.path().to_str().unwrap()]);
        if let Some(device) = &self.device {
            let _ = ran("losetup", &["-d", device]);
        }
    }
}

/// The last commit changes, adds and removes files, in folders too.
fn source() -> Sandbox {
    let repo = Sandbox::new();
    let large = "line\n".repeat(40_000);
    repo.commit("one", &[("a", "one\n"), ("d/gone", "gone\n"), ("large", &large), ("e/f/deep", "deep\n")]);
    repo.git(&["rm", "-rq", "d", "large", "e"]);
    repo.commit("two", &[("a", "two\n"), ("new/file", "new\n")]);
    repo
}

fn run(repo: &Sandbox, path: &Path, program: &str, line: &str) -> (i32, String) {
    let mut command = repo.command(program);
    let output = command.current_dir(path).args(words(line)).output().unwrap();
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    (output.status.code().unwrap_or(-1), text)
}

const RB: &str = env!("CARGO_BIN_EXE_rb");

/// What HEAD and the files are, without the git directory.
fn state(source: &Sandbox, path: &Path) -> (String, String, Vec<String>) {
    let head = run(source, path, "git", "rev-parse HEAD").1;
    let status = run(source, path, "git", "--no-optional-locks status --porcelain").1;
    let listing = run(source, path, "find", ". -path ./.git -prune -o -type f -print").1;
    let mut names: Vec<String> = listing.lines().map(ToOwned::to_owned).collect();
    names.sort();
    (head, status, names)
}

fn assert_reverted(source: &Sandbox, path: &Path) {
    let after = state(source, path);
    assert_eq!(after.1, "", "{after:?}");
    assert_eq!(
        run(source, path, "git", "rev-parse HEAD^{tree}").1,
        run(source, path, "git", "rev-parse HEAD~2^{tree}").1
    );
    assert_eq!(fs::read(path.join("a")).unwrap(), b"one\n");
    let fsck = run(source, path, "git", "fsck --strict");
    assert_eq!(fsck.0, 0, "{}", fsck.1);
}

#[test]
fn a_full_file_system_leaves_all_as_it_was_and_the_retry_lands() {
    let source = source();
    let (mut refused, mut landed) = (0, 0);
    for (options, limit) in [("size=2m", "bytes"), ("size=16m,nr_inodes=400", "inodes")] {
        for room in [0_u64, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 64] {
            let Some(disk) = Disk::tmpfs(options) else {
                eprintln!("SKIPPED: no tmpfs can be mounted");
                return;
            };
            let path = disk.repository(&source);
            // Filled up, then so much is made free again: pages of 4 KiB, or names.
            let ballast = disk.path().join("ballast");
            fs::create_dir(&ballast).unwrap();
            let mut made = Vec::new();
            for nth in 0.. {
                let file = ballast.join(nth.to_string());
                let bytes: &[u8] = if limit == "bytes" { &[7; 4096] } else { b"" };
                match fs::write(&file, bytes) {
                    Ok(()) => made.push(file),
                    Err(_) => break,
                }
            }
            let _ = fs::remove_file(ballast.join(made.len().to_string()));
            let keep = made.len().saturating_sub(room as usize);
            made.drain(keep..).for_each(|file| fs::remove_file(file).unwrap());
            let before = state(&source, &path);
            let (code, text) = run(&source, &path, RB, "revert HEAD");
            let context = format!("{limit}, room {room}: exit {code}\n{text}");
            match code {
                0 => landed += 1,
                // After the commit point what follows can fail and is reported as such.
                8 => {}
                _ => {
                    assert_eq!(code, 74, "{context}");
                    assert!(text.contains("error: ") && text.contains("hint: "), "{context}");
                    refused += 1;
                }
            }
            fs::remove_dir_all(&ballast).unwrap();
            let (status, said) = run(&source, &path, RB, "status");
            assert_eq!(status, 0, "{context}{said}");
            if code == 74 {
                assert_eq!(state(&source, &path), before, "{context}");
                let retried = run(&source, &path, RB, "revert HEAD");
                assert_eq!(retried.0, 0, "{context}{}", retried.1);
            }
            assert_reverted(&source, &path);
        }
    }
    println!("24 landings on full file systems: {refused} refused and retried, {landed} landed at once");
    assert!(refused > 6 && landed > 0, "{refused} refused, {landed} landed");
}

#[test]
fn files_that_must_not_be_changed_or_removed_leave_all_as_it_was() {
    // `chattr` needs a file system that keeps attributes, which tmpfs is not everywhere.
    for (flag, name) in [("i", "a"), ("a", "a"), ("i", "new"), ("i", "new/file"), ("a", "new"), ("i", ".")] {
        let source = source();
        let path = source.path();
        let before = state(&source, path);
        let at = path.join(name).display().to_string();
        if ran("chattr", &[&format!("+{flag}"), &at]).is_none() {
            eprintln!("SKIPPED: chattr +{flag} does not work here");
            return;
        }
        let (code, text) = run(&source, path, RB, "revert HEAD");
        ran("chattr", &[&format!("-{flag}"), &at]).unwrap();
        assert_eq!(code, 74, "+{flag} {name}: {text}");
        assert!(text.contains("error: ") && text.contains("hint: "), "+{flag} {name}: {text}");
        assert_eq!(run(&source, path, RB, "status").0, 0, "+{flag} {name}");
        assert_eq!(state(&source, path), before, "+{flag} {name}: {text}");
        assert_eq!(run(&source, path, RB, "revert HEAD").0, 0, "+{flag} {name}");
        assert_reverted(&source, path);
    }
}

#[test]
fn landings_on_exfat_without_links_and_with_folded_case() {
    let Some(disk) = Disk::exfat() else {
        eprintln!("SKIPPED: no exFAT can be mounted");
        return;
    };
    let source = source();
    let path = disk.repository(&source);
    assert_eq!(
        run(&source, &path, "git", "config core.ignorecase").1,
        "true\n",
        "the file system folds case"
    );
    for (round, line) in ["revert HEAD", "undo", "undo"].iter().enumerate() {
        let (code, text) = run(&source, &path, RB, line);
        assert_eq!(code, 0, "round {round}, rb {line}: {text}");
        assert_eq!(state(&source, &path).1, "", "round {round}, rb {line}");
        let locks = run(&source, &path, "find", ".git -name *.lock").1;
        assert_eq!(locks, "", "round {round}");
    }
    assert_reverted(&source, &path);
    fs::write(path.join("a"), "mine\n").unwrap();
    let (code, text) = run(&source, &path, RB, "undo");
    assert_eq!(code, 5, "{text}");
    assert_eq!(fs::read(path.join("a")).unwrap(), b"mine\n");
    fs::write(path.join("a"), "one\n").unwrap();
    // A file whose name differs in case only from one that is there, tracked or not.
    fs::write(path.join("NEW"), "untracked\n").unwrap();
    let (code, text) = run(&source, &path, RB, "undo");
    assert_eq!(code, 5, "{text}");
    assert_eq!(fs::read(path.join("NEW")).unwrap(), b"untracked\n");
}

#[test]
fn a_limit_to_the_size_of_files_leaves_all_as_it_was() {
    let source = source();
    let path = source.path();
    let before = state(&source, path);
    for limit in [1, 64, 512, 4096, 100_000] {
        // The shell ignores the signal, so that the call fails.
        let script = format!("trap '' XFSZ; prlimit --fsize={limit} '{RB}' revert HEAD");
        let mut command = source.command("bash");
        let output = command.current_dir(path).args(["-c", &script]).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(74), "{limit}: {text}");
        assert_eq!(run(&source, path, RB, "status").0, 0, "{limit}");
        assert_eq!(state(&source, path), before, "{limit}: {text}");
    }
    assert_eq!(run(&source, path, RB, "revert HEAD").0, 0);
    assert_reverted(&source, path);
}
