//! Turns segments into two ordered octet streams per connection, and facts about the transport with frame numbers
//! (RFC 9293, RFC 5961, RFC 7323). Keeps limits, evicts, never looks into the octets, never judges.
//!
//! ```text
//! Table ── finds the connection (Key, Index), keeps limits and time-outs (Limits, Clock)
//!   ├─ HalfOpen    a SYN alone: 72 octets
//!   └─ Slots       everything else: Transport + the reader (Stream), 448 octets
//!        usual     the segment of every day
//!        opening   SYN, RST        payload   octets, FIN (Pieces wait, History compares)
//!        holes     ACK, gaps       summary   ConnectionFacts
//!        early     what was captured before the octets that it answers
//!        Side, Flights and Mark are kept of every connection, what lies in Beside of few
//! ```

mod beside;
mod clock;
mod departed;
mod early;
mod facts;
mod flights;
mod glance;
mod half_open;
mod history;
mod holes;
mod index;
mod key;
mod limits;
mod mark;
mod opening;
mod payload;
mod pieces;
mod sequence;
mod side;
mod slots;
mod stream;
mod summary;
mod table;
#[cfg(test)]
mod tests;
mod transport;
mod usual;

pub use clock::Clock;
pub use facts::{
    ConnectionFacts, DirectionFacts, Ending, Gap, LISTED_FACTS, Opening, Reset, RoleEvidence, Stuck, ZeroWindow,
};
pub use glance::OpenConnection;
pub use history::{COMPARED_OCTETS, COMPARED_TAIL};
pub use limits::{
    Counts, DEPARTED, FLOWS, HALF_OPEN, LINGERING, Limits, MEMORY, OUT_OF_ORDER_OCTETS, OUT_OF_ORDER_PIECES,
    OUT_OF_ORDER_TOTAL,
};
pub use stream::{Chunk, Stream};
pub use table::{Finished, Table};
pub use transport::Opened;
