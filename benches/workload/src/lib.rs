//! Captures of any size with a known truth, for benchmarks and tests: the same order gives the same bytes, everywhere.
//!
//! `profile` plans connections (`dialogue` mail, `noise` the rest, both as `plan`s), `player` turns a plan into frames,
//! `engine` interleaves thousands of them by time, `container` writes the file and `truth` counts what was put in.
//! `recorded` takes TLS conversations of real programs from `fixtures/`. `check` holds a report of smtpcap against a truth.
//!
//! Nothing here uses code of smtpcap: the truth must not be wrong in the same way.

pub mod check;
pub mod container;
pub mod dialogue;
pub mod engine;
pub mod message;
pub mod noise;
pub mod plan;
pub mod player;
pub mod profile;
pub mod random;
pub mod recorded;
pub mod text;
pub mod truth;
pub mod wire;
pub mod yardstick;

pub use container::Format;
pub use engine::{Order, Size, generate};
pub use profile::Profile;
