//! What a terminal is given: text that cannot steer it, and colours and signs that it can show.

pub(crate) mod style;
pub(crate) mod text;
