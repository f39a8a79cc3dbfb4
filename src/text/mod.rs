//! Every sentence that a user reads, in English and Japanese: the rules' explanations, the phrases that values use, and the
//! words of the reports. Decides nothing, prints nothing.

mod explain;
mod explanation;
mod help;
mod language;
mod message;
mod notes;
mod phrases;
pub mod registry;
mod story;
mod values;

pub use explain::{Answer, did_you_mean, explain, generic};
pub use explanation::{Explanation, SHOWN_LINES, fill};
pub use help::{helped, japanese_help};
pub use language::Language;
pub use message::Message;
pub(crate) use notes::template as note_template;
#[cfg(test)]
pub(crate) use notes::templates as note_templates;
pub use notes::{note, proof};
pub use phrases::is_known as is_known_phrase;
pub(crate) use phrases::phrase;
pub use registry::enhanced_status_meaning;
pub use story::{Story, meant, tell};
pub use values::{Encoder, duration, named, show};
