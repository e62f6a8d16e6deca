//! The procedure of the compatibility shim as it ships.

use crate::bench::*;

#[test]
fn the_shim_comes_back_by_its_own_procedure() {
    if std::process::Command::new("python3").arg("--version").output().is_err() {
        return;
    }
    let bench = Bench::new(Fixture::import("matriz"));
    bench.program(
        "gh",
        r#"case "$2" in list) echo '[{"status":"completed","conclusion":"success","name":"ci","headSha":"x"}]';; *) echo ok;; esac"#,
    );
    bench.sandbox.git(&["checkout", "-q", "single-removal"]);
    let procedure = built_in("matriz");
    let mut request = bench.request(&procedure);
    request.roles = vec!["sre".into()];
    request.emergency = true;
    request.severity = Some("P0".into());
    request.set = vec![("incident".into(), "42".into()), ("commander".into(), "ada".into())];
    let run = bench.start(&procedure, request).unwrap();
    assert!(!run.commits.is_empty(), "{:#?}\n{:#?}\n{:#?}", run.units, run.rungs, run.verdicts);
    let shim = fs::read_to_string(bench.sandbox.path().join("MATRIZ/__init__.py")).unwrap();
    assert_eq!(shim.lines().count(), 104);
    assert_eq!(bench.sandbox.git(&["show", "--format=", "--name-only"]), "MATRIZ/__init__.py");
    assert_eq!(run.verdicts["smoke"][&On::Candidate].found.as_deref(), Some("15"));
    let message = bench.sandbox.git(&["log", "-1", "--format=%B"]);
    assert!(message.starts_with("fix(matriz): restore compatibility shim for import safety\n"), "{message}");
    assert!(message.contains("Closes: #42") && message.contains("Refs: T20251112041"), "{message}");
}
