//! What must hold after an interruption, and after what the user does next.

use std::fs;

use test_kit::{Part, State};

use super::scenes::{End, World};

/// How an interrupted command ended.
#[derive(Debug)]
pub(super) struct Ended {
    /// `None` where a signal ended it.
    pub(super) code: Option<i32>,
    /// What it wrote.
    pub(super) said: String,
}

/// What of a repository is compared: index, work tree and `git status`, and the history of every branch.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Facts {
    state: State,
    branches: String,
}

impl Facts {
    fn diff(&self, other: &Self) -> String {
        let branches = if self.branches == other.branches { "" } else { &other.branches };
        format!("{}{branches}", self.state.diff(&other.state))
    }
}

/// The facts of now. Commit ids are not among them: a retry may give a commit another time.
pub(super) fn facts(world: &World) -> Facts {
    let state = State::of(&world.repo).only(&[Part::Index, Part::Flags, Part::Status, Part::Files]);
    let heads = world.repo.git(&["for-each-ref", "--format=%(refname)", "refs/heads"]);
    let histories = heads
        .lines()
        .map(|head| format!("{head}\n{}\n", world.repo.git(&["log", "--format=%T %an %cn %s", head])));
    let head = world.repo.git(&["symbolic-ref", "HEAD"]);
    Facts { state, branches: head + "\n" + &histories.collect::<String>() }
}

/// How often the step of the procedure was done.
fn steps(world: &World) -> usize {
    fs::read_to_string(world.repo.path().join(".git/side")).map_or(0, |text| text.lines().count())
}

/// Knows a scene before and after its command.
pub(super) struct Judge {
    before: Facts,
    after: Facts,
    steps_before: usize,
}

impl Judge {
    /// Takes down what the command left, which has run without a fault.
    pub(super) fn new(before: Facts, after: &World) -> Self {
        let judge = Self { before, after: facts(after), steps_before: steps(after) };
        assert!(judge.is_done(after, &judge.after), "{}", after.scene.line);
        judge
    }

    /// Whether the command has done what it is asked for, all of it; the facts are those of now.
    pub(super) fn is_done(&self, world: &World, now: &Facts) -> bool {
        let landed = *now == self.after;
        let is_open = || world.rb("status --json").json()["runs"][0]["id"].is_string();
        match world.scene.end {
            End::Landed => landed,
            End::Run | End::NoRunIsOpen => landed && !is_open(),
            End::Published => {
                let far = world.repo.git(&["ls-remote", "origin", "refs/heads/main"]);
                far.split('\t').next() == Some(&world.repo.git(&["rev-parse", "HEAD"]))
            }
            End::Verified => steps(world) == self.steps_before,
            End::Pruned => world.rb("ops --json").stdout.is_empty(),
            End::Kept => world.rb("checkpoint verify k").code == 0,
            End::Trusted => world.rb("trust --list").stdout.contains("procedure p"),
        }
    }

    /// What is wrong with how a command ended that met an error of the system.
    pub(super) fn wrong_answers(&self, world: &World, ended: &Ended, is_output: bool) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut need = |holds: bool, what: &str| wrong.extend((!holds).then(|| what.to_owned()));
        need(!ended.said.contains("panicked"), "a panic");
        need(matches!(ended.code, Some(0..=8 | 10 | 74 | 75)), "no exit code of ours");
        let now = facts(world);
        let is_done = self.is_done(world, &now) && (world.scene.end != End::Run || steps(world) == 1);
        // A record that could not be read is passed over, and named.
        let passed_over = world.scene.end == End::Pruned && ended.said.contains(" is not used: ");
        need(ended.code != Some(0) || is_done || passed_over, "it says that it is done, and it is not");
        let lands = self.before != self.after;
        let says_not = !matches!(ended.code, Some(0 | 8)) && !is_output;
        need(!(lands && says_not && now == self.after), "it says that it failed, and it has landed");
        wrong
    }

    /// What is wrong after the interruption, and after what the user does next. A run that met an error may have ended
    /// by it; the user then begins another one, which does the step again.
    pub(super) fn wrong_ends(&self, world: &World, may_begin_anew: bool) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut need = |holds: bool, what: &str| wrong.extend((!holds).then(|| what.to_owned()));
        let looked = world.rb("status");
        need(looked.code == 0, &format!("status: {} {}", looked.code, looked.stderr));
        let now = facts(world);
        let whole = now == self.before || now == self.after;
        need(whole, &format!("neither before nor after: {}", self.after.diff(&now)));
        need(locks(world).is_empty(), &format!("locks are left: {:?}", locks(world)));
        let fsck = world.repo.try_git(&["fsck", "--strict", "--no-dangling", "--no-progress"]);
        need(fsck.status.success(), &String::from_utf8_lossy(&fsck.stderr));
        let told = match world.scene.end {
            End::Landed if now == self.after => String::new(),
            _ => again(world),
        };
        need(!told.starts_with("70 "), &told);
        let anew = world.scene.end == End::Run && self.go_on(world);
        let end = facts(world);
        let is_done = self.is_done(world, &end);
        need(is_done, &format!("it does not come to its end: {told} {}", world.rb("status").stdout));
        need(end == self.after, &format!("another end: {}", self.after.diff(&end)));
        need(steps(world) <= 1 + usize::from(anew && may_begin_anew), "the step was done twice");
        need(locks(world).is_empty(), "locks are left at the end");
        wrong
    }

    /// What a user does about a run; says whether that was to begin anew.
    fn go_on(&self, world: &World) -> bool {
        let lines = ["resume -y", "resume -y --confirm ready", "resume -y --mark-done --confirm ready"];
        let is_done = || self.is_done(world, &facts(world));
        for line in lines {
            if is_done() {
                return false;
            }
            world.rb(line);
        }
        let anew = !is_done();
        if anew {
            world.rb("run p -y --confirm ready");
        }
        anew
    }
}

/// The command again; its exit code and what it said.
fn again(world: &World) -> String {
    let again = world.rb(&world.line());
    format!("{} {}{}", again.code, again.stdout, again.stderr)
}

fn locks(world: &World) -> Vec<String> {
    let rows = fs::read_dir(world.repo.path().join(".git")).expect("a folder").flatten();
    let names = rows.map(|row| row.file_name().to_string_lossy().into_owned());
    names.filter(|name| name.ends_with(".lock")).collect()
}
