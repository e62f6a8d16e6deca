//! Starting programs of this machine.

use std::io::{ErrorKind, Read, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::time::{Duration, Instant};

use super::capture::Capture;
use super::{
    Command, Ended, Output, ProcessId, Redactor, Runner, StartError, Stream, Watch, search_path, tree,
};

/// Starts programs of this machine, each in a process group of its own.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRunner;

/// How often an end, a timeout or a cancellation is looked for while the program is silent.
const TICK: Duration = Duration::from_millis(10);
/// How long the pipes may be silent after the program ended, if a descendant holds them open.
const DRAIN: Duration = Duration::from_millis(500);
/// How many bytes are read on after the program ended: what it wrote itself is in the pipes (at most 1 MiB each) and
/// on the way from their readers (1 MiB). What comes later is a descendant's, which may never end.
const LEFT_IN_PIPES: usize = 4 << 20;
/// The longest line that is reported in one piece.
const LONGEST_LINE: usize = 16 * 1024;

impl Runner for SystemRunner {
    fn run(&self, command: &Command, watch: &mut dyn Watch) -> Result<Output, StartError> {
        // Arguments can hold secrets.
        let _span = tracing::debug_span!("program", name = ?command.arguments().first()).entered();
        let started = Instant::now();
        let cookie = command.tree.clone().unwrap_or_else(tree::new_tree_name);
        let pipes = Pipes::new(command)?;
        let mut child = spawn(command, &cookie)?;
        watch.started(&ProcessId::of(child.id()));
        let chunks = pipes.serve(&mut child);

        let mut reading = Reading::new(command);
        let ended = loop {
            reading.take(&chunks, TICK, watch);
            if let Ok(Some(status)) = child.try_wait() {
                break how_it_ended(status);
            }
            let out_of_time = command.timeout.is_some_and(|limit| started.elapsed() >= limit);
            if out_of_time || command.is_cancelled() {
                tree::kill(&mut child, &cookie);
                break if out_of_time { Ended::TimedOut } else { Ended::Cancelled };
            }
        };
        let elapsed = started.elapsed();
        let mut silent_since = Instant::now();
        let mut drained = 0;
        while reading.open && silent_since.elapsed() < DRAIN && drained < LEFT_IN_PIPES {
            let taken = reading.take(&chunks, TICK, watch);
            if taken > 0 {
                (silent_since, drained) = (Instant::now(), drained + taken);
            }
        }
        let (stdout, stderr) = reading.finish(&command.redactor, watch);
        Ok(Output { ended, stdout, stderr, elapsed })
    }
}

fn spawn(command: &Command, cookie: &str) -> Result<Child, StartError> {
    let Some((program, arguments)) = command.arguments.split_first() else {
        return Err(StartError::NotACommand { why: "it is empty" });
    };
    if program.is_empty() || command.arguments.iter().any(|argument| argument.contains('\0')) {
        return Err(StartError::NotACommand {
            why: "the program has no name, or an argument holds a zero byte",
        });
    }
    if !command.folder.is_dir() {
        return Err(StartError::NoFolder { folder: command.folder.clone() });
    }
    let mut process = std::process::Command::new(locate(program, command));
    process
        .args(arguments)
        .current_dir(&command.folder)
        .env_clear()
        .envs(&command.environment)
        .env(tree::COOKIE, cookie);
    if let Some(path) = command.environment.get("PATH") {
        match search_path::absolute(path.as_ref()) {
            Some(path) => process.env("PATH", path),
            None => process.env_remove("PATH"),
        };
    }
    process
        .stdin(if command.input.is_empty() { Stdio::null() } else { Stdio::piped() })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    tree::lead_group(&mut process);
    process.spawn().map_err(|source| match source.kind() {
        ErrorKind::NotFound => StartError::NotFound { program: program.clone() },
        ErrorKind::PermissionDenied => StartError::NotExecutable { program: program.clone() },
        _ => StartError::System { program: program.clone(), source },
    })
}

/// A name with a slash is a path from the folder the program runs in, on every system alike.
fn locate(program: &str, command: &Command) -> PathBuf {
    if program.contains('/') { command.folder.join(program) } else { PathBuf::from(program) }
}

type Chunk = (Stream, Vec<u8>);

/// The threads that serve the pipes of a program. They are made before it starts: where the system has none left, no
/// program has run.
struct Pipes {
    stdin: Option<Sender<ChildStdin>>,
    stdout: Sender<ChildStdout>,
    stderr: Sender<ChildStderr>,
    chunks: Receiver<Chunk>,
}

impl Pipes {
    fn new(command: &Command) -> Result<Self, StartError> {
        let refused = |source| StartError::System {
            program: command.arguments.first().cloned().unwrap_or_default(),
            source,
        };
        let input = command.input.clone();
        // A program that never reads must not hold us up. The pipe breaks when the program ends.
        let feed = move |mut pipe: ChildStdin| drop(pipe.write_all(&input));
        let stdin = (!command.input.is_empty()).then(|| with_thread(feed)).transpose().map_err(refused)?;
        let (sender, chunks) = sync_channel(64);
        let of_stdout = sender.clone();
        let stdout = with_thread(|pipe| read_pipe(pipe, Stream::Stdout, of_stdout)).map_err(refused)?;
        let stderr = with_thread(|pipe| read_pipe(pipe, Stream::Stderr, sender)).map_err(refused)?;
        Ok(Self { stdin, stdout, stderr, chunks })
    }

    /// Gives the threads their pipes. The readers end with the last writer of their pipe and are not waited for.
    fn serve(self, child: &mut Child) -> Receiver<Chunk> {
        // A thread waits until it has its pipe: none of these can fail.
        if let (Some(thread), Some(pipe)) = (self.stdin, child.stdin.take()) {
            let _ = thread.send(pipe);
        }
        if let Some(pipe) = child.stdout.take() {
            let _ = self.stdout.send(pipe);
        }
        if let Some(pipe) = child.stderr.take() {
            let _ = self.stderr.send(pipe);
        }
        self.chunks
    }
}

/// A thread that waits for something to do its work on, and ends where none comes.
pub(super) fn with_thread<T: Send + 'static>(
    work: impl FnOnce(T) + Send + 'static,
) -> std::io::Result<Sender<T>> {
    let (give, take) = channel();
    std::thread::Builder::new().spawn(move || {
        if let Ok(given) = take.recv() {
            work(given);
        }
    })?;
    Ok(give)
}

fn read_pipe(mut pipe: impl Read, stream: Stream, chunks: SyncSender<Chunk>) {
    let mut buffer = [0; 16 * 1024];
    loop {
        match pipe.read(&mut buffer) {
            Ok(0) => return,
            Ok(length) => {
                if chunks.send((stream, buffer[..length].to_vec())).is_err() {
                    return;
                }
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}

fn how_it_ended(status: ExitStatus) -> Ended {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return Ended::Signalled(signal);
    }
    Ended::Exited(status.code().unwrap_or(-1))
}

/// Both streams of a running program.
struct Reading<'a> {
    command: &'a Command,
    streams: [(Stream, Capture, Vec<u8>); 2],
    open: bool,
}

impl<'a> Reading<'a> {
    fn new(command: &'a Command) -> Self {
        let stream = |name| (name, Capture::new(command.output_limit), Vec::new());
        Self { command, streams: [stream(Stream::Stdout), stream(Stream::Stderr)], open: true }
    }

    /// Takes what has come, one chunk at most, waiting no longer than `patience`; says how many bytes that were.
    fn take(&mut self, chunks: &Receiver<Chunk>, patience: Duration, watch: &mut dyn Watch) -> usize {
        if !self.open {
            std::thread::sleep(patience);
            return 0;
        }
        match chunks.recv_timeout(patience) {
            Ok((stream, bytes)) => {
                self.push(stream, &bytes, watch);
                return bytes.len();
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => self.open = false,
        }
        0
    }

    fn push(&mut self, stream: Stream, bytes: &[u8], watch: &mut dyn Watch) {
        let redactor = &self.command.redactor;
        for (name, capture, line) in &mut self.streams {
            if *name != stream {
                continue;
            }
            capture.push(bytes);
            for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
                line.extend_from_slice(piece);
                if piece.ends_with(b"\n") {
                    report(stream, line, redactor, watch);
                } else if line.len() > LONGEST_LINE {
                    // No newline comes: the tail shows its start, the capture keeps the rest.
                    line.truncate(LONGEST_LINE);
                }
            }
        }
    }

    fn finish(mut self, redactor: &Redactor, watch: &mut dyn Watch) -> (super::Captured, super::Captured) {
        for (stream, _, line) in &mut self.streams {
            if !line.is_empty() {
                report(*stream, line, redactor, watch);
            }
        }
        let [(_, stdout, _), (_, stderr, _)] = self.streams;
        (stdout.finish(redactor), stderr.finish(redactor))
    }
}

fn report(stream: Stream, line: &mut Vec<u8>, redactor: &Redactor, watch: &mut dyn Watch) {
    // A line that was cut may end within a secret.
    let shown =
        if line.len() < LONGEST_LINE { redactor.redact(line) } else { redactor.redact_before_cut(line) };
    watch.line(stream, String::from_utf8_lossy(&shown).trim_end_matches(['\n', '\r']));
    line.clear();
}
