//! The store of records and the lease of runs, as this process alone sees them.

use std::fs;

use super::kit::*;
use crate::apply::Leased;
use crate::error::{Error, RepositoryError};
use crate::process::Holder;
use crate::record::{Files, RecordKind, Revision};

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("a", "1\n").commit("first");
    sandbox
}

fn files(text: &str) -> Files {
    Files::from([("run.json".to_owned(), text.as_bytes().to_vec())])
}

#[test]
fn a_lease_is_had_by_one_at_a_time() {
    let sandbox = sandbox();
    let holder = |procedure: &str| Holder::this_process(procedure, Some("0a"), jiff::Timestamp::UNIX_EPOCH);
    let first = sandbox.repo().lease(&holder("first")).unwrap();
    assert!(matches!(first, Leased::Taken(_)), "{first:?}");
    for _ in 0..2 {
        match sandbox.repo().lease(&holder("second")).unwrap() {
            Leased::Held(who) => assert_eq!(who, Some(holder("first"))),
            Leased::Taken(_) => panic!("two have it at once"),
        }
    }
    drop(first);
    assert!(matches!(sandbox.repo().lease(&holder("third")).unwrap(), Leased::Taken(_)));
}

#[test]
fn a_record_is_not_written_over_another_revision() {
    let sandbox = sandbox();
    let repo = sandbox.repo();
    let write = |expected, text| repo.write_record(RecordKind::Run, "0a", expected, &files(text));
    assert_eq!(write(None, "one").unwrap(), Revision(1));
    assert_eq!(write(Some(Revision(1)), "two").unwrap(), Revision(2));
    for late in [None, Some(Revision(1)), Some(Revision(3))] {
        assert!(matches!(write(late, "late"), Err(Error::Locked { .. })), "{late:?}");
    }
    let read = repo.read_record(RecordKind::Run, "0a").unwrap().unwrap();
    assert_eq!((read.revision, read.files), (Revision(2), files("two")));
}

#[test]
fn a_record_larger_than_any_is_not_read() {
    let sandbox = sandbox();
    let repo = sandbox.repo();
    repo.write_record(RecordKind::Run, "0a", None, &files("one")).unwrap();
    let file = sandbox.git_dir().join("rb/records/runs/0a");
    fs::File::options().write(true).open(&file).unwrap().set_len(8 << 30).unwrap();
    match repo.read_record(RecordKind::Run, "0a") {
        Err(Error::Repository(RepositoryError::ForeignRecord { path, why })) => {
            assert_eq!((path, why.as_str()), (file, "it has 8589934592 bytes, more than any such record"));
        }
        other => panic!("{other:?}"),
    }
    let too_large = files(&"x".repeat((64 << 20) + 1));
    assert!(matches!(repo.write_record(RecordKind::Run, "0b", None, &too_large), Err(Error::BadRequest(_))));
    assert_eq!(repo.record_ids(RecordKind::Run).unwrap(), ["0a"]);
}
