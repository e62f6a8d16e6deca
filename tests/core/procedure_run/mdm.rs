//! The procedure of the staged refactoring as it ships.

use crate::bench::*;

#[test]
fn a_stage_goes_back_by_its_own_procedure_after_a_verified_backup() {
    let sandbox = Sandbox::new();
    let script = "#!/bin/sh\necho \"$0 $@\" >> ~/ran.log\n";
    let names = ["backup_mdm_state", "preserve_logs", "generate_rollback_report", "collect_logs"];
    for name in names {
        sandbox.write(&format!("scripts/{name}.sh"), script);
        let file = sandbox.path().join(format!("scripts/{name}.sh"));
        fs::set_permissions(file, fs::Permissions::from_mode(0o755)).unwrap();
    }
    sandbox.commit("stable", &[("src/mdm/interfaces/a.py", "old\n"), ("src/mdm/adapters/b.py", "old\n")]);
    sandbox.git(&["tag", "stable"]);
    sandbox.commit(
        "refactor",
        &[("src/mdm/interfaces/a.py", "new\n"), ("src/mdm/interfaces/added.py", "x\n"), ("other", "o\n")],
    );
    let bench = Bench::new(sandbox);
    bench.program("mdm", "echo \"mdm $@ abstraction=$MDM_FEATURE_FLAGS_USE_ABSTRACTION\" >> ~/ran.log");
    fs::create_dir_all(bench.home.path().join(".mdm/cache/interfaces")).unwrap();
    fs::write(bench.home.path().join(".mdm/mdm.yaml"), "storage: local\n").unwrap();
    let procedure = built_in("mdm");
    let mut request = bench.request(&procedure);
    request.phase = Some("2".into());
    request.roles = vec!["devops".into()];
    request.confirmed =
        ["operations-stopped", "users-notified", "issue-documented"].map(ToOwned::to_owned).to_vec();
    request.set = vec![("stable".into(), "stable".into())];
    request.allow_loss = true;
    let run = bench.start(&procedure, request).unwrap();
    assert_eq!((run.status, run.ending), (RunStatus::Complete, Some(Ending::Done)), "{:#?}", run.units);
    let diff = bench.sandbox.git(&["diff", "--name-only", "stable", "HEAD"]);
    assert_eq!(diff, "other", "what was added is gone and the rest stays");
    let ran = fs::read_to_string(bench.home.path().join("ran.log")).unwrap();
    let backup = ran.find("--output rollback-backups/").unwrap();
    assert!(
        backup < ran.find("--verify rollback-backups/").unwrap()
            && ran.contains("mdm restart --force abstraction=false"),
        "{ran}"
    );
    assert!(!bench.home.path().join(".mdm/cache/interfaces").exists());
    let env = fs::read_to_string(bench.home.path().join(".mdm/rollback.env")).unwrap();
    assert_eq!(env, "MDM_FEATURE_FLAGS_USE_ABSTRACTION=false\n");
    let kept = bench.with(|_, repo| repo.checkpoints(Some("mdm"))).unwrap();
    let outside: Vec<_> =
        kept[0].outside.iter().map(|part| (part.path.to_string(), part.entries.len())).collect();
    let home = bench.home.path().canonicalize().unwrap();
    let named = |name: &str| home.join(".mdm").join(name).display().to_string();
    assert_eq!(
        outside,
        [(named("config"), 0), (named("feature_flags.yaml"), 0), (named("mdm.yaml"), 1)],
        "what is named outside the repository is kept, and what was not there is known not to be"
    );
}
