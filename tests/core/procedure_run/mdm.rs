//! The procedure of the staged refactoring as it ships.

use super::bench::*;

/// The refactoring is checked out, and the home folder has what the stages replace and what they restore it from.
fn bench() -> Bench {
    let sandbox = Fixture::import("mdm");
    sandbox.git(&["checkout", "-q", "refactoring"]);
    let bench = Bench::with_programs(sandbox);
    for (file, text) in [
        ("backup/test_config.yaml", "framework: old\n"),
        ("backup/mdm.yaml", "loader: legacy\n"),
        ("backup/config/logging.yaml", "level: info\n"),
        ("backup/features/age.yaml", "of: birth\n"),
        ("backup/metadata/a.json", "{\"rows\": 10}\n"),
        ("test_config.yaml", "framework: new\n"),
        ("mdm.yaml", "loader: new\n"),
        ("config/logging.yaml", "level: trace\n"),
        ("config/new.yaml", "added: since\n"),
        ("config/features/age.yaml", "of: death\n"),
        ("config/features/new.yaml", "x\n"),
        ("cache/interfaces/x", "c\n"),
        ("cache/config/x", "c\n"),
        ("cache/features/x", "c\n"),
        ("datasets/a.json", "{\"rows\": 0}\n"),
        ("datasets/a.db", "data\n"),
    ] {
        let file = bench.home.path().join(".mdm").join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    bench
}

fn of_stage(bench: &Bench, procedure: &Procedure, phase: &str, variant: Option<&str>) -> RunRequest {
    let mut request = bench.request(procedure);
    request.phase = Some(phase.into());
    request.variant = variant.map(ToOwned::to_owned);
    request.roles = vec!["devops".into()];
    request.confirmed =
        ["operations-stopped", "users-notified", "issue-documented"].map(ToOwned::to_owned).to_vec();
    request.allow_loss = true;
    request.words = match phase {
        "4" => Some("restore the datasets".into()),
        "full" => Some("roll back the complete system".into()),
        _ => None,
    };
    request.approvals = vec![("data-platform".into(), "Grace".into()), ("cto".into(), "Ada".into())];
    request.set =
        vec![("last_stable_tag".into(), "v1.4.0".into()), ("backup_date".into(), "20250114".into())];
    request
}

fn home(bench: &Bench, file: &str) -> String {
    fs::read_to_string(bench.home.path().join(".mdm").join(file)).unwrap_or_else(|_| "missing".into())
}

#[track_caller]
fn in_order(calls: &str, wanted: &[&str]) {
    let mut from = 0;
    for call in wanted {
        let at = calls[from..].find(call).unwrap_or_else(|| panic!("{call} does not follow: {calls}"));
        from += at + call.len();
    }
}

const BACKUP: [&str; 3] = [
    "preserve_logs.sh",
    "backup_mdm_state.sh --output rollback-backups/",
    "backup_mdm_state.sh --verify rollback-backups/",
];

#[test]
fn every_stage_goes_back_by_its_own_procedure_after_a_verified_backup() {
    let procedure = built_in("mdm");
    for (phase, calls, changed, env) in [
        (
            "1",
            &["run_tests.sh --validate-rollback", "mdm config test"][..],
            "tests/test_datasets.py\ntests/test_new_framework.py",
            "",
        ),
        (
            "2",
            &[
                "mdm restart --force",
                "MDM_FEATURE_FLAGS_USE_ABSTRACTION=false",
                "mdm api test --compatibility",
            ],
            "src/mdm/adapters/sqlite.py\nsrc/mdm/interfaces/pool.py\nsrc/mdm/interfaces/storage.py",
            "MDM_FEATURE_FLAGS_USE_ABSTRACTION=false\n",
        ),
        (
            "3",
            &["mdm config validate --legacy", "MDM_USE_LEGACY_CONFIG=true"],
            "",
            "MDM_USE_LEGACY_CONFIG=true\n",
        ),
        (
            "4",
            &[
                "mdm dataset lock --all",
                "emergency_export.sh --output /backup/emergency/",
                "revert_schema.sh --backend all",
                "restore_datasets.sh --from ",
                "mdm dataset validate --all --deep",
            ],
            "",
            "MDM_STORAGE_USE_LEGACY=true\nMDM_STORAGE_DISABLE_POOLS=true\n",
        ),
        (
            "5",
            &["mdm features regenerate --all --legacy", "mdm features validate --compare-with-backup"],
            "",
            "MDM_FEATURES_USE_LEGACY=true\n",
        ),
        (
            "6",
            &["mdm registry rebuild --from-backup", "mdm dataset validate --all --check-registration"],
            "",
            "MDM_REGISTRATION_USE_LEGACY=true\n",
        ),
    ] {
        let bench = bench();
        let start = bench.head();
        let run = bench
            .start(&procedure, of_stage(&bench, &procedure, phase, None))
            .unwrap_or_else(|error| panic!("{phase}: {error}"));
        assert_eq!(
            (run.status, run.ending),
            (RunStatus::Complete, Some(Ending::Done)),
            "{phase}: {:#?}",
            run.units
        );
        assert_eq!(bench.sandbox.git(&["diff", "--name-only", &start, "HEAD"]), changed, "{phase}");
        let of_main = bench.sandbox.git(&["diff", "--name-only", "main", "HEAD"]);
        assert!(changed.lines().all(|path| !of_main.contains(path)), "{phase}: exactly as it was: {of_main}");
        in_order(&bench.calls(), &BACKUP);
        in_order(&bench.calls(), calls);
        let file = if env.is_empty() { "missing".to_owned() } else { env.to_owned() };
        assert_eq!(home(&bench, "rollback.env"), file, "{phase}");
        for check in ["config test", "storage test --all-backends", "dataset validate --all --checksum"]
            .into_iter()
            .chain([
                "features test --consistency",
                "api test --compatibility",
                "benchmark --compare-baseline",
            ])
        {
            assert!(bench.calls().contains(&format!("mdm {check}\n")), "{phase}: {check}");
        }
        assert_eq!(bench.sandbox.git(&["status", "--porcelain"]), "", "{phase}");
    }
}

#[test]
fn what_lies_outside_the_repository_becomes_what_the_backup_holds_and_is_never_nested() {
    let procedure = built_in("mdm");
    let stage = |phase: &str| {
        let bench = bench();
        let run = bench.start(&procedure, of_stage(&bench, &procedure, phase, None)).unwrap();
        assert_eq!(run.ending, Some(Ending::Done), "{phase}: {:#?}", run.units);
        bench
    };
    assert_eq!(home(&stage("1"), "test_config.yaml"), "framework: old\n");
    let two = stage("2");
    assert_eq!(
        (home(&two, "cache/interfaces/x"), home(&two, "cache/config/x")),
        ("missing".into(), "c\n".into())
    );
    let three = stage("3");
    for (file, text) in [
        ("mdm.yaml", "loader: legacy\n"),
        ("config/logging.yaml", "level: info\n"),
        ("config/new.yaml", "missing"),
        ("config/config/logging.yaml", "missing"),
        ("cache/config/x", "missing"),
    ] {
        assert_eq!(home(&three, file), text, "{file}");
    }
    let kept = three.with(|_, repo| repo.checkpoints(Some("mdm"))).unwrap();
    let folder = three.home.path().canonicalize().unwrap().join(".mdm");
    let outside: Vec<_> =
        kept[0].outside.iter().map(|part| (part.path.to_string(), part.entries.len())).collect();
    let named = |name: &str| folder.join(name).display().to_string();
    assert_eq!(outside.len(), 3, "what is named outside the repository is kept first: {outside:?}");
    assert!(outside.contains(&(named("feature_flags.yaml"), 0)), "what was not there is known not to be");
    assert!(outside.contains(&(named("mdm.yaml"), 1)), "{outside:?}");
    let five = stage("5");
    assert_eq!(home(&five, "config/features/age.yaml"), "of: birth\n");
    assert_eq!(
        (home(&five, "config/features/new.yaml"), home(&five, "cache/features/x")),
        ("missing".into(), "missing".into())
    );
    let six = stage("6");
    assert_eq!(
        (home(&six, "datasets/a.json"), home(&six, "datasets/a.db")),
        ("{\"rows\": 10}\n".into(), "data\n".into())
    );
}

#[test]
fn a_stage_by_its_script_validates_and_backs_up_as_a_rule() {
    let procedure = built_in("mdm");
    for (phase, script) in [
        ("1", "stage1_test_rollback"),
        ("2", "stage2_abstraction_rollback"),
        ("3", "stage3_config_rollback"),
        ("4", "stage4_storage_rollback"),
        ("5", "stage5_features_rollback"),
        ("6", "stage6_registration_rollback"),
        ("full", "emergency_full_rollback"),
    ] {
        let bench = bench();
        let start = bench.head();
        let mut request = of_stage(&bench, &procedure, phase, Some("script"));
        request.groups = vec!["scripts".into()];
        let run = bench.start(&procedure, request).unwrap_or_else(|error| panic!("{phase}: {error}"));
        assert_eq!(run.ending, Some(Ending::Done), "{phase}: {:#?}", run.units);
        in_order(&bench.calls(), &BACKUP);
        in_order(
            &bench.calls(),
            &[
                &format!("rollback/{script}.sh --validate --backup"),
                "rollback/validate_rollback.sh",
                "rollback/generate_rollback_report.sh",
            ],
        );
        assert_eq!(bench.head(), start, "its script works outside of git");
    }
}

#[test]
fn the_complete_rollback_stops_restores_and_brings_the_whole_code_base_back() {
    let (bench, procedure) = (bench(), built_in("mdm"));
    let mut request = of_stage(&bench, &procedure, "full", None);
    request.words = Some("yes".into());
    assert_eq!(bench.start(&procedure, request.clone()).unwrap_err().code(), "confirmation-missing");
    request.words = Some("roll back the complete system".into());
    let run = bench.start(&procedure, request).unwrap();
    assert_eq!(run.ending, Some(Ending::Done), "{:#?}", run.units);
    in_order(
        &bench.calls(),
        &[
            "backup_mdm_state.sh --output",
            "backup_mdm_state.sh --emergency --output /backup/emergency_20251112-100000/",
            "mdm stop --all --force",
            "restore_full_system.sh --from-date 20250114",
            "reset_feature_flags.sh --stdin",
            "pip install -r requirements_stable.txt",
            "validate_rollback.sh --full",
            "mdm config test",
            "mdm benchmark --compare-baseline",
        ],
    );
    assert!(!bench.calls().contains("pkill"), "processes end by name");
    assert_eq!(
        bench.sandbox.git(&["rev-parse", "HEAD^{tree}"]),
        bench.sandbox.git(&["rev-parse", "v1.4.0^{tree}"])
    );
    assert_eq!(
        home(&bench, "feature_flags.yaml"),
        "use_legacy_config: true\nuse_legacy_storage: true\nuse_legacy_features: true\nuse_legacy_registration: true\nenable_new_architecture: false\n"
    );
    assert_eq!(home(&bench, "cache/features/x"), "missing");
    assert!(
        run.outside_effects.iter().any(|effect| effect.ends_with("(taken back by: mdm restart --force)"))
    );
    let report = format!("evidence/rollback_report_{}.md", "20251112");
    assert!(run.evidence.contains_key(&report), "{:?}", run.evidence.keys());
}

#[test]
fn without_a_usable_backup_no_stage_begins() {
    let (bench, procedure) = (bench(), built_in("mdm"));
    bench.fail("backup_mdm_state.sh");
    let before = bench.head();
    let mut request = of_stage(&bench, &procedure, "4", None);
    request.emergency = true;
    let run = bench.start(&procedure, request).unwrap();
    assert_eq!((run.ending, bench.head()), (Some(Ending::StepFailed), before));
    assert!(!bench.calls().contains("mdm dataset lock"), "{}", bench.calls());
    assert_eq!(home(&bench, "rollback.env"), "missing");
}

#[test]
fn validation_ends_at_the_first_check_that_fails() {
    let (bench, procedure) = (bench(), built_in("mdm"));
    bench.program(
        "mdm",
        "case \"$*\" in \"storage test\"*) echo down >&2; exit 1;; esac; echo \"mdm $*\" >> ~/calls",
    );
    let run = bench.start(&procedure, of_stage(&bench, &procedure, "5", None)).unwrap();
    assert_eq!(run.ending, Some(Ending::LandedButFailed));
    let of = |id: &str| run.units.iter().find(|unit| unit.id == id).unwrap().state;
    assert_eq!((of("config-test"), of("storage-backends")), (UnitState::Done, UnitState::Failed));
    assert_eq!((of("dataset-checksums"), of("benchmark")), (UnitState::Skipped, UnitState::Skipped));
}
