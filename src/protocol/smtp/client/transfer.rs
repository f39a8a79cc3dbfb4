//! Mail data on the client's side: the octets of DATA and of BDAT chunks, and what becomes of their facts at the end.

use memchr::memchr;

use super::Mode;
use crate::protocol::smtp::data::{Form, MailData};
use crate::protocol::smtp::{Decoder, Detail};
use crate::span::Stamp;
use crate::tcp::Chunk;

impl Decoder {
    pub(super) fn begin_data(&mut self) {
        let mut data = Box::new(MailData::new(Form::Dotted, self.client.retention.message_text));
        if let Some(mut open) = self.ledger.newest_mut() {
            open.data_running = true;
            data.command = Some(open.exchange.index);
        }
        self.client.data = Some(data);
        self.client.mode = Mode::Data;
    }

    pub(super) fn hold_data(&mut self, chunk: &Chunk<'_>) -> usize {
        let unanswered = self.client.unanswered || self.go_ahead_may_be_hidden();
        let Mode::HeldData(held) = &mut self.client.mode else {
            return 0;
        };
        let line_feed = memchr(b'\n', chunk.bytes).filter(|_| unanswered);
        let most = line_feed.map_or(chunk.bytes.len(), |position| position + 1);
        let count = held.take(chunk, most);
        if held.is_full() || line_feed.is_some_and(|position| position < count) {
            self.decide_by_looks();
        }
        count
    }

    pub(super) fn go_ahead_may_be_hidden(&self) -> bool {
        let newest = self.ledger.newest();
        newest.is_some_and(|open| open.exchange.index < self.ledger.gap_before())
    }

    pub(super) fn mail_data(&mut self, chunk: &Chunk<'_>) -> usize {
        let Some(data) = &mut self.client.data else {
            self.client.mode = Mode::Commands;
            return 0;
        };
        let begun = data.has_begun();
        let count = data.read(chunk);
        let ended = data.ended.is_some();
        if !begun && let Some(open) = self.ledger.newest_mut() {
            open.exchange.continued = true;
        }
        if ended {
            self.end_data();
        }
        count
    }

    pub(super) fn bdat_chunk(&mut self, chunk: &Chunk<'_>) -> usize {
        let Mode::Chunk { left, .. } = &mut self.client.mode else {
            return 0;
        };
        let most = usize::try_from(*left).unwrap_or(usize::MAX).min(chunk.bytes.len());
        *left -= most as u64;
        if let Some(data) = &mut self.client.data {
            data.read(&Chunk {
                bytes: chunk.bytes.get(..most).unwrap_or_default(),
                ..*chunk
            });
        }
        self.end_chunk(chunk.stamp);
        most
    }

    pub(super) fn end_chunk(&mut self, at: Stamp) {
        let Mode::Chunk { left: 0, last } = self.client.mode else {
            return;
        };
        self.client.mode = Mode::Commands;
        if last {
            if let Some(data) = &mut self.client.data {
                data.ended = Some(at);
            }
            self.end_data();
        } else if let Some(mut open) = self.ledger.newest_mut() {
            open.data_running = false;
            self.ledger.settle();
        }
    }

    /// The mail data is over, one way or another: its facts go to its command.
    pub(super) fn end_data(&mut self) {
        self.client.mode = Mode::Commands;
        let Some(data) = self.client.data.take() else {
            return;
        };
        if let Some(mut open) = self.ledger.newest_mut() {
            open.data_running = false;
        }
        if let Some(exchange) = data.command.and_then(|index| self.ledger.find(index)) {
            let facts = data.finish_at(exchange.command.get()).map(Box::new);
            match &mut exchange.detail {
                Detail::Data(slot) | Detail::Bdat { data: slot, .. } => *slot = facts,
                _ => {}
            }
        }
        self.ledger.settle();
    }
}
