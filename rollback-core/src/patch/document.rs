//! What changes, as a part of a document: the files with their counts, and the patch where it was asked for.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::files::{Diff, FileCounts};
use crate::error::Result;
use crate::path::BytesOrText;

/// What changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct DiffDocument {
    /// The files, in git's order.
    pub files: Vec<FileCounts>,
    /// How many lines come in all, binary files aside.
    pub added: usize,
    /// How many lines go in all, binary files aside.
    pub deleted: usize,
    /// The patch, as `git diff --binary` writes it; absent where it was not asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patch: Option<PatchText>,
}

/// A patch. Serialised, it is a string where it is UTF-8 and `{"bytes_hex": "…"}` elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatchText(Vec<u8>);

impl PatchText {
    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl Serialize for PatchText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        BytesOrText::of(&self.0).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for PatchText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        BytesOrText::deserialize(deserializer)?.into_bytes().map(Self).map_err(serde::de::Error::custom)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for PatchText {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "PatchText".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        crate::path::bytes_or_text_schema("A patch as `git apply` takes it; an object where it is not UTF-8.")
    }
}

impl Diff {
    /// The files with their counts, and the patch if it is wanted.
    ///
    /// # Errors
    /// As [`Diff::counts`] and [`Diff::patches`].
    pub fn document(&self, with_patch: bool) -> Result<DiffDocument> {
        let mut document = DiffDocument::default();
        let mut text = Vec::new();
        for file in self.files() {
            let counts = match with_patch {
                true => {
                    let patches = self.patches(file)?;
                    patches.iter().try_for_each(|patch| patch.write_to(&mut text))?;
                    self.counts_of_patches(file, &patches)?
                }
                false => self.counts(file)?,
            };
            document.added += counts.added.unwrap_or(0);
            document.deleted += counts.deleted.unwrap_or(0);
            document.files.push(counts);
        }
        document.patch = with_patch.then_some(PatchText(text));
        Ok(document)
    }
}
