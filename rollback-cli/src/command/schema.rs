//! `rb schema`: the JSON Schema of every document that `--json` prints.

use rollback_core::oplog::{GitUndone, Operation, Undone};
use rollback_core::procedure::Procedure;
use rollback_core::procedure::engine::Publication;
use rollback_core::procedure::trigger::Evaluation;
use rollback_core::receipt::Published;
use rollback_core::rehearsal::{RehearsedChange, RehearsedRange};
use rollback_core::report::Report;
use rollback_core::sequence::SequenceReport;
use rollback_core::{Plan, Receipt};
use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator};

use super::bisect::BisectionDocument;
use super::history::HistoryDocument;
use super::is_reverted::Answer;
use super::ops::MoveLine;
use super::prune::PruneDocument;
use super::trust::TrustDocument;
use super::{Outcome, checkpoint, restore};
use crate::args::{self, Document};
use crate::exit::Exit;
use crate::failure::{ErrorBody, ErrorDocument};
use crate::render::json::{self, ERROR, VERSION};
use crate::render::operations::Status;
use crate::render::run::{self as run_documents};
use crate::render::settings;
use crate::session::Session;

/// Runs `rb schema`.
pub(crate) fn run(args: &args::Schema, session: &mut Session) -> Outcome {
    session.console.print(&json::document(&of(args.document)));
    Ok(Exit::Done)
}

/// The schema of the document, as `--json` prints it: with its version, and with the error where a command failed
/// after it made the document.
fn of(document: Document) -> Schema {
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

/// A line is a change or, where the range has none, the range.
fn of_rehearsal(generator: SchemaGenerator) -> Schema {
    let mut schema = generator.into_root_schema_for::<RehearsedChange>();
    let range = SchemaSettings::default().for_serialize().into_generator();
    let range = range.into_root_schema_for::<RehearsedRange>();
    let of_change = schema.remove("required");
    schema.insert("required".to_owned(), range.get("required").cloned().unwrap_or_default());
    schema.insert("if".to_owned(), serde_json::json!({ "properties": { "of": { "const": 0 } } }));
    schema.insert("else".to_owned(), serde_json::json!({ "required": of_change }));
    schema
}

fn of_fields(document: Document) -> Schema {
    // The documents are written here and read elsewhere: what may be left out is optional.
    let generator = SchemaSettings::default().for_serialize().into_generator();
    match document {
        Document::Plan => generator.into_root_schema_for::<Plan>(),
        Document::Receipt => generator.into_root_schema_for::<Receipt>(),
        Document::Sequence => generator.into_root_schema_for::<SequenceReport>(),
        Document::History => generator.into_root_schema_for::<HistoryDocument>(),
        Document::IsReverted => generator.into_root_schema_for::<Answer>(),
        Document::Rehearsal => of_rehearsal(generator),
        Document::Bisection => generator.into_root_schema_for::<BisectionDocument>(),
        Document::Operation => generator.into_root_schema_for::<Operation>(),
        Document::GitMove => generator.into_root_schema_for::<MoveLine>(),
        Document::UndoGit => generator.into_root_schema_for::<GitUndone>(),
        Document::Undo => generator.into_root_schema_for::<Undone>(),
        Document::Restore => generator.into_root_schema_for::<restore::RestoredDocument>(),
        Document::Checkpoint => generator.into_root_schema_for::<checkpoint::One>(),
        Document::Checkpoints => generator.into_root_schema_for::<checkpoint::Several>(),
        Document::CheckpointVerify => generator.into_root_schema_for::<checkpoint::Verdict>(),
        Document::CheckpointRestore => generator.into_root_schema_for::<checkpoint::RestoredDocument>(),
        Document::Trust => generator.into_root_schema_for::<TrustDocument>(),
        Document::Prune => generator.into_root_schema_for::<PruneDocument>(),
        Document::Config => generator.into_root_schema_for::<settings::Settings>(),
        Document::Status => generator.into_root_schema_for::<Status>(),
        Document::Run => generator.into_root_schema_for::<run_documents::Document<'_>>(),
        Document::Event => generator.into_root_schema_for::<run_documents::EventLine<'_>>(),
        Document::Publication => generator.into_root_schema_for::<Publication>(),
        Document::Published => generator.into_root_schema_for::<Published>(),
        Document::Evaluation => generator.into_root_schema_for::<Evaluation>(),
        // It is read, so what may be left out is what reading does not ask for.
        Document::Procedure => Procedure::json_schema(),
        Document::Report => generator.into_root_schema_for::<Report>(),
        Document::Error => generator.into_root_schema_for::<ErrorDocument>(),
    }
}
