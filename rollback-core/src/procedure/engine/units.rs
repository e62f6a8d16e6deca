//! The work of a run, in order, and the record it begins with.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::purpose::conditions;
use super::state::{Part, Purpose, RunState, RunStatus, Unit, UnitKind, UnitState};
use super::{EngineError, Result, Run, RunRequest};
use crate::plan::Tip;
use crate::procedure::format::{
    Action, Demand, Document, Effect, EvidenceTime, Group, GroupTime, Occasion, Phase, Procedure, each_text,
};
use crate::procedure::input::{InputError, Inputs};
use crate::procedure::placeholder::placeholders;

/// The version of the record.
const SCHEMA_VERSION: u32 = 1;

/// What a run begins with.
pub(super) struct Begun {
    pub(super) id: String,
    /// The phase.
    pub(super) name: String,
    pub(super) inputs: Inputs,
    pub(super) hash: String,
    pub(super) tip: Tip,
    pub(super) now: Timestamp,
}

impl Begun {
    /// The record that a run begins with.
    pub(super) fn state(self, procedure: &Procedure, phase: &Phase, request: &RunRequest) -> RunState {
        RunState {
            schema_version: SCHEMA_VERSION,
            id: self.id,
            procedure: procedure.id.clone(),
            found_as: request.found_as.clone(),
            hash: self.hash,
            purpose: request.purpose.clone(),
            units: of_a_run(procedure, &self.name, phase, request),
            phase: self.name,
            variant: request.variant.clone(),
            inputs: self.inputs,
            emergency: request.emergency,
            allow_loss: request.allow_loss,
            by_hand: request.by_hand,
            whole_merge: request.whole_merge,
            reason: request.reason.clone(),
            trigger: request.trigger.clone(),
            severity: request.severity.clone(),
            roles: request.roles.clone(),
            approvals: Vec::new(),
            signatures: Vec::new(),
            approvals_enforced: false,
            confirmed: request.confirmed.clone(),
            reference: self.tip.reference,
            tip: self.tip.commit_id,
            started: self.now,
            finished: None,
            rto: phase.rto.or(procedure.document.rto),
            status: RunStatus::Running,
            ending: None,
            pause: None,
            rungs: Vec::new(),
            rung: 0,
            edits_done: 0,
            candidate: None,
            verdicts: BTreeMap::new(),
            targets: Vec::new(),
            source: None,
            commits: Vec::new(),
            operations: Vec::new(),
            overruns: Vec::new(),
            landed_on: None,
            programs: Vec::new(),
            outside_effects: Vec::new(),
            evidence: BTreeMap::new(),
            checkpoint: None,
        }
    }
}

fn of_a_run(procedure: &Procedure, name: &str, phase: &Phase, request: &RunRequest) -> Vec<Unit> {
    let document = &procedure.document;
    let mut list = List { document, name, emergency: request.emergency, group: None, units: Vec::new() };
    match &request.purpose {
        Purpose::Rollback => of_a_rollback(&mut list, phase, request),
        Purpose::Reapply { .. } => {
            conditions(procedure).for_each(|id| list.add(UnitKind::Precheck, &id, true));
            of_what_lands(&mut list, phase, request);
        }
        Purpose::Retry => {
            list.steps(&phase.before);
            list.add(UnitKind::Branch, "retry", true);
        }
    }
    list.units
}

fn of_a_rollback<'a>(list: &mut List<'a>, phase: &Phase, request: &'a RunRequest) {
    let document = list.document;
    for precheck in &document.precheck {
        let dropped = request.emergency
            && !precheck.always
            && matches!(precheck.demand(), Ok(Demand::Confirmed(_) | Demand::Given(_)));
        if list.is_here(&precheck.phases) && !dropped {
            list.add(UnitKind::Precheck, &precheck.id, precheck.step.is_none());
        }
    }
    // Messages say that it begins only after the prechecks have passed.
    list.messages(Occasion::Initiated);
    if document.checkpoint.is_some() {
        list.add(UnitKind::Checkpoint, "checkpoint", true);
    }
    if let Some(backup) = &document.backup
        && list.is_here(&backup.phases)
    {
        list.add(UnitKind::Backup, &backup.step, false);
    }
    list.evidence(phase, EvidenceTime::Before);
    list.groups(GroupTime::Before);
    list.steps(&phase.before);
    list.rollback(phase);
    list.steps(&phase.after);
    for check in &phase.verify {
        list.add(UnitKind::Verify, check, true);
    }
    list.groups(GroupTime::After);
    for name in &request.groups {
        list.document.group.get(name).into_iter().for_each(|group| list.of_a_group(name, group));
    }
    // What failed its verification does not leave this machine.
    list.publish(phase, request);
    list.evidence(phase, EvidenceTime::After);
    list.soak(phase, request);
    list.messages(Occasion::Complete);
}

/// What bringing work back consists of, beside its conditions.
fn of_what_lands(list: &mut List<'_>, phase: &Phase, request: &RunRequest) {
    if list.document.checkpoint.is_some() {
        list.add(UnitKind::Checkpoint, "checkpoint", true);
    }
    list.rollback(phase);
    list.publish(phase, request);
    list.soak(phase, request);
}

struct List<'a> {
    document: &'a Document,
    name: &'a str,
    emergency: bool,
    /// The group whose work is being added.
    group: Option<&'a str>,
    units: Vec<Unit>,
}

impl<'a> List<'a> {
    /// A check, message or evidence is added once, however often it is named.
    fn add(&mut self, kind: UnitKind, id: &str, repeatable: bool) {
        if !self.units.iter().any(|unit| unit.kind == kind && unit.id == id) {
            let mut unit = Unit::new(kind, id, repeatable);
            unit.group = self.group.map(ToOwned::to_owned);
            self.units.push(unit);
        }
    }

    fn publish(&mut self, phase: &Phase, request: &RunRequest) {
        let publish = phase.publish.as_ref().or(self.document.publish.as_ref());
        if let Some(publish) = publish.filter(|_| request.publish) {
            self.add(UnitKind::Publish, "publish", publish.is_repeatable());
        }
    }

    fn soak(&mut self, phase: &Phase, request: &RunRequest) {
        if let (true, Some(soak)) = (request.soak, phase.soak.as_ref().or(self.document.soak.as_ref())) {
            self.steps(&soak.steps);
            self.add(UnitKind::Soak, "soak", true);
        }
    }

    fn messages(&mut self, on: Occasion) {
        for message in self.document.message.iter().filter(|message| message.on == on) {
            self.add(UnitKind::Message, &message.id, message.send.is_empty());
        }
    }

    fn evidence(&mut self, phase: &Phase, when: EvidenceTime) {
        for id in &phase.evidence {
            if self.document.evidence.iter().any(|evidence| evidence.id == *id && evidence.when == when) {
                self.add(UnitKind::Evidence, id, true);
            }
        }
    }

    fn steps(&mut self, ids: &[String]) {
        for id in ids {
            let Some(step) = self.document.step.iter().find(|step| step.id == *id) else { continue };
            if step.skip_in_emergency && self.emergency || step.only_in_emergency && !self.emergency {
                continue;
            }
            let harmless = step.action().is_ok_and(Action::is_harmless);
            self.add(UnitKind::Step, id, step.effect == Effect::Read || harmless);
        }
    }

    /// Whether what is for these phases, or for all where none is named, belongs to this run.
    fn is_here(&self, phases: &[String]) -> bool {
        phases.is_empty() || phases.iter().any(|phase| phase == self.name)
    }

    fn groups(&mut self, at: GroupTime) {
        for (name, group) in self.document.group.iter().filter(|(_, group)| group.at == at) {
            if self.is_here(&group.phases) {
                self.of_a_group(name, group);
            }
        }
    }

    fn of_a_group(&mut self, name: &'a str, group: &Group) {
        self.group = Some(name);
        self.steps(&group.steps);
        for check in &group.checks {
            self.add(UnitKind::Verify, check, true);
        }
        for evidence in &group.evidence {
            self.add(UnitKind::Evidence, evidence, true);
        }
        self.group = None;
    }

    fn rollback(&mut self, phase: &Phase) {
        if !phase.says_what_to_change() {
            return;
        }
        let Some(gradual) = phase.gradual.as_ref().filter(|_| !self.emergency) else {
            self.units.push(Unit::new(UnitKind::Rollback, "rollback", true));
            return;
        };
        for step in 1..=gradual.steps {
            let mut unit = Unit::new(UnitKind::Rollback, format!("{step}/{}", gradual.steps), true);
            unit.part = Some(Part { step, of: gradual.steps });
            self.units.push(unit);
            if step < gradual.steps {
                self.units.push(Unit::new(UnitKind::Wait, format!("{step}/{}", gradual.steps), true));
                for check in &gradual.checks {
                    self.units.push(Unit::new(UnitKind::Verify, check.clone(), true));
                }
            }
        }
    }
}

/// The programs that a procedure names, each once.
pub(super) fn programs(document: &Document) -> Vec<String> {
    let programs = document.commands().into_iter().filter_map(|command| command.run.first().cloned());
    programs.collect::<BTreeSet<_>>().into_iter().collect()
}

impl Run<'_> {
    /// Refuses a run that would come to an input without a value: all that it will fill in is looked at first.
    pub(super) fn refuse_unset_inputs(&self) -> Result<()> {
        let mut needed = BTreeSet::new();
        each_text(&self.what_is_filled_in().into(), &mut Vec::new(), &mut |_, text| {
            let inputs = placeholders(text.text()).filter(|found| found.namespace == "input");
            needed.extend(inputs.map(|found| found.name.to_owned()));
        });
        let is_asked = |id: &str| self.state.unit(UnitKind::Precheck, id).is_some();
        for precheck in self.procedure.document.precheck.iter().filter(|row| is_asked(&row.id)) {
            needed.extend(precheck.input.clone());
        }
        let unset = |name: &String| match self.state.inputs.get(name) {
            Err(InputError::Unset { name, help }) => Some((name, help)),
            _ => None,
        };
        let inputs: Vec<_> = needed.iter().filter_map(unset).collect();
        match inputs.is_empty() {
            true => Ok(()),
            false => Err(EngineError::Missing { inputs, programs: self.missing_programs() }),
        }
    }

    /// The rows whose texts this run fills in, as JSON.
    fn what_is_filled_in(&self) -> Vec<Value> {
        let document = &self.procedure.document;
        let mut phase = self.phase.clone();
        // Rungs that are not asked for may lack their inputs.
        phase.ladder.retain(|rung| self.is_eligible_at_all(rung));
        phase.variants = Default::default();
        let left = |kinds: &[UnitKind], id: &str| {
            self.state.units.iter().any(|unit| {
                kinds.contains(&unit.kind)
                    && unit.id == id
                    && matches!(unit.state, UnitState::Pending | UnitState::Started)
            })
        };
        let mut rows = vec![json!([document.commit, document.branch])];
        macro_rules! rows {
            ($($list:ident of $kinds:expr, or $other:expr;)*) => {
                $(let other: &[&[String]] = &$other;
                let named = |id: &String| left(&$kinds, id) || other.iter().any(|ids| ids.contains(id));
                rows.extend(document.$list.iter().filter(|row| named(&row.id)).map(|row| json!(row)));)*
            };
        }
        rows! {
            message of [UnitKind::Message], or [];
            step of [UnitKind::Step, UnitKind::Backup], or [&phase.edits];
            check of [UnitKind::Verify], or [&phase.validate, &phase.validate_each];
            evidence of [UnitKind::Evidence], or [];
            precheck of [UnitKind::Precheck], or [];
            report of [], or [phase.report.as_slice()];
        }
        rows.push(json!(phase));
        rows
    }
}
