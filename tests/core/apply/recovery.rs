//! What is left after a crash.
