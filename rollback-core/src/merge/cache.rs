//! A cache of bounded size for objects.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash};
use std::rc::Rc;

/// A cache in two generations: when the young one is full it becomes the old one, and what was old and not
/// asked for again is gone. It never holds more than its limit and one object.
pub(super) struct Cache<K, T, S> {
    young: HashMap<K, (Rc<T>, usize), S>,
    old: HashMap<K, (Rc<T>, usize), S>,
    young_size: usize,
    limit: usize,
}

impl<K: Copy + Eq + Hash, T, S: BuildHasher + Default> Cache<K, T, S> {
    pub(super) fn new(limit: usize) -> Self {
        Self { young: HashMap::default(), old: HashMap::default(), young_size: 0, limit }
    }

    pub(super) fn get(&mut self, key: &K) -> Option<Rc<T>> {
        if let Some((value, _)) = self.young.get(key) {
            return Some(value.clone());
        }
        let (value, size) = self.old.remove(key)?;
        self.put(*key, value.clone(), size);
        Some(value)
    }

    pub(super) fn put(&mut self, key: K, value: Rc<T>, size: usize) {
        if self.young_size + size > self.limit / 2 {
            self.old = std::mem::take(&mut self.young);
            self.young_size = 0;
        }
        self.young_size += size;
        self.young.insert(key, (value, size));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cache_forgets_what_was_not_asked_for_since_it_was_last_full() {
        let mut cache: Cache<u32, u32, std::hash::RandomState> = Cache::new(20);
        for number in 0..6 {
            cache.put(number, Rc::new(number), 4);
            assert!(cache.get(&0).is_some(), "asked for after {number}");
        }
        assert!(cache.get(&1).is_none());
        cache.put(8, Rc::new(8), 100);
        cache.put(9, Rc::new(9), 100);
        assert!(cache.get(&0).is_none());
    }
}
