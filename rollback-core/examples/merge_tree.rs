//! Answers merges from standard input, as `git merge-tree --write-tree --stdin -z --no-messages` would:
//! `merge_tree REPOSITORY [THREADS]`.

use rollback_core::Repo;
use rollback_core::merge::{Options, batch};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("name a repository")?;
    let repo = Repo::discover(folder)?;
    let options = Options::from_config(&repo)?;
    let mut how = batch::BatchOptions::default();
    how.nul = true;
    how.threads = arguments.next().map_or(Ok(1), |threads| threads.parse())?;
    batch::answer(&repo, &options, std::io::stdin().lock(), std::io::stdout().lock(), how)?;
    Ok(())
}
