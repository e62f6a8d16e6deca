//! Names of tables: the update indexes that a table holds, and eight digits that make it unique.

use std::fmt;

/// The name of a table, as git makes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TableName {
    pub(crate) min_update_index: u64,
    pub(crate) max_update_index: u64,
    pub(crate) unique: u32,
}

impl TableName {
    /// Reads a name as git makes them; `None` for any other.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let mut parts = name.strip_suffix(".ref")?.split('-');
        let hex = |part: Option<&str>| u64::from_str_radix(part?.strip_prefix("0x")?, 16).ok();
        let (min_update_index, max_update_index) = (hex(parts.next())?, hex(parts.next())?);
        let unique = u32::from_str_radix(parts.next()?, 16).ok()?;
        let read = Self { min_update_index, max_update_index, unique };
        (read.to_string() == name).then_some(read)
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { min_update_index, max_update_index, unique } = self;
        write!(f, "0x{min_update_index:012x}-0x{max_update_index:012x}-{unique:08x}.ref")
    }
}

/// Whether a name of a list of tables stays in its folder. Other writers name tables in other ways.
pub(crate) fn is_safe_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    !name.starts_with('.')
        && name.bytes().all(is_plain)
        && [".ref", ".log"].iter().any(|end| name.ends_with(end))
}
