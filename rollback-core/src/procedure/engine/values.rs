//! Values of desired-state files in a candidate: set, moved part of the way, and held to the declared constraints.

use super::candidate::{Candidate, repo_path};
use super::ports::CandidateFiles;
use super::{EngineError, Result, Run};
use crate::plan::{Plan, PlanOptions};
use crate::procedure::format::Scalar;
use crate::procedure::set::{Place, apply_set, read_value};

impl Run<'_> {
    /// What landing the values alone would do. A broken constraint, a missing file or a key that is not there is refused.
    pub(super) fn rehearse_values(&self) -> Result<Option<Plan>> {
        let repo = self.engine.repo;
        let mut candidate = self.empty_candidate()?;
        self.set_values(&mut candidate, 1.0)?;
        self.refuse_broken_constraints(&*candidate.scratch)?;
        let edits = candidate.scratch.edits(&candidate.within)?;
        let plan = repo.plan_with_edits(None, &edits, Some("values"), &PlanOptions::default())?;
        Ok(plan.chosen.is_some().then_some(plan))
    }

    pub(super) fn set_values(&self, candidate: &mut Candidate, progress: f64) -> Result<()> {
        let phase = self.phase.clone();
        let members = match &phase.each {
            Some(input) => self.state.inputs.list(input)?.into_iter().map(Some).collect(),
            None => vec![None],
        };
        for member in members {
            for (place, value) in phase.set.iter() {
                self.set(candidate, place, value, member.as_deref(), progress)?;
            }
        }
        Ok(())
    }

    pub(super) fn set(
        &self,
        candidate: &mut Candidate,
        place: &str,
        value: &Scalar,
        each: Option<&str>,
        progress: f64,
    ) -> Result<()> {
        let place = self.words_for_tree(place, each)?.parse::<Place>();
        let place = place.map_err(|error| EngineError::Target(error.0))?;
        let failed = |source| EngineError::Set { place: place.to_string(), source };
        let value = match value {
            Scalar::Text(text) => arithmetic(&self.words_for_tree(text, each)?),
            other => other.clone(),
        };
        let path = repo_path(&place.file);
        let missing = || EngineError::Target(format!("there is no file {path} to set {} in", place.key));
        let bytes = candidate.scratch.read(&path)?.ok_or_else(missing)?;
        let present = read_value(&bytes, place.format, &place.key).ok();
        let value = between(present.as_ref(), &value, progress);
        let edited = apply_set(&bytes, place.format, &place.key, &value).map_err(failed)?;
        candidate.scratch.write(&path, &edited)?;
        candidate.within.push(path);
        Ok(())
    }

    pub(super) fn refuse_broken_constraints(&self, scratch: &dyn CandidateFiles) -> Result<()> {
        for constraint in &self.procedure.document.constraint {
            let mut sum = 0.0;
            let mut terms = Vec::new();
            for place in &constraint.sum {
                let Ok(place) = self.words(place)?.parse::<Place>() else { continue };
                let Some(bytes) = scratch.read(&repo_path(&place.file))? else { continue };
                let value = read_value(&bytes, place.format, &place.key)
                    .map_err(|source| EngineError::Set { place: place.to_string(), source })?;
                sum += value.as_f64().unwrap_or(f64::NAN);
                terms.push(value.to_string());
            }
            let wanted = arithmetic(&self.words(&constraint.value.to_string())?);
            if !terms.is_empty() && !constraint.op.holds(sum, wanted.as_f64().unwrap_or(f64::NAN)) {
                let found = format!("{} = {sum}, and not {} {wanted}", terms.join(" + "), constraint.op);
                return Err(EngineError::Constraint { id: constraint.id.clone(), found });
            }
        }
        Ok(())
    }
}

/// A difference of two numbers, such as `100 - 5`, or the value as it stands.
fn arithmetic(text: &str) -> Scalar {
    let number = |text: &str| text.trim().trim_end_matches('%').parse::<f64>().ok();
    if let Some((left, right)) = text.split_once(" - ")
        && let (Some(left), Some(right)) = (number(left), number(right))
    {
        let number = left - right;
        let is_whole = number.fract() == 0.0 && number.abs() < 1e15;
        return if is_whole { Scalar::Integer(number as i64) } else { Scalar::Float(number) };
    }
    Scalar::from_text(text)
}

/// The value part of the way: rounded away from the present one when it grows and towards the goal when it shrinks,
/// so that parts of a whole still add up to it.
fn between(present: Option<&Scalar>, goal: &Scalar, progress: f64) -> Scalar {
    let (Some(Scalar::Integer(present)), Scalar::Integer(goal)) = (present, goal) else {
        return goal.clone();
    };
    if progress >= 1.0 {
        return Scalar::Integer(*goal);
    }
    let exact = *present as f64 + (*goal - *present) as f64 * progress;
    Scalar::Integer(if goal < present { exact.floor() } else { exact.ceil() } as i64)
}

/// The text with lines added after the only line that matches, or at its end; as it is where they are there already.
pub(super) fn inserted(
    bytes: Option<&[u8]>,
    lines: &[String],
    after: Option<&crate::procedure::format::Pattern>,
) -> Result<Vec<u8>, String> {
    let text = match bytes {
        Some(bytes) => std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?,
        None if after.is_none() => "",
        None => return Err("there is no such file".to_owned()),
    };
    let present: Vec<&str> = text.lines().collect();
    if !lines.is_empty() && present.windows(lines.len()).any(|window| window == lines) {
        return Ok(text.as_bytes().to_vec());
    }
    let at = match after {
        None => present.len(),
        Some(pattern) => {
            let matches = |at: &usize| pattern.regex().is_match(present[*at].as_bytes());
            match (0..present.len()).filter(matches).collect::<Vec<_>>()[..] {
                [one] => one + 1,
                ref found => return Err(format!("{} lines match {pattern} instead of one", found.len())),
            }
        }
    };
    let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let added: Vec<&str> = lines.iter().map(String::as_str).collect();
    let all = [&present[..at], &added, &present[at..]].concat();
    Ok((all.join(end) + end).into_bytes())
}
