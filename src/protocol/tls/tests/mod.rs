//! Tests of the whole decoder: made handshakes, hostile octets, and captures read in place.

mod captures;
mod handshakes;
mod hostile;
mod keys;
mod offers;
mod reading;
mod renewal;
mod rfc8448;
mod sealer;
mod wire;
