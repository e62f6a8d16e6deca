//! Object ids that say their kind, and the modes of tree entries.
//!
//! A commit id is never passed where a tree id is wanted; nothing here touches the object database.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The name of any object: SHA-1 or SHA-256, printed as lower-case hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId(pub(crate) gix::ObjectId);

impl ObjectId {
    /// The raw bytes of the id, 20 or 32 of them.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// The id with all bits zero, which names no object, in the same hash as `self`.
    pub fn null_like(&self) -> Self {
        Self(gix::ObjectId::null(self.0.kind()))
    }

    /// Whether this is the id with all bits zero.
    pub fn is_null(&self) -> bool {
        self.0.is_null()
    }

    /// The first `len` hexadecimal digits.
    pub fn to_hex_with_len(&self, len: usize) -> String {
        self.0.to_hex_with_len(len).to_string()
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The text given is not a full hexadecimal object id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a full hexadecimal object id: {0}")]
pub struct InvalidId(pub String);

impl FromStr for ObjectId {
    type Err = InvalidId;

    fn from_str(hex: &str) -> Result<Self, Self::Err> {
        gix::ObjectId::from_hex(hex.as_bytes()).map(Self).map_err(|_| InvalidId(hex.to_owned()))
    }
}

impl Serialize for ObjectId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ObjectId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let hex = String::deserialize(deserializer)?;
        hex.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for ObjectId {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ObjectId".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^([0-9a-f]{40}|[0-9a-f]{64})$" })
    }
}

macro_rules! kind_of_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(transparent)]
        #[cfg_attr(feature = "schema", schemars(transparent))]
        pub struct $name(pub ObjectId);

        impl $name {
            /// The first `len` hexadecimal digits.
            pub fn to_hex_with_len(&self, len: usize) -> String {
                self.0.to_hex_with_len(len)
            }
        }

        impl From<ObjectId> for $name {
            fn from(id: ObjectId) -> Self {
                Self(id)
            }
        }

        impl From<gix::ObjectId> for $name {
            fn from(id: gix::ObjectId) -> Self {
                Self(ObjectId(id))
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(hex: &str) -> Result<Self, Self::Err> {
                hex.parse().map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

kind_of_id!(
    /// The id of a commit.
    CommitId
);
kind_of_id!(
    /// The id of a tree.
    TreeId
);

impl CommitId {
    /// The id as the object library spells it.
    pub(crate) fn gix(&self) -> gix::ObjectId {
        self.0.0
    }
}

/// The mode of a tree entry as the tree spells it, such as `0o100644`.
///
/// Old trees hold modes that git no longer writes (`100664`). The number is kept as it stands so that
/// an untouched entry stays untouched; [`EntryMode::kind`] gives what it means.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryMode(u16);

/// What a tree entry is, after git's own reading of its mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntryKind {
    /// A folder.
    Tree,
    /// A file.
    Blob,
    /// A file whose owner may execute it.
    Executable,
    /// A symbolic link; its blob is the target.
    Symlink,
    /// The commit of a submodule (a gitlink).
    Submodule,
}

impl EntryMode {
    /// The mode git writes for an ordinary file.
    pub const BLOB: Self = Self(0o100_644);
    /// The mode git writes for an executable file.
    pub const EXECUTABLE: Self = Self(0o100_755);
    /// The mode of a symbolic link.
    pub const SYMLINK: Self = Self(0o120_000);
    /// The mode of a submodule's commit.
    pub const SUBMODULE: Self = Self(0o160_000);
    /// The mode of a folder.
    pub const TREE: Self = Self(0o040_000);

    /// The mode with these bits, as found in a tree or an index.
    pub const fn from_bits(bits: u16) -> Self {
        Self(bits)
    }

    /// The bits as the tree spells them.
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// What the entry is: git's `canon_mode`, which knows five kinds and takes any other for a submodule.
    pub const fn kind(self) -> EntryKind {
        match self.0 & 0o170_000 {
            0o100_000 if self.0 & 0o100 != 0 => EntryKind::Executable,
            0o100_000 => EntryKind::Blob,
            0o120_000 => EntryKind::Symlink,
            0o040_000 => EntryKind::Tree,
            _ => EntryKind::Submodule,
        }
    }

    /// The mode that git would write for this entry today.
    pub const fn canonical(self) -> Self {
        match self.kind() {
            EntryKind::Tree => Self::TREE,
            EntryKind::Blob => Self::BLOB,
            EntryKind::Executable => Self::EXECUTABLE,
            EntryKind::Symlink => Self::SYMLINK,
            EntryKind::Submodule => Self::SUBMODULE,
        }
    }

    /// Whether the entry is a folder.
    pub const fn is_tree(self) -> bool {
        matches!(self.kind(), EntryKind::Tree)
    }

    /// Whether the entry is a file, executable or not.
    pub const fn is_file(self) -> bool {
        matches!(self.kind(), EntryKind::Blob | EntryKind::Executable)
    }
}

impl fmt::Display for EntryMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:06o}", self.0)
    }
}

impl fmt::Debug for EntryMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for EntryMode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for EntryMode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let octal = String::deserialize(deserializer)?;
        u16::from_str_radix(&octal, 8)
            .map(Self)
            .map_err(|_| serde::de::Error::custom(format!("not an octal mode: {octal}")))
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for EntryMode {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "EntryMode".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^[0-7]{6}$" })
    }
}

/// A tree entry without its name: the mode and the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Entry {
    /// The mode as the tree spells it.
    pub mode: EntryMode,
    /// The blob, tree or submodule commit.
    pub id: ObjectId,
}

impl Entry {
    /// Whether both are the same object with modes that mean the same.
    pub fn same_as(&self, other: &Self) -> bool {
        self.id == other.id && self.mode.kind() == other.mode.kind()
    }
}
