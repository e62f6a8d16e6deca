//! What the long suites share: twins of a real repository, samples of its history, and counts of verdicts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Output};

use crate::Sandbox;

/// A work tree of a real repository, and the commit that every case begins at.
pub struct Subject {
    repo: Sandbox,
    tip: String,
}

impl Subject {
    /// Clones `source` without copying its objects, and checks it out. The source must not change meanwhile.
    ///
    /// # Errors
    /// What git says where the source does not check out completely.
    pub fn clone_of(source: &Path) -> Result<Self, String> {
        let repo = Sandbox::folder();
        let source = source.canonicalize().map_err(|error| format!("{}: {error}", source.display()))?;
        let source = source.to_str().ok_or("the path of a repository must be UTF-8")?;
        let out = repo.try_git(&["clone", "-q", "--shared", source, "."]);
        if !out.status.success() {
            return Err(format!("{source} does not check out: {}", String::from_utf8_lossy(&out.stderr)));
        }
        for (key, value) in
            [("gc.auto", "0"), ("maintenance.auto", "false"), ("advice.mergeConflict", "false")]
        {
            repo.git(&["config", key, value]);
        }
        let tip = repo.git(&["rev-parse", "HEAD"]);
        Ok(Self { repo, tip })
    }

    /// The work tree.
    pub fn repo(&self) -> &Sandbox {
        &self.repo
    }

    /// The commit that every case begins at.
    pub fn tip(&self) -> &str {
        &self.tip
    }

    /// Goes back to the beginning, whatever a case left.
    pub fn reset(&self) {
        self.repo.git(&["reset", "-q", "--hard", &self.tip]);
        self.repo.git(&["clean", "-q", "-ffd"]);
    }

    /// Everything that an operation that lands nothing must leave alone, and that is cheap to look at: references, the
    /// index's bytes, `git status`, and the names of the files in the git directory, objects among them, without `rb/`.
    pub fn trace(&self) -> Vec<(String, Vec<u8>)> {
        let git_dir = self.repo.path().join(".git");
        let refs = self.repo.git_bytes(&["for-each-ref", "--format=%(refname) %(objectname)"]);
        let status = self.repo.git_bytes(&["--no-optional-locks", "status", "--porcelain", "-z"]);
        let mut names = Vec::new();
        list(&git_dir, &git_dir, &mut names);
        names.sort();
        vec![
            ("references".into(), refs),
            ("HEAD".into(), read(&git_dir.join("HEAD"))),
            ("index".into(), read(&git_dir.join("index"))),
            ("status".into(), status),
            ("files in .git".into(), names.join("\n").into_bytes()),
        ]
    }
}

fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_default()
}

fn list(root: &Path, folder: &Path, names: &mut Vec<String>) {
    let Ok(rows) = std::fs::read_dir(folder) else { return };
    for path in rows.flatten().map(|row| row.path()) {
        if path == root.join("rb") {
            continue;
        }
        if path.is_dir() {
            list(root, &path, names);
        } else {
            names.push(path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned());
        }
    }
}

/// What is else between two traces; `None` where nothing is.
pub fn difference(before: &[(String, Vec<u8>)], after: &[(String, Vec<u8>)]) -> Option<String> {
    let changed: Vec<&str> = before
        .iter()
        .zip(after)
        .filter(|(before, after)| before != after)
        .map(|((name, _), _)| name.as_str())
        .collect();
    (!changed.is_empty()).then(|| changed.join(", "))
}

/// Numbers that depend on the seed only: SplitMix64.
pub struct Seeded(u64);

impl Seeded {
    /// The sequence of this seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `bound`, which is not 0.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % bound as u64).expect("it is below a usize")
    }

    /// Puts the rows into an order of the seed's.
    pub fn shuffle<T>(&mut self, rows: &mut [T]) {
        for at in (1..rows.len()).rev() {
            rows.swap(at, self.below(at + 1));
        }
    }
}

/// How often each verdict was given, and the cases that must not happen.
#[derive(Default)]
pub struct Tally {
    counts: BTreeMap<String, usize>,
    differences: Vec<String>,
}

impl Tally {
    /// Counts a verdict.
    pub fn count(&mut self, verdict: impl Into<String>) {
        *self.counts.entry(verdict.into()).or_default() += 1;
    }

    /// Takes down a case in which rb is wrong.
    pub fn difference(&mut self, case: impl Into<String>) {
        self.differences.push(case.into());
    }

    /// Takes it down as a difference where no answer was compared: there was no case, or git died of each.
    pub fn refuse_silence(&mut self) {
        if self.counts.keys().all(|verdict| verdict == "git died of it") {
            self.difference("nothing was compared: there is no case, or git died of each");
        }
    }

    /// How often the verdict was given.
    pub fn of(&self, verdict: &str) -> usize {
        self.counts.get(verdict).copied().unwrap_or(0)
    }

    /// Adds another tally.
    pub fn add(&mut self, other: &Self) {
        for (verdict, count) in &other.counts {
            *self.counts.entry(verdict.clone()).or_default() += count;
        }
        self.differences.extend(other.differences.iter().cloned());
    }

    /// The cases in which rb is wrong.
    pub fn differences(&self) -> &[String] {
        &self.differences
    }

    /// One line a verdict, and every difference.
    pub fn report(&self, title: &str) -> String {
        let mut out = format!("{title}\n");
        for (verdict, count) in &self.counts {
            out.push_str(&format!("  {count:>6}  {verdict}\n"));
        }
        out.push_str(&format!("  {:>6}  DIFFERENCES\n", self.differences.len()));
        for case in &self.differences {
            out.push_str(&format!("          {case}\n"));
        }
        out
    }
}

/// A commit and its parents.
pub struct Sample {
    /// The commit.
    pub id: String,
    /// Its parents, in order.
    pub parents: Vec<String>,
}

impl Sample {
    /// Whether it has more than one parent.
    pub fn is_merge(&self) -> bool {
        self.parents.len() > 1
    }
}

/// The last `count` commits that HEAD reaches, newest first, without roots.
pub fn last_commits(repo: &Sandbox, count: usize) -> Vec<Sample> {
    let out = repo.git(&["rev-list", "--parents", &format!("--max-count={count}"), "HEAD"]);
    out.lines()
        .filter_map(|line| {
            let mut ids = line.split(' ').map(ToOwned::to_owned);
            let sample = Sample { id: ids.next()?, parents: ids.collect() };
            (!sample.parents.is_empty()).then_some(sample)
        })
        .collect()
}

/// The JSON document that rb printed; `Null` where it printed none.
pub fn document(out: &Output) -> serde_json::Value {
    serde_json::from_slice(&out.stdout).unwrap_or(serde_json::Value::Null)
}

/// Ends a suite as `run` ends, and with 2 where it could not be carried out.
pub fn main(run: impl FnOnce() -> Result<ExitCode, String>) -> ExitCode {
    run().unwrap_or_else(|why| {
        #[expect(clippy::print_stderr, reason = "the report is what the suite is for")]
        {
            eprintln!("error: {why}");
        }
        ExitCode::from(2)
    })
}

/// What the suites take from the command line.
pub struct Arguments {
    /// The repositories, each after a `--repo`.
    pub repos: Vec<PathBuf>,
    /// The program under test.
    pub rb: PathBuf,
    /// How many cases in all.
    pub count: usize,
    /// The seed of the sample.
    pub seed: u64,
    /// Other options with a number, by name.
    numbers: BTreeMap<String, usize>,
}

impl Arguments {
    /// Reads `--repo PATH… --rb PATH --count N --seed S`, and other options with numbers.
    ///
    /// # Errors
    /// One line that says what is wrong.
    pub fn read(default_count: usize) -> Result<Self, String> {
        let arguments = Self::without_repositories(default_count)?;
        match arguments.repos.is_empty() {
            true => Err("at least one --repo PATH is needed".into()),
            false => Ok(arguments),
        }
    }

    /// Reads the same for a suite that makes its repositories itself.
    ///
    /// # Errors
    /// One line that says what is wrong.
    pub fn without_repositories(default_count: usize) -> Result<Self, String> {
        let mut arguments = Self {
            repos: Vec::new(),
            rb: PathBuf::from("rb"),
            count: default_count,
            seed: 1,
            numbers: BTreeMap::new(),
        };
        let mut words = std::env::args().skip(1);
        while let Some(name) = words.next() {
            let value = words.next().ok_or_else(|| format!("{name} needs a value"))?;
            let number = || value.parse::<usize>().map_err(|error| format!("{name} {value}: {error}"));
            match name.as_str() {
                "--repo" => arguments.repos.push(value.into()),
                "--rb" => arguments.rb = value.into(),
                "--count" => arguments.count = number()?,
                "--seed" => arguments.seed = number()? as u64,
                _ => {
                    arguments.numbers.insert(name.clone(), number()?);
                }
            }
        }
        arguments.rb = arguments
            .rb
            .canonicalize()
            .map_err(|error| format!("--rb {}: {error}", arguments.rb.display()))?;
        Ok(arguments)
    }

    /// The number after `name`, or the default.
    pub fn number(&self, name: &str, default: usize) -> usize {
        self.numbers.get(name).copied().unwrap_or(default)
    }
}
