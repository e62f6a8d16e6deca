//! The programs that a run is bound to start: which of them are not there, and which are not the trusted ones.
//!
//! Trust pins the bytes of the work tree's copies of scripts. A candidate brings copies of its own, and a copy can change
//! while a run goes on: right before each start the copies that count are held to the bytes that were trusted. Nothing is
//! run here.

use std::collections::BTreeSet;
use std::path::Path;

use super::event::Event;
use super::state::{Unit, UnitKind, UnitState};
use super::{EngineError, Result, Run};
use crate::procedure::pins::{digest, is_trusted, named};

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
            false => folders.iter().any(|folder| folder.join(program).is_file()),
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
        let document = &self.procedure.document;
        let step = |id: &String| self.procedure.step(id).map_or(&[][..], |step| &step.run);
        let check = |id: &String| self.procedure.check(id).map_or(&[][..], |check| &check.run);
        let mut programs = BTreeSet::new();
        let mut commands: Vec<&[String]> = Vec::new();
        for Unit { kind, id, .. } in self.state.units.iter().filter(|unit| unit.state == UnitState::Pending) {
            match kind {
                UnitKind::Step | UnitKind::Backup => commands.push(step(id)),
                UnitKind::Verify => commands.push(check(id)),
                UnitKind::Evidence => {
                    let rows = document.evidence.iter().filter(|row| row.id == *id);
                    commands.extend(rows.map(|row| row.run.as_slice()));
                }
                UnitKind::Message => {
                    let rows = document.message.iter().filter(|row| row.id == *id);
                    commands.extend(rows.map(|row| row.send.as_slice()));
                }
                UnitKind::Precheck => {
                    for row in document.precheck.iter().filter(|row| row.id == *id) {
                        commands.extend(row.check.iter().map(check).chain(row.step.iter().map(step)));
                    }
                }
                UnitKind::Publish => {
                    let Some(publish) = self.publishes() else { continue };
                    programs.extend(publish.push.as_ref().map(|_| "git".to_owned()));
                    commands.push(&publish.run);
                    commands.extend(publish.verify.iter().map(check));
                }
                UnitKind::Rollback => {
                    let phase = &self.phase;
                    commands.extend(phase.validate.iter().chain(&phase.validate_each).map(check));
                    commands.extend(phase.edits.iter().map(step));
                    let rungs = phase.ladder.iter().filter(|rung| self.is_eligible_at_all(rung));
                    commands.extend(rungs.map(|rung| rung.run.as_slice()));
                }
                UnitKind::Checkpoint
                | UnitKind::Wait
                | UnitKind::Soak
                | UnitKind::Branch
                | UnitKind::Followup => {}
            }
        }
        let backed_up = self.state.units.iter().any(|unit| unit.kind == UnitKind::Backup);
        commands.extend(document.backup.iter().filter(|_| backed_up).map(|backup| check(&backup.verify)));
        programs.extend(
            commands.iter().filter_map(|run| run.first()).filter(|first| !first.contains('{')).cloned(),
        );
        programs
    }

    /// Says why a command must not be started in a folder: a file that it names is not, or not any more, the trusted one.
    pub(super) fn foreign_script(&self, run: &[String], folder: &Path) -> Option<EngineError> {
        let work_dir = self.engine.place();
        named(run, &work_dir, folder).into_iter().find_map(|file| {
            let trusted = self.trusted.files.get(&file.key());
            let foreign = match digest(&file.place(&work_dir, folder)) {
                Some(found) => (file.is_code || trusted.is_some()) && !is_trusted(&found, trusted),
                // One that never was there cannot be started either, and the start says so.
                None => file.is_program && trusted.is_some_and(Option::is_some),
            };
            foreign.then(|| EngineError::ForeignScript {
                script: file.key(),
                place: if folder == work_dir { "the work tree" } else { "the candidate" },
                missing: digest(&file.place(&work_dir, folder)).is_none(),
            })
        })
    }

    /// Refuses a command that names a file which is not the one that was trusted.
    pub(super) fn refuse_foreign_script(&self, run: &[String], folder: &Path) -> Result<()> {
        self.foreign_script(run, folder).map_or(Ok(()), Err)
    }
}
