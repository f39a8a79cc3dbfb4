//! Turns segments into two ordered octet streams per connection, and facts about the transport with frame numbers.
//! Keeps limits, evicts, never looks into the octets, never judges.

mod facts;
mod limits;
mod stream;
mod table;

pub use facts::{
    ConnectionFacts, DirectionFacts, Ending, Gap, LISTED_FACTS, Opening, Reset, RoleEvidence, Stuck, ZeroWindow,
};
pub use limits::{Counts, Limits};
pub use stream::{Chunk, Stream};
pub use table::{Finished, Opened, Table};
