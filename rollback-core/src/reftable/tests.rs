//! Tables that the installed git wrote, tables that it reads, and bytes that no writer made.

use std::fs;

use bstr::BString;
use test_kit::Sandbox;

use super::*;
use crate::id::ObjectId;

const HASHES: [(&str, gix::hash::Kind); 2] =
    [("sha1", gix::hash::Kind::Sha1), ("sha256", gix::hash::Kind::Sha256)];

fn repository(hash: &str) -> Sandbox {
    let sandbox = Sandbox::folder();
    sandbox.git(&["init", "-q", "-b", "main", "--ref-format=reftable", &format!("--object-format={hash}")]);
    sandbox.git(&["config", "reftable.indexObjects", "false"]);
    sandbox
}

/// The bytes of the only table, after all tables were merged.
fn one_table(sandbox: &Sandbox) -> (String, Vec<u8>) {
    sandbox.git(&["pack-refs", "--all"]);
    let folder = sandbox.path().join(".git/reftable");
    let list = fs::read_to_string(folder.join("tables.list")).unwrap();
    let name = list.trim().to_owned();
    assert_eq!(list.lines().count(), 1, "{list}");
    let bytes = fs::read(folder.join(&name)).unwrap();
    (name, bytes)
}

fn all(bytes: &[u8], hash: gix::hash::Kind) -> Result<(Vec<RefRecord>, Vec<LogRecord>)> {
    let table = Table::open(Box::new(bytes.to_vec()), hash)?;
    let references = references([&table], b"")?.collect::<Result<_>>()?;
    let logs = logs([&table], b"")?.collect::<Result<_>>()?;
    Ok((references, logs))
}

/// Writes a table of these records.
fn written(
    limits: Limits,
    layout: Layout,
    references: &[RefRecord],
    logs: &[LogRecord],
) -> Result<Option<Vec<u8>>> {
    write(limits, layout, references.iter().cloned().map(Ok), logs.iter().cloned().map(Ok))
}

/// The first reference from a name on.
fn first_from(table: &Table, name: &[u8]) -> Result<Option<RefRecord>> {
    references([table], name)?.next().transpose()
}

/// A repository with so many branches and tags, a symbolic reference, and a log of each branch.
fn filled(hash: &str, count: usize) -> Sandbox {
    let sandbox = repository(hash);
    let commit = sandbox.commit("one", &[("a", "1\n")]);
    sandbox.git(&["tag", "-a", "-m", "tag", "annotated"]);
    let mut input = String::new();
    for nth in 0..count {
        input.push_str(&format!("create refs/heads/topic-{nth:05} {commit}\n"));
        if nth % 3 == 0 {
            input.push_str(&format!("create refs/tags/light-{nth:05} {commit}\n"));
        }
    }
    sandbox.git_with_input(&["update-ref", "--stdin"], input.as_bytes());
    sandbox.git(&["symbolic-ref", "refs/heads/alias", "refs/heads/main"]);
    sandbox
}

#[test]
fn tables_of_git_are_read_as_git_lists_them() {
    for (name, hash) in HASHES {
        // One block; some blocks without an index; an index; an index over an index.
        for (count, block_size) in [(3, "4096"), (100, "4096"), (600, "4096"), (600, "256")] {
            let sandbox = filled(name, count);
            sandbox.git(&["config", "reftable.blockSize", block_size]);
            sandbox.git(&["update-ref", "refs/heads/last", "HEAD"]);
            let (_, bytes) = one_table(&sandbox);
            let (references, logs) = all(&bytes, hash).unwrap();
            let read: Vec<String> = references
                .iter()
                .filter(|record| record.name.starts_with(b"refs/"))
                .map(|record| match &record.value {
                    RefValue::Object(id) => format!("{id} {}  ", record.name),
                    RefValue::Peeled(id, target) => format!("{id} {}  {target}", record.name),
                    RefValue::Symbolic(target) => format!("{} {target} ", record.name),
                    RefValue::Deletion => panic!("a deletion in the only table"),
                })
                .collect();
            let format = "%(if)%(symref)%(then)%(refname) %(symref) %(else)%(objectname) %(refname) %(symref) %(*objectname)%(end)";
            let listed = sandbox.git(&["for-each-ref", &format!("--format={format}")]);
            assert_eq!(read, listed.lines().collect::<Vec<_>>(), "{name}, {count}");
            let of_main = logs.iter().find(|record| record.name == "refs/heads/main").unwrap();
            let line = of_main.value.as_ref().unwrap();
            assert_eq!(line.message, "commit (initial): one\n");
            assert!(line.old.is_null() && line.offset == 0 && !line.new.is_null());
            assert_eq!(
                logs.iter().filter(|record| record.name.starts_with(b"refs/heads/topic")).count(),
                count
            );

            // Each is found alone, and what is not there is not found.
            let table = Table::open(Box::new(bytes), hash).unwrap();
            for record in references.iter().step_by(97).chain(references.last()) {
                assert_eq!(first_from(&table, &record.name).unwrap().as_ref(), Some(record));
                let after = [record.name.as_slice(), b"!"].concat();
                let found = first_from(&table, &after).unwrap();
                let next = references.iter().position(|other| other == record).unwrap() + 1;
                assert_eq!(found.as_ref(), references.get(next));
            }
        }
    }
}

#[test]
fn a_table_is_written_byte_for_byte_as_git_writes_it() {
    for (name, hash) in HASHES {
        for (count, block_size) in [(3, 4096), (100, 4096), (600, 4096), (600, 256)] {
            let sandbox = filled(name, count);
            sandbox.git(&["config", "reftable.blockSize", &block_size.to_string()]);
            sandbox.git(&["update-ref", "refs/heads/last", "HEAD"]);
            let (file, bytes) = one_table(&sandbox);
            let (references, logs) = all(&bytes, hash).unwrap();
            let TableName { min_update_index, max_update_index, .. } = TableName::parse(&file).unwrap();
            let limits = Limits { min_update_index, max_update_index, hash };
            let layout = Layout { block_size, ..Layout::default() };
            let written = written(limits, layout, &references, &logs).unwrap().unwrap();
            assert_eq!(all(&written, hash).unwrap(), (references, logs), "{name}, {count}");
            // Logs are deflated, which each library does in its own way.
            let start = |bytes: &[u8]| {
                let footer = if hash == gix::hash::Kind::Sha1 { 68 } else { 72 };
                let field = bytes.len() - footer + header_len(hash) as usize + 24;
                u64::from_be_bytes(bytes[field..field + 8].try_into().unwrap()) as usize
            };
            assert_eq!(start(&written), start(&bytes), "{name}, {count}");
            assert_eq!(&written[..start(&written)], &bytes[..start(&bytes)], "{name}, {count}");
        }
    }
}

#[test]
fn a_table_written_here_is_read_by_git() {
    for (name, hash) in HASHES {
        for (count, layout) in [
            (7, Layout::default()),
            (500, Layout { block_size: 512, restart_interval: 3 }),
            (500, Layout { block_size: 65536, restart_interval: 128 }),
        ] {
            let sandbox = filled(name, count);
            let listed = |args: &[&str]| sandbox.git(args);
            let before = (listed(&["for-each-ref", "--include-root-refs"]), listed(&["reflog", "list"]));
            let (file, bytes) = one_table(&sandbox);
            let (references, logs) = all(&bytes, hash).unwrap();
            let TableName { min_update_index, max_update_index, .. } = TableName::parse(&file).unwrap();
            let limits = Limits { min_update_index, max_update_index, hash };
            let written = written(limits, layout, &references, &logs).unwrap().unwrap();
            fs::write(sandbox.path().join(".git/reftable").join(file), written).unwrap();
            let after = (listed(&["for-each-ref", "--include-root-refs"]), listed(&["reflog", "list"]));
            assert_eq!(after, before, "{name}, {count}, {layout:?}");
            sandbox.git(&["fsck", "--strict"]);
        }
    }
}

#[test]
fn values_of_every_kind_come_back() {
    let id = |digit: char| -> ObjectId { digit.to_string().repeat(40).parse().unwrap() };
    let values = [
        RefValue::Deletion,
        RefValue::Object(id('1')),
        RefValue::Peeled(id('2'), id('3')),
        RefValue::Symbolic("refs/heads/main".into()),
    ];
    let references: Vec<_> = values
        .into_iter()
        .enumerate()
        .map(|(nth, value)| RefRecord { name: format!("refs/heads/{nth}").into(), update_index: 7, value })
        .collect();
    let update = |message: String| LogUpdate {
        old: id('4'),
        new: id('5'),
        name: "Nämé".into(),
        email: "mail".into(),
        time: u64::MAX,
        offset: -1130,
        message: message.into(),
    };
    let log = |update_index, value| LogRecord { name: "HEAD".into(), update_index, value };
    // The longest line is longer than a block.
    let logs =
        vec![log(9, Some(update("x".repeat(10_000)))), log(8, None), log(7, Some(update(String::new())))];
    let limits = Limits { min_update_index: 7, max_update_index: 9, hash: gix::hash::Kind::Sha1 };
    let bytes = written(limits, Layout::default(), &references, &logs).unwrap().unwrap();
    assert_eq!(all(&bytes, gix::hash::Kind::Sha1).unwrap(), (references, logs.clone()));
    let only_logs = written(limits, Layout::default(), &[], &logs).unwrap().unwrap();
    assert_eq!(all(&only_logs, gix::hash::Kind::Sha1).unwrap(), (Vec::new(), logs));
    assert!(written(limits, Layout::default(), &[], &[]).unwrap().is_none());
}

#[test]
fn of_records_with_one_key_the_newest_table_counts() {
    let reference = |name: &str, update_index, value| RefRecord { name: name.into(), update_index, value };
    let id: ObjectId = "1".repeat(40).parse().unwrap();
    let (old, new) = (RefValue::Object(id), RefValue::Symbolic("HEAD".into()));
    let table = |at, references: Vec<RefRecord>| {
        let limits = Limits { min_update_index: at, max_update_index: at, hash: gix::hash::Kind::Sha1 };
        let bytes = written(limits, Layout::default(), &references, &[]).unwrap().unwrap();
        Table::open(Box::new(bytes), gix::hash::Kind::Sha1).unwrap()
    };
    let tables = [
        table(
            1,
            vec![
                reference("a", 1, old.clone()),
                reference("b", 1, old.clone()),
                reference("c", 1, old.clone()),
            ],
        ),
        table(2, vec![reference("b", 2, RefValue::Deletion)]),
        table(3, vec![reference("a", 3, new.clone()), reference("d", 3, new.clone())]),
    ];
    let found = references(&tables, b"").unwrap().map(Result::unwrap);
    let found: Vec<_> = found.map(|record| (record.name, record.value)).collect();
    let expected = [("a", new.clone()), ("b", RefValue::Deletion), ("c", old), ("d", new)];
    assert_eq!(found, expected.map(|(name, value)| (BString::from(name), value)));
}

#[test]
fn bytes_that_were_cut_or_altered_are_an_error_or_other_records_and_nothing_worse() {
    let sandbox = filled("sha1", 300);
    let (_, bytes) = one_table(&sandbox);
    for length in (0..bytes.len()).step_by(211) {
        assert!(Table::open(Box::new(bytes[..length].to_vec()), gix::hash::Kind::Sha1).is_err(), "{length}");
    }
    // The footer has a checksum; what the rest says is read, and nothing in it may lead astray.
    for at in (0..bytes.len()).step_by(37) {
        for flip in [0x01, 0x80, 0xff] {
            let mut altered = bytes.clone();
            altered[at] ^= flip;
            let read = all(&altered, gix::hash::Kind::Sha1);
            let is_last = at >= bytes.len() - 68;
            assert!(!is_last || read.is_err(), "byte {at} of the footer");
            let Ok(table) = Table::open(Box::new(altered), gix::hash::Kind::Sha1) else { continue };
            for name in [&b"HEAD"[..], b"refs/heads/topic-00150", b"refs/tags/zzz"] {
                if let Ok(Some(found)) = first_from(&table, name) {
                    assert!(found.name.as_slice() >= name, "byte {at}: {found:?}");
                }
                if let Ok(Some(found)) = logs([&table], name).and_then(|mut found| found.next().transpose()) {
                    assert!(found.name.as_slice() >= name, "byte {at}: {found:?}");
                }
            }
        }
    }
}

#[test]
fn a_footer_that_leads_anywhere_leads_to_an_error_or_to_what_is_there() {
    const NAME: &[u8] = b"refs/heads/topic-00200";
    let sandbox = filled("sha1", 400);
    let (_, bytes) = one_table(&sandbox);
    let original = all(&bytes, gix::hash::Kind::Sha1).unwrap();
    let reference = original.0.iter().find(|record| record.name.as_slice() == NAME);
    let line = original.1.iter().find(|record| record.name.as_slice() == NAME);
    assert!(reference.is_some() && line.is_some());
    let footer = bytes.len() - 68;
    for field in [footer + 24, footer + 48, footer + 56] {
        for value in [1, 23, 24, 4096, 4097, footer as u64 - 1, footer as u64, u64::MAX] {
            let mut altered = bytes.clone();
            altered[field..field + 8].copy_from_slice(&value.to_be_bytes());
            let checksum = crc32fast::hash(&altered[footer..footer + 64]);
            altered[footer + 64..].copy_from_slice(&checksum.to_be_bytes());
            let table = Table::open(Box::new(altered.clone()), gix::hash::Kind::Sha1).unwrap();
            let case = format!("{value} at {}", field - footer);
            if let Ok(found) = first_from(&table, NAME) {
                assert_eq!(found.as_ref(), reference, "{case}");
            }
            let found =
                logs([&table], &[NAME, b"\0"].concat()).and_then(|mut found| found.next().transpose());
            if let Ok(found) = found {
                assert_eq!(found.as_ref(), line, "{case}");
            }
            if let Ok(read) = all(&altered, gix::hash::Kind::Sha1) {
                assert!(read == original, "{case}");
            }
        }
    }
}

#[test]
fn names_of_tables_are_those_of_git_and_stay_in_their_folder() {
    let sandbox = filled("sha1", 3);
    let (name, _) = one_table(&sandbox);
    assert_eq!(TableName::parse(&name).unwrap().to_string(), name);
    assert!(is_safe_name(&name) && is_safe_name("00000001-00000002-abc.log"));
    for bad in ["../x.ref", "a/b.ref", ".ref", "x", "x.lock", "", "a\\b.ref"] {
        assert!(!is_safe_name(bad), "{bad}");
    }
}
