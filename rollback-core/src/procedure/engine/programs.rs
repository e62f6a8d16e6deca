//! The programs that a run is bound to start, and which of them are not there.

use std::collections::BTreeSet;
use std::path::Path;

use super::Run;
use super::event::Event;
use super::state::{UnitKind, UnitState};

impl Run<'_> {
    /// The programs of this run that cannot be found, each once: known before anything is done, and not a refusal, because
    /// a check can do without one where the tip lacks it too.
    pub(super) fn missing_programs(&self) -> Vec<String> {
        let path = (self.engine.environment)("PATH").unwrap_or_default();
        let folders: Vec<_> = std::env::split_paths(&path).filter(|folder| folder.is_absolute()).collect();
        let place = self.engine.place();
        let is_there = |program: &String| match program.contains('/') {
            // A path that is absolute once the home folder is filled in stays one.
            true => place.join(self.expanded(program)).exists(),
            false => folders.iter().any(|folder| is_file(&folder.join(program))),
        };
        self.programs_of_run().into_iter().filter(|program| !is_there(program)).collect()
    }

    /// Says at once what the run will miss.
    pub(super) fn tell_of_missing_programs(&mut self) {
        let programs = self.missing_programs();
        if !programs.is_empty() {
            self.observer.event(&Event::Missing { programs: &programs });
        }
    }

    fn programs_of_run(&self) -> BTreeSet<String> {
        let mut programs = BTreeSet::new();
        let mut add =
            |run: &[String]| programs.extend(run.first().filter(|first| !first.contains('{')).cloned());
        let document = &self.procedure.document;
        let step = |id: &str| self.procedure.step(id).map_or(&[][..], |step| &step.run);
        let check = |id: &str| self.procedure.check(id).map_or(&[][..], |check| &check.run);
        for unit in self.state.units.iter().filter(|unit| unit.state == UnitState::Pending) {
            match unit.kind {
                UnitKind::Step | UnitKind::Backup => add(step(&unit.id)),
                UnitKind::Verify => add(check(&unit.id)),
                UnitKind::Evidence => {
                    document.evidence.iter().filter(|row| row.id == unit.id).for_each(|row| add(&row.run));
                }
                UnitKind::Message => {
                    document.message.iter().filter(|row| row.id == unit.id).for_each(|row| add(&row.send));
                }
                UnitKind::Precheck => {
                    for row in document.precheck.iter().filter(|row| row.id == unit.id) {
                        row.check.iter().for_each(|id| add(check(id)));
                        row.step.iter().for_each(|id| add(step(id)));
                    }
                }
                UnitKind::Publish => {
                    let publish = self.publishes().unwrap_or_default();
                    add(&publish.run);
                    add(&publish.push.map(|_| "git".to_owned()).into_iter().collect::<Vec<_>>());
                    publish.verify.iter().for_each(|id| add(check(id)));
                }
                UnitKind::Rollback => {
                    let phase = &self.phase;
                    phase.validate.iter().chain(&phase.validate_each).for_each(|id| add(check(id)));
                    phase.edits.iter().for_each(|id| add(step(id)));
                    phase
                        .ladder
                        .iter()
                        .filter(|rung| self.is_eligible_at_all(rung))
                        .for_each(|rung| add(&rung.run));
                }
                UnitKind::Checkpoint
                | UnitKind::Wait
                | UnitKind::Soak
                | UnitKind::Branch
                | UnitKind::Followup => {}
            }
        }
        if let Some(backup) = &document.backup {
            let backed_up = self.state.units.iter().any(|unit| unit.kind == UnitKind::Backup);
            programs.extend(check(&backup.verify).first().filter(|_| backed_up).cloned());
        }
        programs
    }
}

fn is_file(path: &Path) -> bool {
    path.is_file()
}
