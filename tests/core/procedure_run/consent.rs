//! What a run needs before it begins: authority, approvals, words, trust, a backup.

use super::bench::*;

#[test]
fn consent_is_asked_for_before_anything_changes() {
    let bench = Bench::new(removed());
    let procedure = procedure(
        &RESTORE
            .replace(
                "[phase.shim]\n",
                "authority = [\"sre\"]\n[role.sre]\n[role.lead]\n[phase.shim]\napprovals = [\"lead\"]\nconfirm = \"yes really\"\n",
            ),
    );
    let mut request = bench.request(&procedure);
    let before = bench.sandbox.git(&["for-each-ref"]);
    let code = |request: &RunRequest| bench.start(&procedure, request.clone()).unwrap_err().code();
    assert_eq!(code(&request), "authority-missing");
    request.roles = vec!["sre".into()];
    assert_eq!(code(&request), "approval-missing");
    request.approvals = vec![("lead".into(), "Grace".into())];
    assert_eq!(code(&request), "confirmation-missing");
    request.words = Some("yes really".into());
    let trusted = request.trusted_hash.take();
    assert_eq!(code(&request), "not-trusted");
    request.trusted_hash = Some("0".repeat(64));
    assert_eq!(code(&request), "not-trusted");
    assert_eq!(bench.sandbox.git(&["for-each-ref"]), before);
    request.trusted_hash = trusted;
    assert_eq!(bench.start(&procedure, request).unwrap().status, RunStatus::Complete);
}

#[test]
fn a_procedure_or_a_script_that_changed_after_it_was_trusted_does_not_run() {
    let repo = removed();
    repo.write("check.sh", "#!/bin/sh\necho 15 passed\n");
    fs::set_permissions(repo.path().join("check.sh"), fs::Permissions::from_mode(0o755)).unwrap();
    let bench = Bench::new(repo);
    bench.sandbox.commit("script", &[("x", "x")]);
    let procedure = procedure(
        &RESTORE
            .replace(r#"["sh", "-c", "test -f shim.py && echo $(cat count) passed"]"#, r#"["./check.sh"]"#),
    );
    let request = bench.request(&procedure);
    bench.sandbox.write("check.sh", "#!/bin/sh\ntouch owned; echo 15 passed\n");
    assert_eq!(bench.start(&procedure, request).unwrap_err().code(), "not-trusted");
    assert!(!bench.sandbox.path().join("owned").exists());
}

#[test]
fn an_emergency_skips_questions_and_never_the_backup() {
    let bench = Bench::new(removed());
    let procedure = procedure(&format!(
        "{RESTORE}\n[[precheck]]\nid = \"sure\"\nask = \"sure?\"\n[backup]\nrequired = true\nstep = \"save\"\nverify = \"saved\"\n[[step]]\nid = \"save\"\nrun = [\"true\"]\n[[check]]\nid = \"saved\"\nfile = \"backup.tar\"\nlive = true\nexpect = {{ exists = true }}\n"
    ));
    let mut request = bench.request(&procedure);
    request.emergency = true;
    let before = bench.head();
    let run = bench.start(&procedure, request.clone()).unwrap();
    assert_eq!((run.ending, bench.head()), (Some(Ending::StepFailed), before));
    let failed = run.units.iter().find(|unit| unit.state == UnitState::Failed).unwrap();
    assert!(failed.note.as_ref().unwrap().starts_with("there is no usable backup"), "{failed:?}");
    bench.sandbox.write("backup.tar", "x");
    assert_eq!(bench.start(&procedure, request).unwrap().status, RunStatus::Complete);
}
