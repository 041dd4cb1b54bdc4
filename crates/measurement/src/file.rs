//! The ConfigObj dialect.
