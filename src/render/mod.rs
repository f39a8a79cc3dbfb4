//! Turns a report into bytes: tables and stories for people, JSON for programs. Shows; never judges, never prints itself.

pub mod encode;
pub mod json;
pub mod prometheus;
pub mod text;
