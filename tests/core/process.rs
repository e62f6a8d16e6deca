//! Programs that hang, fork, flood and hide: whatever they do, the process room comes back in time and knows why.
#![cfg(unix)]

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rollback_core::Cancel;
use rollback_core::process::{
    Captured, Command, DEFAULT_ENVIRONMENT, Ended, Output, Redactor, Runner, StartError, Stream, SystemRunner,
};

fn shell(script: &str, folder: &Path) -> Command {
    Command::new(["sh", "-c", script], folder).inherit(DEFAULT_ENVIRONMENT.iter().copied())
}

fn run(command: &Command) -> Output {
    SystemRunner.run(command, &mut ()).expect("the program starts")
}

/// Whether a process with this id is alive; a zombie is not.
fn lives(pid: &str) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.rsplit(')').next().unwrap_or("").trim_start().starts_with('Z'))
}

fn wait_for(path: &Path) -> String {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        match fs::read_to_string(path) {
            Ok(text) if text.ends_with('\n') => return text.trim().to_owned(),
            _ if Instant::now() > deadline => panic!("{} was never written", path.display()),
            _ => std::thread::sleep(Duration::from_millis(5)),
        }
    }
}

#[test]
fn an_exit_code_a_signal_and_both_streams_are_reported() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(&shell("echo out; echo err >&2; exit 3", folder.path()));
    assert_eq!(output.ended, Ended::Exited(3));
    assert_eq!(output.stdout, Captured::whole(b"out\n".to_vec()));
    assert_eq!(output.stderr, Captured::whole(b"err\n".to_vec()));

    let output = run(&shell("kill -TERM $$", folder.path()));
    assert_eq!(output.ended, Ended::Signalled(15));
}

#[test]
fn arguments_are_never_read_by_a_shell() {
    let folder = tempfile::tempdir().unwrap();
    let command = Command::new(["printf", "%s|", "$(touch owned)", "a;b", "*"], folder.path())
        .inherit(DEFAULT_ENVIRONMENT.iter().copied());
    assert_eq!(run(&command).stdout.as_bytes(), b"$(touch owned)|a;b|*|");
    assert!(!folder.path().join("owned").exists());
}

#[test]
fn a_program_sees_the_folder_and_the_environment_it_was_given_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let command = Command::new(["/bin/sh", "-c", "pwd -P; env"], folder.path()).env("RB_CANDIDATE", "here");
    let output = run(&command);
    let text = output.stdout.to_str_lossy();
    let mut lines = text.lines();
    assert_eq!(lines.next(), fs::canonicalize(folder.path()).unwrap().to_str());
    let names: Vec<_> = lines
        .filter_map(|line| line.split_once('=').map(|(name, _)| name))
        .filter(|name| !["PWD", "OLDPWD", "SHLVL", "_"].contains(name))
        .collect();
    assert_eq!(names.iter().filter(|name| **name == "RB_CANDIDATE").count(), 1);
    assert!(names.iter().all(|name| ["RB_CANDIDATE", "RB_PROCESS"].contains(name)), "{names:?}");
}

#[test]
fn a_program_with_a_slash_is_found_from_its_folder() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("check.sh");
    fs::write(&script, "#!/bin/sh\necho found\n").unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(run(&Command::new(["./check.sh"], folder.path())).stdout.as_bytes(), b"found\n");

    fs::set_permissions(&script, fs::Permissions::from_mode(0o644)).unwrap();
    let refused = SystemRunner.run(&Command::new(["./check.sh"], folder.path()), &mut ());
    assert!(matches!(refused, Err(StartError::NotExecutable { program }) if program == "./check.sh"));
}

#[test]
fn a_missing_program_or_folder_is_an_error_and_not_a_result() {
    let folder = tempfile::tempdir().unwrap();
    let missing = Command::new(["rb-no-such-program"], folder.path()).inherit(["PATH"]);
    let error = SystemRunner.run(&missing, &mut ()).unwrap_err();
    assert_eq!(error.to_string(), "program 'rb-no-such-program' was not found");

    let nowhere = folder.path().join("gone");
    let error = SystemRunner.run(&Command::new(["true"], &nowhere), &mut ()).unwrap_err();
    assert!(matches!(error, StartError::NoFolder { folder } if folder == nowhere));

    let empty = Command::new(Vec::<String>::new(), folder.path());
    assert!(matches!(SystemRunner.run(&empty, &mut ()), Err(StartError::NotACommand { .. })));
}

#[test]
fn a_timeout_kills_the_program_its_children_and_a_grandchild_that_left_the_session() {
    let folder = tempfile::tempdir().unwrap();
    let script = "trap '' TERM INT HUP
        sleep 300 & echo $! > child
        setsid sh -c 'echo $$ > grandchild; trap \"\" TERM; exec sleep 300' &
        wait";
    let started = Instant::now();
    let output = run(&shell(script, folder.path()).timeout(Duration::from_secs(1)));
    assert_eq!(output.ended, Ended::TimedOut);
    assert!(started.elapsed() < Duration::from_secs(60), "{:?}", started.elapsed());
    assert!(!lives(&wait_for(&folder.path().join("child"))));
    if cfg!(target_os = "linux") {
        assert!(!lives(&wait_for(&folder.path().join("grandchild"))));
    }
}

#[test]
fn a_grandchild_that_holds_stdout_does_not_hold_us() {
    let folder = tempfile::tempdir().unwrap();
    let script = "setsid sh -c 'echo $$ > pid; exec sleep 300' & while [ ! -s pid ]; do :; done; echo done";
    let started = Instant::now();
    let output = run(&shell(script, folder.path()).timeout(Duration::from_secs(120)));
    assert!(started.elapsed() < Duration::from_secs(60), "{:?}", started.elapsed());
    assert_eq!(output.ended, Ended::Exited(0));
    assert_eq!(output.stdout.as_bytes(), b"done\n");

    // A service that a step started outlives the step: only a timeout kills the tree.
    let pid = wait_for(&folder.path().join("pid"));
    assert!(lives(&pid));
    run(&shell(&format!("kill -KILL {pid}"), folder.path()));
}

#[test]
fn what_a_program_wrote_before_it_ended_is_read_to_its_end_however_slow_we_are() {
    let folder = tempfile::tempdir().unwrap();
    let command = shell("seq 20000; echo the end", folder.path());
    let mut seen = 0;
    let mut slow = |_: Stream, _: &str| {
        seen += 1;
        if seen % 500 == 0 {
            std::thread::sleep(Duration::from_millis(40));
        }
    };
    let output = SystemRunner.run(&command, &mut slow).expect("the program starts");
    assert!(output.stdout.as_bytes().ends_with(b"\n20000\nthe end\n"));
    assert_eq!(seen, 20_001);
}

#[test]
fn a_flood_is_capped_with_a_marker_and_stopped_by_the_timeout() {
    let folder = tempfile::tempdir().unwrap();
    let command =
        shell("echo start; yes", folder.path()).timeout(Duration::from_millis(500)).output_limit(4096);
    let started = Instant::now();
    let output = run(&command);
    assert!(started.elapsed() < Duration::from_secs(60), "{:?}", started.elapsed());
    assert_eq!(output.ended, Ended::TimedOut);
    let text = output.stdout.to_str_lossy();
    assert!(text.starts_with("start\ny\n"));
    assert!(text.contains(&format!("\n[... {} bytes omitted ...]\n", output.stdout.omitted())), "{text}");
    assert!(output.stdout.as_bytes().len() < 5000);
    assert!(output.stdout.total() > output.stdout.omitted());
}

#[test]
fn a_program_that_never_reads_its_input_does_not_hold_us() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(&shell("exit 0", folder.path()).input(vec![b'x'; 1 << 20]));
    assert_eq!(output.ended, Ended::Exited(0));
    let output = run(&Command::new(["cat"], folder.path()).inherit(["PATH"]).input("through"));
    assert_eq!(output.stdout.as_bytes(), b"through");
}

#[test]
fn cancelling_kills_the_tree() {
    let folder = tempfile::tempdir().unwrap();
    let cancel = Cancel::new();
    let command = shell("sleep 300 & echo $! > child; wait", folder.path()).cancel(cancel.clone());
    let waiting = std::thread::spawn(move || run(&command));
    let child = wait_for(&folder.path().join("child"));
    cancel.cancel();
    assert_eq!(waiting.join().unwrap().ended, Ended::Cancelled);
    assert!(!lives(&child));
}

#[test]
fn secrets_reach_neither_the_tail_nor_the_output() {
    let folder = tempfile::tempdir().unwrap();
    let secret = "correct-horse-battery";
    let command = shell("echo \"token is $API_TOKEN\"; printf 'last %s' \"$API_TOKEN\" >&2", folder.path())
        .env("API_TOKEN", secret)
        .redact(Arc::new(Redactor::new([("API_TOKEN", secret)])));
    let mut lines = Vec::new();
    let output = SystemRunner
        .run(&command, &mut |stream: Stream, line: &str| lines.push((stream, line.to_owned())))
        .unwrap();
    lines.sort_by_key(|(stream, _)| *stream == Stream::Stderr);
    assert_eq!(
        lines,
        [
            (Stream::Stdout, "token is [redacted API_TOKEN]".to_owned()),
            (Stream::Stderr, "last [redacted API_TOKEN]".to_owned()),
        ]
    );
    assert_eq!(output.stdout.as_bytes(), b"token is [redacted API_TOKEN]\n");
    assert_eq!(output.stderr.as_bytes(), b"last [redacted API_TOKEN]");
}
