//! Answers merges from standard input, as `git merge-tree --write-tree --stdin -z --no-messages` would:
//! `merge_tree REPOSITORY [-X OPTION]... [--threads N]`.

use rollback_core::Repo;
use rollback_core::merge::{Options, batch};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let repo = Repo::discover(arguments.next().ok_or("name a repository")?)?;
    let mut options = Options::from_config(&repo)?;
    let mut how = batch::BatchOptions::default();
    how.nul = true;
    while let Some(flag) = arguments.next() {
        let value = arguments.next().ok_or("a flag without a value")?;
        match flag.as_str() {
            "-X" if options.set_strategy_option(&value) => {}
            "--threads" => how.threads = value.parse()?,
            _ => return Err(format!("unknown option {flag} {value}").into()),
        }
    }
    let (input, output) = (std::io::stdin().lock(), std::io::stdout().lock());
    Ok(batch::answer(&repo, &options, input, output, how)?)
}
