//! Planning: a target is resolved, every rung of its ladder is tried in memory, and the outcome is a
//! document that can be kept, read and applied.
//!
//! A plan writes nothing: no object, no reference, no cache.

mod document;

pub use document::{
    Attempt, AttemptResult, CulpritFound, LastGoodState, Loss, LossClass, MessageOptions, Note, NoteKind,
    Plan, PlanOptions, Repository, Request, ResolvedTarget, SCHEMA_VERSION, Scope, Step, Tip,
};
