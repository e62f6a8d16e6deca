//! A hash for paths, lines and numbers: eight bytes a step, folded by a wide multiplication. It is seeded at
//! random for each process, so that no repository can be written to make tables slow.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::OnceLock;

/// A map with this hash.
pub(super) type Map<K, V> = HashMap<K, V, Seed>;
/// A set with this hash.
pub(super) type Set<K> = HashSet<K, Seed>;

const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

/// Where hashes begin.
#[derive(Clone, Copy)]
pub(crate) struct Seed(u64);

impl Default for Seed {
    fn default() -> Self {
        static SEED: OnceLock<u64> = OnceLock::new();
        Self(*SEED.get_or_init(|| RandomState::new().hash_one(FACTOR)))
    }
}

impl Seed {
    /// The hash of some bytes.
    pub(super) fn of(self, bytes: &[u8]) -> u64 {
        let mut state = fold(self.0, bytes.len() as u64);
        let mut words = bytes.chunks_exact(8);
        for word in &mut words {
            state = fold(state, u64::from_le_bytes(word.try_into().expect("chunks of eight")));
        }
        let rest = words.remainder();
        if !rest.is_empty() {
            let mut word = [0; 8];
            word[..rest.len()].copy_from_slice(rest);
            state = fold(state, u64::from_le_bytes(word));
        }
        fold(state, FACTOR)
    }
}

fn fold(state: u64, word: u64) -> u64 {
    let product = u128::from(state ^ word) * u128::from(FACTOR);
    (product as u64) ^ ((product >> 64) as u64)
}

impl BuildHasher for Seed {
    type Hasher = Fold;

    fn build_hasher(&self) -> Fold {
        Fold(*self)
    }
}

/// The state of a hash.
pub(crate) struct Fold(Seed);

impl Hasher for Fold {
    fn finish(&self) -> u64 {
        self.0.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = Seed(self.0.of(bytes));
    }

    fn write_u8(&mut self, number: u8) {
        self.write_u64(u64::from(number));
    }

    fn write_u32(&mut self, number: u32) {
        self.write_u64(u64::from(number));
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = Seed(fold(self.0.0, number));
    }

    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }
}
