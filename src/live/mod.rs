//! What a run that lasts for days needs besides the report of one capture: insights on a sliding window, said when they
//! become true; counters with a bounded set of labels; which stories were told already. Sans-I/O and without a clock: the
//! caller says what time it is. Writes nothing.

mod clients;
mod counters;
mod drops;
mod keep;
mod told;
mod window;

pub use clients::{Clients, MAXIMUM_CLIENTS};
pub use counters::{AuthResult, Counters, MECHANISMS};
pub use drops::Drops;
pub use keep::{Keep, Kept, SESSION_FRAMES};
pub use told::{MAXIMUM_TOLD, Told};
pub use window::{MAXIMUM_SAID, News, Window};
