//! Frames → capture file: pcap with micro- or nanoseconds, pcapng.

use std::io::{self, Write};

/// The file format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// pcap, nanoseconds.
    PcapNs,
    /// pcap, microseconds.
    PcapUs,
    /// pcapng, nanoseconds.
    Pcapng,
}

/// Writes frames and counts what it wrote.
pub struct Writer<W: Write> {
    output: W,
    format: Format,
    /// Frames written.
    pub frames: u64,
    /// Bytes written.
    pub bytes: u64,
}

impl<W: Write> Writer<W> {
    /// Begins a file. `output` should be buffered.
    ///
    /// # Errors
    /// What the output says.
    pub fn new(output: W, format: Format) -> io::Result<Self> {
        let mut writer = Self {
            output,
            format,
            frames: 0,
            bytes: 0,
        };
        let mut head = Vec::new();
        match format {
            Format::Pcapng => {
                // Section header: byte order, version 1.0, length not given; interface: Ethernet, if_tsresol 9.
                let section = [
                    0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255,
                ];
                block(&mut head, 0x0a0d_0d0a, &section);
                let interface = [1, 0, 0, 0, 0, 0, 4, 0, 9, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0];
                block(&mut head, 1, &interface);
            }
            Format::PcapNs | Format::PcapUs => {
                let magic: u32 = if format == Format::PcapNs {
                    0xa1b2_3c4d
                } else {
                    0xa1b2_c3d4
                };
                head.extend_from_slice(&magic.to_le_bytes());
                head.extend_from_slice(&[2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
                head.extend_from_slice(&262_144u32.to_le_bytes());
                head.extend_from_slice(&1u32.to_le_bytes());
            }
        }
        writer.put(&head)?;
        Ok(writer)
    }

    /// Writes one frame, captured whole, at `time` nanoseconds since 1970.
    ///
    /// # Errors
    /// What the output says.
    pub fn frame(&mut self, time: u64, frame: &[u8]) -> io::Result<()> {
        self.frames += 1;
        let length = frame.len() as u32;
        match self.format {
            Format::Pcapng => {
                let padding = (4 - frame.len() % 4) % 4;
                let total = 32 + length + padding as u32;
                let mut head = [0; 28];
                let fields = [6, total, 0, (time >> 32) as u32, time as u32, length, length];
                for (place, field) in head.as_chunks_mut::<4>().0.iter_mut().zip(fields) {
                    *place = field.to_le_bytes();
                }
                self.put(&head)?;
                self.put(frame)?;
                self.put(&[0; 3][..padding])?;
                self.put(&total.to_le_bytes())
            }
            Format::PcapNs | Format::PcapUs => {
                let unit = if self.format == Format::PcapNs { 1 } else { 1000 };
                let fraction = time % 1_000_000_000 / unit;
                let mut head = [0; 16];
                let fields = [(time / 1_000_000_000) as u32, fraction as u32, length, length];
                for (place, field) in head.as_chunks_mut::<4>().0.iter_mut().zip(fields) {
                    *place = field.to_le_bytes();
                }
                self.put(&head)?;
                self.put(frame)
            }
        }
    }

    /// Ends the file.
    ///
    /// # Errors
    /// What the output says.
    pub fn finish(&mut self) -> io::Result<()> {
        self.output.flush()
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.bytes += bytes.len() as u64;
        self.output.write_all(bytes)
    }
}

fn block(file: &mut Vec<u8>, kind: u32, body: &[u8]) {
    let length = (12 + body.len()) as u32;
    file.extend_from_slice(&kind.to_le_bytes());
    file.extend_from_slice(&length.to_le_bytes());
    file.extend_from_slice(body);
    file.extend_from_slice(&length.to_le_bytes());
}
