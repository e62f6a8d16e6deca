//! The test kit: fixtures, twin repositories, whole-state comparison.
