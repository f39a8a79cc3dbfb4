//! Messages: a header of the plan's own, a body out of the pools.

use crate::plan::{Piece, Plan, Source};
use crate::random::Random;
use crate::text::{Fill, LINE, Pools};

/// Least and greatest octets of a message body.
const BODY: (f64, f64) = (2_000.0, 10_000_000.0);
/// What a message looks like.
#[derive(Clone, Copy, Debug)]
pub struct Mail {
    /// Greatest octets of a body.
    pub largest: f64,
    /// Median octets of a body.
    pub median: f64,
}

impl Mail {
    /// Median 12 kB, up to 10 MB.
    pub const FULL: Self = Self {
        largest: BODY.1,
        median: 12_000.0,
    };
    /// Up to 64 kB: little memory for whoever plays it.
    pub const LIGHT: Self = Self {
        largest: 64_000.0,
        median: 12_000.0,
    };
    /// One or two segments.
    pub const SMALL: Self = Self {
        largest: 2_000.0,
        median: 1_000.0,
    };

    /// Octets of one body.
    pub fn octets(self, random: &mut Random) -> usize {
        random
            .log_normal(self.median, 1.6)
            .clamp(BODY.0.min(self.largest), self.largest) as usize
    }
}

/// Some sender's address.
pub fn sender(random: &mut Random) -> String {
    format!("user{}@sender.example", random.below(5_000))
}

/// Some recipient's address.
pub fn recipient(random: &mut Random) -> String {
    format!("user{}@receiver.example", random.below(5_000))
}

/// A message of about so many octets: the header, then the body. Without dot-stuffing for BDAT.
pub fn message(plan: &mut Plan, random: &mut Random, octets: usize, stuffed: bool) -> Vec<Piece> {
    let prose = if stuffed { Fill::Prose } else { Fill::ProseUnstuffed };
    let id = random.next();
    let boundary = format!("=_{id:016x}");
    let form = match octets {
        ..30_000 => random.weighted(&[(1, "text/plain; charset=utf-8"), (1, "multipart/alternative")]),
        _ => random.weighted(&[(1, "text/html; charset=utf-8"), (4, "multipart/mixed")]),
    };
    let content_type = match form.starts_with("multipart/") {
        true => format!("{form};\r\n boundary=\"{boundary}\""),
        false => form.to_owned(),
    };
    let header = format!(
        "Received: from desk{}.sender.example (desk.sender.example [192.0.2.{}])\r\n\
         \tby out.sender.example (Postfix) with ESMTPS id {:010X};\r\n\tMon,  2 Nov 2026 09:00:{:02} +0000 (UTC)\r\n\
         From: Alice <{}>\r\nTo: Bob <{}>\r\nSubject: Report {} of the week\r\nDate: Mon, 2 Nov 2026 09:00:{:02} +0000\r\n\
         Message-ID: <{id:016x}@sender.example>\r\nMIME-Version: 1.0\r\nContent-Type: {content_type}\r\n\
         Content-Transfer-Encoding: 8bit\r\n\r\n",
        random.below(100),
        random.between(1, 254),
        random.next() >> 24,
        random.below(60),
        sender(random),
        recipient(random),
        random.below(1_000),
        random.below(60),
    );
    let mut pieces = vec![plan.own(header.as_bytes())];
    let mut fill = |fill: Fill, octets: usize| {
        let length = (octets / LINE).max(1) * LINE;
        Piece {
            source: Source::Pool(fill),
            place: Pools::place(random),
            length,
        }
    };
    let end = format!("--{boundary}--\r\n");
    let mut part = |header: &str| match header {
        "" => plan.own(end.as_bytes()),
        header => plan.own(format!("--{boundary}\r\n{header}\r\n\r\n").as_bytes()),
    };
    match form {
        "multipart/alternative" => pieces.extend([
            part("Content-Type: text/plain; charset=utf-8"),
            fill(prose, octets * 2 / 5),
            part("Content-Type: text/html; charset=utf-8"),
            fill(prose, octets * 3 / 5),
            part(""),
        ]),
        "multipart/mixed" => pieces.extend([
            part("Content-Type: text/plain; charset=utf-8"),
            fill(prose, 3_000),
            part(
                "Content-Type: application/pdf; name=\"report.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\
                 Content-Disposition: attachment; filename=\"report.pdf\"",
            ),
            fill(Fill::Base64, octets - 3_000),
            part(""),
        ]),
        _ => pieces.push(fill(prose, octets)),
    }
    pieces
}
