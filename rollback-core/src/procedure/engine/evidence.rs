//! Evidence: what is kept of a run under `rb/runs/<id>/` in the git directory, redacted, readable by the user alone.

use std::fs;
use std::path::{Path, PathBuf};

use super::{EngineError, Result, Run};
use crate::apply::{read_below, stays_in_its_folder};
use crate::bounded;
use crate::error::Error;
use crate::listing;
use crate::path::{RepoPath, name_fits};
use crate::procedure::format::{Evidence, FileName, Origin};
use crate::trust::sha256;

impl Run<'_> {
    /// Takes one piece of evidence; says what is missing.
    pub(super) fn evidence(&mut self, evidence: &Evidence) -> Result<Option<String>> {
        let to = self.kept_name(evidence)?;
        if let Ok(Origin::Program(run)) = evidence.origin() {
            let command = self.live_command(run, &evidence.secrets, evidence.timeout)?;
            let ran = self.run_program(&evidence.id, &format!("evidence/{to}"), &command)?;
            let ended = ran.map(|output| output.ended);
            return Ok(match ended {
                Ok(ended) => (!ended.is_success()).then(|| ended.to_string()),
                Err(error) => Some(error.to_string()),
            });
        }
        let folder = self.engine.place();
        let mut kept = 0;
        for pattern in &evidence.files {
            for file in self.files_matching(&folder, &self.words(pattern)?) {
                let bytes = self.redactor.redact(&self.read_evidence(&folder, &file)?);
                let name = file.file_name().unwrap_or_default().to_string_lossy();
                self.keep(&format!("evidence/{to}/{name}"), &bytes)?;
                kept += 1;
            }
        }
        Ok((kept == 0).then(|| "no file matches".to_owned()))
    }

    /// A file of the work tree is never read through a link; one of the machine is what the user's system has there.
    fn read_evidence(&self, work_dir: &Path, file: &Path) -> Result<Vec<u8>> {
        let bytes = match file.strip_prefix(work_dir).ok().and_then(RepoPath::from_relative_path) {
            Some(path) => read_below(work_dir, &path, bounded::CHECKED),
            None => bounded::read(file, bounded::CHECKED),
        };
        bytes.map_err(|error| Error::io("read", file, error).into())
    }

    /// Files of the work tree, of this run's own folder, or of the machine.
    fn files_matching(&self, work_dir: &Path, pattern: &str) -> Vec<PathBuf> {
        let own = self.engine.run_folder(&self.state.id);
        let pattern = self.expanded(pattern);
        let root = match (pattern.is_absolute(), pattern.starts_with("check")) {
            (true, _) => PathBuf::from("/"),
            (false, true) => own,
            (false, false) => work_dir.to_owned(),
        };
        let relative = pattern.strip_prefix("/").unwrap_or(&pattern).to_owned();
        let mut found = vec![root];
        for part in relative.components() {
            let wanted = part.as_os_str().to_string_lossy().into_owned();
            found = found.into_iter().flat_map(|folder| rows(&folder, &wanted)).collect();
        }
        found.retain(|file| fs::symlink_metadata(file).is_ok_and(|metadata| metadata.is_file()));
        found.sort();
        found
    }

    /// Writes a file of the run and remembers its hash. The bytes have been redacted.
    pub(super) fn keep(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        self.engine.repo.keep_run_file(&self.state.id, name, bytes)?;
        self.state.evidence.insert(name.to_owned(), sha256(bytes));
        Ok(())
    }

    /// The name under which a piece of evidence is kept, which stays in the folder of the run.
    pub(super) fn kept_name(&self, evidence: &Evidence) -> Result<String> {
        let to = self.words(evidence.to.as_ref().map_or(&evidence.id, FileName::as_str))?;
        match stays_in_its_folder(&to) {
            true => Ok(to),
            false => Err(EngineError::Outside { path: to, why: "evidence stays in the folder of its run" }),
        }
    }
}

/// The rows of a folder whose name fits; `*` stands for anything within a name.
fn rows(folder: &Path, wanted: &str) -> Vec<PathBuf> {
    if !wanted.contains('*') {
        return vec![folder.join(wanted)];
    }
    let rows = listing::rows(folder).unwrap_or_default().into_iter();
    let fits = |name: &std::ffi::OsStr| name_fits(wanted.as_bytes(), name.to_string_lossy().as_bytes());
    rows.filter(|row| fits(&row.file_name())).map(|row| row.path()).collect()
}
