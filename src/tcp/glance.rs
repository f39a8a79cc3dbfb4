//! A look at the connections that are open: what a live run needs of the [`Table`] besides its segments.

use crate::packet::Endpoint;
use crate::span::{PerDirection, Stamp};
use crate::tcp::side::Side;
use crate::tcp::stream::Stream;
use crate::tcp::table::Table;
use crate::tcp::transport::Stage;

/// A connection that is open, as far as it is known now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OpenConnection {
    /// Who opened it.
    pub client: Endpoint,
    /// Who accepted it.
    pub server: Endpoint,
    /// First frame.
    pub first: Stamp,
    /// Last frame.
    pub last: Stamp,
    /// Stream octets delivered in order per direction.
    pub octets: PerDirection<u64>,
    /// The handshake is over.
    pub established: bool,
}

impl<S: Stream> Table<S> {
    /// Connections that are open, those that only wait for late segments left out, in no order; unanswered SYNs are not
    /// among them (see [`Table::half_open`]).
    pub fn open_connections(&self) -> impl Iterator<Item = (OpenConnection, Option<&S>)> + '_ {
        let open = |stage| matches!(stage, Stage::Embryonic | Stage::Established);
        self.slots
            .numbers()
            .filter(move |(_, connection)| open(connection.transport.stage))
            .map(|(_, connection)| {
                let transport = &connection.transport;
                let opened = transport.opened();
                let octets = |side: &Side| side.offset;
                let seen = OpenConnection {
                    client: opened.client,
                    server: opened.server,
                    first: transport.first,
                    last: transport.last(),
                    octets: PerDirection {
                        to_server: octets(&transport.sides[0]),
                        to_client: octets(&transport.sides[1]),
                    },
                    established: transport.stage == Stage::Established,
                };
                (seen, connection.stream.as_ref())
            })
    }
}
