//! What a procedure is told in confidence, and what it may write outside: nothing of it stays, and nothing leads out.
#![cfg(unix)]

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use test_kit::Sandbox;

use crate::kit::{Run, assert_order, done, hash_of, rb, rb_with, traced_writes};

const PASSWORD: &str = "inputpass-Vb72kk+/%";

fn world(top: &str, phase: &str, more: &str) -> Sandbox {
    let repo = Sandbox::new();
    repo.commit("good", &[("src/a", "1\n")]);
    repo.commit("the change", &[("src/a", "2\n")]);
    repo.write(
        ".rb/procedures/p.toml",
        format!(
            "schema = 1\nid = \"p\"\ndefault_phase = \"x\"\n{top}\n[phase.x]\npaths = [\"src\"]\nladder = [{{ use = \"revert-commit\" }}]\ntarget = {{ grep = \"the change\" }}\n{phase}\n{more}\n"
        ),
    );
    repo.commit("procedure", &[("b", "b\n")]);
    repo
}

#[track_caller]
fn trusting(repo: &Sandbox, args: &[&str]) -> Run {
    let hash = hash_of(repo, &["trust", "p"]);
    rb_with(repo, args, "", &[("RB_TRUSTED_HASH", &hash)])
}

fn said(run: &Run) -> String {
    format!("{}{}", run.stdout, run.stderr)
}

/// Every byte that is kept below a folder.
fn kept(folder: &Path) -> Vec<u8> {
    let mut all = Vec::new();
    for row in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        match row.file_type() {
            Ok(kind) if kind.is_dir() => all.extend(kept(&row.path())),
            _ => all.extend(std::fs::read(row.path()).unwrap_or_default()),
        }
    }
    all
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

const SECRET: &str = "[input.pw]\nsecret = true\nhelp = \"the password\"";

#[test]
fn a_secret_input_is_written_nowhere_and_reaches_only_the_program_that_names_it() {
    let repo = world(
        SECRET,
        "before = [\"ask\", \"named\", \"other\"]",
        "[[step]]\nid = \"ask\"\nmanual = \"log in with {input.pw}\"\n[[step]]\nid = \"named\"\nrun = [\"sh\", \"-c\", \"test \\\"$PW\\\" = 'inputpass-Vb72kk+/%' && echo told $PW\"]\nenv = { PW = \"{input.pw}\" }\n[[step]]\nid = \"other\"\nrun = [\"sh\", \"-c\", \"! env | grep -q Vb72\"]",
    );
    let paused =
        trusting(&repo, &["run", "p", "-y", "--set", &format!("pw={PASSWORD}"), "--reason", PASSWORD]);
    assert_eq!(paused.code, 7, "{}", said(&paused));
    assert!(paused.stdout.contains("log in with [redacted pw]"), "{}", paused.stdout);
    let unset = trusting(&repo, &["resume", "-y", "--confirm", "ask"]);
    assert_eq!(unset.code, 2, "it is asked for again: {}", said(&unset));
    assert!(unset.line("hint:").starts_with("add --set pw=VALUE; "), "{}", unset.stderr);
    let other = trusting(&repo, &["resume", "-y", "--confirm", "ask", "--set", "nothing=1"]);
    assert_eq!(other.code, 2, "{}", said(&other));
    let ended = trusting(&repo, &["resume", "-y", "--confirm", "ask", "--set", &format!("pw={PASSWORD}")]);
    assert_eq!(ended.code, 0, "{}", said(&ended));
    let mut everything = said(&paused) + &said(&unset) + &said(&ended);
    for words in [&["status", "--json"][..], &["report"], &["report", "--format", "json"], &["ops", "--json"]]
    {
        everything += &said(&rb(&repo, words));
    }
    everything += &repo.git(&["log", "--all", "--format=%B"]);
    assert!(!everything.contains(PASSWORD), "{everything}");
    assert!(!holds(&kept(&repo.path().join(".git/rb")), PASSWORD));
}

#[test]
fn a_secret_is_not_committed() {
    let repo = world(
        SECRET,
        "edits = [\"w\"]",
        "[[step]]\nid = \"w\"\nwrite = { path = \"src/conf\", text = \"password = {input.pw}\" }",
    );
    let head = repo.git(&["rev-parse", "HEAD"]);
    let refused = trusting(&repo, &["run", "p", "-y", "--set", &format!("pw={PASSWORD}")]);
    assert_eq!(refused.code, 5, "{}", said(&refused));
    assert!(refused.line("error:").contains("'pw' is secret") && !said(&refused).contains("Vb72"));
    assert_eq!(repo.git(&["rev-parse", "HEAD"]), head);
}

#[test]
fn a_refused_secret_is_not_repeated() {
    let repo = world("[input.pw]\nsecret = true\npattern = \"[a-z]+\"", "", "");
    let refused = trusting(&repo, &["run", "p", "-y", "--set", &format!("pw={PASSWORD}")]);
    assert_eq!(refused.code, 2, "{}", said(&refused));
    assert!(!refused.line("error:").contains("Vb72"), "{}", refused.stderr);
}

#[test]
fn evidence_stays_in_the_folder_of_its_run() {
    for to in ["../../../stolen", "a/../../b", "/tmp/stolen", "..", "a//b", ".hidden", "{input.d}"] {
        let repo = world(
            "[input.d]\ndefault = \"../../../stolen\"",
            "evidence = [\"e\"]",
            &format!("[[evidence]]\nid = \"e\"\nto = \"{to}\"\nfiles = [\"src/a\"]"),
        );
        let head = repo.git(&["rev-parse", "HEAD"]);
        // A value is known only when it runs; a text is refused with its place when it is read.
        let refused = match to.starts_with('{') {
            true => trusting(&repo, &["run", "p", "-y"]),
            false => rb(&repo, &["run", "p", "-y"]),
        };
        assert_eq!(refused.code, if to.starts_with('{') { 5 } else { 2 }, "{to}: {}", said(&refused));
        let placed = refused.stderr.contains(".rb/procedures/p.toml:13:6: ");
        assert_eq!(placed, !to.starts_with('{'), "{to}: {}", said(&refused));
        assert_eq!(repo.git(&["rev-parse", "HEAD"]), head, "{to}");
        assert!(!repo.path().join("stolen").exists(), "{to}");
    }
}

/// A run that puts a variable into an environment file.
fn with_env_file(file: &str) -> (Sandbox, Run) {
    let repo = before_env_file(file);
    let run = trusting(&repo, &["run", "p", "-y"]);
    (repo, run)
}

/// The world of that run before it.
fn before_env_file(file: &str) -> Sandbox {
    let repo = world(
        "",
        "before = [\"e\"]",
        &format!("[[step]]\nid = \"e\"\nenv_file = {{ path = \"~/etc/{file}\", set = {{ B = 2 }} }}"),
    );
    let folder = home_of(&repo).join("etc");
    std::fs::create_dir_all(&folder).expect("it can be made");
    std::fs::write(folder.join("real.env"), "A=1\n").expect("it can be written");
    std::fs::set_permissions(folder.join("real.env"), std::fs::Permissions::from_mode(0o640))
        .expect("it is there");
    let link = folder.join("link.env");
    std::os::unix::fs::symlink("real.env", &link).expect("it is not there");
    std::fs::write(folder.join("one.env"), "A=1\n").expect("it can be written");
    std::fs::hard_link(folder.join("one.env"), folder.join("two.env")).expect("it is not there");
    repo
}

fn home_of(repo: &Sandbox) -> std::path::PathBuf {
    let command = repo.command("true");
    let home = command.get_envs().find(|(name, _)| *name == "HOME").and_then(|(_, value)| value);
    home.expect("it has a home").into()
}

#[test]
fn an_environment_file_keeps_its_permissions_its_links_and_its_other_lines() {
    let (repo, run) = with_env_file("real.env");
    done(run);
    let file = home_of(&repo).join("etc/real.env");
    let metadata = std::fs::metadata(&file).expect("it is there");
    assert_eq!(metadata.permissions().mode() & 0o7777, 0o640);
    assert_eq!(std::fs::read_to_string(&file).expect("it is text"), "A=1\nB=2\n");

    let (repo, run) = with_env_file("link.env");
    done(run);
    let folder = home_of(&repo).join("etc");
    assert_eq!(std::fs::read_link(folder.join("link.env")).expect("it is a link"), Path::new("real.env"));
    assert_eq!(std::fs::read_to_string(folder.join("real.env")).expect("it is text"), "A=1\nB=2\n");

    let (repo, run) = with_env_file("one.env");
    assert_ne!(run.code, 0, "its two names would part: {}", said(&run));
    let folder = home_of(&repo).join("etc");
    let ids =
        ["one.env", "two.env"].map(|name| std::fs::metadata(folder.join(name)).expect("it is there").ino());
    assert_eq!(
        (ids[0], std::fs::read_to_string(folder.join("one.env")).expect("it is text")),
        (ids[1], "A=1\n".into())
    );
}

#[test]
fn an_environment_file_is_on_the_disk_before_the_step_is_done() {
    if !Sandbox::can_trace() {
        return;
    }
    for (file, is_new) in [("real.env", false), ("new/deep/app.env", true)] {
        let repo = before_env_file(file);
        let etc = home_of(&repo).join("etc").display().to_string();
        let (folder, name) = file
            .rsplit_once('/')
            .map_or((etc.clone(), file), |(below, name)| (format!("{etc}/{below}"), name));
        let hash = hash_of(&repo, &["trust", "p"]);
        let trace = traced_writes(&repo, &["run", "p", "-y", "--trusted-hash", &hash]);
        assert_order(
            &trace,
            &[
                &["fsync", &format!("{folder}/")],
                &["rename", name],
                &["fsync", &format!("{folder}>")],
                &["write(", "step e", "done"],
            ],
        );
        if is_new {
            let (above, of_file) = ([format!("{etc}>"), format!("{etc}/new>")], format!("{folder}/"));
            assert_order(&trace, &[&["fsync", &above[0]], &["fsync", &above[1]], &["fsync", &of_file]]);
        }
    }
}
