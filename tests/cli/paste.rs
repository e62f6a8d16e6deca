//! Pastes every hint: a scene brings each error about through `rb`, takes the command from the text and from the
//! document, runs it through `sh`, and looks whether it did what it says.
//!
//! A new error fails `every_error_has_a_scene` until it has a row in [`SCENES`], or one in [`WITHOUT_SCENE`] with
//! its reason.

use std::collections::BTreeSet;

use serde_json::Value;
use test_kit::{Sandbox, codes};

use crate::kit::{Run, shell};

mod runs;

/// One error, and what its hint comes to.
struct Scene {
    /// The code of the error.
    code: &'static str,
    /// Shell that makes the state, after three commits that write 1, 2 and 3 into `f`.
    setup: &'static str,
    /// What is typed.
    command: &'static str,
    /// How the pasted command ends.
    ends: Ends,
    /// Shell that shows that the state moved on; it must succeed.
    then: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ends {
    /// With this exit code.
    With(i32),
    /// It only says how bad things are, and may end as it likes.
    Saying,
}
use Ends::{Saying, With};

/// What a scene starts from.
const STORY: &str = "for n in 1 2 3; do echo $n >f; git add f; git commit -q -m \"c$n\"; done";

const fn scene(
    code: &'static str,
    setup: &'static str,
    command: &'static str,
    ends: Ends,
    then: &'static str,
) -> Scene {
    Scene { code, setup, command, ends, then }
}

const SCENES: &[Scene] = &[
    scene("not-a-repository", "rm -rf .git; mkdir -p a; git init -q a/r", "rb status", With(0), "true"),
    scene(
        "unsupported-format",
        "git config core.repositoryFormatVersion 1; git config extensions.nope 1",
        "rb revert HEAD~1",
        With(0),
        "true",
    ),
    scene(
        "link-in-git-directory",
        "mkdir ../l-$$; rm -r .git/logs; ln -s ../l-$$ .git/logs",
        "rb revert HEAD",
        With(0),
        "true",
    ),
    scene(
        "work-tree-elsewhere",
        "mkdir sub; git config core.worktree \"$PWD/sub\"",
        "rb status",
        With(0),
        "true",
    ),
    scene("bad-references", "echo garbage >.git/packed-refs", "rb status", Saying, "true"),
    scene(
        "needs-work-tree",
        "git clone -q --bare . bare.git",
        "rb -C bare.git revert HEAD",
        With(0),
        "git -C bare.git rev-parse rollback",
    ),
    scene("unknown-revision", "true", "rb revert mian", With(0), "[ $(cat f) = 2 ]"),
    scene("unknown-revision", "true", "rb revert main..mian~1", With(5), "true"),
    scene("unknown-revision", "true", "rb revert release-7", With(0), "true"),
    scene("unknown-revision", "true", "rb revert 0123456789abcdef", With(0), "true"),
    scene("unknown-revision", "echo x >g.txt", "rb revert g.txt", With(5), "true"),
    scene(
        "unknown-revision",
        "git clone -q --depth 1 \"file://$PWD\" shallow; git rev-parse HEAD~1 >../id-shallow",
        "rb -C shallow revert $(cat ../id-shallow)",
        With(0),
        "git -C shallow rev-parse HEAD~2",
    ),
    scene(
        "ambiguous-revision",
        "for i in $(seq 600); do printf 'commit refs/heads/many\\ncommitter C <c@d> %s +0000\\ndata 1\\nc\\n' $((1700000000+i)); \
         done | git fast-import --quiet; git rev-list many | cut -c1-4 | sort | uniq -d | head -1 >../prefix",
        "rb revert --dry-run $(cat ../prefix)",
        With(3),
        "true",
    ),
    scene("not-a-commit", "true", "rb revert HEAD:f", With(0), "true"),
    scene("nothing-to-undo", "rb revert HEAD; rb undo", "rb undo", With(0), "[ $(cat f) = 2 ]"),
    scene("nothing-to-redo", "rb revert HEAD", "rb redo", With(0), "true"),
    scene("no-git-move", "git branch -q fresh", "rb undo --git fresh", With(0), "true"),
    scene("moved-by-rb", "rb revert HEAD", "rb undo --git", With(0), "[ $(cat f) = 3 ]"),
    scene("nothing-between", "true", "rb bisect --check false --good HEAD --bad HEAD~1", With(0), "true"),
    scene("bad-is-good", "true", "rb bisect --check true", With(0), "true"),
    scene("good-is-bad", "true", "rb bisect --check 'grep -q 1 f' --good HEAD~1", With(0), "true"),
    scene(
        "mended-since",
        "git switch -q -c mended HEAD~1; echo 1 >f; git commit -qam mend; git switch -q main",
        "rb bisect --check 'grep -q 1 f' --good mended",
        With(0),
        "true",
    ),
    scene("not-judged", "true", "rb bisect --check no-such-program", With(0), "true"),
    scene("no-good-commit", "true", "rb bisect --check false", With(0), "true"),
    scene(
        "not-in-paths",
        "echo 1 >g; git add g; git commit -qm g",
        "rb revert --file g --good-check 'grep -q 1 f'",
        With(0),
        "true",
    ),
    scene("bad-rehearsal", "echo {} >../part", "rb rehearse --merge ../part", With(0), "true"),
    scene("no-rehearsal", ": >../part", "rb rehearse --merge ../part", With(0), "true"),
    scene(
        "mixed-rehearsals",
        "rb rehearse HEAD~1 --json >../one; rb rehearse HEAD~1 --onto HEAD~1 --json >../other",
        "rb rehearse --merge ../one ../other",
        With(0),
        "true",
    ),
    scene(
        "incomplete-rehearsal",
        "rb rehearse HEAD~2.. --shard 1/2 --json >../part",
        "rb rehearse --merge ../part",
        With(0),
        "true",
    ),
    scene("empty-commit-set", "true", "rb revert HEAD..HEAD", With(0), "true"),
    scene("invalid-path", "true", "rb revert --file ../x", With(0), "true"),
    scene(
        "path-never-existed",
        "mkdir src; echo 1 >src/name.txt; git add src; git commit -qm n",
        "rb history src/nane.txt",
        With(0),
        "true",
    ),
    scene(
        "path-never-existed",
        "echo 1 >gone.txt; git add .; git commit -qm n; git rm -q gone.txt; git commit -qm g",
        "rb history gone.text",
        With(0),
        "true",
    ),
    scene("path-never-existed", "true", "rb history F", With(0), "true"),
    scene(
        "path-never-existed",
        "git switch -qc old; echo 1 >elsewhere.txt; git add .; git commit -qm e; git switch -q main",
        "rb history elsewhere.txt",
        With(0),
        "git show HEAD:elsewhere.txt",
    ),
    scene("path-never-existed", "true", "rb history quite/another", With(0), "true"),
    scene("never-good", "true", "rb revert --file f --good-match zzz", With(0), "true"),
    scene("mainline-out-of-range", "true", "rb revert -m 1 HEAD", With(0), "[ $(cat f) = 2 ]"),
    scene(
        "mainline-out-of-range",
        "git switch -qc t HEAD~1; echo x >t; git add t; git commit -qm t; git switch -q main; git merge -q --no-edit t",
        "rb revert -m 3 HEAD",
        With(0),
        "true",
    ),
    scene("bad-request", "true", "rb revert HEAD --onto HEAD~1..HEAD", With(0), "true"),
    scene(
        "missing-object",
        "o=$(git rev-parse HEAD~1^{tree}); rm -f .git/objects/$(echo $o | cut -c1-2)/$(echo $o | cut -c3-)",
        "rb revert HEAD",
        Saying,
        "true",
    ),
    scene(
        "corrupt-object",
        "o=$(git rev-parse HEAD~1^{tree}); p=.git/objects/$(echo $o | cut -c1-2)/$(echo $o | cut -c3-); chmod u+w $p; echo x >$p",
        "rb revert HEAD",
        Saying,
        "true",
    ),
    scene(
        "shallow-history",
        "git clone -q --depth 1 \"file://$PWD\" shallow",
        "rb -C shallow revert HEAD",
        With(0),
        "rb -C shallow revert HEAD",
    ),
    scene("unborn-branch", "git switch -q --orphan new", "rb revert HEAD", Saying, "true"),
    scene(
        "unborn-branch",
        "rm -rf .git f; git init -q -b main",
        "rb revert HEAD",
        With(0),
        "git rev-parse HEAD",
    ),
    scene(
        "operation-in-progress",
        "git switch -qc t HEAD~1; echo x >f; git commit -qam t; git merge main || true",
        "rb revert HEAD~1",
        With(0),
        "true",
    ),
    scene(
        "unmerged-index",
        "git switch -qc t HEAD~1; echo x >f; git commit -qam t; git merge main || true; rm .git/MERGE_HEAD",
        "rb revert HEAD~1",
        With(0),
        "true",
    ),
    scene("in-the-way", "echo x >>f", "rb revert HEAD", With(0), "rb revert HEAD"),
    scene("in-the-way", "echo x >f; git add f", "rb revert HEAD", With(0), "rb revert HEAD"),
    scene("in-the-way", "mkdir sub; echo x >>f", "rb -C sub revert HEAD", With(0), "rb revert HEAD"),
    scene(
        "in-the-way",
        "git rm -q f; git commit -qm rm; echo u >f",
        "rb revert HEAD",
        With(0),
        "rb revert HEAD",
    ),
    scene(
        "in-the-way",
        "git rm -q f; git commit -qm rm; echo u >f; echo f >.git/info/exclude",
        "rb revert HEAD",
        With(0),
        "rb revert HEAD",
    ),
    scene(
        "in-the-way",
        "git rm -q f; git commit -qm rm; mkdir f; echo u >f/u",
        "rb revert HEAD",
        With(0),
        "true",
    ),
    scene(
        "in-the-way",
        "git update-index --skip-worktree f; echo x >f",
        "rb revert HEAD",
        With(0),
        "git diff --name-only | grep f",
    ),
    scene(
        "in-the-way",
        "git update-index --assume-unchanged f; echo x >f; mkdir d",
        "rb -C d revert HEAD",
        With(0),
        "git diff --name-only | grep f",
    ),
    scene(
        "in-the-way",
        "git rm -q f; git commit -qm rm; echo u >f; git add -N f",
        "rb revert HEAD",
        With(0),
        "git diff --cached --name-only | grep f",
    ),
    scene(
        "case-collision",
        "git mv f F; git commit -qm F; git config core.ignorecase true",
        "rb revert HEAD --file f",
        With(0),
        "git rev-parse rollback",
    ),
    scene(
        "moved",
        "rb revert HEAD --dry-run --json >../plan-moved; echo 4 >f; git commit -qam 4",
        "rb apply ../plan-moved",
        With(0),
        "true",
    ),
    scene(
        "plan-altered",
        "rb revert HEAD --dry-run --json | sed 's/This reverts/This keeps/' >../plan-altered",
        "rb apply ../plan-altered",
        With(0),
        "true",
    ),
    scene("branch-exists", "git branch other", "rb revert HEAD --branch other", With(0), "true"),
    scene("invalid-branch-name", "true", "rb revert HEAD --branch a..b", With(0), "git rev-parse rollback"),
    scene("branch-checked-out", "git worktree add -q -b w ../w-$$", "rb revert w --onto w", With(0), "true"),
    scene("no-remote", "true", "rb revert HEAD --push", With(0), "[ $(cat f) = 3 ]"),
    scene(
        "no-remote",
        "git init -q --bare ../o.git; git remote add origin ../o.git; git push -q origin main",
        "rb revert HEAD --push=orgin",
        With(0),
        "[ $(git -C ../o.git rev-parse main) = $(git rev-parse HEAD) ]",
    ),
    scene(
        "no-remote",
        "git init -q --bare ../o.git; git remote add a ../o.git; git remote add b ../o.git; git push -q a main",
        "rb revert HEAD --push",
        With(0),
        "[ $(git -C ../o.git rev-parse main) = $(git rev-parse HEAD) ]",
    ),
    scene(
        "nothing-to-push",
        "git remote add origin ../o.git; rb revert -n HEAD",
        "rb publish --push",
        With(0),
        "true",
    ),
    scene("unknown-operation", "true", "rb undo zzz", With(0), "true"),
    scene(
        "bad-checkpoint-name",
        "true",
        "rb checkpoint create \"$(printf 'a\\tb')\"",
        With(0),
        "rb checkpoint verify a-b",
    ),
    scene("not-in-progress", "true", "rb continue", With(0), "true"),
    scene(
        "index-differs",
        "echo x >f; git commit -qam x; echo s >s; git add s",
        "rb revert HEAD~1 --on-conflict=stop",
        With(0),
        "true",
    ),
    scene(
        "stop-is-over",
        "echo x >f; git commit -qam x; rb revert HEAD~1 --on-conflict=stop || git revert --abort",
        "rb undo",
        With(0),
        "true",
    ),
    scene(
        "continued",
        "echo x >f; git commit -qam x; rb revert HEAD~1 --on-conflict=stop --json \
            | grep -o '\"operation_id\": \"[0-9a-f]*' | cut -d'\"' -f4 >../op; echo y >f; git add f; rb continue",
        "rb undo $(cat ../op)",
        With(0),
        "[ $(cat f) = x ]",
    ),
    scene(
        "strategy-unavailable",
        "git branch -q side; echo x >x; git add x; git commit -qm x; git switch -q side; echo y >x; git add x; \
            git commit -qm y; echo z >z; git add z; git commit -qm z; git switch -q -; \
            git cherry-pick --strategy=resolve side~1 side || true; echo r >x; git add x",
        "rb continue",
        With(0),
        "git cherry-pick --continue && [ $(cat z) = z ] && [ ! -e .git/sequencer ]",
    ),
    scene(
        "nothing-to-skip",
        "echo x >f; git commit -qam x; git revert --no-edit HEAD~1 HEAD~2 || true; echo y >f; git commit -qam y",
        "rb skip",
        Saying,
        "true",
    ),
    scene(
        "unreadable-options",
        "echo x >f; git commit -qam x; git revert --no-edit HEAD~1 HEAD~2 || true; echo '[options] foo = 1' >.git/sequencer/opts",
        "rb continue",
        With(0),
        "[ ! -e .git/sequencer ]",
    ),
    scene(
        "unreadable-sequence",
        "echo x >f; git commit -qam x; git revert --no-edit HEAD~1 HEAD~2 || true; echo nonsense x >.git/sequencer/todo",
        "rb continue",
        With(0),
        "[ ! -e .git/sequencer ]",
    ),
    scene("nothing-landed", "true", "rb undo", With(0), "true"),
    scene("before-history", "true", "rb revert --to 1999-12-31", With(0), "true"),
    scene(
        "already-undone",
        "rb revert HEAD --json | grep -o '\"operation_id\": \"[0-9a-f]*' | cut -d'\"' -f4 >../op; rb undo",
        "rb undo $(cat ../op)",
        With(0),
        "[ $(cat f) = 2 ]",
    ),
    scene(
        "made-elsewhere",
        "rb revert -n HEAD; git revert --quit; git switch -qc x",
        "rb undo",
        With(0),
        "rb undo",
    ),
    scene(
        "made-elsewhere",
        "git switch -q --detach; rb revert HEAD; git switch -q main",
        "rb undo",
        With(0),
        "true",
    ),
    scene(
        "reference-gone",
        "rb revert HEAD --branch b; git branch -qD b",
        "rb undo",
        With(0),
        "git rev-parse b",
    ),
    scene("unknown-checkpoint", "true", "rb checkpoint show x", With(0), "true"),
    scene(
        "checkpoint-exists",
        "rb checkpoint create x",
        "rb checkpoint create x",
        With(0),
        "rb checkpoint create x",
    ),
    scene("too-large", "git config rb.blobLimit 1", "rb revert HEAD", With(0), "true"),
    scene(
        "later-commits",
        "rb revert HEAD; echo g >g; git add g; git commit -qm g",
        "rb undo",
        With(0),
        "[ $(cat f) = 3 ]",
    ),
    scene(
        "published",
        "git clone -q --bare . ../r-$$; git remote add origin ../r-$$; rb revert HEAD; git push -q origin main; git fetch -q",
        "rb undo",
        With(0),
        "[ $(cat f) = 3 ]",
    ),
    scene(
        "upstream-ahead",
        "git clone -q . up; git -C up commit -q --allow-empty -m e; echo 4 >up/f; git -C up commit -qam 4; git remote add origin up; git fetch -q; git branch -q -u origin/main",
        "rb revert --file f",
        With(0),
        "[ $(cat f) = 4 ]",
    ),
    scene(
        "cross-check-failed",
        "true",
        "env PATH=/nonexistent $(command -v rb) revert HEAD --cross-check",
        With(0),
        "[ $(cat f) = 2 ]",
    ),
    scene("loss-not-allowed", "true", "rb revert HEAD~1 -y", With(0), "grep -q HEAD f"),
    scene(
        "filter-failed",
        "git config --file ../gc filter.x.smudge false; git config --file ../gc filter.x.required true; echo 'f filter=x' >.git/info/attributes",
        "env GIT_CONFIG_GLOBAL=$PWD/../gc rb revert HEAD",
        Saying,
        "true",
    ),
    scene(
        "outside-not-allowed",
        "o=$(dirname $PWD)/o; echo o >$o; rb checkpoint create c --outside $o; echo p >$o; rb checkpoint restore c --with-outside",
        "rb undo",
        With(0),
        "[ $(cat ../o) = p ]",
    ),
    scene(
        "driver-not-trusted",
        "git config filter.x.smudge cat; echo 'f filter=x' >.git/info/attributes",
        "rb revert HEAD",
        With(6),
        "true",
    ),
    scene(
        "signer-not-trusted",
        "git config commit.gpgSign true; git config gpg.program x",
        "rb revert HEAD",
        With(6),
        "true",
    ),
    scene(
        "no-identity",
        "git config user.useConfigOnly true",
        "env -u GIT_AUTHOR_NAME -u GIT_AUTHOR_EMAIL -u GIT_COMMITTER_NAME -u GIT_COMMITTER_EMAIL rb revert HEAD",
        With(0),
        "env -u GIT_AUTHOR_NAME -u GIT_AUTHOR_EMAIL -u GIT_COMMITTER_NAME -u GIT_COMMITTER_EMAIL rb revert HEAD",
    ),
    scene(
        "signing-failed",
        "git config --file ../gs gpg.program false; git config commit.gpgSign true",
        "env GIT_CONFIG_GLOBAL=$PWD/../gs rb revert HEAD",
        With(0),
        "[ $(cat f) = 2 ]",
    ),
    scene(
        "hook-failed",
        "mkdir ../hooks; printf '#!/bin/sh\\necho no; exit 1\\n' >../hooks/prepare-commit-msg; chmod +x ../hooks/prepare-commit-msg; git config --file ../gh core.hooksPath $(dirname $PWD)/hooks",
        "env GIT_CONFIG_GLOBAL=$PWD/../gh rb revert HEAD",
        Saying,
        "true",
    ),
    scene("bad-configuration", "git config rb.programTimeout 0", "rb revert HEAD", With(0), "true"),
    scene(
        "bad-identity",
        "git config user.name ';'",
        "env -u GIT_AUTHOR_NAME -u GIT_COMMITTER_NAME rb revert HEAD",
        With(0),
        "env -u GIT_AUTHOR_NAME -u GIT_COMMITTER_NAME rb revert HEAD",
    ),
    scene("bad-date", "true", "env GIT_AUTHOR_DATE=soon rb revert HEAD", With(0), "[ $(cat f) = 2 ]"),
    scene(
        "unknown-encoding",
        "echo 'f working-tree-encoding=IBM437' >.git/info/attributes",
        "rb revert HEAD",
        With(0),
        "[ $(git show rollback:f) = 2 ]",
    ),
    scene("locked", "touch .git/index.lock", "rb revert HEAD", With(0), "rb revert HEAD"),
    scene("corrupt-index", "echo x >.git/index", "rb revert HEAD", With(0), "rb revert HEAD"),
    scene("io", "true", "rb apply nowhere.json", With(74), "true"),
    scene(
        "range-off-line",
        "git switch -qc t HEAD~1; echo t >t; git add t; git commit -qm t; git switch -q main; git merge -q --no-edit t",
        "rb revert t..main",
        With(0),
        "true",
    ),
    scene(
        "never-there",
        "git switch -qc t HEAD~1; echo t >t; git add t; git commit -qm t; git switch -q main; git merge -q --no-edit t",
        "rb revert --to t --each",
        Saying,
        "true",
    ),
    scene("not-tracked", "git rm -q f; git commit -qm rm", "rb restore f", With(0), "true"),
    scene(
        "kept-out",
        "git update-index --skip-worktree f; rm f",
        "rb restore f",
        With(0),
        "rb restore f; [ -f f ]",
    ),
    scene(
        "objects-not-fetched",
        "git config uploadpack.allowFilter true; git clone -q --bare --no-local --filter=blob:none \"file://$PWD\" part.git",
        "rb -C part.git revert HEAD~1 --branch back --no-fetch",
        With(0),
        "true",
    ),
];

/// Errors that no scene brings about, and why.
const WITHOUT_SCENE: &[(&str, &str)] = &[
    ("began-unborn", "rb leaves no conflict on a branch without commits, and git's words are said for git"),
    ("other-command-in-progress", "rb goes on with whatever is in progress"),
    ("needs-mainline", "a plan names the mainline before a sequence begins"),
    ("no-such-parent", "a plan names the mainline before a sequence begins"),
    ("nothing-to-revert", "a plan needs a commit to begin at"),
    ("needs-review", "it takes a merge that the engine leaves to people"),
    ("unknown-strategy-option", "the parser refuses what is typed; it takes a caller of the library"),
    ("not-owned", "another owner needs root"),
    ("foreign-record", "the records' own suite damages them"),
    ("damaged-checkpoint", "the checkpoints' own suite damages them"),
    ("fetch-failed", "the suite of partial clones has it"),
    ("fetch-not-trusted", "the suite of partial clones has it"),
    ("unsafe-remote", "the suite of partial clones has it"),
    ("operation-elsewhere", "the suite of records has it"),
    ("hostile-path", "it has no command"),
    ("set-aside", "a race"),
    ("index-moved", "a race"),
    ("not-put-back", "a race"),
    ("cancelled", "it has no command"),
    ("internal", "it has no command"),
];

/// The words of a command line, as a shell reads them.
fn words_of(repo: &Sandbox, line: &str) -> Vec<String> {
    let read = shell(repo, &format!("printf '%s\\n' {line}"));
    read.stdout.lines().map(ToOwned::to_owned).collect()
}

fn command_in(run: &Run) -> Option<&str> {
    let hint = run.stderr.lines().find_map(|line| line.strip_prefix("hint: "))?;
    hint.split_once(": ").map(|(_, command)| command)
}

/// What is wrong with the hint of this scene.
fn wrong(scene: &Scene) -> Option<String> {
    let repo = Sandbox::new();
    let set = shell(&repo, &format!("set -e; {STORY}; {}", scene.setup));
    if set.code != 0 {
        return Some(format!("the scene cannot be set: {}{}", set.stdout, set.stderr));
    }
    let document = shell(&repo, &format!("{} --json", scene.command));
    // What tells of a run are lines before it.
    let last = document.stdout.lines().last().unwrap_or_default();
    let Ok(value) = serde_json::from_str::<Value>(last).or_else(|_| serde_json::from_str(&document.stdout))
    else {
        return Some(format!("no document: {}{}", document.stdout, document.stderr));
    };
    let error = &value["error"];
    if error["code"] != scene.code {
        return Some(format!("another error: {error}"));
    }
    let run = shell(&repo, scene.command);
    let Some(line) = command_in(&run) else { return Some(format!("no command: {}", run.stderr)) };
    let listed: Vec<_> =
        error["hint_command"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let listed: Vec<_> = listed.into_iter().filter(|word| *word != "--json").collect();
    let same = match listed.as_slice() {
        ["sh", "-c", script] => *script == line,
        words => words_of(&repo, line) == *words,
    };
    if !same {
        return Some(format!("the text says {line}, the document {listed:?}"));
    }
    let pasted = shell(&repo, &format!("{} sh -c {}", variables(scene.command), shlex_quote(line)));
    let ended = match scene.ends {
        With(code) => pasted.code == code || is_stop(line) && pasted.code == 7,
        // The shell found no such program, or git was asked for what it does not know.
        Saying => {
            pasted.code != 127
                && pasted.code != 129
                && !(pasted.stdout.is_empty() && pasted.stderr.is_empty())
        }
    };
    if !ended {
        return Some(format!("{line} ends with {}: {}{}", pasted.code, pasted.stdout, pasted.stderr));
    }
    let then = shell(&repo, scene.then);
    (then.code != 0).then(|| format!("after {line}: {}: {}{}", scene.then, then.stdout, then.stderr))
}

/// Whether the command leaves a conflict for a person, as it was asked to.
fn is_stop(line: &str) -> bool {
    line.contains("--on-conflict=stop")
}

/// The configuration that the command was typed with, which is there when the hint is pasted as well.
fn variables(command: &str) -> &str {
    match command.strip_prefix("env GIT_CONFIG_GLOBAL=") {
        Some(_) => command.split(" rb ").next().unwrap_or_default(),
        None => "",
    }
}

fn shlex_quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[test]
fn every_hint_can_be_pasted_and_does_what_it_says() {
    let mistakes: Vec<_> = SCENES
        .iter()
        .chain(runs::SCENES)
        .filter_map(|scene| Some(format!("{} ({}): {}", scene.code, scene.command, wrong(scene)?)))
        .collect();
    assert!(mistakes.is_empty(), "{}", mistakes.join("\n"));
}

#[test]
fn every_error_of_a_run_has_a_scene() {
    let mut defined = codes::of_file("rollback-core/src/procedure/engine/error.rs");
    defined.extend(codes::of_file("rollback-core/src/procedure/catalogue.rs"));
    assert_eq!(listed(runs::SCENES, runs::WITHOUT_SCENE), defined);
}

#[test]
fn every_error_has_a_scene() {
    assert_eq!(listed(SCENES, WITHOUT_SCENE), codes::of_errors());
}

fn listed(scenes: &[Scene], without: &[(&str, &str)]) -> BTreeSet<String> {
    let codes = scenes.iter().map(|scene| scene.code).chain(without.iter().map(|(code, _)| *code));
    codes.map(ToOwned::to_owned).collect()
}
