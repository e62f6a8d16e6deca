//! Approvals: stated, or signed with an SSH key over the plan of the run.
//!
//! A signature is checked against a list of allowed signers that comes from outside the candidate, in the format of
//! `ssh-keygen -Y` (ALLOWED SIGNERS in ssh-keygen(1)). Where such a list is given only signed approvals count; where
//! none is, an approval is recorded as it was stated and is labelled so. Nothing here starts a program.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use ssh_key::{PublicKey, SshSig};

use super::ports::Ground;
use super::state::RunState;
use super::{EngineError, Result, Run, RunRequest};
use crate::local_time;
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
            let checked = check(&signed, &text, &allowed, now)?;
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

fn bad(role: &str, why: &str) -> EngineError {
    EngineError::BadApproval { role: role.to_owned(), why: why.to_owned() }
}

fn check(signed: &SignedApproval, text: &str, allowed: &str, now: Timestamp) -> Result<CheckedSignature> {
    let signature: SshSig =
        signed.signature.trim().parse().map_err(|_| bad(&signed.role, "it is no SSH signature"))?;
    let key = PublicKey::from(signature.public_key().clone());
    let signer = allowed
        .lines()
        .filter_map(Signer::parse)
        .find(|signer| signer.key.key_data() == key.key_data() && signer.may_sign(now))
        .ok_or_else(|| bad(&signed.role, "its key is not among the allowed signers"))?;
    key.verify(APPROVAL_NAMESPACE, text.as_bytes(), &signature)
        .map_err(|_| bad(&signed.role, "it is not a signature of this plan and role"))?;
    let fingerprint = key.fingerprint(ssh_key::HashAlg::Sha256).to_string();
    Ok(CheckedSignature { role: signed.role.clone(), by: signer.principal, key: fingerprint })
}

/// A line of the list of allowed signers.
struct Signer {
    principal: String,
    namespaces: Option<Vec<String>>,
    after: Option<Timestamp>,
    before: Option<Timestamp>,
    key: PublicKey,
}

impl Signer {
    /// What the line says; `None` for comments, for what cannot be read, and for certificate authorities.
    fn parse(line: &str) -> Option<Self> {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            return None;
        }
        let (principals, rest) = split_word(line);
        // A pattern names no person: who approved could not be said.
        let principal =
            principals.trim_matches('"').split(',').find(|name| !name.contains(['*', '?', '!']))?;
        let is_key = |word: &str| ["ssh-", "ecdsa-", "sk-"].iter().any(|start| word.starts_with(start));
        let (options, key) = if is_key(rest) { ("", rest) } else { split_word(rest) };
        let mut signer = Self {
            principal: principal.to_owned(),
            namespaces: None,
            after: None,
            before: None,
            key: PublicKey::from_openssh(key).ok()?,
        };
        for option in options.split(outside_quotes(|c| c == ',')).filter(|option| !option.is_empty()) {
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            let value = value.trim_matches('"');
            match name.to_ascii_lowercase().as_str() {
                "namespaces" => signer.namespaces = Some(value.split(',').map(ToOwned::to_owned).collect()),
                "valid-after" => signer.after = Some(moment(value)?),
                "valid-before" => signer.before = Some(moment(value)?),
                _ => return None,
            }
        }
        Some(signer)
    }

    fn may_sign(&self, now: Timestamp) -> bool {
        let listed = |names: &Vec<String>| names.iter().any(|name| name == APPROVAL_NAMESPACE || name == "*");
        self.namespaces.as_ref().is_none_or(listed)
            && self.after.is_none_or(|after| after <= now)
            && self.before.is_none_or(|before| now < before)
    }
}

/// The first word and the rest; blanks between quotes do not end a word.
fn split_word(line: &str) -> (&str, &str) {
    let end = line.find(outside_quotes(char::is_whitespace));
    end.map_or((line, ""), |end| (&line[..end], line[end..].trim_start()))
}

/// A test of characters, one after the other, that only those outside of quotes pass.
fn outside_quotes(passes: impl Fn(char) -> bool) -> impl FnMut(char) -> bool {
    let mut quoted = false;
    move |c| {
        quoted ^= c == '"';
        !quoted && passes(c)
    }
}

/// `YYYYMMDD` or `YYYYMMDDHHMM[SS]`, in local time unless a `Z` follows.
fn moment(text: &str) -> Option<Timestamp> {
    let (digits, zone) = match text.strip_suffix(['Z', 'z']) {
        Some(digits) => (digits, TimeZone::UTC),
        None => (text, local_time::zone()),
    };
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) || !matches!(digits.len(), 8 | 12 | 14) {
        return None;
    }
    let padded = format!("{digits:0<14}");
    let time = DateTime::strptime("%Y%m%d%H%M%S", &padded).ok()?;
    time.to_zoned(zone).ok().map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIO/V3/rR7Al/UnKw9JKhaxp44cLA71WHBhM0lJGRRGo+";

    #[test]
    fn the_lines_of_allowed_signers_are_read_as_ssh_keygen_reads_them() {
        let named = |line: &str| Signer::parse(line).map(|signer| signer.principal);
        assert_eq!(
            named(&format!("ada@example.com,grace@example.com {KEY} comment")).as_deref(),
            Some("ada@example.com")
        );
        assert_eq!(named(&format!("# ada {KEY}")), None);
        assert_eq!(named(&format!("* {KEY}")), None, "no identity is named");
        assert_eq!(named(&format!("ada cert-authority {KEY}")), None, "certificates are not read");
        assert_eq!(named("ada ssh-ed25519 nonsense"), None);
        let signer = Signer::parse(&format!(
            "ada namespaces=\"git,{APPROVAL_NAMESPACE}\",valid-after=\"20250101Z\",valid-before=\"20260101Z\" {KEY}"
        ));
        let signer = signer.expect("it is a line");
        let at = |text: &str| text.parse::<Timestamp>().expect("it is a time");
        assert!(signer.may_sign(at("2025-06-01T00:00:00Z")));
        assert!(!signer.may_sign(at("2024-12-31T23:59:59Z")) && !signer.may_sign(at("2026-01-01T00:00:00Z")));
        let other = Signer::parse(&format!("ada namespaces=\"git\" {KEY}")).expect("it is a line");
        assert!(!other.may_sign(at("2025-06-01T00:00:00Z")));
    }
}
