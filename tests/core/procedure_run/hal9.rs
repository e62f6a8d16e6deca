//! The procedure of the migration as it ships.

use crate::bench::*;

#[test]
fn traffic_goes_back_by_its_own_procedure_in_every_phase() {
    let sandbox = Sandbox::new();
    let on = "hierarchical = true # since May\n";
    let mut files: Vec<(String, &str)> = vec![
        ("hal9/traffic.toml".into(), "flat = 95\nhierarchical = 5\n"),
        (
            "hal9/flags.toml".into(),
            "shadow_mode = true\nhierarchical_learning = true\nmeta_cognition = true\n",
        ),
        ("hal9/state.toml".into(), "schema = 2\n"),
        ("hal9/monitoring.toml".into(), "on = true\n"),
    ];
    files.extend(
        ["us-west-2", "eu-west-1", "ap-southeast-1"].map(|name| (format!("hal9/regions/{name}.toml"), on)),
    );
    files.extend(
        ["cognitive", "orchestration", "substrate", "protocol"]
            .map(|name| (format!("hal9/components/{name}.toml"), on)),
    );
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), *text)).collect();
    sandbox.commit("desired state", &files);
    let start = sandbox.git(&["rev-parse", "HEAD"]);
    let procedure = built_in("hal9");
    for (phase, variant, changed) in [
        ("shadow", None, "hal9/flags.toml"),
        ("canary", None, "hal9/traffic.toml"),
        ("canary", Some("immediate"), "hal9/traffic.toml"),
        ("full", None, "hal9/traffic.toml"),
        ("emergency", None, "hal9/flags.toml\nhal9/traffic.toml"),
        ("regions", None, "hal9/regions/us-west-2.toml"),
        ("components", None, "hal9/components/cognitive.toml"),
        ("features", None, "hal9/flags.toml"),
    ] {
        let bench = Bench::new(sandbox.twin());
        let migrate = "case \"$*\" in *--verify) echo 'Flat: 100%, Hierarchical: 0%';; *hierarchical) echo 'No active requests';; *--error-rate*) echo '0.02%';; status) echo 'Phase: none';; esac; echo \"$@\" >> ~/migrate.log";
        for (program, script) in [
            ("hal9-migrate", migrate),
            ("hal9-cli", "echo ok"),
            ("kubectl", "echo '{\"spec\":{\"replicas\":0}}'"),
            ("pagerduty-cli", "echo ok"),
            ("slack-cli", "cat > ~/slack"),
            ("curl", "cat > /dev/null"),
            ("jira-cli", "echo ok"),
        ] {
            bench.program(program, script);
        }
        let mut request = bench.request(&procedure);
        request.phase = Some(phase.into());
        request.variant = variant.map(ToOwned::to_owned);
        request.roles = vec!["operator".into()];
        request.trigger = "Error rate > 0.1%".into();
        request.set = match phase {
            "regions" => vec![("region".into(), "us-west-2".into())],
            "components" => vec![("component".into(), "cognitive".into())],
            _ => Vec::new(),
        };
        let run = bench.start(&procedure, request).unwrap_or_else(|error| panic!("{phase}: {error}"));
        assert_eq!(
            (run.status, run.ending),
            (RunStatus::Complete, Some(Ending::Done)),
            "{phase}: {:#?}",
            run.units
        );
        assert_eq!(bench.sandbox.git(&["diff", "--name-only", &start, "HEAD"]), changed, "{phase}");
        let slack = fs::read_to_string(bench.home.path().join("slack")).unwrap();
        assert!(slack.contains("Trigger: Error rate > 0.1%"), "{slack}");
    }
}
