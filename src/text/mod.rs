//! Every sentence that a user reads, in English and Japanese: the rules' explanations, the phrases that values use, and the
//! words of the reports. Decides nothing, prints nothing.

mod explanation;
mod language;

pub use explanation::{Explanation, SHOWN_LINES, fill};
pub use language::Language;
