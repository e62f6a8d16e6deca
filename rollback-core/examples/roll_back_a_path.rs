//! Embedding the library: find what broke a path, plan the way back, look at it, land it.
//!
//! `cargo run -p rollback-core --example roll_back_a_path -- REPOSITORY PATH`
#![expect(clippy::print_stdout, reason = "an example shows what it did")]

use rollback_core::{ApplyOptions, PlanOptions, Repo, Target};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(folder), Some(path)) = (arguments.next(), arguments.next()) else {
        return Err("usage: roll_back_a_path REPOSITORY PATH".into());
    };
    let repo = Repo::discover(folder)?;
    let target = Target::paths([path.as_str()]);

    // A plan is computed in memory and writes nothing.
    let plan = repo.plan(&target, &PlanOptions::default())?;
    if let Some(culprit) = &plan.target.culprit {
        println!("{} by {} ({})", culprit.change, culprit.commit_id, culprit.subject);
    }
    let Some(way) = plan.chosen_attempt() else {
        println!("nothing to land");
        return Ok(());
    };
    println!("{} touches {} path(s)", way.strategy, way.paths_touched.len());

    // Landing refuses whatever would overwrite uncommitted work or discard later edits.
    let receipt = repo.apply(plan, &ApplyOptions::default())?;
    println!("{:?} {:?}", receipt.outcome.kind, receipt.outcome.commit_ids);
    Ok(())
}
