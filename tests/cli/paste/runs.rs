//! The scenes of errors of runs and procedures.

use super::Ends::With;
use super::{Scene, scene};

/// Shell that commits and trusts a procedure `p` that takes back the last commit of `f`: what stands before its phase,
/// in its phase, and after it.
macro_rules! procedure {
    ($top:literal, $phase:literal, $more:literal) => {
        concat!(
            "again() { git add -A; git commit -qm procedure; hash=$(rb trust p 2>&1 | grep -o '[0-9a-f]\\{64\\}' | tail -1); \
             [ -z \"$hash\" ] || rb trust p --hash $hash; }; mkdir -p .rb/procedures; cat >.rb/procedures/p.toml <<'EOF'\n\
             schema = 1\nid = \"p\"\ndefault_phase = \"x\"\n",
            $top,
            "\n[phase.x]\npaths = [\"f\"]\nladder = [{ use = \"revert-commit\" }]\n",
            $phase,
            "\n",
            $more,
            "\nEOF\nagain"
        )
    };
}

const LANDED: &str = "[ $(cat f) = 2 ]";

pub(super) const SCENES: &[Scene] = &[
    scene(
        "unknown-name",
        procedure!("", "target = { grep = \"c3\" }", "[phase.canary]\npaths = [\"f\"]"),
        "rb run p -y --phase canari --dry-run",
        With(0),
        "true",
    ),
    scene(
        "input-unset",
        procedure!(
            "[input.version]",
            "target = { grep = \"c3\" }\nbefore = [\"s\"]",
            "[[step]]\nid = \"s\"\nrun = [\"echo\", \"{input.version}\"]"
        ),
        "rb run p -y",
        With(0),
        "rb run p -y --set version=1; [ $(cat f) = 2 ]",
    ),
    scene(
        "bad-input",
        procedure!("[input.region]\ndefault = \"eu\"", "target = { grep = \"c3\" }", ""),
        "rb run p -y --set regoin=us",
        With(0),
        LANDED,
    ),
    scene(
        "no-phase",
        concat!(
            procedure!("", "target = { grep = \"c3\" }", "[phase.y]\npaths = [\"f\"]"),
            "; sed -i /^default_phase/d .rb/procedures/p.toml; again"
        ),
        "rb run p -y",
        With(0),
        LANDED,
    ),
    scene(
        "authority-missing",
        procedure!("authority = [\"sre\"]\n[role.sre]", "target = { grep = \"c3\" }", ""),
        "rb run p -y",
        With(0),
        LANDED,
    ),
    scene(
        "approval-missing",
        procedure!("[role.lead]", "approvals = [\"lead\"]\ntarget = { grep = \"c3\" }", ""),
        "rb run p -y",
        With(0),
        "rb run p -y --approve lead=Grace; [ $(cat f) = 2 ]",
    ),
    scene(
        "confirmation-missing",
        procedure!("", "confirm = \"yes really\"\ntarget = { grep = \"c3\" }", ""),
        "rb run p -y",
        With(0),
        LANDED,
    ),
    scene(
        "not-trusted",
        concat!(
            procedure!("", "target = { grep = \"c3\" }", ""),
            "; echo '# changed' >>.rb/procedures/p.toml"
        ),
        "rb run p -y",
        With(6),
        "true",
    ),
    scene(
        "not-trusted",
        procedure!("", "target = { grep = \"c3\" }", ""),
        "rb run p -y --trusted-hash 0123",
        With(0),
        LANDED,
    ),
    scene(
        "not-trusted",
        procedure!("", "target = { grep = \"c3\" }", ""),
        "env RB_TRUSTED_HASH=0123 rb run p -y",
        With(0),
        LANDED,
    ),
    scene(
        "constraint-broken",
        concat!(
            "printf 'a = 60\\nb = 40\\n' >t.toml; git add .; git commit -qm t; ",
            procedure!(
                "[[constraint]]\nid = \"sum\"\nsum = [\"t.toml:a\", \"t.toml:b\"]\nop = \"==\"\nvalue = 100",
                "target = { grep = \"c3\" }",
                "[phase.y]\nset = { \"t.toml:a\" = 10 }"
            )
        ),
        "rb run p -y --phase y",
        With(0),
        "true",
    ),
    scene(
        "preserved-path",
        procedure!("", "preserve = [\"f\"]\ntarget = { grep = \"c3\" }", ""),
        "rb run p -y",
        With(0),
        "true",
    ),
    scene(
        "target-not-found",
        procedure!("", "target = { grep = \"c3\" }", "[phase.y]\nset = { \"nowhere.toml:a\" = 10 }"),
        "rb run p -y --phase y",
        With(0),
        "true",
    ),
    scene(
        "not-settable",
        concat!(
            "echo 'a = = 1' >t.toml; git add .; git commit -qm t; ",
            procedure!("", "target = { grep = \"c3\" }", "[phase.y]\nset = { \"t.toml:a\" = 10 }")
        ),
        "rb run p -y --phase y",
        With(0),
        "true",
    ),
    scene(
        "bad-remote",
        procedure!("[publish]\npush = \"nowhere\"", "target = { grep = \"c3\" }", ""),
        "rb run p -y --publish",
        With(0),
        "true",
    ),
    scene(
        "publish-after-failure",
        concat!(
            "git init -q --bare ../far-$$; git remote add far ../far-$$; ",
            procedure!(
                "[publish]\npush = \"far\"",
                "target = { grep = \"c3\" }\nverify = [\"live\"]",
                "[[check]]\nid = \"live\"\nrun = [\"false\"]"
            ),
            "; git push -q far main; rb run p -y || true"
        ),
        "rb publish -y",
        With(8),
        "git ls-remote far main | grep $(git rev-parse HEAD)",
    ),
    scene(
        "publish-others",
        concat!(
            "git init -q --bare ../far-$$; git remote add far ../far-$$; ",
            procedure!("[publish]\npush = \"far\"", "target = { grep = \"c3\" }", ""),
            "; git push -q far main; echo mine >mine; git add .; git commit -qm mine; rb run p -y"
        ),
        "rb publish -y",
        With(0),
        "git ls-remote far main | grep $(git rev-parse HEAD)",
    ),
    scene(
        "concurrent-run",
        concat!(
            procedure!(
                "",
                "target = { grep = \"c3\" }\nbefore = [\"m\"]",
                "[[step]]\nid = \"m\"\nmanual = \"look at it\""
            ),
            "; rb run p -y || true"
        ),
        "rb run p -y",
        With(0),
        "rb abort",
    ),
    scene("no-run", procedure!("", "target = { grep = \"c3\" }", ""), "rb resume", With(0), "true"),
    scene(
        "run-ended",
        concat!(
            procedure!("", "target = { grep = \"c3\" }", ""),
            "; rb run p -y --json | tail -1 | cut -d'\"' -f6 >.git/run-id"
        ),
        "rb resume --run $(cat .git/run-id)",
        With(0),
        "true",
    ),
    scene(
        "procedure-changed",
        concat!(
            procedure!(
                "",
                "target = { grep = \"c3\" }\nbefore = [\"m\"]",
                "[[step]]\nid = \"m\"\nmanual = \"look at it\""
            ),
            "; rb run p -y || true; echo '# changed' >>.rb/procedures/p.toml; hash=$(rb trust p 2>&1 | grep -o '[0-9a-f]\\{64\\}' | tail -1); rb trust p --hash $hash"
        ),
        "rb resume -y --mark-done",
        With(0),
        "rb run p -y; rb abort",
    ),
    scene(
        "moved",
        concat!(
            procedure!(
                "",
                "target = { grep = \"c3\" }\nbefore = [\"m\"]",
                "[[step]]\nid = \"m\"\nmanual = \"look at it\""
            ),
            "; rb run p -y || true; echo 4 >g; git add g; git commit -qm c4"
        ),
        "rb resume -y --mark-done",
        With(0),
        "rb run p -y; rb abort",
    ),
    scene(
        "step-cut-off",
        concat!(
            procedure!(
                "",
                "target = { grep = \"c3\" }\nbefore = [\"k\"]",
                "[[step]]\nid = \"k\"\nrun = [\"sh\", \"-c\", \"[ -e .git/once ] || { : >.git/once; kill -9 $PPID; sleep 5; }\"]"
            ),
            "; rb run p -y || true"
        ),
        "rb resume -y",
        With(0),
        LANDED,
    ),
    scene(
        "unknown-procedure",
        procedure!("", "target = { grep = \"c3\" }", ""),
        "rb run pp -y",
        With(0),
        LANDED,
    ),
    scene(
        "ambiguous-procedure",
        concat!(
            procedure!("", "target = { grep = \"c3\" }", ""),
            "; mkdir -p $XDG_CONFIG_HOME/rb/procedures; cp .rb/procedures/p.toml $XDG_CONFIG_HOME/rb/procedures"
        ),
        "rb procedure show p",
        With(0),
        "true",
    ),
    scene("unreadable-procedure", "true", "rb run ./nowhere.toml -y", With(0), "true"),
];

/// Errors of runs that no scene brings about, and why.
pub(super) const WITHOUT_SCENE: &[(&str, &str)] = &[
    ("bad-procedure", "it has no command: each mistake is named with its place"),
    ("approval-unsigned", "the command takes the approver's key; the suite of approvals signs"),
    ("bad-approval", "the suite of approvals has it"),
    ("not-a-member", "it has no command"),
    ("ambiguous-target", "the engine's own suite has it"),
    ("script-not-trusted", "a race"),
    (
        "value-is-option",
        "a value of an input that begins so is refused before; the engine's own suite has it",
    ),
    ("outside-path", "the format refuses what leads outside before"),
    ("run-at-work", "two processes at once; the suite of owners has it"),
    ("several-runs", "a repository has one open run; records of others are needed"),
];
