//! Signatures of approvals: SSH signatures, checked against a list of allowed signers (ALLOWED SIGNERS in
//! ssh-keygen(1)) without a program.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use ssh_key::{PublicKey, SshSig};

use super::Result;
use super::approval::{APPROVAL_NAMESPACE, CheckedSignature, SignedApproval, bad};
use crate::local_time;

/// Checks the signature over `text` against the lines of `allowed`, a list of allowed signers, as of `now`.
pub(super) fn check_signature(
    signed: &SignedApproval,
    text: &str,
    allowed: &str,
    now: Timestamp,
) -> Result<CheckedSignature> {
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
