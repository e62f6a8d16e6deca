//! `rb`: the command line of the rollback toolkit.
fn main() {}
