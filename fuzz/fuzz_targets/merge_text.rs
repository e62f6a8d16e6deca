//! Any three texts merge without a panic, and a side that did not change leaves the other as it is.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rollback_core::merge::text::{Algorithm, ConflictStyle, TextLabels, TextMerger, TextOptions};

fuzz_target!(|input: (Vec<u8>, Vec<u8>, Vec<u8>, u8)| {
    let (base, ours, theirs, choice) = input;
    let mut options = TextOptions::default();
    options.algorithm = [Algorithm::Histogram, Algorithm::Patience, Algorithm::Myers, Algorithm::Minimal][choice as usize % 4];
    options.style = [ConflictStyle::Merge, ConflictStyle::Diff3, ConflictStyle::Zdiff3][choice as usize / 4 % 3];
    let mut merger = TextMerger::new();
    merger.merge(&base, &ours, &theirs, TextLabels::default(), &options);
    assert_eq!(merger.merge(&base, &base, &theirs, TextLabels::default(), &options).bytes, theirs);
    assert_eq!(merger.merge(&base, &ours, &base, TextLabels::default(), &options).bytes, ours);
    assert_eq!(merger.merge(&base, &ours, &ours, TextLabels::default(), &options).conflicts, 0);
});
