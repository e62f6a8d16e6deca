//! Planning: a target is resolved, every rung of its ladder is tried in memory, and the outcome is a
//! document that can be kept, read and applied.
//!
//! A plan writes nothing: no object, no reference, no cache.

mod back_to;
mod branch_merge;
mod candidate;
pub(crate) mod compare;
mod compute;
mod cross_check;
mod difference;
mod document;
mod find;
mod part;
mod patch_identity;
mod prepared;
mod resolve;
mod reverted;
mod to_fetch;
mod turns;

pub use branch_merge::{BranchMerge, PlannedMerge};
pub use candidate::TreeEdit;
pub use cross_check::{CrossCheck, Difference};
pub use document::{
    CulpritSummary, Note, NoteKind, Plan, PlanOptions, Repository, Request, ResolvedTarget, SCHEMA_VERSION,
    Tip,
};
pub use reverted::RollbackBehind;

pub use crate::message::MessageOptions;
pub use crate::repo::range::RangeReading;
pub use crate::strategy::{
    Attempt, AttemptResult, ConflictHunk, Dependent, DependentReason, EmptyCommits, Loss, LossClass,
    Rejection, Scope, Step,
};
