//! Writes RELIABILITY.md from its lists: `cargo run -p rollback-test-kit --bin reliability`.

use test_kit::{mutants, reliability};

fn main() -> std::io::Result<()> {
    std::fs::write(mutants::project().join("RELIABILITY.md"), reliability::page())
}
