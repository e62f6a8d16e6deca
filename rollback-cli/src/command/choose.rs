//! Which part of what a commit did to a file goes back: as it was typed, or chosen hunk by hunk.

use rollback_core::patch::{Hunk, LineKind};
use rollback_core::target::CommitsTarget;
use rollback_core::{Error, Plan, PlanOptions, Repo, Target};

use crate::args::PartOfFile;
use crate::exit::Exit;
use crate::failure::{Failure, Problem};
use crate::hint::Hint;
use crate::session::Session;
use crate::terminal::style::{Palette, paint};
use crate::terminal::text;

/// The target with the part that was typed or is chosen now.
pub(super) fn part(
    target: Target,
    args: &PartOfFile,
    options: &PlanOptions,
    session: &mut Session,
) -> Result<Target, Problem> {
    if args.lines.is_none() && args.hunks.is_empty() && !args.interactive {
        return Ok(target);
    }
    let mut commits = match target {
        Target::Commits(commits) if commits.paths.len() == 1 => commits,
        _ => {
            let why = "a part is one of what a commit did to a file: give the commit and one --file";
            return Err(Failure::usage(why.to_owned()).into());
        }
    };
    commits.lines = args.lines;
    commits.hunks = match args.interactive {
        true => chosen(&commits, options, session)?,
        false => args.hunks.clone(),
    };
    Ok(Target::Commits(commits))
}

/// The hunks of the change that a plan undoes in a file, with the numbers by which `--hunk` takes one of them; nothing
/// where it undoes something else, or a part already.
pub(super) fn numbers(plan: &Plan, repo: &Repo) -> Result<String, Error> {
    let Target::Commits(commits) = &plan.request.target else { return Ok(String::new()) };
    if commits.paths.len() != 1 || commits.is_part() || plan.target.commits.len() != 1 {
        return Ok(String::new());
    }
    let hunks = repo.hunks_to_revert(commits, &plan.request.options)?;
    if hunks.len() < 2 {
        return Ok(String::new());
    }
    let mut said =
        format!("\n{} (--hunk N takes back one alone)\n", paint(Palette::HEADING, "Hunks of the change"));
    for (nth, hunk) in hunks.iter().enumerate() {
        let header = String::from_utf8_lossy(&hunk.header()).trim_end().to_owned();
        // Two at signs first would make it a part of the patch.
        said.push_str(&format!("  {:>3}  {}\n", nth + 1, text::escape(&header)));
    }
    Ok(said)
}

/// Asks about each hunk on standard error.
fn chosen(
    commits: &CommitsTarget,
    options: &PlanOptions,
    session: &mut Session,
) -> Result<Vec<usize>, Problem> {
    let repo = session.repo()?;
    let hunks = repo.hunks_to_revert(commits, options)?;
    if !session.console.can_ask() {
        return Err(Failure::usage("there is no terminal to choose hunks on".to_owned())
            .with_hint(Hint::say("name them with --hunk; --dry-run --patch shows their numbers"))
            .into());
    }
    let (mut taken, total) = (Vec::new(), hunks.len());
    for (nth, hunk) in hunks.iter().enumerate() {
        session.console.complain(&shown(hunk));
        match answer(&format!("Take back hunk {} of {total} [y,n,a,d,q,?]? ", nth + 1), session) {
            Answer::Yes => taken.push(nth + 1),
            Answer::No => {}
            Answer::All => {
                taken.extend(nth + 1..=total);
                break;
            }
            Answer::Done => break,
            Answer::Quit => {
                taken.clear();
                break;
            }
        }
    }
    if taken.is_empty() {
        return Err(
            Failure::new(Exit::Refused, "nothing-chosen", "nothing was changed: no hunk was chosen").into()
        );
    }
    Ok(taken)
}

enum Answer {
    Yes,
    No,
    All,
    Done,
    Quit,
}

/// git's letters; no answer quits.
fn answer(question: &str, session: &mut Session) -> Answer {
    loop {
        session.console.complain(question);
        let mut line = String::new();
        let read = std::io::stdin().read_line(&mut line);
        match line.trim() {
            "y" => return Answer::Yes,
            "n" => return Answer::No,
            "a" => return Answer::All,
            "d" => return Answer::Done,
            "q" => return Answer::Quit,
            _ if !matches!(read, Ok(length) if length > 0) => return Answer::Quit,
            _ => session.console.complain(
                "y - take this hunk back\nn - leave it\na - this one and all that follow\n\
                 d - neither this one nor any that follows\nq - quit, and change nothing\n",
            ),
        }
    }
}

fn shown(hunk: &Hunk) -> String {
    let line = |bytes: &[u8]| text::escape_lines(String::from_utf8_lossy(bytes).trim_end_matches('\n'));
    let mut said = format!("{}\n", paint(Palette::COMMAND, line(&hunk.header())));
    for one in &hunk.lines {
        said.push_str(&match one.kind {
            LineKind::Old => paint(Palette::BAD, format!("-{}", line(&one.text))),
            LineKind::New => paint(Palette::GOOD, format!("+{}", line(&one.text))),
            _ => format!(" {}", line(&one.text)),
        });
        said.push('\n');
    }
    said
}
