//! The records of a table: what a reference holds, a line of a reference's log, where a block begins.

use bstr::BString;

use super::varint::{Input, put, put_string};
use super::{Result, malformed};
use crate::id::ObjectId;

/// What a table says of a reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RefRecord {
    /// The full name.
    pub(crate) name: BString,
    /// The number of the transaction that wrote it.
    pub(crate) update_index: u64,
    pub(crate) value: RefValue,
}

/// What a reference holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RefValue {
    /// It is gone, whatever older tables say.
    Deletion,
    /// An object.
    Object(ObjectId),
    /// An annotated tag, and the object that it stands for in the end.
    Peeled(ObjectId, ObjectId),
    /// Another reference, by its full name.
    Symbolic(BString),
}

impl RefValue {
    fn kind(&self) -> u8 {
        match self {
            Self::Deletion => 0,
            Self::Object(_) => 1,
            Self::Peeled(..) => 2,
            Self::Symbolic(_) => 3,
        }
    }
}

/// A line of the log of a reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogRecord {
    /// The full name of the reference.
    pub(crate) name: BString,
    /// The number of the transaction that wrote it, by which the lines of a log are ordered.
    pub(crate) update_index: u64,
    /// What it says; `None` where the line is gone, whatever older tables say.
    pub(crate) value: Option<LogUpdate>,
}

/// What a line of a log says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogUpdate {
    pub(crate) old: ObjectId,
    pub(crate) new: ObjectId,
    pub(crate) name: BString,
    pub(crate) email: BString,
    /// Seconds since the epoch.
    pub(crate) time: u64,
    /// The offset as it is spelled: -130 for `-0130`.
    pub(crate) offset: i16,
    /// With the end of the line, which git writes too.
    pub(crate) message: BString,
}

/// A record of any kind of block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Record {
    Ref(RefRecord),
    Log(LogRecord),
    /// The last key of another block, and where that begins.
    Index(Vec<u8>, u64),
}

impl Record {
    /// What records are sorted by.
    pub(super) fn key(&self) -> Vec<u8> {
        match self {
            Self::Ref(record) => record.name.to_vec(),
            Self::Log(record) => log_key(&record.name, record.update_index),
            Self::Index(key, _) => key.clone(),
        }
    }

    /// The three bits that stand beside the length of the key.
    pub(super) fn extra(&self) -> u8 {
        match self {
            Self::Ref(record) => record.value.kind(),
            Self::Log(record) => u8::from(record.value.is_some()),
            Self::Index(..) => 0,
        }
    }

    /// Appends what follows the key. `base` is the smallest update index of the table.
    pub(super) fn encode(&self, base: u64, out: &mut Vec<u8>) {
        match self {
            Self::Ref(record) => {
                put(out, record.update_index - base);
                match &record.value {
                    RefValue::Deletion => {}
                    RefValue::Object(id) => out.extend_from_slice(id.as_bytes()),
                    RefValue::Peeled(tag, target) => {
                        out.extend_from_slice(tag.as_bytes());
                        out.extend_from_slice(target.as_bytes());
                    }
                    RefValue::Symbolic(target) => put_string(out, target),
                }
            }
            Self::Log(record) => {
                let Some(update) = &record.value else { return };
                out.extend_from_slice(update.old.as_bytes());
                out.extend_from_slice(update.new.as_bytes());
                put_string(out, &update.name);
                put_string(out, &update.email);
                put(out, update.time);
                out.extend_from_slice(&update.offset.to_be_bytes());
                put_string(out, &update.message);
            }
            Self::Index(_, position) => put(out, *position),
        }
    }

    /// Reads what follows the key in a block of this kind.
    pub(super) fn decode(
        kind: u8,
        key: &[u8],
        extra: u8,
        input: &mut Input<'_>,
        (base, hash): (u64, gix::hash::Kind),
    ) -> Result<Self> {
        Ok(match kind {
            b'r' => {
                let update_index = base.checked_add(input.number()?);
                let Some(update_index) = update_index else { return malformed("an update index overflows") };
                let value = match extra {
                    0 => RefValue::Deletion,
                    1 => RefValue::Object(id(input, hash)?),
                    2 => RefValue::Peeled(id(input, hash)?, id(input, hash)?),
                    3 => RefValue::Symbolic(input.string()?.into()),
                    _ => return malformed("a reference has a value of an unknown kind"),
                };
                Self::Ref(RefRecord { name: key.into(), update_index, value })
            }
            b'g' => {
                let (name, update_index) = split_log_key(key)?;
                let value = match extra {
                    0 => None,
                    1 => Some(log_update(input, hash)?),
                    _ => return malformed("a line of a log is of an unknown kind"),
                };
                Self::Log(LogRecord { name: name.into(), update_index, value })
            }
            _ if extra != 0 => return malformed("a record of an index is of an unknown kind"),
            _ => Self::Index(key.to_vec(), input.number()?),
        })
    }
}

fn id(input: &mut Input<'_>, hash: gix::hash::Kind) -> Result<ObjectId> {
    Ok(ObjectId(gix::ObjectId::from_bytes_or_panic(input.take(hash.len_in_bytes())?)))
}

fn log_update(input: &mut Input<'_>, hash: gix::hash::Kind) -> Result<LogUpdate> {
    let (old, new) = (id(input, hash)?, id(input, hash)?);
    let (name, email) = (input.string()?.into(), input.string()?.into());
    let time = input.number()?;
    let offset = input.take(2)?;
    let offset = i16::from_be_bytes([offset[0], offset[1]]);
    Ok(LogUpdate { old, new, name, email, time, offset, message: input.string()?.into() })
}

/// Lines of a log are sorted by name, and the newest of a name comes first.
pub(super) fn log_key(name: &[u8], update_index: u64) -> Vec<u8> {
    let mut key = name.to_vec();
    key.push(0);
    key.extend_from_slice(&(u64::MAX - update_index).to_be_bytes());
    key
}

fn split_log_key(key: &[u8]) -> Result<(&[u8], u64)> {
    let parts = key.len().checked_sub(8).map(|at| key.split_at(at));
    match parts.and_then(|(name, index)| Some((name.strip_suffix(b"\0")?, index))) {
        Some((name, index)) if !name.is_empty() => {
            let index: [u8; 8] = index.try_into().expect("the last eight bytes");
            Ok((name, u64::MAX - u64::from_be_bytes(index)))
        }
        _ => malformed("a line of a log has no name and number"),
    }
}
