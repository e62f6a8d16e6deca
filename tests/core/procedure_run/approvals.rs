//! Approvals, signed and stated, and the members of roles.

use super::bench::*;
use rollback_core::procedure::engine::{APPROVAL_NAMESPACE, SignedApproval};

const NEEDS_LEAD: &str =
    "[role.lead]\nmembers = [\"grace@example.com\"]\n[phase.shim]\napprovals = [\"lead\"]\n";

/// A key of OpenSSH's own making: `name` and `name.pub` in the home folder.
fn key(bench: &Bench, name: &str) -> String {
    let file = bench.home.path().join(name);
    let made = std::process::Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-C", name, "-f"])
        .arg(&file)
        .status();
    assert!(made.unwrap().success(), "ssh-keygen is needed: it is what people sign with");
    fs::read_to_string(file.with_extension("pub")).unwrap()
}

fn sign(bench: &Bench, name: &str, namespace: &str, text: &str) -> SignedApproval {
    let file = bench.home.path().join("text");
    fs::write(&file, text).unwrap();
    let _ = fs::remove_file(file.with_extension("sig"));
    let signed = std::process::Command::new("ssh-keygen")
        .args(["-q", "-Y", "sign", "-n", namespace, "-f"])
        .arg(bench.home.path().join(name))
        .arg(&file)
        .output()
        .unwrap();
    assert!(signed.status.success(), "{signed:?}");
    SignedApproval::new("lead", fs::read_to_string(file.with_extension("sig")).unwrap())
}

#[test]
fn a_signed_approval_counts_for_this_plan_and_nothing_else() {
    let bench = Bench::new(removed());
    let (grace, mallory) = (key(&bench, "grace"), key(&bench, "mallory"));
    let procedure = procedure(&RESTORE.replace("[phase.shim]\n", NEEDS_LEAD));
    let mut request = bench.request(&procedure);
    request.allowed_signers = Some(format!(
        "# who may approve\ngrace@example.com {grace}mallory@example.com valid-before=\"20200101Z\" {mallory}"
    ));
    let before = bench.sandbox.git(&["for-each-ref"]);
    let refused = |request: &RunRequest| bench.start(&procedure, request.clone()).unwrap_err();

    // Somebody's word is not enough where only signatures count; the refusal brings the text to sign.
    request.approvals = vec![("lead".into(), "grace@example.com".into())];
    let EngineError::Unsigned { text, role, .. } = refused(&request) else { panic!("{}", refused(&request)) };
    assert_eq!(role, "lead");
    request.approvals.clear();

    request.signatures = vec![sign(&bench, "grace", "git", &text)];
    assert_eq!(refused(&request).code(), "bad-approval", "another namespace");
    request.signatures = vec![sign(&bench, "grace", APPROVAL_NAMESPACE, &text.replace("lead", "other"))];
    assert_eq!(refused(&request).code(), "bad-approval", "another role");
    request.signatures = vec![sign(&bench, "mallory", APPROVAL_NAMESPACE, &text)];
    assert_eq!(
        refused(&request).to_string(),
        "the signed approval of lead does not hold: its key is not among the allowed signers"
    );
    request.signatures = vec![SignedApproval::new("lead", "yes")];
    assert_eq!(refused(&request).code(), "bad-approval");
    assert_eq!(bench.sandbox.git(&["for-each-ref"]), before, "nothing was written");

    request.signatures = vec![sign(&bench, "grace", APPROVAL_NAMESPACE, &text)];
    // Another plan: the tip is not the one that was approved.
    let tip = bench.head();
    bench.sandbox.commit("meanwhile", &[("other.py", "o3\n")]);
    assert_eq!(refused(&request).code(), "bad-approval");
    bench.sandbox.git(&["reset", "-q", "--hard", &tip]);
    let run = bench.start(&procedure, request).unwrap();
    assert_eq!(run.status, RunStatus::Complete);
    assert!(run.is_signed("lead"));
    assert_eq!(run.signatures[0].by, "grace@example.com");
    let listed = std::process::Command::new("ssh-keygen")
        .arg("-lf")
        .arg(bench.home.path().join("grace.pub"))
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&listed.stdout).contains(&run.signatures[0].key));
    let report = rollback_core::procedure::engine::report_markdown(&procedure, &run);
    assert!(report.contains("| Approvals | lead: grace@example.com (signed, SHA256:"), "{report}");
}

#[test]
fn a_stated_approval_is_labelled_and_a_role_is_only_for_its_members() {
    let bench = Bench::new(removed());
    let text = RESTORE.replace(
        "[phase.shim]\n",
        &format!("authority = [\"sre\"]\n[role.sre]\nmembers = [\"ada@example.com\"]\n{NEEDS_LEAD}"),
    );
    let procedure = procedure(&text);
    let mut request = bench.request(&procedure);
    request.roles = vec!["sre".into()];
    request.approvals = vec![("lead".into(), "mallory@example.com".into())];
    let refused = bench.start(&procedure, request.clone()).unwrap_err();
    assert_eq!(
        (refused.code(), refused.to_string().as_str()),
        ("not-a-member", "mallory@example.com does not have the role 'lead' (members: grace@example.com)")
    );
    request.approvals = vec![("lead".into(), "Grace@example.com".into())];
    request.landing.identity = Some(Identity::new("Eve", "eve@example.com"));
    let refused = bench.start(&procedure, request.clone()).unwrap_err().to_string();
    assert_eq!(refused, "eve@example.com does not have the role 'sre' (members: ada@example.com)");
    request.landing.identity = Some(Identity::new("Ada", "ada@example.com"));
    let run = bench.start(&procedure, request).unwrap();
    assert_eq!(run.status, RunStatus::Complete);
    assert!(!run.is_signed("lead"));
    let report = rollback_core::procedure::engine::report_markdown(&procedure, &run);
    assert!(report.contains("| Approvals | lead: Grace@example.com (not enforced) |"), "{report}");
}

#[test]
fn a_rung_that_needs_an_approval_waits_for_it_before_it_is_tried() {
    let bench = Bench::new(removed());
    bench.sandbox.commit("fewer", &[("count", "14\n")]);
    let procedure = procedure(&format!(
        "[role.lead]\n{}",
        RESTORE.replace(
            "when = [\"validation-failed\", \"conflict\"]",
            "when = [\"validation-failed\"], approval = \"lead\""
        )
    ));
    let run = bench.start(&procedure, bench.request(&procedure)).unwrap();
    assert_eq!(run.status, RunStatus::Paused);
    assert_eq!(run.pause.unwrap().why, "the rung needs the approval of lead");
    let mut how = bench.resumption(&procedure);
    how.request.approvals = vec![("lead".into(), "Grace".into())];
    let run = bench.resume(&procedure, how).unwrap();
    assert_eq!(run.ending, Some(Ending::ChecksFailed), "it was tried, and it has 14 of 15 too");
    assert_eq!(run.rungs.iter().map(|rung| rung.at).collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn approvals_of_steps_and_of_publishing_are_asked_for_before_anything_is_done() {
    let bench = Bench::new(removed());
    let procedure = procedure(&format!(
        "[role.lead]\n[publish]\nrun = [\"true\"]\napproval = \"lead\"\n[[step]]\nid = \"sync\"\nrun = [\"true\"]\napproval = \"lead\"\n{}",
        RESTORE.replace("[phase.shim]\n", "[phase.shim]\nbefore = [\"touch\"]\n")
    ).replace("[[check]]", "[[step]]\nid = \"touch\"\nrun = [\"touch\", \"done\"]\n[phase.more]\nafter = [\"sync\"]\nset = { \"x.toml:a\" = 1 }\n[[check]]"));
    let mut request = bench.request(&procedure);
    request.phase = Some("shim".into());
    request.publish = true;
    assert_eq!(bench.start(&procedure, request).unwrap_err().code(), "approval-missing");
    assert!(!bench.sandbox.path().join("done").exists());
    let mut request = bench.request(&procedure);
    request.phase = Some("more".into());
    let refused = bench.start(&procedure, request).unwrap_err().to_string();
    assert_eq!(refused, "'sync' needs the approval of lead");
}
