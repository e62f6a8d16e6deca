//! Running a filter on one file: `clean` and `smudge` commands, and the protocol of long-running ones
//! (`gitattributes(5)`, version 2).
//!
//! What a filter makes goes to its destination piece by piece, so that a pointer of a hundred bytes may become a file of
//! gigabytes. Who starts the program is not decided here, and none may be silent for ever: one that neither takes nor
//! gives a byte for `rb.programTimeout` is stopped.

use std::collections::HashMap;
use std::io::{self, Read, Seek, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bstr::{BStr, BString};
use gix::filter::plumbing::Driver;
use gix::filter::plumbing::driver::Operation;
use gix::filter::plumbing::driver::process::Client;

use crate::command_line::{expand, quoted};
use crate::filters::{FilterCall, Filters, RunningFilter};
use crate::id::ObjectId;
use crate::path::RepoPath;

/// How many bytes are moved at once.
const PIECE: usize = 64 * 1024;

/// Where a converted file goes. A filter may fail when half of its result is written already.
pub(crate) trait Destination: Write {
    /// Forgets what was written.
    fn restart(&mut self) -> io::Result<()>;
}

impl Destination for Vec<u8> {
    fn restart(&mut self) -> io::Result<()> {
        self.clear();
        Ok(())
    }
}

impl Destination for std::fs::File {
    fn restart(&mut self) -> io::Result<()> {
        self.set_len(0)?;
        self.rewind()
    }
}

/// Why there is no converted file.
#[derive(Debug)]
pub(super) enum Failure {
    /// The filter failed.
    Filter(String),
    /// The result could not be written.
    Destination(io::Error),
}

/// What a filter did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Applied {
    /// It made the result.
    Yes,
    /// It does nothing in this direction.
    No,
}

/// What is to be converted.
pub(super) struct Job<'a> {
    pub(super) operation: Operation,
    pub(super) path: &'a RepoPath,
    pub(super) blob: Option<ObjectId>,
}

/// The filters of one pass over files; long-running ones go on until it ends.
pub(super) struct Runner {
    pub(super) start: Arc<dyn Filters>,
    /// How long a filter may be silent.
    pub(super) patience: Duration,
    /// How each is called, but for the command.
    pub(super) place: FilterCall,
    pub(super) running: HashMap<BString, LongRunning>,
}

/// A filter that stays for more than one file.
pub(super) struct LongRunning {
    client: Client,
    stop: Arc<dyn Fn() + Send + Sync>,
}

impl Runner {
    /// Sends `input` through the filter, and what it makes of it to `output`.
    pub(super) fn apply(
        &mut self,
        driver: &Driver,
        job: &Job<'_>,
        input: &mut (dyn Read + Send),
        output: &mut dyn Destination,
    ) -> Result<Applied, Failure> {
        if let Some(command) = &driver.process {
            return self.apply_long_running(command, job, input, output);
        }
        let command = match job.operation {
            Operation::Clean => &driver.clean,
            Operation::Smudge => &driver.smudge,
        };
        match command.as_ref().filter(|command| !command.is_empty()) {
            Some(command) => self.apply_once(with_path(command.as_ref(), job.path), input, output),
            None => Ok(Applied::No),
        }
    }

    fn apply_once(
        &self,
        command: BString,
        input: &mut (dyn Read + Send),
        output: &mut dyn Destination,
    ) -> Result<Applied, Failure> {
        let RunningFilter { mut child, stop } = self.started(command.as_ref())?;
        let watchdog = Watchdog::new(self.patience, stop)?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let moved = std::thread::scope(|scope| {
            let heard = watchdog.listener();
            // Its own thread: a filter may give before it has taken everything.
            let feeder = std::thread::Builder::new().spawn_scoped(scope, move || {
                let Some(mut pipe) = stdin else { return };
                // A filter need not read what it does not want; whether it is content is for its exit code to say.
                let _ = transfer(input, &mut pipe, &heard);
            });
            let heard = watchdog.listener();
            let moved = match feeder {
                Ok(_) => stdout.map_or(Ok(()), |mut pipe| transfer(&mut pipe, output, &heard)),
                Err(error) => Err(Moving::Reading(error)),
            };
            if moved.is_err() {
                watchdog.stop_now();
            }
            moved
        });
        let status = child.wait();
        let failed = |why: String| Err(Failure::Filter(watchdog.why().unwrap_or(why)));
        match (moved, status) {
            (Err(Moving::Writing(error)), _) => Err(Failure::Destination(error)),
            (Err(Moving::Reading(error)), _) | (_, Err(error)) => failed(error.to_string()),
            (Ok(()), Ok(status)) if status.success() => Ok(Applied::Yes),
            (Ok(()), Ok(status)) => failed(match status.code() {
                Some(code) => format!("it ended with exit code {code}"),
                None => "it was ended by a signal".into(),
            }),
        }
    }

    fn apply_long_running(
        &mut self,
        command: &BString,
        job: &Job<'_>,
        input: &mut (dyn Read + Send),
        output: &mut dyn Destination,
    ) -> Result<Applied, Failure> {
        let mut filter = match self.running.remove(command) {
            Some(filter) => filter,
            None => self.long_running(command)?,
        };
        let word = job.operation.as_str();
        if !filter.client.capabilities().contains(word) {
            self.running.insert(command.clone(), filter);
            return Ok(Applied::No);
        }
        let watchdog = Watchdog::new(self.patience, Arc::clone(&filter.stop))?;
        let said = converse(&mut filter.client, job, input, output, &watchdog.listener());
        match said {
            Ok(()) => {
                self.running.insert(command.clone(), filter);
                Ok(Applied::Yes)
            }
            Err(Said::No(status)) => {
                match status.as_str() {
                    "abort" => drop(filter.client.capabilities_mut().remove(word)),
                    "error" => {}
                    // As git does: it is in no state that anybody knows.
                    _ => {
                        filter.dismiss(Duration::ZERO);
                        return Err(Failure::Filter(format!("it answered '{status}'")));
                    }
                }
                self.running.insert(command.clone(), filter);
                Err(Failure::Filter(format!("it answered '{status}'")))
            }
            Err(Said::Broken(failure)) => {
                let why = watchdog.why();
                drop(watchdog);
                filter.dismiss(Duration::ZERO);
                Err(match (failure, why) {
                    (Failure::Filter(_), Some(why)) => Failure::Filter(why),
                    (failure, _) => failure,
                })
            }
        }
    }

    fn long_running(&self, command: &BString) -> Result<LongRunning, Failure> {
        let RunningFilter { child, stop } = self.started(command.as_ref())?;
        let watchdog = Watchdog::new(self.patience, Arc::clone(&stop))?;
        match Client::handshake(child, "git-filter", &[2], &["clean", "smudge"]) {
            Ok(client) => Ok(LongRunning { client, stop }),
            Err(error) => {
                watchdog.stop_now();
                Err(Failure::Filter(
                    watchdog.why().unwrap_or_else(|| format!("it does not speak the protocol: {error}")),
                ))
            }
        }
    }

    fn started(&self, command: &BStr) -> Result<RunningFilter, Failure> {
        let failed = |why: String| Failure::Filter(format!("it cannot be started: {why}"));
        let command = gix::path::from_bstr(command).map_err(|error| failed(error.to_string()))?;
        let call = FilterCall { command: command.into_owned().into_os_string(), ..self.place.clone() };
        self.start.start(&call).map_err(|error| failed(error.to_string()))
    }
}

/// Long-running filters end when their input is closed; git waits for them, and so does rb.
impl Drop for Runner {
    fn drop(&mut self) {
        for (_, filter) in self.running.drain() {
            filter.dismiss(self.patience);
        }
    }
}

impl LongRunning {
    /// Ends the conversation, and after `patience` the program.
    fn dismiss(self, patience: Duration) {
        let mut child = self.client.into_child();
        let since = Instant::now();
        while matches!(child.try_wait(), Ok(None)) {
            if since.elapsed() >= patience {
                (self.stop)();
                let _ = child.wait();
                return;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

/// How a conversation failed.
enum Said {
    /// The filter answered with this status.
    No(String),
    /// The conversation broke off.
    Broken(Failure),
}

/// The command with the path in place of `%f`.
fn with_path(command: &BStr, path: &RepoPath) -> BString {
    expand(command, |letter| (letter == b'f').then(|| quoted(path.as_bytes())))
}

fn converse(
    client: &mut Client,
    job: &Job<'_>,
    input: &mut (dyn Read + Send),
    output: &mut dyn Destination,
    heard: &Listener,
) -> Result<(), Said> {
    let broken = |error: String| Said::Broken(Failure::Filter(error));
    let blob = job.blob.map(|id| BString::from(id.to_string()));
    let mut meta = [("pathname", Some(BString::from(job.path.as_bytes()))), ("blob", blob)]
        .into_iter()
        .filter_map(|(key, value)| Some((key, value?)));
    let mut input = Heard { inner: input, heard };
    let status = client
        .invoke(job.operation.as_str(), &mut meta, &mut input)
        .map_err(|error| broken(error.to_string()))?;
    if !status.is_success() {
        return Err(Said::No(status.message().unwrap_or_default().to_owned()));
    }
    match transfer(&mut client.as_read(), output, heard) {
        Ok(()) => Ok(()),
        Err(Moving::Writing(error)) => Err(Said::Broken(Failure::Destination(error))),
        Err(Moving::Reading(error)) => Err(broken(error.to_string())),
    }
}

/// On which side moving bytes failed.
enum Moving {
    Reading(io::Error),
    Writing(io::Error),
}

fn transfer<W: Write + ?Sized>(
    from: &mut (impl Read + ?Sized),
    to: &mut W,
    heard: &Listener,
) -> Result<(), Moving> {
    let mut buffer = vec![0; PIECE];
    loop {
        let length = match from.read(&mut buffer) {
            Ok(0) => return to.flush().map_err(Moving::Writing),
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Moving::Reading(error)),
        };
        heard.now();
        to.write_all(&buffer[..length]).map_err(Moving::Writing)?;
        heard.now();
    }
}

/// Notes each byte that is read.
struct Heard<'a, R: ?Sized> {
    inner: &'a mut R,
    heard: &'a Listener,
}

impl<R: Read + ?Sized> Read for Heard<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.heard.now();
        self.inner.read(buffer)
    }
}

/// Stops a program that is silent for too long.
struct Watchdog {
    listener: Listener,
    stopped: Arc<AtomicBool>,
    stop: Arc<dyn Fn() + Send + Sync>,
    patience: Duration,
    /// Dropped to end the watch.
    _watching: Sender<()>,
}

#[derive(Clone)]
struct Listener(Arc<Mutex<Instant>>);

impl Listener {
    /// Something was heard of the program.
    fn now(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn silence(&self) -> Duration {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }
}

impl Watchdog {
    /// Watches; a program that cannot be watched is stopped.
    fn new(patience: Duration, stop: Arc<dyn Fn() + Send + Sync>) -> Result<Self, Failure> {
        let (watching, over) = channel();
        let listener = Listener(Arc::new(Mutex::new(Instant::now())));
        let stopped = Arc::new(AtomicBool::new(false));
        let watch = Watch {
            over,
            patience,
            listener: listener.clone(),
            stopped: Arc::clone(&stopped),
            stop: Arc::clone(&stop),
        };
        if let Err(error) = std::thread::Builder::new().spawn(move || watch.keep()) {
            stop();
            return Err(Failure::Filter(format!("it cannot be watched: {error}")));
        }
        Ok(Self { listener, stopped, stop, patience, _watching: watching })
    }

    fn listener(&self) -> Listener {
        self.listener.clone()
    }

    fn stop_now(&self) {
        (self.stop)();
    }

    /// Why the program was stopped, where it was.
    fn why(&self) -> Option<String> {
        let seconds = self.patience.as_secs();
        self.stopped
            .load(Ordering::SeqCst)
            .then(|| format!("it was silent for {seconds} s and was stopped (rb.programTimeout)"))
    }
}

struct Watch {
    over: Receiver<()>,
    patience: Duration,
    listener: Listener,
    stopped: Arc<AtomicBool>,
    stop: Arc<dyn Fn() + Send + Sync>,
}

impl Watch {
    fn keep(self) {
        loop {
            let left = self.patience.saturating_sub(self.listener.silence());
            if left.is_zero() {
                self.stopped.store(true, Ordering::SeqCst);
                (self.stop)();
                return;
            }
            if self.over.recv_timeout(left) == Err(RecvTimeoutError::Disconnected) {
                return;
            }
        }
    }
}
