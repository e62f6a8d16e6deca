//! The planted faults fit the sources; whether they are noticed is for the long run, `--bin mutants`.

use std::collections::BTreeSet;

use test_kit::mutants;

#[test]
fn every_planted_fault_fits_the_sources() {
    let all = mutants::all();
    let names: BTreeSet<_> = all.iter().map(|mutant| &mutant.name).collect();
    assert!(names.len() >= 20, "{} faults", names.len());
    for mutant in &all {
        assert!(mutant.replace.is_some() != mutant.instead.is_some(), "{}: one of the two", mutant.name);
        assert!(!mutant.tests.is_empty(), "{}: some test must notice", mutant.name);
    }
    mutants::planted(&mutants::project(), &all).expect("all of them fit");
}
