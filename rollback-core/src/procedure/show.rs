//! A procedure as a document for people. The document and the program are one.
//!
//! Its texts hold code spans as Markdown spells them. Nothing is rendered here.

use std::fmt::Write;

use super::acts::quoted;
use super::format::{
    Action, Check, Demand, Evidence, Followup, Named, Origin, Phase, Procedure, Publish, Rung, Scalar, Step,
    Subject, spelled, text,
};
use crate::markdown::code;

/// A piece of the document.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Block {
    /// A heading; levels count from 1.
    Heading {
        /// The level.
        level: usize,
        /// Its text.
        text: String,
    },
    /// A paragraph.
    Paragraph(String),
    /// A list.
    List(Vec<String>),
    /// A table.
    Table {
        /// The names of its columns.
        head: Vec<&'static str>,
        /// Its rows.
        rows: Vec<Vec<String>>,
    },
    /// Text that stands as it is.
    Code(String),
}

/// The document of a procedure.
pub fn show(procedure: &Procedure) -> Vec<Block> {
    let mut page = Page { procedure, blocks: Vec::new() };
    page.about();
    page.when();
    page.before();
    for (name, phase) in procedure.document.phase.iter() {
        page.phase(2, name, phase);
        for (variant, over) in phase.variants.iter() {
            page.phase(3, &format!("{name}, {variant}"), over);
        }
    }
    page.checks_and_steps();
    page.after();
    page.appendix();
    page.blocks
}

struct Page<'a> {
    procedure: &'a Procedure,
    blocks: Vec<Block>,
}

impl Page<'_> {
    fn heading(&mut self, level: usize, text: impl Into<String>) {
        self.blocks.push(Block::Heading { level, text: text.into() });
    }

    fn list(&mut self, items: impl IntoIterator<Item = String>) {
        let items: Vec<String> = items.into_iter().filter(|item| !item.trim().is_empty()).collect();
        if !items.is_empty() {
            self.blocks.push(Block::List(items));
        }
    }

    /// A section that is left out where it has no row; `|` separates the names of its columns.
    fn table(&mut self, title: &str, head: &'static str, rows: impl IntoIterator<Item = Vec<String>>) {
        let rows: Vec<Vec<String>> = rows.into_iter().collect();
        if rows.is_empty() {
            return;
        }
        if !title.is_empty() {
            self.heading(2, title);
        }
        self.blocks.push(Block::Table { head: head.split('|').collect(), rows });
    }

    fn about(&mut self) {
        let document = &self.procedure.document;
        self.heading(1, document.title.clone().unwrap_or_else(|| self.procedure.id.clone()));
        if let Some(purpose) = &document.purpose {
            self.blocks.push(Block::Paragraph(purpose.clone()));
        }
        let meta = document.meta.clone().unwrap_or_default();
        let mut facts = Vec::new();
        let mut fact = |name: &str, value: Option<String>| {
            facts.extend(value.map(|value| vec![name.to_owned(), value]));
        };
        fact("Run with", Some(format!("`rb run {}`", self.procedure.id)));
        fact("Version", meta.version);
        fact("Status", meta.status);
        fact("Priority", meta.priority);
        fact("Criticality", meta.criticality);
        fact("Risk", meta.risk);
        fact("Owner", meta.owner);
        fact("Estimated time", meta.estimate.map(|estimate| estimate.to_string()));
        fact("Target time", document.rto.map(|rto| rto.to_string()));
        fact("Authority", (!document.authority.is_empty()).then(|| document.authority.join(" or ")));
        fact("Rehearse every", document.drill_every.map(|every| every.to_string()));
        fact("Created", meta.created);
        fact("Updated", meta.updated);
        fact("Last tested", meta.last_tested);
        fact("Next review", meta.next_review);
        fact("Confidence", meta.confidence);
        self.table("", "|", facts);
        self.list(meta.notes);
        if let Some(policy) = &document.policy {
            self.heading(2, "Principles");
            self.list(policy.principles.clone());
            self.list(policy.never.iter().map(|never| format!("Never: {never}")));
            self.list(policy.branches.clone());
        }
    }

    fn when(&mut self) {
        let document = &self.procedure.document;
        let triggers = document.trigger.iter().map(|row| {
            let title = title(row.title.as_ref(), &row.id);
            vec![title, row.condition(), text(row.phase.as_ref()), text(row.advice.as_ref())]
        });
        self.table("When to use it", "trigger|condition|phase|what to do", triggers);
        if !document.avoid.is_empty() {
            self.heading(2, "When not to use it");
            self.list(document.avoid.iter().map(|avoid| match &avoid.instead {
                Some(instead) => format!("{}: {instead}", avoid.when),
                None => avoid.when.clone(),
            }));
        }
        let severities = document.severity.iter().map(|severity| {
            let figures = severity.any.iter().map(|condition| condition.rule().to_string());
            let by: Vec<_> = severity.when.iter().cloned().chain(figures).collect();
            let within = severity.action.clone().unwrap_or_else(|| text(severity.within));
            vec![severity.id.clone(), by.join("; "), within]
        });
        self.table("Severity", "severity|recognised by|act within", severities);
        let decisions = document.decision.iter().map(|row| {
            let variant = row.variant.as_ref().map_or(String::new(), |variant| format!(" ({variant})"));
            vec![
                title(row.title.as_ref(), &row.id),
                text(row.severity.as_ref()),
                text(row.action.as_ref()),
                text(row.within),
                row.authority.join(" + "),
                format!("{}{variant}", row.phases.join(", ")),
                text(row.eta),
                text(row.validation.as_ref()),
            ]
        });
        let head = "scenario|severity|rollback|within|authority|phases|time|validation";
        self.table("Decision matrix", head, decisions);
    }

    fn before(&mut self) {
        let document = &self.procedure.document;
        if !document.precheck.is_empty() || document.checkpoint.is_some() || document.backup.is_some() {
            self.heading(2, "Before");
            let asked = document.precheck.iter().map(|row| match row.demand() {
                Ok(Demand::Confirmed(question)) => question.to_owned(),
                Ok(Demand::Done(step)) => format!("step `{step}`"),
                Ok(Demand::Checked(check)) => format!("check `{check}`"),
                Ok(Demand::Given(input)) => format!("`--set {input}=…` is given"),
                Err(misshapen) => misshapen.message,
            });
            let checkpoint = document.checkpoint.iter().map(|row| format!("checkpoint `{}`", row.name));
            let backup = document.backup.iter();
            let backup = backup.map(|row| format!("backup `{}`, verified by `{}`", row.step, row.verify));
            self.list(asked.chain(checkpoint).chain(backup));
        }
        let inputs = document.input.iter().map(|(name, input)| {
            let (help, default) = (text(input.help.as_ref()), text(input.default.as_ref()));
            vec![name.to_owned(), help, default, input.values.join(", ")]
        });
        self.table("Inputs", "--set|what|default|values", inputs);
    }

    fn phase(&mut self, level: usize, name: &str, phase: &Phase) {
        let heading = phase.title.clone().unwrap_or_else(|| name.to_owned());
        self.heading(level, format!("{name}: {heading}"));
        let mut facts = Vec::new();
        facts.extend(phase.risk.map(|risk| format!("Risk: {risk:?}")));
        facts.extend(phase.rto.map(|rto| format!("Target time: {rto}")));
        facts.extend(phase.when.iter().cloned());
        facts.extend(phase.notes.iter().cloned());
        facts.extend(phase.irreversible.then(|| "Its outside effects cannot be undone".to_owned()));
        facts.extend(phase.confirm.iter().map(|words| format!("Needs the words '{words}'")));
        let approvals = (!phase.approvals.is_empty()).then(|| phase.approvals.join(" and "));
        facts.extend(approvals.map(|roles| format!("Needs the approval of {roles}")));
        let gradual = phase.gradual.as_ref();
        facts.extend(gradual.map(|gradual| format!("In {} steps over {}", gradual.steps, gradual.over)));
        let named =
            |what: &str, ids: &[String]| (!ids.is_empty()).then(|| format!("{what}: `{}`", ids.join("`, `")));
        facts.extend(named("First", &phase.before));
        self.list(facts);
        let rungs = phase.ladder.iter().enumerate().map(|(at, rung)| {
            let when: Vec<_> = rung.when.iter().map(spelled).collect();
            vec![(at + 1).to_string(), way(rung), when.join(", "), rung.note.clone().unwrap_or_default()]
        });
        self.table("", "rung|way|after|note", rungs);
        let values = phase.set.iter().map(|(place, value)| vec![code(place), code(&value.to_string())]);
        self.table("", "value|becomes", values);
        let then = [
            ("Edits", &phase.edits),
            ("Checks before it lands", &phase.validate),
            ("Checks after each revert", &phase.validate_each),
            ("Then", &phase.after),
            ("Checks on the live system", &phase.verify),
            ("Evidence", &phase.evidence),
            ("Stays as it is", &phase.preserve),
        ];
        self.list(then.into_iter().filter_map(|(what, ids)| named(what, ids)));
    }

    fn checks_and_steps(&mut self) {
        let document = &self.procedure.document;
        let row = |id: &str, title: &Option<String>, how: String, outside: &Option<String>| {
            vec![id.to_owned(), text(title.as_ref()), how, text(outside.as_ref())]
        };
        let checks = document.check.iter();
        let checks = checks.map(|check| row(&check.id, &check.title, subject(check), &check.outside));
        self.table("Checks", "check|what|how|outside", checks);
        let steps = document.step.iter().map(|step| row(&step.id, &step.title, deed(step), &step.outside));
        self.table("Steps", "step|what|how|outside", steps);
        let evidence = document.evidence.iter();
        let evidence = evidence.map(|row| vec![row.id.clone(), text(row.title.as_ref()), origin(row)]);
        self.table("Evidence", "evidence|what|from", evidence);
    }

    fn after(&mut self) {
        let document = &self.procedure.document;
        let groups = document.group.iter().map(|(name, group)| {
            let all = [&group.steps[..], &group.checks, &group.evidence].concat();
            let title = title(group.title.as_ref(), name);
            vec![title, text(group.budget), all.join(", "), group.notes.join("; ")]
        });
        self.table("Groups", "group|budget|of|notes", groups);
        if let Some(publish) = &document.publish {
            self.heading(2, "Publish");
            self.list([published(publish)]);
        }
        let due = |row: &Followup| row.due.map_or(String::new(), |due| format!("within {due}"));
        let followups = document.followup.iter().map(|row| vec![due(row), row.text.clone()]);
        self.table("Follow-ups", "due|what", followups);
        if let Some(soak) = &document.soak {
            self.heading(2, format!("Watch for {}", soak.lasting));
            self.list(soak.watch.iter().chain(&soak.then).cloned());
        }
        if let Some(success) = &document.success {
            self.heading(2, "Success");
            let checks = success.all.iter().map(|check| format!("`{check}` passes"));
            self.list(checks.chain(success.notes.clone()));
        }
        for row in &document.diagnose {
            self.heading(2, format!("If {}", row.symptom));
            let commands = row.run.iter().map(|run| code(&quoted(run)));
            self.list(commands.chain(row.causes.clone()).chain(row.solution.clone()));
        }
        for message in &document.message {
            self.heading(2, format!("Message: {}", title(message.subject.as_ref(), &message.id)));
            self.blocks.push(Block::Code(message.text.trim().to_owned()));
        }
    }

    fn appendix(&mut self) {
        let document = &self.procedure.document;
        if let Some(undo) = &document.undo {
            self.heading(2, "Taking the rollback back");
            let watch = undo.soak.iter().flat_map(|soak| soak.watch.clone());
            self.list(undo.conditions.iter().cloned().chain(watch));
        }
        if let Some(retry) = &document.retry {
            self.heading(2, "Trying again");
            self.list(retry.plan.clone());
        }
        let row = |cells: [&str; 3]| cells.map(ToOwned::to_owned).to_vec();
        let or_empty = |cell: &'_ Option<String>| cell.clone().unwrap_or_default();
        let contacts = document.contact.iter();
        let contacts = contacts.map(|person| row([&person.role, &or_empty(&person.name), &person.at]));
        self.table("Contacts", "role|who|where", contacts);
        let links = document.links.iter().map(|link| row([&link.title, &link.to, &or_empty(&link.note)]));
        self.table("Related", "what|where|note", links);
        let signed = document.signoff.iter();
        let signed = signed.map(|row| vec![row.role.clone(), title(row.name.as_ref(), "not yet")]);
        self.table("Sign-off", "role|signed", signed);
        let changes = document.changes.iter();
        let changes = changes.map(|change| row([&change.date, &change.action, &or_empty(&change.outcome)]));
        self.table("History", "date|action|outcome", changes);
    }
}

fn title(title: Option<&String>, id: &str) -> String {
    title.cloned().unwrap_or_else(|| id.to_owned())
}

fn way(rung: &Rung) -> String {
    let mut text = rung.title.as_ref().map_or(String::new(), |title| format!("{title}: "));
    text.push_str(&spelled(&rung.kind));
    if let Some(from) = &rung.from {
        let _ = write!(text, " from {from}");
    }
    if let Some(mainline) = rung.mainline {
        let _ = write!(text, ", mainline {mainline}");
    }
    if !rung.run.is_empty() {
        let _ = write!(text, " {}", code(&quoted(&rung.run)));
    }
    if let Some(role) = &rung.approval {
        let _ = write!(text, ", approved by {role}");
    }
    text
}

fn subject(check: &Check) -> String {
    match check.subject() {
        Ok(Subject::Program(run)) => code(&quoted(run)),
        Ok(Subject::File(file)) => format!("file {}", code(&file.to_string())),
        Ok(Subject::Metric(rule)) => rule.to_string(),
        Ok(Subject::Question(question)) => question.to_owned(),
        Err(misshapen) => misshapen.message,
    }
}

fn deed(step: &Step) -> String {
    match step.action() {
        Ok(Action::Run(run)) => code(&quoted(run)),
        Ok(Action::Manual(what)) => what.to_owned(),
        Ok(Action::Delete(paths)) => format!("delete {}", paths.join(", ")),
        Ok(Action::Remove(paths)) => format!("remove {}", listed(paths)),
        Ok(Action::Copy(copy)) => format!("copy {} to {}", copy.from, copy.to),
        Ok(Action::EnvFile(file)) => format!("{} in {}", assigned(&file.set, "="), file.path),
        Ok(Action::Insert(insert)) => format!("put {} into {}", insert.lines.join(" / "), insert.path),
        Ok(Action::Write(write)) => format!("write {}", write.path),
        Ok(Action::Restore(restore)) => format!("restore {} from {}", listed(&restore.paths), restore.from),
        Ok(Action::Set(values)) => assigned(values, " = "),
        Ok(Action::Wait(time)) => format!("wait {time}"),
        Ok(Action::Message(id)) => format!("message {id}"),
        Err(misshapen) => misshapen.message,
    }
}

fn origin(evidence: &Evidence) -> String {
    match evidence.origin() {
        Ok(Origin::Program(run)) => code(&quoted(run)),
        Ok(Origin::Files(files)) => files.join(", "),
        Err(misshapen) => misshapen.message,
    }
}

fn listed<T: ToString>(items: &[T]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Names with their values, with `sign` between.
pub(super) fn assigned(values: &Named<Scalar>, sign: &str) -> String {
    values.iter().map(|(name, value)| format!("{name}{sign}{value}")).collect::<Vec<_>>().join(", ")
}

fn published(publish: &Publish) -> String {
    let mut parts = Vec::new();
    parts.extend(publish.merge_into.iter().map(|branch| format!("merge into {branch}")));
    parts.extend(publish.push.iter().map(|remote| format!("push to {remote}, never by force")));
    parts.extend((!publish.run.is_empty()).then(|| code(&quoted(&publish.run))));
    parts.join("; ")
}

#[cfg(test)]
mod tests {
    use super::code;

    #[test]
    fn a_code_span_has_more_backticks_than_its_text() {
        assert_eq!(code("a"), "`a`");
        assert_eq!(code("a`<b>``"), "``` a`<b>`` ```");
    }
}
