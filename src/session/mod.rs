//! Turns what the decoders left behind into one [`Session`] per connection: transactions, stage, outcome, timing, what the
//! capture lacks. States facts; never judges.

mod builder;
mod model;
mod outcome;
mod timing;
mod transactions;

pub use builder::{Transcript, build};
pub use model::*;
pub use timing::reply_delay;
