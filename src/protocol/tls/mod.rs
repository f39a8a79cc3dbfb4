//! TLS (SSL 2.0 hello, SSL 3.0, TLS 1.0 to 1.3) as far as it is in clear: octets of both directions → [`TlsFacts`].

mod facts;
mod registry;

pub use facts::*;
pub use registry::*;
