//! The loop: waits for packets, counts each second, ends on a signal or when nobody reads.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use signal_hook::consts::{SIGINT, SIGTERM};
use smtpcap_pcapng::{Interface, Section};

use crate::arguments::Options;
use crate::merge::Merge;
use crate::output::Output;
use crate::source::{self, Interfaces, Source};
use crate::{Failure, privileges};

/// Between two statistics blocks.
const COUNT: Duration = Duration::from_secs(1);
/// Between two looks at whether the interfaces are up.
const LOOK: Duration = Duration::from_millis(500);

/// How long packets that the kernel has already are waited for at the end.
const DRAIN: Duration = Duration::from_millis(200);

/// Captures until it is stopped.
pub fn run(options: &Options) -> Result<(), Failure> {
    if Output::is_terminal() {
        return Err(Failure::Usage(
            "standard output is a terminal: redirect it to a file or a pipe".to_owned(),
        ));
    }
    let user = privileges::user(options.user.as_deref())?;
    let sources = options
        .interfaces
        .iter()
        .zip(0..)
        .map(|(name, number)| Source::open(name, number, options))
        .collect::<Result<Vec<_>, _>>()?;
    privileges::give_up(user)?;
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGTERM, SIGINT] {
        signal_hook::flag::register(signal, Arc::clone(&stop))
            .map_err(|error| Failure::Other(format!("signals: {error}")))?;
    }
    let mut run = Run {
        merge: (sources.len() > 1).then(|| Merge::new(sources.len())),
        sources,
        output: Output::new(),
    };
    run.begin(options);
    run.go_on(&stop);
    run.end()
}

struct Run {
    sources: Vec<Source>,
    /// Only where there is more than one interface.
    merge: Option<Merge>,
    output: Output,
}

impl Run {
    fn begin(&mut self, options: &Options) {
        let application = concat!("smtpcap-capture ", env!("CARGO_PKG_VERSION"));
        self.output.blocks.section(&Section {
            system: Some(std::env::consts::OS),
            application: Some(application),
            comment: None,
        });
        for source in &self.sources {
            self.output.blocks.interface(&Interface {
                link_type: source.link_type(),
                snap_length: options.snap_length,
                name: Some(&source.name),
                description: None,
                filter: Some(source.filter.as_str()).filter(|filter| !filter.is_empty()),
            });
        }
        self.output.write();
    }

    fn go_on(&mut self, stop: &AtomicBool) {
        let mut count = Instant::now() + COUNT;
        let mut look = Instant::now() + LOOK;
        while !stop.load(Ordering::Relaxed) && self.output.ended().is_none() && !self.all_gone() {
            let now = Instant::now();
            let mut until = count.min(look);
            if self.merge.as_ref().is_some_and(|merge| !merge.is_empty()) {
                until = until.min(source::round(now));
            }
            if self.wait(until.saturating_duration_since(now)) {
                return;
            }
            self.collect();
            let now = Instant::now();
            if now >= look {
                let interfaces = Interfaces::now();
                self.sources.iter_mut().for_each(|source| source.look(&interfaces));
                look = now + LOOK;
            }
            if now >= count {
                self.count(false);
                count = now + COUNT;
            }
            self.output.write();
        }
    }

    /// Waits until a packet is there, a signal comes or the time is up; true when nobody reads any more.
    fn wait(&self, time: Duration) -> bool {
        let time = Timespec::try_from(time).ok();
        let stdout = io::stdout();
        let descriptors: Vec<_> = self
            .sources
            .iter()
            .filter(|source| source.is_up())
            .map(Source::descriptor)
            .collect();
        let mut waited: Vec<PollFd<'_>> = descriptors
            .iter()
            .map(|descriptor| PollFd::new(descriptor, PollFlags::IN))
            .collect();
        // No event asked for: only that the other end was closed is told.
        waited.push(PollFd::new(&stdout, PollFlags::empty()));
        // A signal interrupts it: the loop looks at its flag.
        let _ = poll(&mut waited, time.as_ref());
        waited
            .last()
            .is_some_and(|stdout| stdout.revents().contains(PollFlags::ERR))
    }

    fn collect(&mut self) {
        let Self { sources, merge, output } = self;
        let now = Instant::now();
        for source in sources.iter_mut().filter(|source| source.is_up()) {
            source.dispatch(|packet| match merge {
                Some(merge) => merge.push(packet, now),
                None => {
                    output.blocks.packet(packet);
                    output.write_when_full();
                }
            });
        }
        if let Some(merge) = merge {
            merge.release(now, output);
        }
    }

    fn count(&mut self, ended: bool) {
        for source in &mut self.sources {
            let statistics = source.statistics(ended);
            self.output.blocks.statistics(&statistics);
        }
    }

    fn all_gone(&self) -> bool {
        self.sources.iter().all(Source::is_gone)
    }

    /// The kernel hands packets over in blocks, each when it is full or old enough: those that were received before
    /// the stop are waited for.
    fn drain(&mut self) {
        let received: Vec<u64> = self.sources.iter_mut().map(Source::received).collect();
        let until = Instant::now() + DRAIN;
        loop {
            self.collect();
            let missing = self
                .sources
                .iter()
                .zip(&received)
                .any(|(source, received)| source.is_up() && source.accounted_for() < *received);
            if !missing || Instant::now() >= until || self.output.ended().is_some() {
                return;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// The packets that still wait, the last counters, and why it ended.
    fn end(mut self) -> Result<(), Failure> {
        self.drain();
        if let Some(merge) = &mut self.merge {
            merge.release_all(&mut self.output);
        }
        self.count(true);
        self.output.write();
        match self.output.ended() {
            Some(Some(error)) => Err(Failure::Other(format!("cannot write: {error}"))),
            None if self.all_gone() => Err(Failure::Gone("every interface is gone".to_owned())),
            _ => Ok(()),
        }
    }
}
