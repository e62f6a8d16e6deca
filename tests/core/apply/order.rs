//! The order of writes, read off a trace of the system calls: what has to be on the disk before what.
//!
//! A power cut shows a missing flush only now and then, this shows it at once: every file and every folder that was
//! written is taken down as wet, and whatever is relied on has to be dry.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

use super::kit::*;
use super::shapes::{self, Deed, Move};
use super::sweep::{self, Child, Scene};

/// What happened to the file system, in its order.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Event {
    Write(PathBuf),
    Sync(PathBuf),
    Rename { from: PathBuf, to: PathBuf, exchange: bool },
    Link { to: PathBuf },
    Make(PathBuf),
    Remove(PathBuf),
}

/// The events of a deed in a copy of the scene, with the copy.
fn trace(scene: &Scene, prepare: impl Fn(&Sandbox)) -> (Sandbox, Vec<Event>) {
    let copy = scene.shape.copy();
    prepare(&copy);
    let log = scene.deed.with_file_name("order");
    let calls = "trace=openat,openat2,write,pwrite64,ftruncate,fsync,fdatasync,rename,renameat,renameat2,link,linkat,\
                 unlink,unlinkat,mkdir,mkdirat,rmdir,symlinkat";
    let strace = ["-y", "-s", "4096", "-e", "signal=none", "-e", calls, "-o"].map(String::from);
    let strace = strace.into_iter().chain([log.display().to_string()]).collect();
    let existing = all_below(copy.root.parent().unwrap());
    let child = Child { root: &copy.root, deed: &scene.deed, what: "do", strace, file_size: None };
    let ended = child.run();
    assert!(ended.is_success(), "{ended:?}");
    let text = fs::read_to_string(&log).unwrap();
    let opened_only = |event: &Event| matches!(event, Event::Make(path) if existing.contains(path));
    (copy, text.lines().flat_map(event).filter(|event| !opened_only(event)).collect())
}

fn all_below(folder: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    for row in fs::read_dir(folder).unwrap() {
        let path = row.unwrap().path();
        if fs::symlink_metadata(&path).unwrap().is_dir() {
            found.extend(all_below(&path));
        }
        found.insert(path);
    }
    found
}

/// The event that a line of the trace tells of.
fn event(line: &str) -> Option<Event> {
    let (call, rest) = line.split_once('(')?;
    if rest.contains(") = -1") {
        return None;
    }
    let paths = paths_of(rest);
    let first = || paths.first().cloned();
    let last = || paths.last().cloned();
    Some(match call {
        "openat" if rest.contains("O_CREAT") => Event::Make(first()?),
        "write" | "pwrite64" | "ftruncate" => Event::Write(described(rest)?),
        "fsync" | "fdatasync" => Event::Sync(first()?),
        "rename" | "renameat" | "renameat2" => {
            Event::Rename { from: first()?, to: last()?, exchange: rest.contains("RENAME_EXCHANGE") }
        }
        "link" | "linkat" => Event::Link { to: last()? },
        "unlink" | "unlinkat" | "rmdir" => Event::Remove(first()?),
        "mkdir" | "mkdirat" => Event::Make(first()?),
        // Its first argument is where the link points.
        "symlinkat" => Event::Make(last()?),
        _ => return None,
    })
}

/// The path of the descriptor that is the first argument.
fn described(arguments: &str) -> Option<PathBuf> {
    let path = arguments.split_once('<')?.1.split_once('>')?.0;
    path.starts_with('/').then(|| PathBuf::from(path))
}

/// The path without its steps back.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(plain.pop()),
            part => plain.push(part),
        }
    }
    plain
}

/// The paths among the arguments: a name counts from the folder whose descriptor precedes it.
fn paths_of(arguments: &str) -> Vec<PathBuf> {
    let arguments = arguments.rsplit_once(") = ").map_or(arguments, |(arguments, _)| arguments);
    let (mut paths, mut folder) = (Vec::new(), None::<PathBuf>);
    let mut rest = arguments;
    while let Some(at) = rest.find(['<', '"']) {
        let close = if rest[at..].starts_with('<') { '>' } else { '"' };
        let inner = &rest[at + 1..];
        let Some(end) = inner.find(close) else { break };
        let text = Path::new(&inner[..end]);
        match (close, folder.take()) {
            ('>', _) => folder = Some(text.to_owned()),
            (_, Some(folder)) => paths.push(folder.join(text)),
            (_, None) => paths.push(text.to_owned()),
        }
        rest = &inner[end + 1..];
    }
    // Calls on a descriptor alone.
    paths.extend(folder);
    paths.iter().map(|path| plain(path)).collect()
}

/// What is not on the disk yet.
#[derive(Default)]
struct Wet {
    /// Files whose bytes are not flushed.
    bytes: BTreeSet<PathBuf>,
    /// Names that came or went in a folder that was not flushed since.
    names: BTreeSet<PathBuf>,
}

impl Wet {
    fn take(&mut self, event: &Event) {
        match event {
            Event::Write(path) => drop(self.bytes.insert(path.clone())),
            Event::Sync(path) => {
                self.bytes.remove(path);
                self.names.retain(|name| name.parent() != Some(path));
            }
            Event::Make(path) | Event::Link { to: path } => drop(self.names.insert(path.clone())),
            Event::Remove(path) => self.goes(path),
            Event::Rename { from, to, exchange } => {
                let (one, other) = (self.bytes.remove(from), self.bytes.remove(to));
                self.bytes.extend(one.then(|| to.clone()));
                self.bytes.extend((other && *exchange).then(|| from.clone()));
                self.goes(from);
                self.names.insert(to.clone());
            }
        }
    }

    /// A name that never was on the disk leaves nothing there.
    fn goes(&mut self, path: &Path) {
        self.bytes.remove(path);
        let was_wet = self.names.contains(path);
        // With a folder goes all that was in it.
        self.names.retain(|name| !name.starts_with(path));
        if !was_wet {
            self.names.insert(path.to_owned());
        }
    }

    /// What of it lies below a folder.
    fn below(&self, folder: &Path) -> Vec<PathBuf> {
        self.bytes.iter().chain(&self.names).filter(|path| path.starts_with(folder)).cloned().collect()
    }
}

/// The places of a repository that the rules speak of.
struct Places {
    root: PathBuf,
    git_dir: PathBuf,
    common: PathBuf,
}

impl Places {
    fn of(sandbox: &Sandbox) -> Self {
        let common = sandbox.git(&["rev-parse", "--path-format=absolute", "--git-common-dir"]);
        Self { root: sandbox.root.clone(), git_dir: sandbox.git_dir(), common: common.into() }
    }

    fn is_lock(&self, path: &Path) -> bool {
        // That of what is kept is not one of the landing: another rb knows it for left over by the lock of the store.
        let is_keeping = path.file_name().is_some_and(|name| name == "RB_HEAD.lock");
        path.extension().is_some_and(|end| end == "lock") && path.starts_with(&self.common) && !is_keeping
    }

    /// Whether the rename is the commit point.
    fn commits(&self, to: &Path) -> bool {
        to.starts_with(self.common.join("refs/heads")) || *to == self.git_dir.join("HEAD")
    }
}

/// Everything that is wrong with the order of the events.
fn faults(places: &Places, events: &[Event], scene: &Scene) -> Vec<String> {
    let (mut wet, mut found) = (Wet::default(), Vec::new());
    let stage = places.git_dir.join("rb/landing");
    let (mut locked, mut committed, mut logged, mut closed) = (false, false, false, false);
    let moves_reference = !matches!(&scene.shape.deed, Deed::Land(landing) if landing.reference.is_none())
        && !matches!(&scene.shape.deed, Deed::Restore | Deed::BringBack)
        && !matches!(&scene.shape.deed, Deed::Sequence(step) if *step != Move::Continue)
        && ![
            "undo of what is staged",
            "undo of paths outside",
            "undo of what was brought back",
            "undo of a stop",
            "undo of an abort",
        ]
        .contains(&scene.shape.name);
    let elsewhere = scene.shape.outside.as_ref().map(|[folder, _]| folder.clone());
    let not_on_the_disk = |wet: &Wet| elsewhere.as_ref().map(|folder| wet.below(folder)).unwrap_or_default();
    let is_staged = |path: &PathBuf| path.to_string_lossy().contains("/.rb-outside-");
    for event in events {
        let mut need = |dry: bool, what: &str| {
            if !dry {
                found.push(format!("{what}, at {event:?}"));
            }
        };
        match event {
            Event::Link { to } if places.is_lock(to) => {
                need(
                    renamed_before(&stage.join("journal.json"), events, event),
                    "locked before the journal counts",
                );
                need(locked || wet.below(&stage).is_empty(), "locked before the journal is on the disk");
                need(
                    locked || !wet.names.contains(&places.git_dir.join("rb")),
                    "the folder of the journal may be lost",
                );
                let mut objects = wet.below(&places.common.join("objects"));
                // That a name of the moment is gone need not last.
                objects.retain(|path| !path.file_name().unwrap().to_string_lossy().starts_with("tmp_obj_"));
                need(locked || objects.is_empty(), "locked before the objects are on the disk");
                let staged = not_on_the_disk(&wet);
                need(locked || staged.is_empty(), &format!("locked while {staged:?} are not on the disk"));
                locked = true;
            }
            Event::Rename { from, to, .. } => {
                need(!wet.bytes.contains(from), "renamed before its bytes are on the disk");
                let outside =
                    |path: &Path| path.starts_with(&places.root) && !path.starts_with(&places.common);
                need(locked || !(outside(from) || outside(to)), "the work tree changed before the lock");
                if places.commits(to) {
                    need(locked, "committed without a lock");
                    let index = places.git_dir.join("index");
                    let swapped =
                        events.iter().any(|event| matches!(event, Event::Rename { to, .. } if *to == index));
                    need(!swapped || renamed_before(&index, events, event), "committed before the index");
                    let wet_outside: Vec<_> = wet.names.iter().filter(|path| outside(path)).collect();
                    need(
                        wet_outside.is_empty(),
                        &format!("committed while {wet_outside:?} are not on the disk"),
                    );
                    need(!wet.names.contains(&index), "committed before the index is on the disk");
                    let mut above =
                        to.ancestors().skip(1).take_while(|path| path.starts_with(&places.common));
                    need(above.all(|path| !wet.names.contains(path)), "its folder may be lost");
                    committed = true;
                }
                // A reference that is removed goes into the stage.
                if *to == stage.join("reference.old") {
                    need(locked, "committed without a lock");
                    committed = true;
                }
                if *to == stage.with_file_name("displaced") {
                    let back: Vec<_> = wet.names.iter().filter(|path| places.is_lock(path)).collect();
                    need(back.is_empty(), &format!("{back:?} may come back and be nobody's"));
                }
                let operations = places.common.join("rb/records/operations");
                let kept = places.common.join("logs/RB_HEAD");
                if to.starts_with(&operations) {
                    need(committed || !moves_reference, "logged before it is committed");
                    need(renamed_before(&kept, events, event), "logged before what it needs is kept");
                    let names = [&kept, &places.common.join("RB_HEAD"), &places.common.join("logs")];
                    let dry =
                        names.iter().all(|path| !wet.bytes.contains(*path) && !wet.names.contains(*path));
                    need(dry, "logged before it is on the disk what it needs is kept");
                    logged = true;
                }
                if *to == stage.join("closed.json") {
                    need(logged || !scene.is_logged(), "closed before it is logged");
                    // A lock is held by the process, and what is being written counts only when it has its place.
                    let mut records = wet.below(&places.common.join("rb/records"));
                    records.retain(|path| !path.ends_with("lock") && !path.ends_with(".written"));
                    need(records.is_empty(), &format!("closed while {records:?} are not on the disk"));
                    need(committed || !moves_reference, "closed before it is committed");
                    let mut wet_outside = not_on_the_disk(&wet);
                    wet_outside.retain(|path| !is_staged(path));
                    need(
                        wet_outside.is_empty(),
                        &format!("closed while {wet_outside:?} are not on the disk"),
                    );
                    for folder in ["refs/heads", "logs"] {
                        let wet: Vec<_> = wet.below(&places.common.join(folder));
                        need(wet.is_empty(), &format!("closed while {wet:?} are not on the disk"));
                    }
                    let logs = wet.below(&places.git_dir.join("logs"));
                    need(logs.is_empty(), "closed before the logs are on the disk");
                    need(
                        !wet.names.contains(&places.git_dir.join("index")),
                        "closed before the index is on the disk",
                    );
                    closed = true;
                }
            }
            Event::Remove(path) if places.is_lock(path) => {
                need(closed, "unlocked before the journal is closed");
                need(
                    !wet.names.contains(&stage.join("closed.json")),
                    "unlocked before it is on the disk that the journal is closed",
                );
            }
            _ => {}
        }
        wet.take(event);
    }
    if !closed {
        found.push("the journal was never closed".into());
    }
    found
}

/// Whether something was renamed to the path before the event.
fn renamed_before(path: &Path, events: &[Event], event: &Event) -> bool {
    let before = events.iter().take_while(|other| !std::ptr::eq(*other, event));
    before.into_iter().any(|other| matches!(other, Event::Rename { to, .. } if to == path))
}

#[test]
fn everything_that_is_relied_on_is_on_the_disk_before() {
    if !sweep::can_trace() {
        return;
    }
    let mut wrong = Vec::new();
    for shape in sweep::chosen_shapes().into_iter().chain([shapes::many_files()]) {
        let scene = Scene::new(shape);
        let (copy, events) = trace(&scene, |_| ());
        assert!(events.len() > 20, "{events:#?}");
        let found = faults(&Places::of(&copy), &events, &scene);
        wrong.extend(found.into_iter().map(|fault| format!("{}: {fault}", scene.shape.name)));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn what_is_staged_outside_is_flushed_before_the_journal() {
    if !sweep::can_trace() {
        return;
    }
    for shape in [shapes::paths_outside(), shapes::only_paths_outside()] {
        let scene = Scene::new(shape);
        let (copy, events) = trace(&scene, |_| ());
        let found = faults(&Places::of(&copy), &events, &scene);
        assert!(found.is_empty(), "{}: {found:#?}", scene.shape.name);
        let outside = &scene.shape.outside.as_ref().unwrap()[0];
        let moved = |event: &&Event| matches!(event, Event::Rename { to, .. } if to.starts_with(outside));
        assert!(events.iter().filter(moved).count() > 5, "they are put back by moves");
    }
}

/// Whoever wrote them, git or an rb that was killed, may not have flushed them.
#[test]
fn objects_that_lie_there_already_are_flushed_too() {
    if !sweep::can_trace() {
        return;
    }
    let scene = Scene::new(shapes::one_file());
    let (copy, events) = trace(&scene, |copy| {
        copy.git(&["revert", "--no-edit", "HEAD"]);
        copy.git(&["reset", "-q", "--hard", "HEAD~1"]);
    });
    let new = scene.shape.landing().reference.as_ref().unwrap().new.unwrap().to_string();
    let object = copy.git_dir().join("objects").join(&new[..2]).join(&new[2..]);
    assert!(object.is_file());
    assert!(events.contains(&Event::Sync(object.clone())), "{events:#?}");
    assert!(events.contains(&Event::Sync(object.parent().unwrap().to_owned())), "and its folder");
}
