//! A block: records sorted by key, each sharing the beginning of its key with the one before, and a list of the records
//! that share nothing, by which a key is found without reading the whole block.

use super::record::Record;
use super::varint::{Input, put};
use super::{Result, TableError, malformed};
use gix::zlib::{Compression, Decompress, FlushDecompress, Status, stream::deflate};

/// The letter of the block and its length.
pub(super) const HEADER: usize = 4;
/// The most records of a block that may be listed.
const MAX_RESTARTS: usize = 65535;

/// A block that is read.
#[derive(Debug)]
pub(super) struct Block {
    /// What records it holds, by its letter.
    pub(super) kind: u8,
    /// From where it begins; in the first block of a table that is the header of the table.
    bytes: Vec<u8>,
    first: usize,
    end: usize,
    restarts: usize,
}

/// How values are read: the smallest update index of the table and the hash of its ids.
pub(super) type Values = (u64, gix::hash::Kind);

impl Block {
    /// Takes the inflated bytes of a block, whose records begin after `skipped` bytes and the block's own header.
    pub(super) fn new(bytes: Vec<u8>, skipped: usize) -> Result<Self> {
        let first = skipped + HEADER;
        let restarts = match bytes.len().checked_sub(2) {
            Some(at) if at >= first => usize::from(u16::from_be_bytes([bytes[at], bytes[at + 1]])),
            _ => return malformed("a block is too short"),
        };
        match (bytes.len() - 2).checked_sub(3 * restarts) {
            Some(end) if end >= first => Ok(Self { kind: bytes[skipped], bytes, first, end, restarts }),
            _ => malformed("a list of restarts is longer than its block"),
        }
    }

    /// Inflates the bytes after the headers to `length` bytes with them; returns how many were read of `bytes`.
    pub(super) fn inflate(bytes: &[u8], skipped: usize, length: usize) -> Result<(Self, usize)> {
        let first = skipped + HEADER;
        let mut inflated = vec![0; length];
        inflated[..first].copy_from_slice(&bytes[..first]);
        let mut zlib = Decompress::new();
        let status = zlib.decompress(&bytes[first..], &mut inflated[first..], FlushDecompress::Finish);
        match status {
            Ok(Status::StreamEnd) if zlib.total_out() == (length - first) as u64 => {
                Ok((Self::new(inflated, skipped)?, first + zlib.total_in() as usize))
            }
            _ => malformed("a block of logs cannot be inflated to its length"),
        }
    }

    /// The first key.
    pub(super) fn first_key(&self, values: Values) -> Result<Option<Vec<u8>>> {
        let mut cursor = self.start();
        cursor.next(self, values).map(|record| record.map(|_| cursor.key))
    }

    /// Where records begin.
    pub(super) fn start(&self) -> Cursor {
        Cursor { at: self.first, key: Vec::new() }
    }

    /// The key of a record that shares nothing with the one before.
    fn restart(&self, nth: usize) -> Result<(usize, &[u8])> {
        let at = self.end + 3 * nth;
        let offset = usize::from(self.bytes[at]) << 16
            | usize::from(self.bytes[at + 1]) << 8
            | usize::from(self.bytes[at + 2]);
        if offset < self.first || offset >= self.end {
            return malformed("a restart leads out of its block");
        }
        let mut input = Input(&self.bytes[offset..self.end]);
        if input.number()? != 0 {
            return malformed("a restart leads to a record that shares its key");
        }
        let length = input.length()? >> 3;
        Ok((offset, input.take(length)?))
    }

    /// The position from which the first record with at least this key is at most one restart away.
    pub(super) fn seek(&self, key: &[u8]) -> Result<Cursor> {
        let (mut low, mut high) = (0, self.restarts);
        while low < high {
            let middle = (low + high) / 2;
            if self.restart(middle)?.1 <= key { low = middle + 1 } else { high = middle }
        }
        let at = if low == 0 { self.first } else { self.restart(low - 1)?.0 };
        Ok(Cursor { at, key: Vec::new() })
    }
}

/// A position in a block.
#[derive(Clone, Debug)]
pub(super) struct Cursor {
    at: usize,
    /// The key of the record before.
    key: Vec<u8>,
}

impl Cursor {
    /// The next record; `None` at the end of the block.
    pub(super) fn next(&mut self, block: &Block, values: Values) -> Result<Option<Record>> {
        if self.at >= block.end {
            return Ok(None);
        }
        let whole = &block.bytes[self.at..block.end];
        let mut input = Input(whole);
        let (shared, length) = (input.length()?, input.length()?);
        let (extra, length) = ((length & 7) as u8, length >> 3);
        if shared > self.key.len() {
            return malformed("a key shares more than there is with the one before");
        }
        let suffix = input.take(length)?;
        self.key.truncate(shared);
        self.key.extend_from_slice(suffix);
        if self.key.is_empty() {
            return malformed("a key is empty");
        }
        let record = Record::decode(block.kind, &self.key, extra, &mut input, values)?;
        self.at += whole.len() - input.0.len();
        Ok(Some(record))
    }
}

/// A block that is written.
#[derive(Debug)]
pub(super) struct BlockWriter {
    kind: u8,
    bytes: Vec<u8>,
    skipped: usize,
    size: usize,
    restarts: Vec<usize>,
    interval: usize,
    entries: usize,
    /// The key of the last record.
    pub(super) last_key: Vec<u8>,
}

impl BlockWriter {
    /// An empty block of at most `size` bytes, before whose records stand `header`, that of the table, and its own.
    pub(super) fn new(kind: u8, header: &[u8], size: usize, interval: usize) -> Self {
        let mut bytes = header.to_vec();
        bytes.extend_from_slice(&[kind, 0, 0, 0]);
        let skipped = header.len();
        Self { kind, bytes, skipped, size, restarts: Vec::new(), interval, entries: 0, last_key: Vec::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries == 0
    }

    pub(super) fn kind(&self) -> u8 {
        self.kind
    }

    /// Adds the record; `false` where it does not fit.
    pub(super) fn add(&mut self, record: &Record, base: u64) -> bool {
        let key = record.key();
        let restarts_anew = self.entries.is_multiple_of(self.interval);
        let shared = match restarts_anew {
            true => 0,
            false => key.iter().zip(&self.last_key).take_while(|(one, other)| one == other).count(),
        };
        let mut bytes = Vec::new();
        put(&mut bytes, shared as u64);
        put(&mut bytes, ((key.len() - shared) as u64) << 3 | u64::from(record.extra()));
        bytes.extend_from_slice(&key[shared..]);
        record.encode(base, &mut bytes);
        let is_restart = shared == 0 && self.restarts.len() < MAX_RESTARTS;
        let restarts = self.restarts.len() + usize::from(is_restart);
        if self.bytes.len() + bytes.len() + 3 * restarts + 2 > self.size {
            return false;
        }
        if is_restart {
            self.restarts.push(self.bytes.len());
        }
        self.bytes.extend_from_slice(&bytes);
        self.last_key = key;
        self.entries += 1;
        true
    }

    /// How large a block must be for nothing but this record.
    pub(super) fn size_for(record: &Record, base: u64, skipped: usize) -> usize {
        let mut bytes = Vec::new();
        record.encode(base, &mut bytes);
        // Two numbers, the key, the value, one restart and their count.
        skipped + HEADER + 20 + record.key().len() + bytes.len() + 3 + 2
    }

    /// The bytes of the block, without padding.
    pub(super) fn finish(self) -> Result<Vec<u8>> {
        let Self { kind, mut bytes, skipped, restarts, .. } = self;
        for restart in &restarts {
            bytes.extend_from_slice(&(*restart as u32).to_be_bytes()[1..]);
        }
        let count = u16::try_from(restarts.len()).expect("no more are listed");
        bytes.extend_from_slice(&count.to_be_bytes());
        let length = (bytes.len() as u32).to_be_bytes();
        bytes[skipped + 1..skipped + HEADER].copy_from_slice(&length[1..]);
        if kind != b'g' {
            return Ok(bytes);
        }
        let first = skipped + HEADER;
        let mut deflater = deflate::Write::new(bytes[..first].to_vec(), Compression::BEST);
        let written = std::io::Write::write_all(&mut deflater, &bytes[first..])
            .and_then(|()| std::io::Write::flush(&mut deflater));
        written.map_err(TableError::Io)?;
        Ok(deflater.into_inner())
    }
}
