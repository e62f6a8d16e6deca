//! Approvals: stated, or signed with an SSH key over the plan of the run.
//!
//! A signature is checked against a list of allowed signers that comes from outside the candidate, in the format of
//! `ssh-keygen -Y` (ALLOWED SIGNERS in ssh-keygen(1)). Where such a list is given only signed approvals count; where
//! none is, an approval is recorded as it was stated and is labelled so. Nothing here starts a program.

#[cfg(not(feature = "approvals"))]
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ports::Ground;
#[cfg(feature = "approvals")]
use super::signature::check_signature;
use super::state::RunState;
use super::{EngineError, Result, Run, RunRequest};
use crate::procedure::format::Document;
use crate::repo::identity::Role as Part;
use crate::trust::sha256;

/// What a signature of an approval is for, as `ssh-keygen -Y sign -n` takes it.
pub const APPROVAL_NAMESPACE: &str = "rb-approval";

/// An approval with a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SignedApproval {
    /// The role that approves.
    pub role: String,
    /// The armored signature of [`RunState::approval_text`].
    pub signature: String,
}

impl SignedApproval {
    /// The signature `signature`, as `ssh-keygen -Y sign` writes it, for `role`.
    pub fn new(role: impl Into<String>, signature: impl Into<String>) -> Self {
        Self { role: role.into(), signature: signature.into() }
    }
}

/// A signature that was checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[non_exhaustive]
pub struct CheckedSignature {
    /// The role.
    pub role: String,
    /// The principal that the list of allowed signers gives the key.
    pub by: String,
    /// The fingerprint of the key.
    pub key: String,
}

impl RunState {
    /// The SHA-256 of what the run is about to do: procedure, phase, inputs and the commit it starts from.
    pub fn plan_hash(&self) -> String {
        let inputs: Vec<_> = self.inputs.iter().collect();
        let plan = (
            (&self.procedure, &self.hash, &self.phase, &self.variant, &self.purpose),
            (inputs, self.emergency, &self.reference, self.tip.to_string()),
        );
        sha256(&serde_json::to_vec(&plan).unwrap_or_default())
    }

    /// The text that is signed to approve for `role`.
    pub fn approval_text(&self, role: &str) -> String {
        format!("rb approval\nplan {}\nrole {role}\n", self.plan_hash())
    }

    /// Whether the approval of a role is signed.
    pub fn is_signed(&self, role: &str) -> bool {
        self.signatures.iter().any(|signed| signed.role == role)
    }
}

impl Run<'_> {
    /// Refuses where the approval of `role` is missing.
    pub(super) fn refuse_unapproved(&self, what: &str, role: &str) -> Result<()> {
        let enforced = self.state.approvals_enforced;
        let approved = self.state.approvals.iter().any(|(of, _)| of == role);
        if approved && (!enforced || self.state.is_signed(role)) {
            return Ok(());
        }
        let text = self.state.approval_text(role);
        let (what, role) = (what.to_owned(), role.to_owned());
        Err(match enforced {
            true => EngineError::Unsigned { what, role, text },
            false => EngineError::Approval { what, role },
        })
    }

    /// Takes over the approvals of a request, each looked at.
    pub(super) fn accept_approvals(&mut self) -> Result<()> {
        let document = &self.procedure.document;
        for (role, who) in self.request.approvals.clone() {
            refuse_stranger(document, &role, &who)?;
            if !self.state.approvals.contains(&(role.clone(), who.clone())) {
                self.state.approvals.push((role, who));
            }
        }
        let Some(allowed) = self.request.allowed_signers.clone() else {
            let unchecked = |signed: &SignedApproval| {
                Err(bad(&signed.role, "there is no list of allowed signers to check it with"))
            };
            return self.request.signatures.first().map_or(Ok(()), unchecked);
        };
        self.state.approvals_enforced = true;
        let now = self.engine.clock.now();
        for signed in self.request.signatures.clone() {
            let text = self.state.approval_text(&signed.role);
            let checked = check_signature(&signed, &text, &allowed, now)?;
            refuse_stranger(document, &signed.role, &checked.by)?;
            self.state.approvals.push((signed.role, checked.by.clone()));
            self.state.signatures.push(checked);
        }
        Ok(())
    }
}

/// Refuses roles whose members are declared to a caller who is not among them.
pub(super) fn refuse_undeserved_roles(
    document: &Document,
    request: &RunRequest,
    repo: &dyn Ground,
) -> Result<()> {
    for name in request.roles.iter().filter(|name| !members(document, name).is_empty()) {
        let mail = match &request.landing.identity {
            Some(identity) => identity.email.clone(),
            None => String::from_utf8_lossy(&repo.identity(Part::Committer)?.email).into_owned(),
        };
        refuse_stranger(document, name, &mail)?;
    }
    Ok(())
}

fn members<'a>(document: &'a Document, role: &str) -> &'a [String] {
    document.role.get(role).map_or(&[][..], |role| &role.members)
}

fn refuse_stranger(document: &Document, role: &str, who: &str) -> Result<()> {
    let members = members(document, role);
    if members.is_empty() || members.iter().any(|member| member.eq_ignore_ascii_case(who)) {
        return Ok(());
    }
    Err(EngineError::NotAMember { role: role.to_owned(), who: who.to_owned(), members: members.to_vec() })
}

pub(super) fn bad(role: &str, why: &str) -> EngineError {
    EngineError::BadApproval { role: role.to_owned(), why: why.to_owned() }
}

#[cfg(not(feature = "approvals"))]
fn check_signature(signed: &SignedApproval, _: &str, _: &str, _: Timestamp) -> Result<CheckedSignature> {
    Err(bad(&signed.role, "this build checks no signatures: the feature `approvals` of rollback-core is off"))
}
