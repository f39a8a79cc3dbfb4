//! A block that carries no packet, or a packet's record → the facts about its file.

use std::net::IpAddr;

use super::facts::{
    AddressName, DecryptionSecrets, FileFacts, Interface, MAX_INTERFACES_DESCRIBED, MAX_NAME, MAX_NAME_OCTETS,
    MAX_NAMES, MAX_SECRET_OCTETS, MAX_SECRETS, MAX_SECTIONS_DESCRIBED, Section, Statistics,
};
use super::format::ByteOrder;
use super::pcap::PcapWalker;
use super::pcapng::{BlockKind, Clock, Content, NameEntries, OptionCode, Options, PcapngWalker, Resolution, decode};
use super::tally::Tally;
use super::walk::Record;
use crate::frame::{FrameNumber, LinkType};
use crate::secret::{Keep, Secret};
use crate::span::Stamp;

impl FileFacts {
    pub(super) fn absorb_pcap_header(&mut self, walker: &PcapWalker) {
        let clock = Clock {
            resolution: Resolution::Decimal(if walker.nanoseconds() { 9 } else { 6 }),
            offset: 0,
        };
        let mut interface = interface(walker.link_type(), walker.snap_length(), clock);
        interface.frame_check_octets = walker.frame_check_octets();
        self.interfaces.add(MAX_INTERFACES_DESCRIBED, || interface);
    }

    pub(super) fn absorb_block(&mut self, walker: &PcapngWalker, kind: BlockKind, body: &[u8]) {
        let order = walker.order();
        match decode(kind, body, order) {
            Some(Content::SectionHeader { options }) => self.absorb_section(order, options),
            Some(Content::Interface {
                link_type,
                snap_length,
                clock,
                options,
            }) => self.absorb_interface(interface(link_type, snap_length, clock), options),
            Some(Content::Names(entries)) => self.absorb_names(entries, order),
            Some(Content::Statistics { interface, options }) => {
                self.absorb_statistics(walker.interface(interface), options, order);
            }
            Some(Content::Secrets { kind, secret }) => self.absorb_secret(kind, secret),
            Some(Content::Other) | None => self.other_block(kind),
        }
    }

    fn absorb_section(&mut self, order: ByteOrder, mut options: Options<'_>) {
        let mut section = Section {
            order,
            hardware: None,
            system: None,
            application: None,
        };
        for (code, value) in options.by_ref() {
            match code {
                OptionCode::COMMENT => self.comment(None, value),
                OptionCode::SECTION_HARDWARE => section.hardware = Some(self.text(value)),
                OptionCode::SECTION_SYSTEM => section.system = Some(self.text(value)),
                OptionCode::SECTION_APPLICATION => section.application = Some(self.text(value)),
                _ => {}
            }
        }
        self.options_ended(&options);
        self.sections.add(MAX_SECTIONS_DESCRIBED, || section);
    }

    fn absorb_interface(&mut self, mut interface: Interface, mut options: Options<'_>) {
        for (code, value) in options.by_ref() {
            match code {
                OptionCode::COMMENT => self.comment(None, value),
                OptionCode::INTERFACE_NAME => interface.name = Some(self.text(value)),
                OptionCode::INTERFACE_DESCRIPTION => interface.description = Some(self.text(value)),
                OptionCode::INTERFACE_SYSTEM => interface.system = Some(self.text(value)),
                OptionCode::INTERFACE_FILTER => {
                    // The first octet says whether text (0) or a program follows.
                    if let [0, text @ ..] = value {
                        interface.filter = Some(self.text(text));
                    }
                }
                _ => {}
            }
        }
        self.options_ended(&options);
        self.interfaces.add(MAX_INTERFACES_DESCRIBED, || interface);
    }

    fn absorb_names(&mut self, mut entries: NameEntries<'_>, order: ByteOrder) {
        for (address, name) in entries.by_ref() {
            let Some(address) = ip_address(address) else { continue };
            if self.name_octets >= MAX_NAME_OCTETS || self.names.kept().len() >= MAX_NAMES {
                self.names.count_only();
                continue;
            }
            if name.len() > MAX_NAME {
                self.cut_texts = self.cut_texts.saturating_add(1);
            }
            let name = crate::captured::Captured::new(name.get(..MAX_NAME).unwrap_or(name));
            self.name_octets = self.name_octets.saturating_add(name.bytes().len());
            self.names.add(MAX_NAMES, || AddressName { address, name });
        }
        let mut options = Options::new(entries.options(), order);
        for (code, value) in options.by_ref() {
            if code == OptionCode::COMMENT {
                self.comment(None, value);
            }
        }
        self.options_ended(&options);
    }

    fn absorb_statistics(&mut self, index: Option<usize>, mut options: Options<'_>, order: ByteOrder) {
        let mut statistics = Statistics::default();
        for (code, value) in options.by_ref() {
            match code {
                OptionCode::COMMENT => self.comment(None, value),
                OptionCode::RECEIVED => statistics.received = order.u64(value, 0),
                OptionCode::DROPPED => statistics.dropped = order.u64(value, 0),
                OptionCode::DROPPED_BY_SYSTEM => statistics.dropped_by_system = order.u64(value, 0),
                _ => {}
            }
        }
        self.options_ended(&options);
        match index.and_then(|index| self.interfaces.get_mut(index)) {
            Some(interface) => interface.statistics = statistics,
            None => self.stray_statistics = self.stray_statistics.saturating_add(1),
        }
    }

    fn absorb_secret(&mut self, kind: u32, secret: &[u8]) {
        if self.secret_octets.saturating_add(secret.len()) > MAX_SECRET_OCTETS {
            self.secrets.count_only();
            return;
        }
        self.secret_octets = self.secret_octets.saturating_add(secret.len());
        self.secrets.add(MAX_SECRETS, || DecryptionSecrets {
            kind,
            secret: Secret::new(secret, Keep::Kept),
        });
    }

    fn options_ended(&mut self, options: &Options<'_>) {
        if options.unreadable() {
            self.unreadable_options = self.unreadable_options.saturating_add(1);
        }
    }

    /// Counts a delivered frame; `options` are those behind its packet.
    pub(super) fn absorb_frame(&mut self, record: &Record, number: FrameNumber, options: &[u8], order: ByteOrder) {
        let stamp = Stamp {
            frame: number,
            time: record.time,
        };
        let captured = record.packet.len() as u64;
        self.frames += 1;
        self.frame_octets = self.frame_octets.saturating_add(captured);
        match record.interface.and_then(|index| self.interfaces.get_mut(index)) {
            Some(interface) => interface.packets += 1,
            None => self.frames_without_interface += 1,
        }
        if u64::from(record.original_length) > captured {
            self.odd.cut += 1;
        }
        if self.last.is_some_and(|last| last.time > record.time) {
            self.odd.backwards += 1;
            self.odd.first_backwards.get_or_insert(number);
        }
        self.first.get_or_insert(stamp);
        self.last = Some(stamp);
        self.earliest = Some(self.earliest.map_or(record.time, |time| time.min(record.time)));
        self.latest = Some(self.latest.map_or(record.time, |time| time.max(record.time)));
        let oddity = record.oddity;
        self.odd.without_time += u64::from(oddity.no_time);
        self.odd.clamped_times += u64::from(oddity.clamped_time);
        self.odd.long_fractions += u64::from(oddity.long_fraction);
        self.odd.assumed_interfaces += u64::from(oddity.assumed_interface);
        if options.len() >= 4 {
            self.absorb_packet_options(number, options, order);
        }
    }

    /// Counts frames that were walked ahead, the first of which has the number behind `before`.
    pub(super) fn absorb_stretch(&mut self, tally: &Tally, before: u64) {
        let number = |position: u64| FrameNumber(before + position + 1);
        self.frames += tally.frames;
        self.frame_octets = self.frame_octets.saturating_add(tally.octets);
        for (interface, frames) in &tally.interfaces {
            match interface.and_then(|index| self.interfaces.get_mut(index)) {
                Some(interface) => interface.packets += frames,
                None => self.frames_without_interface += frames,
            }
        }
        self.odd.cut += tally.cut;
        let (Some(first), Some(last)) = (tally.first, tally.last) else {
            return;
        };
        if self.last.is_some_and(|last| last.time > first) {
            self.odd.backwards += 1;
            self.odd.first_backwards.get_or_insert(number(0));
        }
        self.odd.backwards += tally.backwards.0;
        if let Some(position) = tally.backwards.1 {
            self.odd.first_backwards.get_or_insert(number(position));
        }
        let stamp = |position: u64, time| Stamp {
            frame: number(position),
            time,
        };
        self.first.get_or_insert(stamp(0, first));
        self.last = Some(stamp(tally.frames - 1, last));
        self.earliest = self.earliest.into_iter().chain(tally.earliest).min();
        self.latest = self.latest.into_iter().chain(tally.latest.map(|(time, _)| time)).max();
    }

    fn absorb_packet_options(&mut self, number: FrameNumber, options: &[u8], order: ByteOrder) {
        let mut options = Options::new(options, order);
        for (code, value) in options.by_ref() {
            match code {
                OptionCode::COMMENT => self.comment(Some(number), value),
                OptionCode::PACKET_DROPS => {
                    let drops = order.u64(value, 0).unwrap_or(0);
                    self.drops_between = self.drops_between.saturating_add(drops);
                }
                _ => {}
            }
        }
        self.options_ended(&options);
    }
}

fn interface(link_type: LinkType, snap_length: u32, clock: Clock) -> Interface {
    Interface {
        name: None,
        description: None,
        system: None,
        filter: None,
        link_type,
        snap_length,
        frame_check_octets: None,
        resolution: clock.resolution,
        time_offset: clock.offset,
        packets: 0,
        statistics: Statistics::default(),
    }
}

fn ip_address(bytes: &[u8]) -> Option<IpAddr> {
    match bytes.len() {
        4 => <[u8; 4]>::try_from(bytes).ok().map(IpAddr::from),
        16 => <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from),
        _ => None,
    }
}
