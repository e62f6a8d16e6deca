//! The order in which git walks its hash tables. Where several answers are equally good git takes the first
//! that such a walk meets, so the order is part of the behaviour.

/// The positions of `keys` in the order in which git's `strmap` walks them when they were put in one after
/// the other, each of them once.
pub(super) fn walk<K: AsRef<[u8]>>(keys: &[K]) -> Vec<usize> {
    const SMALLEST: usize = 64;
    let mut table: Vec<Vec<usize>> = vec![Vec::new(); SMALLEST];
    let hashes: Vec<usize> = keys.iter().map(|key| fnv(key.as_ref())).collect();
    for (count, index) in (1..).zip(0..keys.len()) {
        let buckets = table.len();
        table[hashes[index] & (buckets - 1)].push(index);
        // A table grows fourfold once four fifths of it are taken.
        if count > buckets * 4 / 5 {
            table = grown(table, &hashes);
        }
    }
    // The newest of a bucket comes first.
    table.into_iter().flat_map(|bucket| bucket.into_iter().rev()).collect()
}

fn grown(table: Vec<Vec<usize>>, hashes: &[usize]) -> Vec<Vec<usize>> {
    let mut larger = vec![Vec::new(); table.len() * 4];
    let buckets = larger.len();
    for index in table.into_iter().flat_map(|bucket| bucket.into_iter().rev()) {
        larger[hashes[index] & (buckets - 1)].push(index);
    }
    larger
}

/// The hash of git's string tables: FNV-1 in 32 bits.
fn fnv(bytes: &[u8]) -> usize {
    bytes.iter().fold(0x811c_9dc5_u32, |hash, byte| hash.wrapping_mul(0x0100_0193) ^ u32::from(*byte))
        as usize
}
