//! What a connection seldom needs, behind one pointer that is nearly always null.

use crate::span::Stamp;
use crate::tcp::flights::Flights;
use crate::tcp::mark::Mark;
use crate::tcp::transport::Rare;

/// What lies beside a connection.
#[derive(Default)]
pub(super) struct Beside(Option<Box<Parts>>);

#[derive(Default)]
struct Parts {
    rare: Option<Box<Rare>>,
    /// What the second side has on its way while the first has something on its way, too.
    flights: Flights,
    /// Frames too far from the first one for a mark.
    far: Vec<Stamp>,
}

impl Beside {
    /// What sends a connection's segments the long way.
    #[inline]
    pub fn rare(&self) -> Option<&Rare> {
        self.0.as_ref()?.rare.as_deref()
    }

    #[inline]
    pub fn rare_mut(&mut self) -> Option<&mut Rare> {
        self.0.as_mut()?.rare.as_deref_mut()
    }

    pub fn rare_or_default(&mut self) -> &mut Rare {
        self.parts().rare.get_or_insert_default()
    }

    pub fn put_rare(&mut self, rare: Rare) {
        self.parts().rare = Some(Box::new(rare));
    }

    pub fn take_rare(&mut self) -> Option<Box<Rare>> {
        self.0.as_mut()?.rare.take()
    }

    pub fn flights(&self) -> Option<&Flights> {
        self.0.as_ref().map(|parts| &parts.flights)
    }

    #[inline]
    pub fn flights_mut(&mut self) -> Option<&mut Flights> {
        self.0.as_mut().map(|parts| &mut parts.flights)
    }

    pub fn flights_or_default(&mut self) -> &mut Flights {
        &mut self.parts().flights
    }

    #[inline]
    pub fn far(&self) -> &[Stamp] {
        self.0.as_ref().map_or(&[], |parts| &parts.far)
    }

    pub fn take_far(&mut self) -> Vec<Stamp> {
        std::mem::take(&mut self.parts().far)
    }

    pub fn put_far(&mut self, far: Vec<Stamp>) {
        self.parts().far = far;
    }

    /// All marks.
    pub fn marks(&mut self) -> impl Iterator<Item = &mut Mark> {
        self.0.iter_mut().flat_map(|parts| {
            let rare = parts.rare.as_mut().map(|rare| &mut rare.last_other);
            parts.flights.marks().chain(rare)
        })
    }

    /// Octets held besides the pointer; what the rare things hold is theirs to tell.
    pub fn weight(&self) -> usize {
        let parts = self.0.as_ref();
        parts.map_or(0, |parts| {
            size_of::<Parts>() + parts.far.capacity() * size_of::<Stamp>()
        })
    }

    fn parts(&mut self) -> &mut Parts {
        self.0.get_or_insert_default()
    }
}
