//! The test kit: repositories with fixed identities and dates, fixtures imported with git, twins, and the comparison of
//! whole states.
//!
//! git is the oracle of this project, so the kit runs the real one, shut off from the configuration of whoever runs the
//! tests. Everything here panics with the command and its output when something fails: a test has no use for less.

pub mod codes;
mod disk;
mod environment;
pub mod filter;
mod fixture;
pub mod hostile;
pub mod merge_tree;
pub mod mutants;
pub mod page;
pub mod patch;
pub mod planted;
pub mod records;
pub mod reliability;
mod sandbox;
mod state;
pub mod suite;

pub use disk::Disk;
pub use environment::{isolated, rb, ref_format};
pub use fixture::Fixture;
pub use sandbox::Sandbox;
pub use state::{Part, State};
