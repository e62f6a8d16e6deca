//! Power cuts: a landing on a file system that is shut down under it, with and without its log flushed,
//! and then mounted again.
//!
//! `cargo test -p rollback-core --lib power_cuts -- --ignored --nocapture`, as root: it mounts an ext4 image.
//! Where that is not possible it says SKIPPED, which is no success.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::sweep::{Dice, Point, Scene, inject};

/// An ext4 image, mounted.
struct Disk {
    _folder: tempfile::TempDir,
    image: PathBuf,
    mounted: PathBuf,
}

fn run(program: &str, args: &[&str]) -> bool {
    let status = Command::new(program).args(args).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

impl Disk {
    fn new() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let (image, mounted) = (folder.path().join("image"), folder.path().join("mounted"));
        std::fs::create_dir(&mounted).unwrap();
        std::fs::File::create(&image).unwrap().set_len(48 << 20).unwrap();
        let disk = Self { _folder: folder, image, mounted };
        let made = run("mkfs.ext4", &["-q", text(&disk.image)]) && disk.mount();
        made.then_some(disk)
    }

    fn mount(&self) -> bool {
        run("mount", &["-o", "loop", text(&self.image), text(&self.mounted)])
    }

    /// Cuts the power: nothing that is not on the disk by now will ever be; with `log` what the file system's
    /// own log holds still gets there.
    fn cut(&self, log: bool) {
        let program = "import fcntl, os, struct, sys\n\
             fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587d, struct.pack('I', int(sys.argv[2])))";
        let flag = if log { "1" } else { "2" };
        assert!(run("python3", &["-c", program, text(&self.mounted), flag]), "the shutdown call");
        assert!(run("umount", &[text(&self.mounted)]) && self.mount(), "mounting again");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        run("umount", &[text(&self.mounted)]);
    }
}

#[test]
#[ignore = "minutes, and root"]
fn power_cuts() {
    if Disk::new().is_none() || !super::sweep::can_trace() {
        println!("SKIPPED: no ext4 image can be mounted here");
        return;
    }
    let mut dice = Dice::from_environment();
    let share = super::sweep::share();
    let (mut cuts, mut wrong) = (0, Vec::new());
    for shape in super::sweep::chosen_shapes() {
        let scene = Scene::new(shape);
        let points = scene.points();
        let mut verdicts: BTreeMap<&str, usize> = BTreeMap::new();
        let chosen: Vec<Option<&Point>> =
            points.iter().filter(|_| dice.below(share) == 0).map(Some).collect();
        // Twice after the landing said that it is done: then it must be there.
        for point in chosen.into_iter().chain([None, None]) {
            let disk = Disk::new().expect("it could be made before");
            let copy = scene.shape.copy_in(&disk.mounted.join("work"));
            assert!(run("sync", &[]));
            let strace = point.map(|point| inject(point, "signal=KILL")).unwrap_or_default();
            let ended = scene.run(&copy, "do", strace);
            let log = dice.below(2) == 0;
            disk.cut(log);
            let recovered = scene.run(&copy, "recover", Vec::new());
            let verdict = scene.verdict(&copy);
            cuts += 1;
            let kept = point.is_some() || verdict == Some("after");
            let retry = || {
                let retried = scene.run(&copy, "do", Vec::new());
                retried.is_success() && scene.verdict(&copy) == Some("after")
            };
            match verdict {
                Some(verdict) if recovered.is_success() && kept && (verdict == "after" || retry()) => {
                    *verdicts.entry(verdict).or_default() += 1;
                }
                verdict => {
                    println!(
                        "WRONG {} {point:?} log {log}: {ended:?} {recovered:?} {verdict:?}",
                        scene.shape.name
                    );
                    if wrong.is_empty() {
                        scene.explain(&copy);
                    }
                    wrong.push((scene.shape.name, point.cloned(), log));
                }
            }
        }
        println!("{:<28} {verdicts:?}", scene.shape.name);
    }
    println!("{cuts} power cuts, {} outside before/after", wrong.len());
    assert!(wrong.is_empty(), "{wrong:#?}");
}
