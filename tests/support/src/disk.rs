//! A file system of its own whose power can be cut: an ext4 image on a loop device, which needs root.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// The size of the image, in bytes.
const SIZE: u64 = 48 << 20;

/// An ext4 image, mounted until it is dropped.
pub struct Disk {
    _folder: TempDir,
    image: PathBuf,
    mounted: PathBuf,
}

impl Disk {
    /// An empty disk; `None` where no ext4 image can be made and mounted.
    pub fn new() -> Option<Self> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (image, mounted) = (folder.path().join("image"), folder.path().join("mounted"));
        std::fs::create_dir(&mounted).expect("an empty folder");
        let file = std::fs::File::create(&image).and_then(|file| file.set_len(SIZE));
        file.expect("room for the image");
        let disk = Self { _folder: folder, image, mounted };
        let made = succeeds("mkfs.ext4", &["-q", text(&disk.image)]) && disk.mount();
        made.then_some(disk)
    }

    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        &self.mounted
    }

    /// Writes everything to the disk that the system still holds in memory.
    pub fn flush(&self) {
        assert!(succeeds("sync", &["-f", text(&self.mounted)]), "the disk can be flushed");
    }

    /// Cuts the power and mounts the disk again: what had not been written to it is lost. With `log`, what the log of
    /// the file system holds in memory is written first.
    pub fn cut(&self, log: bool) {
        let program = "import fcntl, os, struct, sys\n\
             fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587d, struct.pack('I', int(sys.argv[2])))";
        let flag = if log { "1" } else { "2" };
        assert!(succeeds("python3", &["-c", program, text(&self.mounted), flag]), "the shutdown call");
        assert!(succeeds("umount", &[text(&self.mounted)]) && self.mount(), "mounting again");
    }

    fn mount(&self) -> bool {
        succeeds("mount", &["-o", "loop", text(&self.image), text(&self.mounted)])
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        succeeds("umount", &[text(&self.mounted)]);
    }
}

fn succeeds(program: &str, args: &[&str]) -> bool {
    let status = Command::new(program).args(args).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

fn text(path: &Path) -> &str {
    path.to_str().expect("temporary folders have plain names")
}
