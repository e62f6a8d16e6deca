//! Where procedures are found: a file, the work tree, the user's configuration, or built into the program.
//!
//! A name with `/` or `.toml` is a file. Any other is looked for in these places, and a name that two of them have is
//! refused rather than guessed.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::format::{Files, Problems, Procedure, UnknownName};
use crate::apply::read_below;
use crate::bounded;
use crate::error::ErrorClass;
use crate::path::RepoPath;

/// A procedure that is built in: its file name and its text.
pub type BuiltIn = (&'static str, &'static str);

/// The places where procedures are looked for.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Catalogue {
    /// The folder from which relative file names count.
    pub folder: PathBuf,
    /// The root of the work tree, whose `.rb/procedures` counts.
    pub work_dir: Option<PathBuf>,
    /// The user's folder for procedures.
    pub user: Option<PathBuf>,
    /// Those that are built in, with what they include.
    pub built_in: &'static [BuiltIn],
}

/// Where a procedure was found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// A file that was named.
    File(PathBuf),
    /// The work tree.
    WorkTree(PathBuf),
    /// The user's configuration.
    User(PathBuf),
    /// The program.
    BuiltIn(&'static str),
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) | Self::WorkTree(path) | Self::User(path) => path.display().fmt(f),
            Self::BuiltIn(name) => write!(f, "built in: {name}"),
        }
    }
}

/// Why there is no procedure to run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CatalogueError {
    /// Nothing is called so.
    #[error(transparent)]
    Unknown(#[from] UnknownName),
    /// Several are.
    #[error("procedure '{name}' is ambiguous: it could be {}", places.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or "))]
    Ambiguous {
        /// What was asked for.
        name: String,
        /// Where it was found.
        places: Vec<Place>,
    },
    /// The file cannot be read.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// It is wrong.
    #[error(transparent)]
    Wrong(#[from] Problems),
}

impl CatalogueError {
    /// The stable name of the error, in kebab-case.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unknown(_) => "unknown-procedure",
            Self::Ambiguous { .. } => "ambiguous-procedure",
            Self::Unreadable { .. } => "unreadable-procedure",
            Self::Wrong(_) => "bad-procedure",
        }
    }

    /// Who can mend it.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Unreadable { source, .. } => match source.kind() {
                ErrorKind::NotFound | ErrorKind::InvalidInput | ErrorKind::FileTooLarge => ErrorClass::Usage,
                _ => ErrorClass::Io,
            },
            _ => ErrorClass::Usage,
        }
    }
}

impl Catalogue {
    /// All procedures by name, each with its place; a name can be there twice.
    pub fn list(&self) -> Vec<(String, Place)> {
        let mut found = Vec::new();
        let work_tree = self.work_dir.as_ref().map(|folder| folder.join(".rb").join("procedures"));
        let of_work_tree: fn(PathBuf) -> Place = Place::WorkTree;
        for (folder, place) in [(work_tree, of_work_tree), (self.user.clone(), Place::User)] {
            let rows = folder.and_then(|folder| crate::listing::rows(&folder).ok());
            for path in rows.into_iter().flatten().map(|row| row.path()) {
                let name = path.file_name().and_then(|name| name.to_str()?.strip_suffix(".toml"));
                found.extend(name.map(ToOwned::to_owned).map(|name| (name, place(path))));
            }
        }
        for (file, _) in self.built_in {
            found.extend(file.strip_suffix(".toml").map(|name| (name.to_owned(), Place::BuiltIn(file))));
        }
        found.sort_by(|(left, _), (right, _)| left.cmp(right));
        found
    }

    /// Finds and reads a procedure, each of its files once.
    ///
    /// # Errors
    /// [`CatalogueError`].
    pub fn load(&self, name: &str) -> Result<(Procedure, Place), CatalogueError> {
        let place = self.find(name)?;
        let procedure = match &place {
            Place::File(path) | Place::WorkTree(path) | Place::User(path) => {
                let unreadable = |source| CatalogueError::Unreadable { path: path.clone(), source };
                let beside = self.beside(&self.folder.join(path));
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                let bytes = beside.read(&name).map_err(unreadable)?;
                Procedure::parse(&path.display().to_string(), &bytes, &beside)?
            }
            Place::BuiltIn(file) => {
                let text = self.built_in.iter().find(|(name, _)| name == file).map_or("", |(_, text)| text);
                Procedure::parse(file, text.as_bytes(), &Embedded(self.built_in))?
            }
        };
        Ok((procedure, place))
    }

    /// The folder of a file, as procedures are read from it.
    fn beside(&self, file: &Path) -> Beside {
        let folder = file.parent().map_or_else(PathBuf::new, Path::to_owned);
        let below = self.work_dir.as_ref().and_then(|root| {
            let inside = folder.strip_prefix(root).map(Path::to_owned).or_else(|_| {
                // The folder may have been named through a link outside of the repository.
                let (folder, root) = (folder.canonicalize()?, root.canonicalize()?);
                folder.strip_prefix(root).map(Path::to_owned).map_err(std::io::Error::other)
            });
            Some((root.clone(), RepoPath::from_relative_path(&inside.ok()?)?))
        });
        Beside { folder, below }
    }

    fn find(&self, name: &str) -> Result<Place, CatalogueError> {
        if name.contains('/') || name.ends_with(".toml") {
            return Ok(Place::File(PathBuf::from(name)));
        }
        let all = self.list();
        let mut places: Vec<Place> =
            all.iter().filter(|(known, _)| known == name).map(|(_, place)| place.clone()).collect();
        match places.len() {
            0 => {
                let mut known: Vec<String> = all.into_iter().map(|(known, _)| known).collect();
                known.dedup();
                Err(UnknownName::new("procedure", name, known.iter().map(String::as_str)).into())
            }
            1 => Ok(places.remove(0)),
            _ => Err(CatalogueError::Ambiguous { name: name.to_owned(), places }),
        }
    }
}

/// A folder of procedures. In a work tree nothing of it is read through a link, which would lead anywhere.
struct Beside {
    folder: PathBuf,
    /// The root of the work tree and the folder in it.
    below: Option<(PathBuf, RepoPath)>,
}

impl Files for Beside {
    fn read(&self, name: &str) -> std::io::Result<Vec<u8>> {
        match &self.below {
            Some((root, folder)) => read_below(root, &folder.join(name.as_bytes()), bounded::PROCEDURE),
            None => bounded::read(&self.folder.join(name), bounded::PROCEDURE),
        }
    }
}

struct Embedded(&'static [BuiltIn]);

impl Files for Embedded {
    fn read(&self, name: &str) -> std::io::Result<Vec<u8>> {
        let found = self.0.iter().find(|(file, _)| *file == name);
        found.map(|(_, text)| text.as_bytes().to_vec()).ok_or_else(|| ErrorKind::NotFound.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUILT_IN: &[BuiltIn] = &[("one.toml", "schema = 1\nid = \"one\"\n[phase.p]\n")];

    #[test]
    fn a_procedure_is_found_where_it_is_and_never_guessed() {
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().join(".rb/procedures");
        std::fs::create_dir_all(&own).unwrap();
        std::fs::write(own.join("two.toml"), "schema = 1\nid = \"two\"\n[phase.p]\n").unwrap();
        let catalogue = Catalogue {
            folder: folder.path().to_owned(),
            work_dir: Some(folder.path().to_owned()),
            user: None,
            built_in: BUILT_IN,
        };
        assert_eq!(catalogue.load("one").unwrap().1, Place::BuiltIn("one.toml"));
        assert_eq!(catalogue.load("two").unwrap().1, Place::WorkTree(own.join("two.toml")));
        let by_path = own.join("two.toml").display().to_string();
        assert_eq!(catalogue.load(&by_path).unwrap().0.id, "two");
        assert_eq!(catalogue.load(".rb/procedures/two.toml").unwrap().0.id, "two");
        let error = catalogue.load("tow").unwrap_err().to_string();
        assert_eq!(error, "unknown procedure 'tow'; did you mean 'two'? (known: one, two)");

        std::fs::write(own.join("one.toml"), "").unwrap();
        assert!(
            matches!(catalogue.load("one"), Err(CatalogueError::Ambiguous { places, .. }) if places.len() == 2)
        );
        assert!(matches!(catalogue.load("./none.toml"), Err(CatalogueError::Unreadable { .. })));
    }
}
