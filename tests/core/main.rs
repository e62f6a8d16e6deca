//! The library as a caller meets it: most answers are compared with git's.

mod cancel;
mod history;
mod history_oracle;
mod history_random;
mod import;
mod merge_hostile;
mod merge_text;
mod merge_trees;
mod procedure_builtin;
mod procedure_checks;
mod procedure_format;
mod procedure_run;
mod procedure_triggers;
mod process;
mod properties;
mod revision;
