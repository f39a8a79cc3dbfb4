//! Where frames come from: pcap and pcapng files, plain or compressed, standard input, several in time order. The only input
//! I/O of the house. Hands out frames and facts about the files; damage is a fact, not an error. Decodes no packet.

mod absorb;
mod buffer;
mod damage;
mod decompress;
mod facts;
mod format;
mod octets;
pub mod pcap;
pub mod pcapng;
mod reader;
pub mod walk;

pub use buffer::READ_SIZE;
pub use damage::{Cut, Damage, Error, Expected, Place};
pub use decompress::MAX_WINDOW;
pub use facts::*;
pub use format::{ByteOrder, Compression, FirstOctets, Format, Likeness};
pub use octets::Input;
pub use reader::{Progress, Reader};
