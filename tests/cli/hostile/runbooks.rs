//! Procedures of a repository that act outside, read through links, or become code without naming a program.

use std::fs;
use std::os::unix::fs::symlink;

use test_kit::suite::Seeded;

use super::world::{Case, World};
use super::{one, words};

/// A repository with a procedure `evil` that rolls the last change back and holds `phase` and `rest`.
fn world(phase: &str, rest: &str) -> World {
    let world = World::new();
    add(&world, phase, rest);
    world
}

pub(crate) fn add(world: &World, phase: &str, rest: &str) {
    let text = format!(
        "schema = 1\nid = \"evil\"\ndefault_phase = \"main\"\n{rest}\n[phase.main]\ntarget = {{ grep = \"two\" }}\n\
         paths = [\"src\"]\n{phase}\n[[phase.main.ladder]]\nuse = \"revert-commit\"\n"
    );
    // Tables of the phase stand at the end, so that what `rest` opens does not swallow them.
    world.repo.commit("hostile", &[(".rb/procedures/evil.toml", text), ("payload", "hostile\n".to_owned())]);
}

/// What a person does who trusts the procedure as it is now: the words that run it.
pub(crate) fn as_trusted(world: &World) -> Vec<String> {
    let asked = world.rb(&words("trust evil"), &[]).1;
    let hash = asked.rsplit_once("--hash ").map_or("0", |(_, hash)| hash.trim()).to_owned();
    world.rb(&words(&format!("trust evil --hash {hash}")), &[]);
    words(&format!("run evil --yes --trusted-hash {hash}"))
}

fn naive(world: &World) {
    fs::write(world.outside.join("canary"), "hostile\n").unwrap();
}

/// S1: nothing acts without trust, whether or not a program is named.
pub(crate) fn untrusted(dice: &mut Seeded) -> Case {
    let scratch = World::new();
    let outside = scratch.outside.display().to_string();
    let step = match dice.below(4) {
        0 => format!("delete = [\"{outside}/folder\"]"),
        1 => format!("copy = {{ from = \"payload\", to = \"{outside}/canary\" }}"),
        2 => format!("copy = {{ from = \"src\", to = \"{outside}/folder\", exact = true }}"),
        _ => format!("env_file = {{ path = \"{outside}/canary\", set = {{ X = \"hostile\" }} }}"),
    };
    let phase = one(dice, &["before = [\"s\"]", "after = [\"s\"]"]);
    add(&scratch, phase, &format!("[[step]]\nid = \"s\"\n{step}"));
    let commands =
        ["run evil", "run evil --yes", "run .rb/procedures/evil.toml --yes", "run evil --dry-run", "resume"];
    let commands = commands.map(words).to_vec();
    Case::new(format!("{step}, {phase}"), scratch, commands, naive)
}

/// Whether a text stands in a file of the git directory, in an object, or in the user's home.
pub(crate) fn keeps(world: &World, text: &str) -> bool {
    let home = world.path().with_file_name("home").display().to_string();
    let found = world.repo.command("grep").args(["-rqaF", "--", text, ".git", &home]).status();
    let mut command = world.repo.command("git");
    let objects = command.args(["cat-file", "--batch-all-objects", "--batch"]).output().unwrap();
    let in_objects = objects.stdout.windows(text.len()).any(|bytes| bytes == text.as_bytes());
    in_objects || found.is_ok_and(|status| status.success())
}

/// S1: without trust nothing of the user's is kept either, neither as evidence nor in a checkpoint.
pub(crate) fn copies(dice: &mut Seeded) -> Case {
    let world = World::new();
    fs::write(world.outside.join("key"), "s3cret-of-the-user\n").unwrap();
    let outside = world.outside.display().to_string();
    let evidence =
        |files: &str| format!("[[evidence]]\nid = \"e\"\nwhen = \"before\"\nfiles = [\"{files}\"]");
    let (phase, rest) = match dice.below(4) {
        0 => ("evidence = [\"e\"]", evidence(&format!("{outside}/key"))),
        1 => ("evidence = [\"e\"]", evidence("~/../outside/*")),
        2 => ("evidence = [\"e\"]", evidence("../outside/key")),
        _ => ("", format!("[checkpoint]\nname = \"c\"\noutside = [\"{outside}\"]")),
    };
    add(&world, phase, &rest);
    let commands = ["run evil", "run evil --yes", "run .rb/procedures/evil.toml --yes", "resume --yes"];
    Case::new(rest, world, commands.map(words).to_vec(), |world| {
        fs::copy(world.outside.join("key"), world.git_dir().join("control")).unwrap();
    })
    .wrong_if(|world| keeps(world, "s3cret-of-the-user"))
}

/// S2: what a result is pushed to is no option of git's and no program, trusted or not.
pub(crate) fn remotes(dice: &mut Seeded) -> Case {
    let world = World::new();
    let ran = world.path().with_file_name("ran").display().to_string();
    let push = match dice.below(3) {
        0 => format!("--receive-pack=touch {ran};"),
        1 => format!("--exec=touch {ran};"),
        _ => format!("ext::touch {ran}"),
    };
    add(&world, "", &format!("[publish]\npush = \"{push}\""));
    world.repo.git(&["config", "protocol.ext.allow", "always"]);
    world.repo.git(&["clone", "-q", "--bare", ".", ".git/remote"]);
    world.repo.git(&["remote", "add", "origin", ".git/remote"]);
    world.repo.git(&["push", "-q", "-u", "origin", "main"]);
    world.repo.git(&["commit", "-q", "--allow-empty", "-m", "to push"]);
    let mut trusted = as_trusted(&world);
    let hash = trusted.last().cloned().unwrap_or_default();
    trusted.push("--publish".to_owned());
    let commands = vec![
        words("run evil --yes --publish"),
        trusted,
        words("publish --yes"),
        words(&format!("publish --trusted-hash {hash}")),
    ];
    Case::new(push.clone(), world, commands, move |world| {
        world.git(&["push", &push], &[]);
    })
}

/// S2, S10: a value is neither an option nor code, not even of a procedure that is trusted.
pub(crate) fn values(dice: &mut Seeded) -> Case {
    let world = World::new();
    let trap = world.trap.clone();
    let (phase, rest) = match dice.below(9) {
        0 => ("", format!("[publish]\npush = \"--receive-pack={trap};\"")),
        1 => ("", format!("[publish]\npush = \"ext::{trap}\"")),
        2 => ("before = [\"s\"]", of_value("[\"python3\", \"-c\", \"{input.x}\"]")),
        3 => ("before = [\"s\"]", of_value("[\"sudo\", \"sh\", \"-c\", \"{input.x}\"]")),
        4 => ("before = [\"s\"]", of_value("[\"perl\", \"-e{input.x}\"]")),
        5 => ("before = [\"s\"]", of_value("[\"find\", \".\", \"-exec\", \"{input.x}\", \";\"]")),
        6 => ("before = [\"s\"]", of_value("[\"node\", \"--eval={input.x}\"]")),
        7 => ("before = [\"s\"]", of_value("[\"git\", \"-c\", \"{input.x}\", \"status\"]")),
        _ => {
            ("before = [\"s\"]", of_list("[\"sort\", \"{input.x}\"]", &format!("--compress-program={trap}")))
        }
    };
    add(&world, phase, &rest);
    world.repo.git(&["config", "protocol.ext.allow", "always"]);
    let mut commands = vec![words("run evil --yes"), as_trusted(&world), words("publish --yes")];
    let value = format!("x={trap}");
    commands[1].extend(["--publish".to_owned(), "--set".to_owned(), value]);
    Case::new(format!("{phase} {rest}"), world, commands, move |world| {
        let trap = world.trap.clone();
        let status = world.repo.command("sh").args(["-c", &trap]).stdin(std::process::Stdio::null()).status();
        assert!(status.is_ok());
    })
}

fn of_value(run: &str) -> String {
    format!("[input.x]\n[[step]]\nid = \"s\"\nrun = {run}")
}

fn of_list(run: &str, value: &str) -> String {
    format!("[input.x]\ntype = \"list\"\nvalues = [\"{value}\"]\n[[step]]\nid = \"s\"\nrun = {run}")
}

/// S5: what a run keeps lies in the run's folder.
pub(crate) fn names(dice: &mut Seeded) -> Case {
    let to = one(
        dice,
        &[
            "../../../../outside",
            "../../../../../outside",
            "{input.d}",
            "OUTSIDE",
            "a/../../../../../outside",
            "e",
        ],
    );
    let world = World::new();
    // Where it may go, links that lead out.
    fs::create_dir_all(world.git_dir().join("rb/runs")).unwrap();
    for link in ["rb/runs/e", "rb/e"] {
        symlink(&world.outside, world.git_dir().join(link)).unwrap();
    }
    let to = to.replace("OUTSIDE", &world.outside.display().to_string());
    let rest = format!(
        "[input.d]\ndefault = \"../../../../outside\"\n[[evidence]]\nid = \"e\"\nwhen = \"before\"\nto = \"{to}\"\nfiles = [\"canary\"]"
    );
    world.repo.write("canary", "hostile\n");
    add(&world, "evidence = [\"e\"]", &rest);
    let trusted = as_trusted(&world);
    Case::new(to, world, vec![words("run evil --yes"), trusted, words("abort")], naive)
}

/// S6: a tracked link is not read through, neither to edit what it leads to nor to keep or copy it.
pub(crate) fn links(dice: &mut Seeded) -> Case {
    let world = World::new();
    let secret = world.outside.join("secret.toml");
    fs::write(&secret, "token = \"s3cret-of-the-user\"\nx = 1\n").unwrap();
    let link = world.path().join("link.toml");
    symlink(&secret, &link).unwrap();
    symlink(&world.outside, world.path().join("way")).unwrap();
    world.repo.git(&["add", "-A"]);
    let (phase, rest) = match dice.below(6) {
        0 => ("edits = [\"s\"]", "[[step]]\nid = \"s\"\nset = { \"link.toml:x\" = 2 }"),
        1 => ("edits = [\"s\"]", "[[step]]\nid = \"s\"\nset = { \"way/secret.toml:x\" = 2 }"),
        2 => (
            "edits = [\"s\"]",
            "[[step]]\nid = \"s\"\ninsert = { path = \"link.toml\", lines = [\"y = 1\"] }",
        ),
        3 => ("evidence = [\"e\"]", "[[evidence]]\nid = \"e\"\nwhen = \"before\"\nfiles = [\"link.toml\"]"),
        4 => ("evidence = [\"e\"]", "[[evidence]]\nid = \"e\"\nwhen = \"before\"\nfiles = [\"way/*\"]"),
        _ => (
            "validate = [\"c\"]",
            "[[check]]\nid = \"c\"\nfile = \"link.toml\"\nexpect = { capture = '(s3cret.*)', eq = \"1\" }",
        ),
    };
    add(&world, phase, rest);
    let trusted = as_trusted(&world);
    let read = |world: &World| {
        let found = world.repo.command("grep").args(["-rqaF", "s3cret-of-the-user", ".git/rb"]).status();
        let committed =
            world.repo.command("git").args(["grep", "-qF", "s3cret-of-the-user", "HEAD"]).status();
        let shown = world.repo.command("grep").args(["-qaF", "s3cret-of-the-user", ".git/control"]).status();
        [found, committed, shown].into_iter().any(|status| status.is_ok_and(|status| status.success()))
    };
    Case::new(format!("{phase} {rest}"), world, vec![words("run evil --yes"), trusted], |world| {
        fs::copy(world.path().join("link.toml"), world.git_dir().join("control")).unwrap();
    })
    .wrong_if(read)
}

/// Writes what a procedure may name as its program, so that it runs this command of a shell.
fn scripts(world: &World, command: &str) {
    let script = format!("#!/bin/sh\n{command}\n");
    let python = format!("import os\nos.system({command:?})\n");
    let makefile = format!("all:\n\t{command}\n");
    let evil = command != "true";
    let tools = if evil { &["mytool", "s/mytool", "s/e.sh"][..] } else { &[] };
    for name in ["s/x.sh", "s/lib.sh"].iter().chain(tools) {
        world.repo.write(name, &script);
        let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(world.path().join(name), executable).unwrap();
    }
    world.repo.write("s/y.sh", "#!/bin/sh\n. s/lib.sh\n");
    world.repo.write("s/z.py", python);
    world.repo.write("s/Makefile", makefile);
    let _ = fs::remove_file(world.path().join("s/link.sh"));
    symlink(if evil { "e.sh" } else { "x.sh" }, world.path().join("s/link.sh")).unwrap();
}

/// S9: what was trusted is what runs, wherever a command names it; and `PATH` does not lead into the tree.
pub(crate) fn pinned(dice: &mut Seeded) -> Case {
    let world = World::new();
    let root = world.path().display().to_string();
    let run = one(
        dice,
        &[
            "[\"sh\", \"s/x.sh\"]",
            "[\"env\", \"A=1\", \"sh\", \"-e\", \"s/x.sh\"]",
            "[\"sh\", \"-c\", \". ./s/x.sh\"]",
            "[\"sh\", \"-c\", \"cd s && sh x.sh\"]",
            "[\"ROOT/s/x.sh\"]",
            "[\"nice\", \"s/x.sh\"]",
            "[\"./s/x.sh\"]",
            "[\"s/link.sh\"]",
            "[\"sh\", \"./s/x.sh\"]",
            "[\"env\", \"s/x.sh\"]",
            "[\"sh\", \"-c\", \"./s/x.sh\"]",
            "[\"~/../repo/s/x.sh\"]",
            "[\"python3\", \"s/z.py\"]",
            "[\"make\", \"-f\", \"s/Makefile\"]",
            "[\"sh\", \"s/y.sh\", \"s/lib.sh\"]",
            "[\"bash\", \"--rcfile\", \"s/x.sh\", \"-i\"]",
            "[\"mytool\"]",
        ],
    );
    scripts(&world, "true");
    add(&world, "before = [\"s\"]", &format!("[[step]]\nid = \"s\"\nrun = {}", run.replace("ROOT", &root)));
    let trusted = as_trusted(&world);
    scripts(&world, &format!("{} x", world.trap));
    if dice.below(3) > 0 {
        world.repo.commit("altered", &[("altered", "yes\n")]);
    }
    let path =
        format!("{}:{}", std::env::var("PATH").unwrap_or_default(), one(dice, &[".", "", "s/..", "s"]));
    let mut case = Case::new(run, world, vec![words("run evil --yes"), trusted], |world| {
        world.repo.command("sh").arg("s/x.sh").stdin(std::process::Stdio::null()).status().unwrap();
    });
    case.variables.push(("PATH".to_owned(), path));
    case
}

/// S12: no file of the repository takes more than its share. Seen by its time: a command that runs into its end is harm.
pub(crate) fn bounds(dice: &mut Seeded) -> Case {
    let world = world("", "");
    let file = world.path().join(".rb/procedures/evil.toml");
    fs::remove_file(&file).unwrap();
    let what = match dice.below(7) {
        0 => {
            symlink("/dev/zero", &file).unwrap();
            "a link to a device"
        }
        1 => {
            assert!(world.repo.command("mkfifo").arg(&file).status().unwrap().success());
            "a pipe"
        }
        2 => {
            let checks: String =
                (0..20_000).map(|at| format!("[[check]]\nid=\"c{at}\"\nask=\"?\"\n")).collect();
            fs::write(&file, format!("schema = 1\nid = \"evil\"\n{checks}")).unwrap();
            "checks without number"
        }
        3 => {
            // Each step waits for all before it: there are more ways through them than can be walked.
            let steps: String = (0..60)
                .map(|at| {
                    let needs: Vec<_> = (0..at).map(|other| format!("\"s{other}\"")).collect();
                    format!("[[step]]\nid = \"s{at}\"\nmanual = \"x\"\nneeds = [{}]\n", needs.join(", "))
                })
                .collect();
            fs::write(&file, format!("schema = 1\nid = \"evil\"\n{steps}[phase.main]\n")).unwrap();
            "steps that wait for all before them"
        }
        4 => {
            let title = "x".repeat(64 << 20);
            fs::write(&file, format!("schema = 1\nid = \"evil\"\ntitle = \"{title}\"\n")).unwrap();
            "a title without end"
        }
        5 => {
            let key = vec!["a"; 50_000].join(".");
            fs::write(&file, format!("schema = 1\nid = \"evil\"\n[{key}]\nb = 1\n")).unwrap();
            "tables in tables"
        }
        _ => {
            fs::write(&file, format!("schema = 1\nid = \"evil\"\nx = {}\n", "[".repeat(100_000))).unwrap();
            "lists in lists"
        }
    };
    let commands = [
        "procedure list",
        "procedure check",
        "procedure show evil",
        "run evil",
        "run typo --dry-run",
        "trust evil",
    ];
    Case::new(what, world, commands.map(words).to_vec(), naive)
}

/// S12: no pattern takes more than its share either. Seen as before.
pub(crate) fn patterns(dice: &mut Seeded) -> Case {
    let world = World::new();
    let (what, phase, step) = match dice.below(3) {
        0 => ("a glob", "edits = [\"s\"]", format!("remove = [\"{}b\"]", "a*".repeat(25))),
        1 => ("folders of a glob", "edits = [\"s\"]", format!("remove = [\"{}b\"]", "**/a*".repeat(25))),
        _ => {
            let bomb = (0..5).fold("x".to_owned(), |inner, _| format!("({inner}{{100}})"));
            (
                "an expression",
                "edits = [\"s\"]",
                format!(
                    "remove = [\"x\"]\ntitle = \"t\"\n[[check]]\nid = \"c\"\nfile = \"b\"\nexpect = {{ capture = '({bomb})', eq = \"1\" }}"
                ),
            )
        }
    };
    world.repo.commit("long", &[("a".repeat(250).as_str(), "a\n")]);
    add(&world, phase, &format!("[[step]]\nid = \"s\"\n{step}"));
    let trusted = as_trusted(&world);
    let commands =
        vec![words("procedure check"), words("procedure show evil"), words("run evil --dry-run"), trusted];
    Case::new(what, world, commands, naive)
}

/// S13: what is shown of a procedure to whoever decides is what it says: seen in the answer itself.
pub(crate) fn marks(dice: &mut Seeded) -> Case {
    let mark = one(dice, &["\\u202e", "\\u2066", "\\u001b[2K", "\\u200b", "\\u0007"]);
    let rest = format!(
        "title = \"Safe{mark}\"\n[[step]]\nid = \"s\"\ntitle = \"{mark}eraS\"\nrun = [\"echo\", \"{mark}x\"]"
    );
    let world = world("before = [\"s\"]", &rest);
    let told = move |world: &World| {
        let raw = |c: char| c.is_control() && c != '\n' || matches!(c, '\u{202e}' | '\u{2066}' | '\u{200b}');
        let shows = [
            "procedure show evil",
            "procedure show evil --markdown",
            "trust evil",
            "procedure list",
            "run evil",
            "status",
        ];
        let by_rb = shows.iter().any(|line| world.rb(&words(line), &[]).1.contains(raw));
        by_rb || fs::read_to_string(world.git_dir().join("control")).is_ok_and(|text| text.contains(raw))
    };
    Case::new(mark, world, vec![words("procedure check")], |world| {
        fs::write(world.git_dir().join("control"), "Safe\u{202e}eraS").unwrap();
    })
    .wrong_if(told)
}

/// S8: what is told in confidence stands nowhere, in whatever form a program shows it: the value of an input or of the
/// environment, shown by a step or a check that may fail.
pub(crate) fn secrets(dice: &mut Seeded) -> Case {
    const SECRET: &str = "inputpass-Vb72kk+/%";
    const FORMS: [&str; 4] = [
        SECRET,
        "aW5wdXRwYXNzLVZiNzJraysvJQ==",
        "696e707574706173732d566237326b6b2b2f25",
        "inputpass-Vb72kk%2B%2F%25",
    ];
    let world = World::new();
    let shown = "cat; echo $PW; printf %s $PW | base64; printf %s $PW | od -An -tx1 | tr -d ' \\\\n'; echo; printf %s $PW | sed 's,%,%25,g;s,+,%2B,g;s,/,%2F,g' >&2";
    let fails = one(dice, &["", "; exit 1"]);
    let (kind, phase) = one(dice, &[("step", "before = [\"s\"]"), ("check", "validate = [\"s\"]")]);
    let (input, given) = one(
        dice,
        &[("[input.pw]\nsecret = true\n", "env = { PW = \"{input.pw}\" }"), ("", "secrets = [\"PW\"]")],
    );
    let told = if (kind, input) == ("step", "") { "\nstdin = \"auth {secret.PW}\"" } else { "" };
    let row =
        format!("{input}[[{kind}]]\nid = \"s\"\nrun = [\"sh\", \"-c\", \"{shown}{fails}\"]\n{given}{told}");
    add(&world, phase, &row);
    let mut run = as_trusted(&world);
    assert!(run.last().is_some_and(|hash| hash.len() == 64), "it can be trusted: {run:?}");
    let temp = world.git_dir().join("temp");
    fs::create_dir(&temp).unwrap();
    let mut variables = vec![("TMPDIR".to_owned(), temp.display().to_string())];
    match input {
        "" => variables.push(("PW".to_owned(), SECRET.to_owned())),
        _ => run.extend(["--set".to_owned(), format!("pw={SECRET}")]),
    }
    let ended = world.rb(&run, &variables);
    assert!(
        matches!(ended.0, 0 | 4 | 5 | 7) && ended.1.contains("redacted"),
        "it ran: {} {}",
        ended.0,
        ended.1
    );
    fs::write(world.git_dir().join("told"), ended.1).unwrap();
    let form = one(dice, &FORMS);
    let commands = ["status", "report", "abort"].map(words).to_vec();
    Case::new(format!("{form} {row}"), world, commands, move |world| {
        fs::create_dir_all(world.git_dir().join("rb")).unwrap();
        fs::write(world.git_dir().join("rb/control"), form).unwrap();
    })
    .wrong_if(|world| {
        let told = ["report", "report --format html", "report --json", "status --json", "ops --json"];
        let told: String = told.map(|line| world.rb(&words(line), &[]).1).concat();
        FORMS.iter().any(|form| told.contains(form) || keeps(world, form))
    })
}
