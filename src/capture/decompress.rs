//! gzip, zstd and lz4 → the octets inside, streaming; any number of members or frames, skippable ones passed over.
//!
//! The decoders of ruzstd and lz4_flex end with the first frame and lz4_flex takes a cut file for a complete one, so the
//! frames are counted out here. Damage costs the rest of its member: the search goes on for the next one, and the reader
//! is told of the gap. Memory is bounded by the window ([`MAX_WINDOW`]), whatever the ratio.

use std::io::{self, Read};

use flate2::{Decompress, FlushDecompress, Status};
use lz4_flex::frame::FrameDecoder as Lz4Decoder;
use ruzstd::decoding::errors::{FrameDecoderError, FrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder as ZstdDecoder};

use super::damage::Expected;
use super::format::{Compression, FirstOctets, Member, member};
use super::octets::{Octets, Window};

/// The largest window of zstd that is decompressed, in octets.
pub const MAX_WINDOW: u64 = 128 * 1024 * 1024;

/// An empty last block and a checksum nobody compares: makes the decoder hand over what it keeps as its window.
const LAST_ZSTD_BLOCK: [u8; 7] = [1, 0, 0, 0, 0, 0, 0];

/// What came out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Pulled {
    /// That many octets, at least one.
    Octets(usize),
    /// Octets are missing here; [`Decompressor::take_fault`] says why.
    Gap,
    /// Nothing more.
    End,
}

/// A place in the compressed file that could not be decompressed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Fault {
    pub(super) offset: u64,
    pub(super) expected: Expected,
    pub(super) found: FirstOctets,
    pub(super) resumed_at: Option<u64>,
}

enum State {
    Between(Window),
    Gzip(Window, Box<Decompress>),
    Zstd(Window, Box<ZstdDecoder>),
    Lz4(Box<Lz4Decoder<Window>>, bool),
    Nothing,
}

pub(super) struct Decompressor {
    state: State,
    compression: Compression,
    fault: Option<Fault>,
    position: (u64, Option<u64>),
}

impl Decompressor {
    pub(super) fn new(octets: Octets, already: &[u8], compression: Compression) -> Self {
        let position = (octets.count(), octets.length());
        Self {
            state: State::Between(Window::new(octets, already)),
            compression,
            fault: None,
            position,
        }
    }

    /// Octets read of the file, and its length where known.
    pub(super) const fn position(&self) -> (u64, Option<u64>) {
        self.position
    }

    pub(super) const fn take_fault(&mut self) -> Option<Fault> {
        self.fault.take()
    }

    pub(super) fn pull(&mut self, into: &mut [u8]) -> io::Result<Pulled> {
        loop {
            let (next, pulled) = match std::mem::replace(&mut self.state, State::Nothing) {
                State::Nothing => return Ok(Pulled::End),
                State::Between(window) => self.between(window)?,
                State::Gzip(window, decoder) => self.gzip(window, decoder, into)?,
                State::Zstd(window, decoder) => self.zstd(window, decoder, into)?,
                State::Lz4(decoder, legacy) => self.lz4(decoder, legacy, into)?,
            };
            self.state = next;
            if let Some(window) = self.window() {
                self.position = (window.octets().count(), window.octets().length());
            }
            if let Some(pulled) = pulled {
                return Ok(pulled);
            }
        }
    }

    fn window(&self) -> Option<&Window> {
        match &self.state {
            State::Between(window) | State::Gzip(window, _) | State::Zstd(window, _) => Some(window),
            State::Lz4(decoder, _) => Some(decoder.get_ref()),
            State::Nothing => None,
        }
    }

    fn between(&mut self, mut window: Window) -> io::Result<(State, Option<Pulled>)> {
        let magic = window.peek(4)?;
        if magic.is_empty() {
            return Ok((State::Nothing, Some(Pulled::End)));
        }
        if let [0, ..] = magic {
            // Padding of tapes and of block devices: gzip passes over it as well.
            let zeros = magic.iter().take_while(|byte| **byte == 0).count();
            window.consume(zeros);
            return Ok((State::Between(window), None));
        }
        let legacy = magic.first() == Some(&2);
        let begins = member(magic);
        if let Some(Member::Compressed(compression)) = begins {
            self.compression = compression;
        }
        match begins {
            Some(Member::Skippable) => self.skip(window),
            Some(Member::Compressed(Compression::Gzip)) => {
                Ok((State::Gzip(window, Box::new(Decompress::new_gzip(15))), None))
            }
            Some(Member::Compressed(Compression::Lz4)) => {
                window.ran_dry = false;
                Ok((State::Lz4(Box::new(Lz4Decoder::new(window)), legacy), None))
            }
            Some(Member::Compressed(Compression::Zstd)) => self.zstd_frame(window),
            None => self.lost(window, Expected::CompressedMember(self.compression)),
        }
    }

    fn skip(&mut self, mut window: Window) -> io::Result<(State, Option<Pulled>)> {
        let header = window.peek(8)?;
        let Some(length) = header
            .get(4..8)
            .and_then(|field| field.try_into().ok())
            .map(u32::from_le_bytes)
        else {
            return self.lost(window, Expected::MoreCompressedData(self.compression));
        };
        window.consume(8);
        let mut left = u64::from(length);
        while left > 0 {
            let here = window.peek(1)?.len() as u64;
            if here == 0 {
                return self.lost(window, Expected::MoreCompressedData(self.compression));
            }
            let step = here.min(left);
            window.consume(usize::try_from(step).unwrap_or(usize::MAX));
            left -= step;
        }
        Ok((State::Between(window), None))
    }

    fn gzip(
        &mut self,
        mut window: Window,
        mut decoder: Box<Decompress>,
        into: &mut [u8],
    ) -> io::Result<(State, Option<Pulled>)> {
        let octets = window.peek(1)?;
        let at_end = octets.is_empty();
        let (read, written) = (decoder.total_in(), decoder.total_out());
        let result = decoder.decompress(octets, into, FlushDecompress::None);
        let read = usize::try_from(decoder.total_in().saturating_sub(read)).unwrap_or(0);
        let written = usize::try_from(decoder.total_out().saturating_sub(written))
            .unwrap_or(0)
            .min(into.len());
        window.consume(read);
        let pulled = (written > 0).then_some(Pulled::Octets(written));
        match result {
            Ok(Status::StreamEnd) => Ok((State::Between(window), pulled)),
            // What was written before the mistake is handed over first; the mistake comes again with the next call.
            Ok(_) | Err(_) if written > 0 => Ok((State::Gzip(window, decoder), pulled)),
            Ok(_) if at_end => self.lost(window, Expected::MoreCompressedData(Compression::Gzip)),
            Ok(_) if read > 0 => Ok((State::Gzip(window, decoder), None)),
            Ok(_) | Err(_) => self.lost(window, Expected::CompressedData(Compression::Gzip)),
        }
    }

    fn zstd_frame(&mut self, mut window: Window) -> io::Result<(State, Option<Pulled>)> {
        let mut decoder = Box::new(ZstdDecoder::new());
        decoder.set_max_window_size(MAX_WINDOW);
        window.ran_dry = false;
        match decoder.init(&mut window) {
            Ok(()) => Ok((State::Zstd(window, decoder), None)),
            Err(error) => {
                let window_too_large = matches!(
                    error,
                    FrameDecoderError::WindowSizeTooBig { .. }
                        | FrameDecoderError::FrameHeaderError(FrameHeaderError::WindowTooBig { .. })
                );
                let expected = if window_too_large {
                    Expected::SmallerWindow
                } else {
                    self.wanted(&window)
                };
                self.lost(window, expected)
            }
        }
    }

    fn zstd(
        &mut self,
        mut window: Window,
        mut decoder: Box<ZstdDecoder>,
        into: &mut [u8],
    ) -> io::Result<(State, Option<Pulled>)> {
        if decoder.can_collect() > 0 {
            let count = decoder.read(into)?;
            return Ok((
                State::Zstd(window, decoder),
                (count > 0).then_some(Pulled::Octets(count)),
            ));
        }
        if decoder.is_finished() {
            let next = match self.fault {
                Some(_) => return self.search(window),
                None => State::Between(window),
            };
            return Ok((next, None));
        }
        if decoder
            .decode_blocks(&mut window, BlockDecodingStrategy::UptoBlocks(1))
            .is_err()
        {
            if let Some(failure) = window.take_failure() {
                return Err(failure);
            }
            self.fault = Some(self.fault(&window, self.wanted(&window)));
            if decoder
                .decode_blocks(&LAST_ZSTD_BLOCK[..], BlockDecodingStrategy::All)
                .is_err()
            {
                return self.search(window);
            }
        }
        Ok((State::Zstd(window, decoder), None))
    }

    fn lz4(
        &mut self,
        mut decoder: Box<Lz4Decoder<Window>>,
        legacy: bool,
        into: &mut [u8],
    ) -> io::Result<(State, Option<Pulled>)> {
        match decoder.read(into) {
            Ok(0) => {
                let window = decoder.into_inner();
                // A legacy frame has no end mark; it ends with the file.
                if window.ran_dry && !legacy {
                    return self.lost(window, Expected::MoreCompressedData(Compression::Lz4));
                }
                Ok((State::Between(window), None))
            }
            Ok(count) => Ok((State::Lz4(decoder, legacy), Some(Pulled::Octets(count)))),
            Err(_) => {
                let mut window = decoder.into_inner();
                if let Some(failure) = window.take_failure() {
                    return Err(failure);
                }
                let expected = self.wanted(&window);
                self.lost(window, expected)
            }
        }
    }

    fn wanted(&self, window: &Window) -> Expected {
        if window.ran_dry {
            Expected::MoreCompressedData(self.compression)
        } else {
            Expected::CompressedData(self.compression)
        }
    }

    fn fault(&self, window: &Window, expected: Expected) -> Fault {
        Fault {
            offset: window.offset(),
            expected,
            found: FirstOctets::of(window.kept()),
            resumed_at: None,
        }
    }

    fn lost(&mut self, mut window: Window, expected: Expected) -> io::Result<(State, Option<Pulled>)> {
        if let Some(failure) = window.take_failure() {
            return Err(failure);
        }
        self.fault = Some(self.fault(&window, expected));
        self.search(window)
    }

    /// Passes over octets up to the next member of the same compression.
    fn search(&mut self, mut window: Window) -> io::Result<(State, Option<Pulled>)> {
        let mut first = true;
        loop {
            let octets = window.peek(4)?;
            let here = octets.len();
            // The failed member's own magic number, where nothing of it was consumed, is not the next one.
            let skipped = usize::from(first);
            let found = octets
                .windows(4)
                .enumerate()
                .skip(skipped)
                .find(|(_, magic)| member(magic) == Some(Member::Compressed(self.compression)));
            if let Some((at, _)) = found {
                window.consume(at);
                if let Some(fault) = &mut self.fault {
                    fault.resumed_at = Some(window.offset());
                }
                return Ok((State::Between(window), Some(Pulled::Gap)));
            }
            if here < 4 {
                window.consume(here);
                return Ok((State::Nothing, Some(Pulled::Gap)));
            }
            window.consume(here - 3);
            first = false;
        }
    }
}
