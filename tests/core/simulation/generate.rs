//! Procedures for simulated runs, generated from a seed.

use std::fmt::Write;

use super::world::Dice;
use crate::id::CommitId;

/// The text of a procedure. `target` is the commit to roll back, `good` the state before it.
pub(super) fn procedure(dice: &mut Dice, target: CommitId, good: CommitId) -> String {
    let mut text = Text { dice, phase: String::new(), rows: String::new(), steps: 0 };
    text.head();
    text.rollback(target, good);
    text.around();
    text.messages();
    format!("schema = 1\nid = \"sim\"\n{}[phase.p]\n{}", text.rows, text.phase)
}

struct Text<'d> {
    dice: &'d mut Dice,
    phase: String,
    rows: String,
    steps: usize,
}

impl Text<'_> {
    fn phase(&mut self, line: &str) {
        self.phase.push_str(line);
        self.phase.push('\n');
    }

    fn row(&mut self, rows: &str) {
        self.rows.push_str(rows);
        self.rows.push('\n');
    }

    /// What stands before all tables.
    fn head(&mut self) {
        if self.dice.chance(20) {
            self.row("branch = \"rollback\"");
        }
        self.row("[role.boss]");
        for check in ["live-1", "live-2"] {
            let retries = self.dice.below(2);
            self.row(&format!(
                "[[check]]\nid = \"{check}\"\nrun = [\"{check}\"]\nlive = true\nretries = {retries}"
            ));
        }
        self.row("[[check]]\nid = \"cand-1\"\nrun = [\"cand-1\"]");
        self.row("[[check]]\nid = \"cand-2\"\nask = \"is it good?\"");
    }

    fn rollback(&mut self, target: CommitId, good: CommitId) {
        let on_branch = self.rows.starts_with("branch");
        match self.dice.below(10) {
            0..=5 => {
                self.phase(&format!("target = {{ commit = \"{target}\" }}\npaths = [\"f\"]"));
                let mut ladder = vec!["{ use = \"revert-commit\" }".to_owned()];
                if self.dice.chance(70) {
                    ladder.push(format!(
                        "{{ use = \"restore-file\", from = \"{good}\", when = [\"conflict\", \"validation-failed\"] }}"
                    ));
                }
                if self.dice.chance(40) {
                    ladder.push(
                        "{ use = \"command\", run = [\"rung-1\"], approval = \"boss\", when = [\"validation-failed\", \"conflict\", \"empty\"] }"
                            .into(),
                    );
                }
                self.phase(&format!("ladder = [{}]", ladder.join(", ")));
                self.edits();
            }
            6 | 7 if !on_branch => {
                self.phase("set = { \"t.toml:a\" = 10 }");
                let checks = if self.dice.chance(50) { "\"live-1\"" } else { "" };
                self.phase(&format!("gradual = {{ over = \"4m\", steps = 3, checks = [{checks}] }}"));
            }
            6 | 7 => self.phase("set = { \"t.toml:a\" = 10 }"),
            _ => return,
        }
        let mut validate = Vec::new();
        if self.dice.chance(60) {
            validate.push("\"cand-1\"");
        }
        if self.dice.chance(15) {
            validate.push("\"cand-2\"");
        }
        self.phase(&format!("validate = [{}]", validate.join(", ")));
        let control = self.dice.chance(50);
        self.phase(&format!("control = {control}"));
    }

    fn edits(&mut self) {
        match self.dice.below(10) {
            0..=2 => {
                self.row("[[step]]\nid = \"edit-1\"\nwrite = { path = \"g\", text = \"written\" }");
                self.phase("edits = [\"edit-1\"]");
            }
            3 | 4 => {
                self.row("[[step]]\nid = \"edit-2\"\nmanual = \"edit it by hand\"");
                self.phase("edits = [\"edit-2\"]");
            }
            _ => {}
        }
    }

    /// A step of some kind; its name.
    fn step(&mut self) -> String {
        self.steps += 1;
        let id = format!("s{}", self.steps);
        let kind = match self.dice.below(10) {
            0 => "manual = \"do it by hand\"".to_owned(),
            1 => "wait = \"1m\"".to_owned(),
            2 => format!("run = [\"look-{id}\"]\neffect = \"read\""),
            _ => format!("run = [\"step-{id}\"]\nretries = {}", self.dice.below(2)),
        };
        let optional = self.dice.chance(15);
        self.row(&format!("[[step]]\nid = \"{id}\"\noptional = {optional}\n{kind}"));
        id
    }

    fn steps(&mut self, key: &str, most: u64) {
        let many = self.dice.below(most + 1);
        let names: Vec<_> = (0..many).map(|_| format!("\"{}\"", self.step())).collect();
        self.phase(&format!("{key} = [{}]", names.join(", ")));
    }

    fn around(&mut self) {
        self.steps("before", 2);
        self.steps("after", 2);
        let mut verify = vec!["\"live-2\""];
        if self.dice.chance(40) {
            verify.push("\"live-1\"");
        }
        self.phase(&format!("verify = [{}]", verify.join(", ")));
        if self.dice.chance(20) {
            self.row("[[precheck]]\nid = \"sure\"\nask = \"sure?\"");
        }
        if self.dice.chance(20) {
            self.row("[[precheck]]\nid = \"calm\"\ncheck = \"live-1\"");
        }
        if self.dice.chance(15) {
            let step = self.step();
            self.row(&format!("[[precheck]]\nid = \"first\"\nstep = \"{step}\""));
        }
        if self.dice.chance(15) {
            self.row(
                "[[step]]\nid = \"bk\"\nrun = [\"step-bk\"]\n[backup]\nstep = \"bk\"\nverify = \"live-1\"",
            );
        }
        if self.dice.chance(20) {
            self.row("[[evidence]]\nid = \"kept\"\nrun = [\"evidence-1\"]");
            self.phase("evidence = [\"kept\"]");
        }
        if self.dice.chance(30) {
            self.row("[[step]]\nid = \"fs\"\nrun = [\"step-fs\"]");
            self.row("[[followup]]\nid = \"due\"\ntext = \"tidy up\"\nstep = \"fs\"\nchecks = [\"live-1\"]");
        }
        if self.dice.chance(15) {
            self.row("[soak]\nfor = \"4m\"\nevery = \"1m\"\nchecks = [\"live-1\"]");
        }
        if self.dice.chance(60) {
            let mut way = String::from("[publish]\n");
            if self.dice.chance(60) {
                way.push_str("push = \"origin\"\n");
            }
            if self.dice.chance(60) || !way.contains("push") {
                way.push_str("run = [\"publish-1\"]\n");
            }
            if self.rows.starts_with("branch") && self.dice.chance(60) {
                way.push_str("merge_into = \"main\"\n");
            }
            if self.dice.chance(30) {
                way.push_str("verify = [\"live-1\"]\n");
            }
            self.row(&way);
        }
    }

    fn messages(&mut self) {
        for on in ["initiated", "complete", "failed", "update"] {
            if !self.dice.chance(60) {
                continue;
            }
            let mut row = format!("[[message]]\nid = \"{on}\"\non = \"{on}\"\ntext = \"{{run.status}}\"\n");
            if self.dice.chance(60) {
                // An update is sent as often as it is due.
                let program = if on == "update" { "tell" } else { "send" };
                let _ = writeln!(row, "send = [\"{program}-{on}\"]");
            }
            if on == "update" {
                row.push_str("every = \"3m\"\n");
            }
            self.row(&row);
        }
    }
}
