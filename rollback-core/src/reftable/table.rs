//! One table: its header and footer, and its records in order of their keys.

use std::cell::RefCell;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::rc::Rc;

use super::block::{Block, Cursor, HEADER, Values};
use super::record::Record;
use super::{Result, malformed};

/// Where the bytes of a table are.
pub(crate) trait Source {
    /// How many there are.
    fn len(&self) -> Result<u64>;
    /// Fills the buffer from `position` on.
    fn read_at(&self, position: u64, buffer: &mut [u8]) -> Result<()>;
}

impl Source for File {
    fn len(&self) -> Result<u64> {
        let metadata = self.metadata()?;
        if metadata.is_file() { Ok(metadata.len()) } else { malformed("it is no regular file") }
    }

    fn read_at(&self, position: u64, buffer: &mut [u8]) -> Result<()> {
        let mut file = self;
        file.seek(SeekFrom::Start(position))?;
        Ok(file.read_exact(buffer)?)
    }
}

impl Source for Vec<u8> {
    fn len(&self) -> Result<u64> {
        Ok(self.as_slice().len() as u64)
    }

    fn read_at(&self, position: u64, buffer: &mut [u8]) -> Result<()> {
        let found = usize::try_from(position).ok().and_then(|at| self.get(at..at.checked_add(buffer.len())?));
        match found {
            Some(found) => {
                buffer.copy_from_slice(found);
                Ok(())
            }
            None => malformed("it is cut off"),
        }
    }
}

/// A table that is read.
pub(crate) struct Table {
    source: Box<dyn Source>,
    /// Without the footer.
    len: u64,
    /// The bytes of the file.
    pub(crate) size: u64,
    header: usize,
    block_size: usize,
    hash: gix::hash::Kind,
    pub(crate) min_update_index: u64,
    pub(crate) max_update_index: u64,
    references: Section,
    logs: Section,
    /// Where the block begins that was read last, and the block: keys are looked up one after the other.
    last: RefCell<Option<(u64, Found)>>,
}

/// A block, and where the next one begins.
type Found = (Rc<Block>, u64);

/// The blocks of one kind of records.
#[derive(Clone, Copy, Debug)]
struct Section {
    kind: u8,
    /// Where it begins; `None` where there is none.
    start: Option<u64>,
    /// Where its index begins.
    index: Option<u64>,
}

fn be(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |value, byte| value << 8 | u64::from(*byte))
}

impl Table {
    /// Reads header and footer.
    ///
    /// # Errors
    /// [`TableError::Malformed`](super::TableError::Malformed) where they are none, do not agree, or are of another hash.
    pub(crate) fn open(source: Box<dyn Source>, hash: gix::hash::Kind) -> Result<Self> {
        let size = source.len()?;
        let mut start = [0; 29];
        let begun = size.min(start.len() as u64) as usize;
        source.read_at(0, &mut start[..begun])?;
        let (header, footer) = match start[..5] {
            [b'R', b'E', b'F', b'T', 1] => (24, 68),
            [b'R', b'E', b'F', b'T', 2] => (28, 72),
            [b'R', b'E', b'F', b'T', _] => return malformed("its version is newer than is known here"),
            _ => return malformed("it is no reftable"),
        };
        if size < (header + footer) as u64 {
            return malformed("it is cut off");
        }
        let len = size - footer as u64;
        let mut end = vec![0; footer];
        source.read_at(len, &mut end)?;
        if end[..header] != start[..header] {
            return malformed("its end does not fit its beginning: it is cut off or damaged");
        }
        if u64::from(crc32fast::hash(&end[..footer - 4])) != be(&end[footer - 4..]) {
            return malformed("the checksum of its footer does not fit");
        }
        let spelled = match (header, &start[24..28]) {
            (24, _) | (_, b"sha1") => gix::hash::Kind::Sha1,
            (_, b"s256") => gix::hash::Kind::Sha256,
            _ => return malformed("its hash is unknown"),
        };
        if spelled != hash {
            return malformed("its hash is not that of the repository");
        }
        let field = |nth: usize| be(&end[header + 8 * nth..header + 8 * nth + 8]);
        let first_kind = if len > header as u64 { start[header] } else { 0 };
        let some = |position: u64| (position > 0).then_some(position);
        let logs = if first_kind == b'g' { Some(0) } else { some(field(3)) };
        let (min_update_index, max_update_index) = (be(&start[8..16]), be(&start[16..24]));
        if min_update_index > max_update_index {
            return malformed("its smallest update index is larger than its largest");
        }
        Ok(Self {
            source,
            len,
            size,
            header,
            block_size: be(&start[5..8]) as usize,
            hash,
            min_update_index,
            max_update_index,
            references: Section {
                kind: b'r',
                start: (first_kind == b'r').then_some(0),
                index: some(field(0)),
            },
            logs: Section { kind: b'g', start: logs, index: some(field(4)) },
            last: RefCell::default(),
        })
    }

    fn values(&self) -> Values {
        (self.min_update_index, self.hash)
    }

    /// What stands before the block that begins here: the header of the table, or nothing.
    fn skipped(&self, position: u64) -> usize {
        if position == 0 { self.header } else { 0 }
    }

    /// The block that begins at `position`, if it is of one of these kinds; `None` where it is of another, or the table
    /// ends there. Of a block that is not wanted no more is read than its letter.
    fn block(&self, position: u64, kinds: &[u8]) -> Result<Option<Found>> {
        if let Some((_, found)) = self.last.borrow().as_ref().filter(|(at, _)| *at == position) {
            return Ok(Some(found.clone()).filter(|(block, _)| kinds.contains(&block.kind)));
        }
        let skipped = self.skipped(position);
        let first = skipped + HEADER;
        let left = self.len.saturating_sub(position);
        if left < first as u64 {
            return Ok(None);
        }
        let mut head = vec![0; first];
        self.source.read_at(position, &mut head)?;
        let length = be(&head[skipped + 1..]) as usize;
        match head[skipped] {
            // Padding after the last block.
            0 => return Ok(None),
            b'r' | b'g' | b'i' | b'o' if length < first + 2 => return malformed("a block is too short"),
            kind @ (b'r' | b'g' | b'i' | b'o') if !kinds.contains(&kind) => return Ok(None),
            b'r' | b'i' | b'o' if length as u64 > left => return malformed("a block ends beyond the table"),
            b'r' | b'g' | b'i' | b'o' => {}
            _ => return malformed("a block is of an unknown kind"),
        }
        let (block, taken) = match head[skipped] {
            b'g' => {
                // What cannot be made smaller grows by a few bytes.
                let most = length as u64 + length as u64 / 1000 + 64;
                let mut bytes = vec![0; left.min(most.max(4096)) as usize];
                self.source.read_at(position, &mut bytes)?;
                Block::inflate(&bytes, skipped, length)?
            }
            _ => {
                let mut bytes = vec![0; length];
                self.source.read_at(position, &mut bytes)?;
                (Block::new(bytes, skipped)?, self.padded(position, length)?)
            }
        };
        let found = (Rc::new(block), position + taken as u64);
        *self.last.borrow_mut() = Some((position, found.clone()));
        Ok(Some(found))
    }

    /// The length of a block with its padding. What follows at once belongs to the next block.
    fn padded(&self, position: u64, length: usize) -> Result<usize> {
        let end = position + length as u64;
        if length >= self.block_size || end >= self.len {
            return Ok(length.max(self.block_size));
        }
        let mut follows = [0];
        self.source.read_at(end, &mut follows)?;
        Ok(if follows[0] == 0 { self.block_size } else { length })
    }

    /// The references from this name on.
    pub(crate) fn references_from(&self, name: &[u8]) -> Result<Records<'_>> {
        Records::seek(self, self.references, name)
    }

    /// The lines of logs from that of this name on, the newest of a name first.
    pub(crate) fn logs_from(&self, name: &[u8]) -> Result<Records<'_>> {
        Records::seek(self, self.logs, name)
    }
}

/// The records of a section, in order.
pub(crate) struct Records<'a> {
    table: &'a Table,
    kind: u8,
    at: Option<(Rc<Block>, Cursor, u64)>,
    /// The first record, which was read to find it.
    found: Option<Record>,
}

impl<'a> Records<'a> {
    fn seek(table: &'a Table, section: Section, key: &[u8]) -> Result<Self> {
        let none = Self { table, kind: section.kind, at: None, found: None };
        let Some(start) = section.start else { return Ok(none) };
        let found = match section.index {
            Some(index) => leaf(table, index, section.kind, key)?,
            None => match before(table, section.kind, start, key)? {
                None => return malformed("a section begins with a block of another kind"),
                found => found,
            },
        };
        let Some((block, next)) = found else { return Ok(none) };
        let cursor = block.seek(key)?;
        let mut records = Self { at: Some((block, cursor, next)), ..none };
        while let Some(record) = records.step()? {
            if record.key().as_slice() >= key {
                records.found = Some(record);
                break;
            }
        }
        Ok(records)
    }

    /// The next record.
    pub(super) fn next(&mut self) -> Result<Option<Record>> {
        if self.found.is_some() {
            return Ok(self.found.take());
        }
        self.step()
    }

    fn step(&mut self) -> Result<Option<Record>> {
        let values = self.table.values();
        loop {
            let Some((block, cursor, next)) = &mut self.at else { return Ok(None) };
            if let Some(record) = cursor.next(block, values)? {
                return Ok(Some(record));
            }
            let position = *next;
            self.at = self.table.block(position, &[self.kind])?.map(|(block, next)| {
                let cursor = block.start();
                (block, cursor, next)
            });
        }
    }
}

/// The last block of a run whose first key is not larger than `key`, from the block at `position` on.
fn before(table: &Table, kind: u8, position: u64, key: &[u8]) -> Result<Option<Found>> {
    let mut found = table.block(position, &[kind])?;
    while let Some((_, next)) = &found {
        let Some((block, after)) = table.block(*next, &[kind])? else { break };
        match block.first_key(table.values())? {
            Some(first) if first.as_slice() <= key => found = Some((block, after)),
            _ => break,
        }
    }
    Ok(found)
}

/// The block of a section in which `key` is, or would be; `None` where it is after all keys.
fn leaf(table: &Table, index: u64, kind: u8, key: &[u8]) -> Result<Option<Found>> {
    let mut position = index;
    // The uppermost level can have several blocks, one after the other; below it, the block is known.
    let mut found = before(table, b'i', index, key)?;
    loop {
        let Some((block, next)) = found else { return malformed("an index leads to no block") };
        let cursor = block.seek(key)?;
        let mut records = Records { table, kind: b'i', at: Some((block, cursor, next)), found: None };
        let child = loop {
            match records.next()? {
                Some(Record::Index(last, child)) if last.as_slice() >= key => break child,
                Some(_) => {}
                None => return Ok(None),
            }
        };
        if child >= position {
            return malformed("an index leads forward");
        }
        match table.block(child, &[kind, b'i'])? {
            Some((block, next)) if block.kind == kind => return Ok(Some((block, next))),
            Some(inner) => (position, found) = (child, Some(inner)),
            None => return malformed("an index leads to a block of another kind"),
        }
    }
}
