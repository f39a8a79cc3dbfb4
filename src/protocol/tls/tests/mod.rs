//! Tests of the whole decoder: made handshakes, hostile octets, and captures read in place.

mod captures;
mod handshakes;
mod hostile;
mod reading;
mod wire;
