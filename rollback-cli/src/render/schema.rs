//! The JSON Schema of every document that `--json` prints.

use clap::ValueEnum;
use rollback_core::history::PathHistory;
use rollback_core::oplog::{Operation, Undone};
use rollback_core::procedure::Procedure;
use rollback_core::procedure::engine::Publication;
use rollback_core::procedure::trigger::Evaluation;
use rollback_core::report::Report;
use rollback_core::{Plan, Receipt};
use schemars::Schema;
use schemars::generate::SchemaSettings;

use super::json::{ERROR, VERSION};
use super::run;
use crate::command::is_reverted::Answer;
use crate::command::status::Status;
use crate::command::{checkpoint, restore};
use crate::failure::{ErrorBody, ErrorDocument};

/// A document that has a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Document {
    /// What a dry run prints, and what `rb apply` takes
    Plan,
    /// What a landing prints
    Receipt,
    /// What `rb history` prints
    History,
    /// What `rb is-reverted` prints
    IsReverted,
    /// What `rb ops` prints, a line each
    Operation,
    /// What `rb undo` prints
    Undo,
    /// What `rb restore` prints where no commit is made
    Restore,
    /// What `rb checkpoint create` and `show` print
    Checkpoint,
    /// What `rb checkpoint list` and `drop` print
    Checkpoints,
    /// What `rb checkpoint verify` prints
    CheckpointVerify,
    /// What `rb checkpoint restore` prints
    CheckpointRestore,
    /// What `rb trust` prints
    Trust,
    /// What `rb prune` prints
    Prune,
    /// What `rb status` prints
    Status,
    /// What `rb run` and its kin print, on the last line
    Run,
    /// What `rb run` and its kin print before, a line each
    Event,
    /// What `rb publish --dry-run` prints
    Publication,
    /// What `rb report --format json` prints
    Report,
    /// What `rb evaluate` prints
    Evaluation,
    /// What is written in the file of a procedure
    Procedure,
    /// What a failure prints
    Error,
}

/// The schema of the document, as `--json` prints it: with its version, and with the error where a command failed
/// after it made the document.
pub(crate) fn of(document: Document) -> Schema {
    let mut schema = of_fields(document);
    let error = SchemaSettings::default()
        .with(|settings| settings.inline_subschemas = true)
        .for_serialize()
        .into_generator()
        .into_root_schema_for::<ErrorBody>();
    let version = serde_json::json!({ "description": "The version of this document.", "type": "integer" });
    let fields = schema.ensure_object();
    if let Some(properties) =
        fields.entry("properties").or_insert_with(|| serde_json::json!({})).as_object_mut()
    {
        properties.entry(VERSION).or_insert(version);
        properties.entry(ERROR).or_insert(error.to_value());
    }
    // A file of a procedure says `schema`; what is printed of one says both.
    if document != Document::Procedure
        && let Some(required) =
            fields.entry("required").or_insert_with(|| serde_json::json!([])).as_array_mut()
        && !required.iter().any(|name| name == VERSION)
    {
        required.push(VERSION.into());
    }
    schema
}

fn of_fields(document: Document) -> Schema {
    // The documents are written here and read elsewhere: what may be left out is optional.
    let generator = SchemaSettings::default().for_serialize().into_generator();
    match document {
        Document::Plan => generator.into_root_schema_for::<Plan>(),
        Document::Receipt => generator.into_root_schema_for::<Receipt>(),
        Document::History => generator.into_root_schema_for::<PathHistory>(),
        Document::IsReverted => generator.into_root_schema_for::<Answer>(),
        Document::Operation => generator.into_root_schema_for::<Operation>(),
        Document::Undo => generator.into_root_schema_for::<Undone>(),
        Document::Restore => generator.into_root_schema_for::<restore::RestoredDocument>(),
        Document::Checkpoint => generator.into_root_schema_for::<checkpoint::One>(),
        Document::Checkpoints => generator.into_root_schema_for::<checkpoint::Several>(),
        Document::CheckpointVerify => generator.into_root_schema_for::<checkpoint::Verdict>(),
        Document::CheckpointRestore => generator.into_root_schema_for::<checkpoint::RestoredDocument>(),
        Document::Trust => generator.into_root_schema_for::<crate::command::trust::TrustDocument>(),
        Document::Prune => generator.into_root_schema_for::<crate::command::prune::PruneDocument>(),
        Document::Status => generator.into_root_schema_for::<Status>(),
        Document::Run => generator.into_root_schema_for::<run::Document<'_>>(),
        Document::Event => generator.into_root_schema_for::<run::EventLine<'_>>(),
        Document::Publication => generator.into_root_schema_for::<Publication>(),
        Document::Evaluation => generator.into_root_schema_for::<Evaluation>(),
        // It is read, so what may be left out is what reading does not ask for.
        Document::Procedure => Procedure::json_schema(),
        Document::Report => generator.into_root_schema_for::<Report>(),
        Document::Error => generator.into_root_schema_for::<ErrorDocument>(),
    }
}
