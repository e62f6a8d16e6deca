//! One row of the index, its flags and the stat data that lets git skip reading a file.

use bstr::BString;

use crate::id::{Entry, EntryMode, ObjectId};

/// One row of the index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct IndexEntry {
    pub(crate) stat: Stat,
    pub(crate) mode: EntryMode,
    pub(crate) id: ObjectId,
    pub(crate) flags: Flags,
    pub(crate) path: BString,
}

impl IndexEntry {
    /// An entry without stat data: git reads the file when it next asks.
    pub(crate) fn new(path: &[u8], entry: Entry, stage: u8) -> Self {
        Self {
            stat: Stat::default(),
            mode: entry.mode.canonical(),
            id: entry.id,
            flags: Flags::default().with_stage(stage),
            path: path.into(),
        }
    }

    /// The mode and object, as a tree would hold them.
    pub(crate) fn entry(&self) -> Entry {
        Entry { mode: self.mode, id: self.id }
    }
}

/// The flags of an index entry that are kept on disk, without the length of the name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flags {
    /// The high four bits of the first flag word.
    pub(super) word: u16,
    /// The second flag word, where there is one.
    pub(super) extended: u16,
}

impl Flags {
    pub(super) const EXTENDED: u16 = 0x4000;
    const ASSUME_UNCHANGED: u16 = 0x8000;
    const STAGE: u16 = 0x3000;
    const INTENT_TO_ADD: u16 = 0x2000;
    const SKIP_WORK_TREE: u16 = 0x4000;

    /// 0 for a settled path, 1 to 3 in a conflict.
    pub(crate) fn stage(self) -> u8 {
        ((self.word & Self::STAGE) >> 12) as u8
    }

    fn with_stage(mut self, stage: u8) -> Self {
        self.word = (self.word & !Self::STAGE) | (u16::from(stage) << 12);
        self
    }

    /// The path is not to be in the work tree.
    pub(crate) fn skip_work_tree(self) -> bool {
        self.extended & Self::SKIP_WORK_TREE != 0
    }

    /// `git update-index --assume-unchanged`: changes of the file are not shown.
    pub(crate) fn assume_unchanged(self) -> bool {
        self.word & Self::ASSUME_UNCHANGED != 0
    }

    /// `git add --intent-to-add`.
    pub(crate) fn intent_to_add(self) -> bool {
        self.extended & Self::INTENT_TO_ADD != 0
    }

    /// The flags that a path keeps when its content changes.
    pub(crate) fn kept(self) -> Self {
        Self { word: self.word & Self::ASSUME_UNCHANGED, extended: self.extended & Self::SKIP_WORK_TREE }
    }

    /// Stage and flags in one byte, for records: the stage in the low two bits, then `assume-unchanged`,
    /// `skip-worktree` and `intent-to-add`.
    pub(crate) fn tag(self) -> u8 {
        let bit = |on: bool, at: u8| u8::from(on) << at;
        self.stage()
            | bit(self.word & Self::ASSUME_UNCHANGED != 0, 2)
            | bit(self.skip_work_tree(), 3)
            | bit(self.intent_to_add(), 4)
    }

    /// The flags that [`Flags::tag`] packed.
    pub(crate) fn from_tag(tag: u8) -> Self {
        let bit = |at: u8, value: u16| if tag & (1 << at) == 0 { 0 } else { value };
        let extended = bit(3, Self::SKIP_WORK_TREE) | bit(4, Self::INTENT_TO_ADD);
        Self { word: bit(2, Self::ASSUME_UNCHANGED), extended }.with_stage(tag & 3)
    }

    /// The flags of an entry whose file is kept out of the work tree.
    pub(crate) fn with_skip_work_tree(mut self) -> Self {
        self.extended |= Self::SKIP_WORK_TREE;
        self
    }

    /// The flags of an entry whose file is in the work tree.
    pub(crate) fn without_skip_work_tree(mut self) -> Self {
        self.extended &= !Self::SKIP_WORK_TREE;
        self
    }
}

/// What the file system says about a file, cut to the 32 bits that the index has for each value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stat {
    /// Inode change time: seconds, nanoseconds.
    pub(crate) ctime: (u32, u32),
    /// Modification time: seconds, nanoseconds.
    pub(crate) mtime: (u32, u32),
    pub(crate) dev: u32,
    pub(crate) ino: u32,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    /// The size in bytes, modulo 2³²; 0 forces git to read the file.
    pub(crate) size: u32,
}

impl Stat {
    /// The stat data of a file.
    #[cfg(unix)]
    pub(crate) fn of(metadata: &std::fs::Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Self {
            ctime: (metadata.ctime() as u32, metadata.ctime_nsec() as u32),
            mtime: (metadata.mtime() as u32, metadata.mtime_nsec() as u32),
            dev: metadata.dev() as u32,
            ino: metadata.ino() as u32,
            uid: metadata.uid(),
            gid: metadata.gid(),
            size: munged_size(metadata.size()),
        }
    }

    /// The stat data of a file.
    #[cfg(not(unix))]
    pub(crate) fn of(metadata: &std::fs::Metadata) -> Self {
        let time = |time: std::io::Result<std::time::SystemTime>| {
            time.ok()
                .and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok())
                .map_or((0, 0), |time| (time.as_secs() as u32, time.subsec_nanos()))
        };
        Self {
            ctime: time(metadata.created()),
            mtime: time(metadata.modified()),
            size: munged_size(metadata.len()),
            ..Self::default()
        }
    }

    /// Whether both can be the same unchanged file.
    ///
    /// Stricter than git, which ignores nanoseconds: a difference costs one reading of the file.
    pub(crate) fn matches(&self, other: &Self, trust_ctime: bool, check_stat: bool) -> bool {
        if !check_stat {
            return self.mtime.0 == other.mtime.0 && self.size == other.size;
        }
        self.mtime == other.mtime
            && self.size == other.size
            && (!trust_ctime || self.ctime == other.ctime)
            && (self.ino, self.uid, self.gid) == (other.ino, other.uid, other.gid)
    }
}

/// A size of which the low 32 bits are zero must not look like "unknown", which 0 means; git uses 2³¹.
pub(crate) fn munged_size(size: u64) -> u32 {
    match size as u32 {
        0 if size != 0 => 0x8000_0000,
        low => low,
    }
}

impl Stat {
    /// The nine values in the order of the file, without the mode, which stands between.
    pub(super) fn decode(bytes: &[u8]) -> Self {
        let at = |nth: usize| {
            u32::from_be_bytes(bytes[nth * 4..nth * 4 + 4].try_into().expect("the caller cut 40 bytes"))
        };
        Self {
            ctime: (at(0), at(1)),
            mtime: (at(2), at(3)),
            dev: at(4),
            ino: at(5),
            uid: at(7),
            gid: at(8),
            size: at(9),
        }
    }

    /// The 40 bytes at the head of an entry.
    pub(super) fn encode(&self, mode: EntryMode, into: &mut Vec<u8>) {
        let values = [
            self.ctime.0,
            self.ctime.1,
            self.mtime.0,
            self.mtime.1,
            self.dev,
            self.ino,
            u32::from(mode.bits()),
            self.uid,
            self.gid,
            self.size,
        ];
        for value in values {
            into.extend_from_slice(&value.to_be_bytes());
        }
    }
}
