//! Mistakes in a procedure: each is refused before anything runs, at its line, with what was found and what would do.

use rollback_core::procedure::Procedure;
use rollback_core::procedure::format::{Files, Problems};

/// A sound procedure of a few lines that each test spoils.
const SOUND: &str = r#"schema = 1
id = "sound"
authority = ["sre"]

[role.sre]

[input.pr]
type = "integer"

[input.region]
type = "list"
values = ["us-west-2", "eu-west-1"]

[metric.error_rate]

[[trigger]]
id = "errors"
metric = "error_rate"
op = ">"
threshold = "0.1%"
for = "2m"
interval = "30s"

[phase.shim]
target = { deleted = "pkg/__init__.py" }
validate = ["smoke"]
after = ["tell"]

[[phase.shim.ladder]]
use = "revert-commit"

[[phase.shim.ladder]]
use = "restore-file"
from = "last-good"
when = ["conflict"]

[[check]]
id = "smoke"
run = ["make", "smoke"]
timeout = "10m"
expect = { capture = '(\d+) passed', eq = 15 }

[[step]]
id = "tell"
run = ["gh", "pr", "comment", "{input.pr}"]
"#;

fn parse(text: &str) -> Result<Procedure, Problems> {
    Procedure::parse("dir/sound.toml", text.as_bytes(), &())
}

/// The only problem of the sound procedure with `from` replaced by `to`.
#[track_caller]
fn problem(from: &str, to: &str) -> String {
    assert!(SOUND.contains(from), "{from} is not in the procedure");
    let spoilt = SOUND.replacen(from, to, 1);
    match parse(&spoilt) {
        Ok(_) => panic!("accepted:\n{spoilt}"),
        Err(problems) => {
            assert_eq!(problems.0.len(), 1, "{problems}");
            problems.to_string()
        }
    }
}

#[test]
fn a_sound_procedure_is_read_whole() {
    let procedure = parse(SOUND).unwrap();
    assert_eq!(procedure.id, "sound");
    assert_eq!(procedure.default_phase(), Some("shim"));
    assert_eq!(procedure.files, [("dir/sound.toml".to_owned(), SOUND.as_bytes().to_vec())]);
    assert_eq!(procedure.phase("shim", None).unwrap().ladder.len(), 2);
}

#[test]
fn an_unknown_key_is_named_with_the_nearest() {
    let found = problem("timeout = \"10m\"", "timeuot = \"10m\"");
    assert_eq!(found, "dir/sound.toml:40:1: unknown key 'timeuot'; did you mean 'timeout'?");
    let found = problem("timeout = \"10m\"", "xyzzy = \"10m\"");
    assert!(found.starts_with("dir/sound.toml:40:1: unknown key 'xyzzy' (known: id, "), "{found}");
}

#[test]
fn an_unknown_schema_is_refused_before_its_keys_are() {
    assert_eq!(
        problem("schema = 1", "schema = 2\nnew_key = 3"),
        "dir/sound.toml:1:10: schema 2 is not known here, only schema 1 is; did you mean '1'?"
    );
    assert_eq!(problem("schema = 1\n", ""), "dir/sound.toml:1:1: the file has no 'schema = 1'");
}

#[test]
fn an_unknown_strategy_or_reason_is_named_with_the_nearest() {
    let found = problem("use = \"revert-commit\"", "use = \"revertcommit\"");
    assert!(found.starts_with("dir/sound.toml:30:7: unknown value 'revertcommit'"), "{found}");
    assert!(found.ends_with("did you mean 'revert-commit'?"), "{found}");
    let found = problem("when = [\"conflict\"]", "when = [\"conflicts\"]");
    assert!(
        found.contains(":35:9: unknown value 'conflicts'") && found.ends_with("did you mean 'conflict'?"),
        "{found}"
    );
}

#[test]
fn unknown_names_are_found_at_their_place_in_the_list() {
    assert_eq!(
        problem("validate = [\"smoke\"]", "validate = [\"smoke\", \"smok\"]"),
        "dir/sound.toml:26:22: unknown check 'smok' (known: smoke); did you mean 'smoke'?"
    );
    assert_eq!(
        problem("after = [\"tell\"]", "after = [\"tel\"]"),
        "dir/sound.toml:27:10: unknown step 'tel' (known: tell); did you mean 'tell'?"
    );
    assert_eq!(
        problem("authority = [\"sre\"]", "authority = [\"ops\"]"),
        "dir/sound.toml:3:14: unknown role 'ops' (known: sre)"
    );
    assert_eq!(
        problem("metric = \"error_rate\"", "metric = \"errorrate\""),
        "dir/sound.toml:18:10: unknown metric 'errorrate' (known: error_rate); did you mean 'error_rate'?"
    );
    assert_eq!(
        problem("authority = [\"sre\"]", "authority = [\"sre\"]\ndefault_phase = \"shin\""),
        "dir/sound.toml:4:17: unknown phase 'shin' (known: shim); did you mean 'shim'?"
    );
}

#[test]
fn a_name_is_declared_once() {
    let found = problem("[[step]]", "[[check]]\nid = \"smoke\"\nask = \"?\"\n\n[[step]]");
    assert_eq!(found, "dir/sound.toml:44:6: the check 'smoke' is declared twice");
}

#[test]
fn the_id_is_the_name_of_the_file() {
    assert_eq!(
        problem("id = \"sound\"", "id = \"noise\""),
        "dir/sound.toml:2:6: id 'noise' differs from the file's name 'sound'"
    );
}

#[test]
fn steps_that_wait_for_each_other_are_a_cycle() {
    let spoilt = SOUND.replace("id = \"tell\"\n", "id = \"tell\"\nneeds = [\"ask\"]\n")
        + "\n[[step]]\nid = \"ask\"\nmanual = \"ask\"\nneeds = [\"tell\"]\n";
    let problems = parse(&spoilt).unwrap_err();
    let texts: Vec<_> = problems.0.iter().map(|problem| problem.message.as_str()).collect();
    assert_eq!(
        texts,
        [
            "the step 'tell' waits for itself: tell -> ask -> tell",
            "the step 'ask' waits for itself: ask -> tell -> ask"
        ]
    );
}

#[test]
fn thresholds_need_units_and_must_be_possible() {
    for (to, expected) in [
        (
            "threshold = 5",
            "20:13: '5' is not a threshold: it has no unit; did you mean '5%', '5ms' or '5 count'?",
        ),
        (
            "threshold = \"101%\"",
            "20:13: '101%' is not a threshold: a percentage lies between 0% and 100%; for growth use times, such as 2x",
        ),
    ] {
        assert_eq!(problem("threshold = \"0.1%\"", to), format!("dir/sound.toml:{expected}"));
    }
    assert_eq!(
        problem("for = \"2m\"", "for = \"10s\""),
        "dir/sound.toml:21:7: 'for' (10s) is shorter than 'interval' (30s): one sample would decide"
    );
    assert_eq!(
        problem("for = \"2m\"", "for = 2"),
        "dir/sound.toml:21:7: '2' is not a length of time: it has no unit; did you mean '2s' or '2m'?"
    );
}

#[test]
fn a_bad_pattern_is_refused_where_it_stands() {
    assert_eq!(
        problem("'(\\d+) passed'", "'(\\d+ passed'"),
        "dir/sound.toml:41:22: '(\\d+ passed' is not a regular expression: unclosed group"
    );
    let found = problem("'(\\d+) passed'", "'\\d+ passed'");
    assert!(found.contains("captures nothing: put the value into (…)"), "{found}");
}

#[test]
fn paths_that_leave_the_repository_or_enter_git_are_refused() {
    assert_eq!(
        problem("\"pkg/__init__.py\"", "\"../pkg/__init__.py\""),
        "dir/sound.toml:25:22: '../pkg/__init__.py' is not a path inside the repository: it leaves the root with '..'"
    );
    assert!(problem("\"pkg/__init__.py\"", "\".git/hooks/x\"").contains("it enters .git"));
}

#[test]
fn a_merge_needs_its_mainline() {
    let found =
        problem("target = { deleted = \"pkg/__init__.py\" }", "target = { merge_of = \"feature/x\" }");
    assert_eq!(
        found,
        "dir/sound.toml:29:1: reverting a merge needs its mainline: mainline = 1 keeps what the branch was merged into"
    );
    assert!(problem("use = \"revert-commit\"", "use = \"revert-merge\"").contains("needs its mainline"));
    assert!(
        problem("use = \"revert-commit\"", "use = \"revert-commit\"\nmainline = 0")
            .contains("parents count from 1")
    );
}

#[test]
fn a_later_rung_needs_its_reason() {
    assert!(problem("when = [\"conflict\"]\n", "").contains("a rung after the first needs 'when'"));
}

#[test]
fn placeholders_name_what_a_run_will_know() {
    assert_eq!(
        problem("{input.pr}", "{input.pull}"),
        "dir/sound.toml:45:31: unknown input 'pull' (known: pr, region)"
    );
    let found = problem("{input.pr}", "{inputs.pr}");
    assert!(
        found.contains("unknown placeholder 'inputs'") && found.ends_with("did you mean 'input'?"),
        "{found}"
    );
    let found = problem("{input.pr}", "{run.duraton}");
    assert!(found.ends_with("did you mean 'duration'?"), "{found}");
    assert!(problem("{input.pr}", "{check.smoke.outcom}").ends_with("did you mean 'outcome'?"));
}

#[test]
fn a_value_is_never_spliced_into_code() {
    let found = problem(
        "[\"gh\", \"pr\", \"comment\", \"{input.pr}\"]",
        "[\"sh\", \"-c\", \"gh pr comment {input.pr}\"]",
    );
    assert!(found.contains("would be read as code by 'sh'"), "{found}");
    assert!(
        problem("[\"gh\", \"pr\"", "[\"gh pr comment\"")
            .contains("write run = [\"program\", \"argument\", …]")
    );
    assert!(problem("[\"gh\", \"pr\"", "[\"{input.pr}\"").contains("must not come from a value"));
}

#[test]
fn what_would_end_the_runner_or_rewrite_history_is_not_offered() {
    assert!(
        problem("[\"make\", \"smoke\"]", "[\"pkill\", \"-f\", \"mdm\"]")
            .contains("this run's own among them")
    );
    for command in [
        "[\"git\", \"push\", \"--force\"]",
        "[\"git\", \"reset\", \"--hard\", \"x\"]",
        "[\"git\", \"push\", \"origin\", \"+main\"]",
    ] {
        assert!(problem("[\"make\", \"smoke\"]", command).contains("rewrites history"), "{command}");
    }
}

#[test]
fn inputs_defaults_lie_within_what_is_declared() {
    let found = problem(
        "values = [\"us-west-2\", \"eu-west-1\"]",
        "values = [\"us-west-2\"]\ndefault = \"us-west-1\"",
    );
    assert!(found.contains("'us-west-1' is not declared; did you mean 'us-west-2'?"), "{found}");
    assert!(
        problem("type = \"integer\"", "type = \"integer\"\ndefault = \"many\"")
            .contains("not a whole number")
    );
}

#[test]
fn a_check_of_the_live_system_cannot_look_at_a_candidate() {
    let found = problem("timeout = \"10m\"", "live = true");
    assert_eq!(
        found,
        "dir/sound.toml:26:13: the check 'smoke' looks at the live system: it belongs into 'verify'"
    );
}

#[test]
fn text_that_is_not_toml_is_refused_with_its_line() {
    let found = problem("[role.sre]", "[role.sre");
    assert!(found.starts_with("dir/sound.toml:5:"), "{found}");
    let problems = Procedure::parse("sound.toml", b"schema = 1\n# \xff\n", &()).unwrap_err();
    assert_eq!(problems.to_string(), "sound.toml:2:3: the file is not UTF-8 from here on");
}

struct Beside(&'static [(&'static str, &'static str)]);

impl Files for Beside {
    fn read(&self, name: &str) -> std::io::Result<Vec<u8>> {
        let found = self.0.iter().find(|(file, _)| *file == name);
        found.map(|(_, text)| text.as_bytes().to_vec()).ok_or_else(|| std::io::ErrorKind::NotFound.into())
    }
}

#[test]
fn included_files_bring_checks_and_steps_and_are_read_once() {
    let main = SOUND
        .replace("id = \"sound\"", "id = \"sound\"\ninclude = [\"a.toml\", \"b.toml\"]")
        .replace("[\"smoke\"]", "[\"smoke\", \"shared\"]");
    let beside = Beside(&[
        ("a.toml", "schema = 1\ninclude = [\"b.toml\"]\n"),
        ("b.toml", "schema = 1\n[[check]]\nid = \"shared\"\nask = \"ready?\"\n"),
    ]);
    let procedure = Procedure::parse("dir/sound.toml", main.as_bytes(), &beside).unwrap();
    assert!(procedure.check("shared").is_some());
    let names: Vec<_> = procedure.files.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["dir/sound.toml", "dir/a.toml", "dir/b.toml"]);
}

#[test]
fn includes_neither_loop_nor_leave_the_folder_nor_bring_what_is_not_theirs() {
    let with = |include: &str| {
        SOUND.replace("id = \"sound\"", &format!("id = \"sound\"\ninclude = [\"{include}\"]"))
    };
    let error = |text: &str, beside: Beside| {
        Procedure::parse("dir/sound.toml", text.as_bytes(), &beside).unwrap_err().to_string()
    };
    assert_eq!(
        error(&with("a.toml"), Beside(&[("a.toml", "schema = 1\ninclude = [\"sound.toml\"]\n")])),
        "dir/a.toml:2:12: including 'sound.toml' never ends: sound.toml -> a.toml -> sound.toml"
    );
    assert!(error(&with("../a.toml"), Beside(&[])).contains("not the name of a .toml file beside this one"));
    assert!(error(&with("a.toml"), Beside(&[])).contains("cannot read 'a.toml'"));
    assert!(
        error(&with("a.toml"), Beside(&[("a.toml", "schema = 1\nrto = \"1h\"\n")]))
            .contains("dir/a.toml:2:7: 'rto' belongs into the procedure's own file")
    );
}

#[test]
fn every_mistake_is_found_at_once() {
    let spoilt = SOUND
        .replace("[\"smoke\"]", "[\"smoek\"]")
        .replace("[\"tell\"]", "[\"tall\"]")
        .replace("input.pr}", "input.pp}");
    let problems = parse(&spoilt).unwrap_err();
    assert_eq!(problems.0.iter().map(|problem| problem.line).collect::<Vec<_>>(), [26, 27, 45]);
}

#[test]
fn the_published_schema_names_every_key() {
    let schema = serde_json::to_value(Procedure::json_schema()).unwrap();
    let phase = &schema["$defs"]["Phase"]["properties"];
    assert!(phase["ladder"].is_object() && phase["variant"].is_object(), "{phase}");
    assert_eq!(schema["additionalProperties"], false);
}

#[test]
fn a_value_is_a_whole_argument_or_follows_a_name_and_is_never_code() {
    let with = |run: &str| {
        let text = SOUND.replace("[metric.error_rate]", "[input.any]\n\n[metric.error_rate]");
        parse(&text.replace("[\"gh\", \"pr\", \"comment\", \"{input.pr}\"]", run))
    };
    for run in [
        r#"["gh", "pr", "{input.any}"]"#,
        r#"["gh", "pr", "--title={input.any}"]"#,
        r#"["tool", "NAME={input.any}"]"#,
        r#"["tool", "pr-{input.pr}.txt"]"#,
        r#"["tool", "report-{date.compact}.md", "{run.id}/x"]"#,
        r#"["python3", "s/x.py", "{input.any}"]"#,
        r#"["grep", "-q", "--", "{input.any}"]"#,
    ] {
        assert!(with(run).is_ok(), "{run}: {}", with(run).unwrap_err());
    }
    for run in [
        r#"["tool", "x{input.any}"]"#,
        r#"["tool", "{input.any}/x"]"#,
        r#"["tool", "-{input.any}"]"#,
        r#"["tool", "the reason: {run.reason}"]"#,
        r#"["sudo", "sh", "-c", "{input.any}"]"#,
        r#"["sudo", "sh", "-c", "echo {input.pr}"]"#,
        r#"["docker", "exec", "web", "bash", "-lc", "{input.any}"]"#,
        r#"["ssh", "host", "{input.any}"]"#,
        r#"["python3", "-c", "{input.any}"]"#,
        r#"["/usr/bin/python3.12", "-c", "print(1)", "{input.any}"]"#,
        r#"["python3", "{input.any}"]"#,
        r#"["perl", "-e", "{input.any}"]"#,
        r#"["perl", "-e{input.any}"]"#,
        r#"["node", "--eval={input.any}"]"#,
        r#"["node", "--eva={input.any}"]"#,
        r#"["find", ".", "-exec", "{input.any}", ";"]"#,
        r#"["git", "-c", "{input.any}", "status"]"#,
        r#"["git", "push", "--receive-pack={input.any}"]"#,
        r#"["rsync", "-e", "{input.any}", "a", "b"]"#,
        r#"["tar", "--to-command={input.any}", "-xf", "a"]"#,
        r#"["awk", "{input.any}"]"#,
        r#"["make", "X={input.any}"]"#,
    ] {
        let problems = with(run).expect_err(run);
        assert_eq!(problems.0[0].code, "spliced-value", "{run}: {problems}");
        assert_eq!((problems.0[0].line, problems.0.len()), (47, 1), "{run}: {problems}");
    }
}

#[test]
fn a_value_in_a_variable_that_leads_to_code_is_refused() {
    for name in ["PATH", "LD_PRELOAD", "BASH_ENV", "PYTHONPATH", "GIT_SSH_COMMAND", "NODE_OPTIONS"] {
        let run = "run = [\"gh\", \"pr\", \"comment\", \"{input.pr}\"]";
        let found = problem(run, &format!("run = [\"gh\"]\nenv = {{ {name} = \"{{input.pr}}\" }}"));
        assert!(found.contains("leads a program to code"), "{found}");
    }
}

#[test]
fn what_leaves_the_machine_goes_to_a_remote_and_what_is_kept_has_a_plain_name() {
    let publish =
        |push: &str| problem("[phase.shim]\n", &format!("[publish]\npush = \"{push}\"\n\n[phase.shim]\n"));
    for push in ["--receive-pack=x", "ext::sh -c x", "/tmp/x", "ssh://-oProxyCommand=x/", "{input.pr}"] {
        assert!(
            publish(push).contains(":25:8: ") && publish(push).contains("is not a remote"),
            "{}",
            publish(push)
        );
    }
    let evidence = "[[evidence]]\nid = \"e\"\nfiles = [\"x\"]\nto = ";
    for to in ["../x", "a/b", "/x", "~/x", ".ssh"] {
        let found = problem("[[check]]\n", &format!("{evidence}\"{to}\"\n\n[[check]]\n"));
        assert!(found.contains(":40:6: ") && found.contains("is not the name of a file"), "{found}");
    }
}

#[test]
fn a_procedure_has_limits_and_each_is_named_where_it_is_exceeded() {
    let of = |rest: String| {
        let started = std::time::Instant::now();
        let problems = parse(&format!("schema = 1\nid = \"sound\"\n{rest}")).unwrap_err();
        assert!(started.elapsed().as_secs() < 5, "{problems}");
        assert_eq!(problems.0[0].code, "too-large", "{problems}");
        problems.to_string()
    };
    assert!(of("#".repeat(2 << 20)).contains("more than 1048576"));
    assert!(of("[[check]]\nid = \"c\"\n".repeat(1001)).contains("1001 check, more than 1000"));
    assert!(of(format!("x = {}{}", "[".repeat(40), "]".repeat(40))).contains("nested more than 24 deep"));
    let patterns: String = (0..300)
        .map(|at| format!("[[check]]\nid = \"c{at}\"\nfile = \"a\"\nexpect = {{ never = '\\w{{100}}' }}\n"))
        .collect();
    assert!(of(patterns).contains("more than 256 regular expressions"));
    let many: String = (0..30).map(|at| format!("k{at} = [{}]\n", "1,".repeat(900))).collect();
    assert!(of(many).contains("more than 20000 values"));
}

#[test]
fn mistakes_beyond_a_hundred_are_not_told_and_steps_that_all_wait_take_no_time() {
    let names: Vec<String> = (0..900).map(|at| format!("\"nobody{at}\"")).collect();
    let problems = parse(&SOUND.replace("[\"sre\"]", &format!("[{}]", names.join(", ")))).unwrap_err();
    assert_eq!(problems.0.len(), 100);
    let steps: String = (0..60)
        .map(|at| {
            let needs: Vec<_> = (0..at).map(|other| format!("\"s{other}\"")).collect();
            format!("\n[[step]]\nid = \"s{at}\"\nmanual = \"x\"\nneeds = [{}]\n", needs.join(", "))
        })
        .collect();
    parse(&format!("{SOUND}{steps}")).unwrap();
}

#[test]
fn a_list_or_a_path_never_begins_with_a_dash() {
    let found = problem("values = [\"us-west-2\", \"eu-west-1\"]", "values = [\"us-west-2\", \"--evil\"]");
    assert!(found.contains("'--evil' begins with '-'"), "{found}");
    let found = problem("type = \"integer\"", "type = \"path\"\ndefault = \"-x\"");
    assert!(found.contains("'-x' begins with '-'"), "{found}");
}
