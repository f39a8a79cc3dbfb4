//! Tests of the whole decoder.
