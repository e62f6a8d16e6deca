//! The records that rb keeps in files of its own, read and written without rb.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The files of a record by name.
pub type Files = BTreeMap<String, Vec<u8>>;

/// The folder of the records of a kind (`runs`, `operations`, `checkpoints`) in a common git directory.
pub fn folder(git_dir: &Path, kind: &str) -> PathBuf {
    git_dir.join("rb/records").join(kind)
}

/// The records of a kind by the names of their files, in order.
pub fn all(git_dir: &Path, kind: &str) -> Vec<(String, Files)> {
    let mut names: Vec<_> = fs::read_dir(folder(git_dir, kind))
        .into_iter()
        .flatten()
        .map(|row| row.expect("a folder can be listed").file_name().into_string().expect("a plain name"))
        .filter(|name| !name.starts_with('.'))
        .collect();
    names.sort();
    let read = |name: String| {
        let files = files_of(&fs::read(folder(git_dir, kind).join(&name)).expect("a record can be read"));
        (name, files)
    };
    names.into_iter().map(read).collect()
}

/// A file of the newest record of a kind.
pub fn newest(git_dir: &Path, kind: &str, file: &str) -> Vec<u8> {
    let (_, mut files) = all(git_dir, kind).pop().expect("there is a record");
    files.remove(file).expect("it has the file")
}

fn files_of(record: &[u8]) -> Files {
    let line = |bytes: &[u8]| {
        let end = bytes.iter().position(|byte| *byte == b'\n').expect("a line ends");
        (String::from_utf8(bytes[..end].to_vec()).expect("text"), end + 1)
    };
    let mut rest = &record[line(record).1..];
    let mut files = Files::new();
    while !rest.is_empty() {
        let (head, start) = line(rest);
        let words: Vec<_> = head.split(' ').collect();
        let end = start + words[2].parse::<usize>().expect("a length");
        files.insert(words[1].to_owned(), rest[start..end].to_vec());
        rest = &rest[end + 1..];
    }
    files
}

/// Puts a well-formed record into a git directory, as whoever hands a repository over can.
pub fn plant(git_dir: &Path, kind: &str, name: &str, files: &Files) {
    let mut body = Vec::new();
    for (file, bytes) in files {
        body.extend_from_slice(format!("file {file} {}\n", bytes.len()).as_bytes());
        body.extend_from_slice(bytes);
        body.push(b'\n');
    }
    let word = kind.strip_suffix('s').expect("kinds are plural");
    let what = format!("{word} {name} 1");
    let checksum = sha256(&[what.as_bytes(), b"\n", &body].concat());
    let header = format!("rb-record 1 {what} {} {checksum}\n", body.len());
    fs::create_dir_all(folder(git_dir, kind)).expect("a folder can be made");
    let record = [header.into_bytes(), body].concat();
    fs::write(folder(git_dir, kind).join(name), record).expect("a record can be written");
}

fn sha256(bytes: &[u8]) -> String {
    let mut child = Command::new("sha256sum")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("sha256sum can be started");
    child.stdin.take().expect("it is piped").write_all(bytes).expect("it reads");
    let output = child.wait_with_output().expect("it ends").stdout;
    String::from_utf8_lossy(&output[..64]).into_owned()
}
