//! The procedures that travel inside the program: every file of `procedures/`, found when it is built.
//!
//! No name of a procedure stands in the program: a new one is a new file and nothing else.

use rollback_core::procedure::catalogue::BuiltIn;

/// File names and texts.
#[cfg_attr(not(test), expect(dead_code, reason = "the commands of procedures will look there"))]
pub(crate) static BUILT_IN: &[BuiltIn] = include!(concat!(env!("OUT_DIR"), "/procedures.rs"));

#[cfg(test)]
mod tests {
    use std::path::Path;

    use rollback_core::procedure::catalogue::{Catalogue, Place};

    use super::*;

    #[test]
    fn every_file_of_the_folder_is_registered_and_can_be_loaded() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("procedures");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.ends_with(".toml"))
            .collect();
        files.sort();
        let registered: Vec<&str> = BUILT_IN.iter().map(|(name, _)| *name).collect();
        assert_eq!(registered, files);
        let catalogue = Catalogue { built_in: BUILT_IN, ..Catalogue::default() };
        for file in registered {
            let (procedure, place) = catalogue.load(file.trim_end_matches(".toml")).unwrap();
            assert_eq!((format!("{}.toml", procedure.id).as_str(), place), (file, Place::BuiltIn(file)));
        }
    }
}
