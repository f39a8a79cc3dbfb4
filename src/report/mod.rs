//! Sessions and findings → one view model: who, what became of it, causes grouped, counts. Bounded: a capture of a million
//! sessions keeps lines and examples, not sessions. Filters and orders; writes no sentence and no byte.

mod cause;
mod counts;
mod entry;
mod health;
mod line;
mod summary;

pub use cause::{Cause, EXAMPLES, Example};
pub use counts::{Addresses, Counted, Counts};
pub use entry::Entry;
pub use health::Health;
pub use line::SessionLine;
pub use summary::{LISTED_LINES, Report, Tally};
