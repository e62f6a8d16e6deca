//! Records of rb's own that are not used, as notes for people.

use rollback_core::record::UnreadableRecord;

use crate::terminal::text::escape;

/// A line for each record that cannot be used, and one for references that are not.
pub(crate) fn notes(unreadable: &[UnreadableRecord], unused_references: &[String]) -> String {
    let mut said = String::new();
    for record in unreadable {
        said.push_str(&format!(
            "note: the record of {} {} is not used: {} ({})\n",
            record.kind.as_str(),
            escape(&record.id),
            escape(&record.why),
            escape(&record.path.display().to_string())
        ));
    }
    if let Some(first) = unused_references.first() {
        let more = match unused_references.len() - 1 {
            0 => "is".to_owned(),
            more => format!("and {more} more below refs/rb/ are"),
        };
        said.push_str(&format!(
            "note: {} {more} from an earlier rb or another repository and not used; see them with: git for-each-ref refs/rb\n",
            escape(first)
        ));
    }
    said
}
