//! Writing a table: references first, then the lines of logs, an index after each of them that is long.

use super::block::BlockWriter;
use super::record::{LogRecord, Record, RefRecord};
use super::{Result, malformed};

/// A section of so many blocks is found by an index.
const INDEXED_FROM: usize = 4;

/// How a table is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    /// Bytes of a block; below 16 MiB.
    pub(crate) block_size: usize,
    /// Every how many records one is listed with its whole key.
    pub(crate) restart_interval: usize,
}

impl Default for Layout {
    fn default() -> Self {
        Self { block_size: 4096, restart_interval: 16 }
    }
}

/// The update indexes that a table holds, and the hash of its ids.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) min_update_index: u64,
    pub(crate) max_update_index: u64,
    pub(crate) hash: gix::hash::Kind,
}

/// How many bytes of a table come before its first block.
pub(crate) fn header_len(hash: gix::hash::Kind) -> u64 {
    if hash == gix::hash::Kind::Sha1 { 24 } else { 28 }
}

/// The bytes of a table with these records, each sorted by its key; `None` where there are none.
///
/// # Errors
/// [`TableError::Malformed`](super::TableError::Malformed) where they are not sorted, or one is larger than a block; the
/// error of a record that could not be read.
pub(crate) fn write(
    limits: Limits,
    layout: Layout,
    references: impl IntoIterator<Item = Result<RefRecord>>,
    logs: impl IntoIterator<Item = Result<LogRecord>>,
) -> Result<Option<Vec<u8>>> {
    let mut writer = Writer::new(limits, layout);
    for record in references {
        let record = record?;
        let bounds = limits.min_update_index..=limits.max_update_index;
        if !bounds.contains(&record.update_index) {
            return malformed("the update index of a reference is not that of its table");
        }
        writer.add(b'r', &Record::Ref(record))?;
    }
    let reference_index = writer.finish_section()?;
    // Logs are not aligned.
    writer.padding = 0;
    let log_start = writer.out.len() as u64;
    for record in logs {
        writer.add(b'g', &Record::Log(record?))?;
    }
    let has_logs = writer.block.is_some() || !writer.index.is_empty();
    let log_index = writer.finish_section()?;
    if writer.out.is_empty() {
        return Ok(None);
    }
    let log_start = if has_logs { log_start } else { 0 };
    Ok(Some(writer.close([reference_index, 0, 0, log_start, log_index])))
}

struct Writer {
    out: Vec<u8>,
    /// What is put before the next block.
    padding: usize,
    header: Vec<u8>,
    base: u64,
    layout: Layout,
    block: Option<BlockWriter>,
    /// The last key of each block of the section, and where it begins.
    index: Vec<Record>,
    last_key: Vec<u8>,
}

impl Writer {
    fn new(limits: Limits, layout: Layout) -> Self {
        let is_sha1 = limits.hash == gix::hash::Kind::Sha1;
        let mut header = b"REFT".to_vec();
        header.push(if is_sha1 { 1 } else { 2 });
        header.extend_from_slice(&(layout.block_size as u32).to_be_bytes()[1..]);
        header.extend_from_slice(&limits.min_update_index.to_be_bytes());
        header.extend_from_slice(&limits.max_update_index.to_be_bytes());
        if !is_sha1 {
            header.extend_from_slice(b"s256");
        }
        Self {
            out: Vec::new(),
            padding: 0,
            header,
            base: limits.min_update_index,
            layout,
            block: None,
            index: Vec::new(),
            last_key: Vec::new(),
        }
    }

    fn block(&self, kind: u8, size: usize) -> BlockWriter {
        let header = if self.out.is_empty() { self.header.as_slice() } else { &[] };
        BlockWriter::new(kind, header, size, self.layout.restart_interval)
    }

    fn add(&mut self, kind: u8, record: &Record) -> Result<()> {
        let key = record.key();
        if key <= self.last_key {
            return malformed("records are not sorted");
        }
        self.last_key = key;
        let mut block = self.block.take().unwrap_or_else(|| self.block(kind, self.layout.block_size));
        if !block.add(record, self.base) {
            self.flush(block)?;
            block = self.block(kind, self.layout.block_size);
            if !block.add(record, self.base) {
                // Blocks of logs may be of any size; others are found by theirs.
                let header = if self.out.is_empty() { self.header.len() } else { 0 };
                let size = BlockWriter::size_for(record, self.base, header);
                if kind != b'g' || size >= 1 << 24 {
                    return malformed("a name is longer than a block");
                }
                block = self.block(kind, size);
                if !block.add(record, self.base) {
                    return malformed("a line of a log does not fit into a block of its own");
                }
            }
        }
        self.block = Some(block);
        Ok(())
    }

    fn flush(&mut self, block: BlockWriter) -> Result<()> {
        if block.is_empty() {
            return Ok(());
        }
        let (kind, last_key) = (block.kind(), block.last_key.clone());
        self.out.resize(self.out.len() + self.padding, 0);
        let position = self.out.len() as u64;
        let bytes = block.finish()?;
        self.padding = if kind == b'g' { 0 } else { self.layout.block_size.saturating_sub(bytes.len()) };
        self.out.extend_from_slice(&bytes);
        self.index.push(Record::Index(last_key, position));
        Ok(())
    }

    /// Writes what is left of a section, and an index over it, and over that, until few blocks are left. Returns where
    /// the uppermost index begins, 0 where there is none.
    fn finish_section(&mut self) -> Result<u64> {
        if let Some(block) = self.block.take() {
            self.flush(block)?;
        }
        let mut start = 0;
        while self.index.len() >= INDEXED_FROM {
            start = (self.out.len() + self.padding) as u64;
            self.last_key.clear();
            let level = std::mem::take(&mut self.index);
            let count = level.len();
            for record in level {
                self.add(b'i', &record)?;
            }
            if let Some(block) = self.block.take() {
                self.flush(block)?;
            }
            if self.index.len() >= count {
                return malformed("a name is longer than a block");
            }
        }
        self.index.clear();
        self.last_key.clear();
        Ok(start)
    }

    fn close(mut self, positions: [u64; 5]) -> Vec<u8> {
        let mut footer = self.header;
        positions.iter().for_each(|position| footer.extend_from_slice(&position.to_be_bytes()));
        let checksum = crc32fast::hash(&footer);
        self.out.extend_from_slice(&footer);
        self.out.extend_from_slice(&checksum.to_be_bytes());
        self.out
    }
}
