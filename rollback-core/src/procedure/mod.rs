//! Runbooks as data: when to roll back, what, by which ways, what must hold, and what is done around it.
//!
//! A procedure is a TOML file and nothing else: no name of any system occurs in this crate. This room reads it
//! ([`mod@format`]), judges what programs and files show ([`check`]), decides from samples ([`trigger`]) and edits
//! desired-state files ([`set`]). It uses the public parts of the crate alone and writes nothing by itself.
//!
//! ```
//! use rollback_core::procedure::Procedure;
//!
//! // Every mistake is named, with its line.
//! let text = b"schema = 1\nid = \"greeting\"\ndefault_phase = \"app\"\n[phase.ap]\npaths = [\"app.py\"]\n";
//! let problems = Procedure::parse("greeting.toml", text, &()).expect_err("the phase has another name");
//! assert!(problems.to_string().contains("greeting.toml:"));
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! [`guide`](crate::guide) runs one.

pub mod acts;
pub mod catalogue;
pub mod check;
pub mod engine;
pub mod format;
pub mod input;
mod pins;
pub mod placeholder;
pub mod set;
pub mod show;
pub mod trigger;

pub use format::{Problem, Problems, Procedure};
