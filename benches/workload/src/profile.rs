//! The profiles: which connections a capture is made of. Shares in 1,000.

use crate::dialogue;
use crate::message::Mail;
use crate::noise;
use crate::plan::{Fault, Plan, Step};
use crate::random::Random;
use crate::recorded::Library;
use crate::wire::{Address, Path};

/// What a capture is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Profile {
    /// Mail sessions of every kind, 3,000 at a time.
    MailHeavy,
    /// One frame in fifty is mail; the rest is HTTPS, QUIC, DNS, SMB, SSH and others.
    MirrorPort,
    /// Short sessions: 60 % EHLO and QUIT, 20 % rejections, 10 % TCP failures, 10 % never closed.
    ManyShort,
    /// SYNs from random sources to port 25, and one real session per 5,000 of them.
    SynFlood,
    /// Sessions that stop after EHLO.
    AllOpen,
    /// The mail mix with bodies of at most 64 kB, 200 sessions at a time: for sending into a live capture.
    LiveMix,
}

/// SYNs of a flood for each real session.
pub const SYNS_PER_SESSION: u64 = 5_000;
/// Mail frames of a mirror port, in 1,000.
const MIRROR_MAIL: u64 = 20;

/// When connections begin.
#[derive(Clone, Copy, Debug)]
pub enum Arrival {
    /// So many at a time: one begins when one ends.
    Closed(usize),
    /// One every so many nanoseconds.
    Every(u64),
}

impl Profile {
    /// The name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::MailHeavy => "mail-heavy",
            Self::MirrorPort => "mirror-port",
            Self::ManyShort => "many-short",
            Self::SynFlood => "syn-flood",
            Self::AllOpen => "all-open",
            Self::LiveMix => "live-mix",
        }
    }

    /// When its connections begin.
    #[must_use]
    pub const fn arrival(self) -> Arrival {
        match self {
            Self::MailHeavy => Arrival::Closed(3_000),
            Self::MirrorPort => Arrival::Closed(1_500),
            Self::ManyShort => Arrival::Closed(2_000),
            Self::LiveMix => Arrival::Closed(200),
            Self::SynFlood => Arrival::Every(10_000_000),
            Self::AllOpen => Arrival::Every(50_000),
        }
    }

    /// Bits of the client's number: how many clients there are.
    const fn client_bits(self) -> u32 {
        match self {
            Self::MailHeavy | Self::LiveMix | Self::SynFlood => 11,
            Self::MirrorPort => 10,
            Self::ManyShort | Self::AllOpen => 16,
        }
    }
}

/// Makes the plans of a profile.
pub struct Planner {
    profile: Profile,
    random: Random,
    library: Library,
    connections: u64,
    mail_frames: u64,
    frames: u64,
}

impl Planner {
    /// The plans of a profile, by seed.
    #[must_use]
    pub fn new(profile: Profile, seed: u64) -> Self {
        let random = Random::new(seed ^ 0x736d_7470_6361_7000);
        Self {
            profile,
            random,
            library: Library::new(),
            connections: 0,
            mail_frames: 0,
            frames: 0,
        }
    }

    /// The next connection.
    pub fn connection(&mut self) -> Plan {
        let plan = self.plan();
        self.connections += 1;
        let frames = plan.frames();
        self.frames += frames;
        self.mail_frames += if plan.truth.is_some() { frames } else { 0 };
        plan
    }

    /// A number of its own for what happens on the next connection.
    pub fn random(&mut self) -> Random {
        Random::new(self.random.next())
    }

    fn plan(&mut self) -> Plan {
        match self.profile {
            Profile::MailHeavy => self.mail(Mail::FULL),
            Profile::LiveMix => self.mail(Mail::LIGHT),
            Profile::MirrorPort if self.mail_frames * 1_000 < self.frames * MIRROR_MAIL => self.mail(Mail::FULL),
            Profile::MirrorPort => {
                let version6 = self.random.chance(200);
                let client = self.client(version6);
                noise::connection(client, &mut self.random, &self.library)
            }
            Profile::ManyShort => self.short(),
            Profile::SynFlood if self.connections == 0 => {
                // Set by the engine to the number of SYNs wanted.
                let mut plan = Plan::new(self.path(25));
                plan.steps.push(Step::Flood(0));
                plan
            }
            Profile::SynFlood => {
                let path = self.path(25);
                dialogue::plain(path, &mut self.random, Mail::SMALL, false)
            }
            Profile::AllOpen => {
                let path = self.path(25);
                dialogue::left_open(path, &mut self.random)
            }
        }
    }

    /// The mail mix.
    fn mail(&mut self, mail: Mail) -> Plan {
        #[derive(Clone, Copy)]
        enum Kind {
            Plain,
            Pipelined,
            StartTls,
            Implicit,
            Alert,
            Rejection,
            TcpFailure,
        }
        let kind = self.random.weighted(&[
            (45, Kind::Plain),
            (15, Kind::Pipelined),
            (22, Kind::StartTls),
            (8, Kind::Implicit),
            (3, Kind::Alert),
            (5, Kind::Rejection),
            (2, Kind::TcpFailure),
        ]);
        let relay = if self.random.chance(850) { 25 } else { 587 };
        let mut plan = match kind {
            Kind::Plain | Kind::Pipelined => {
                let path = self.path(relay);
                dialogue::plain(path, &mut self.random, mail, matches!(kind, Kind::Pipelined))
            }
            Kind::StartTls | Kind::Implicit => {
                let choices = match kind {
                    Kind::StartTls => &self.library.starttls,
                    _ => &self.library.implicit,
                };
                let recorded = self.random.pick(choices).clone();
                let path = self.path(recorded.port);
                dialogue::encrypted(path, &mut self.random, mail, &recorded)
            }
            Kind::Alert => {
                let recorded = self.random.pick(&self.library.alerts).clone();
                dialogue::alert(self.path(recorded.port), &recorded)
            }
            Kind::Rejection => {
                let path = self.path(relay);
                dialogue::rejected(path, &mut self.random, mail)
            }
            Kind::TcpFailure => {
                let path = self.path(relay);
                dialogue::tcp_failure(path, &mut self.random)
            }
        };
        if matches!(kind, Kind::Plain | Kind::Pipelined | Kind::StartTls | Kind::Implicit) {
            self.spoil(&mut plan);
        }
        plan
    }

    /// 3 % retransmit, 3 % reorder, 1 % overlap, 1 % lose packets, 0.5 % start mid-stream; of all sessions, so more of the
    /// nine in ten that carry mail, and more still of the half of them that is long enough.
    fn spoil(&mut self, plan: &mut Plan) {
        let fault = self.random.weighted(&[
            (55, Some(Fault::Retransmitted)),
            (55, Some(Fault::Reordered)),
            (18, Some(Fault::Overlapping)),
            (18, Some(Fault::Lost)),
            (6, Some(Fault::MidStream)),
            (848, None),
        ]);
        if let Some(fault) = fault {
            let at_hello = self.random.chance(500);
            dialogue::spoil(plan, fault, at_hello);
        }
    }

    fn short(&mut self) -> Plan {
        let path = self.path(25);
        let random = &mut self.random;
        match random.below(10) {
            0..=5 => dialogue::hello_and_quit(path, random),
            6..=7 => dialogue::rejected(path, random, Mail::SMALL),
            8 => dialogue::tcp_failure(path, random),
            _ => dialogue::left_open(path, random),
        }
    }

    /// A new connection's client: no two connections of a file have the same address and port.
    fn client(&mut self, version6: bool) -> (Address, u16) {
        let bits = self.profile.client_bits();
        // A bijection of the connection's number within client_bits + 14 bits.
        let number = (self.connections * 0x9e37_79b1) & ((1 << (bits + 14)) - 1);
        let client = number & ((1 << bits) - 1);
        let port = 40_000 + (number >> bits) as u16;
        let address = if version6 {
            let [.., high, middle, low] = client.to_be_bytes();
            let mut address = [0; 16];
            address[..6].copy_from_slice(&[0x20, 0x01, 0x0d, 0xb8, 0, 0x18]);
            address[13..].copy_from_slice(&[high, middle, low]);
            Address::V6(address)
        } else {
            // RFC 2544: 198.18.0.0/15 is for benchmarks.
            Address::V4((0xc612_0000 + client as u32).to_be_bytes())
        };
        (address, port)
    }

    /// Both ends of a mail session: 20 % IPv6, 20 % with one VLAN tag, 2 % with two.
    fn path(&mut self, port: u16) -> Path {
        let version6 = self.random.chance(200);
        let client = self.client(version6);
        let host = self.random.between(1, 8) as u8;
        let vlans = self
            .random
            .weighted(&[(780, [0, 0]), (200, [100, 0]), (20, [200, 101])]);
        let server = if version6 {
            Address::V6([0x20, 0x01, 0x0d, 0xb8, 0, 0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0, host])
        } else {
            Address::V4([198, 51, 100, host])
        };
        Path {
            client,
            server: (server, port),
            vlans,
            udp: false,
        }
    }
}
