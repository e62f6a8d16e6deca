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

#[doc(hidden)]
pub mod acts;
#[doc(hidden)]
pub mod catalogue;
#[doc(hidden)]
pub mod check;
pub mod engine;
#[doc(hidden)]
pub mod format;
#[doc(hidden)]
pub mod input;
mod pins;
#[doc(hidden)]
pub mod placeholder;
#[doc(hidden)]
pub mod set;
#[doc(hidden)]
pub mod show;
#[doc(hidden)]
pub mod trigger;

pub use format::{Problem, Problems, Procedure};
