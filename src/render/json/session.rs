//! The session record of JSON version 1: what one session says. Our own names, so that the model may change without the
//! schema; the texts are borrowed from it.

use std::net::IpAddr;

use crate::packet::IcmpError;
use crate::render::json::each::{
    Each, Exchanges, Findings, Logins, Mailboxes, RcptDelays, Recipients, Replies, Stages, Transactions,
};
use crate::render::json::enhanced::Enhanced;
use crate::render::json::replied::{Offered, Replied};
use crate::render::json::text::{Lines, Quality, Text, Word};
use crate::render::json::time::{Seconds, Time};
use crate::render::json::tls::Tls;
use crate::render::json::writer::{ToJson, record};
use crate::tcp::{Gap, Reset, ZeroWindow};

fn is_zero(number: &u64) -> bool {
    *number == 0
}

record! {
    /// One session.
    pub struct SessionRecord<'a> {
        /// "session".
        #[serde(rename = "type")]
        pub kind: Word,
        /// Number of the session's first frame: unique in a run, the same for any number of threads.
        pub id: u64,
        /// Who opened the connection.
        pub client: EndpointRecord,
        /// Who accepted it.
        pub server: EndpointRecord,
        /// Time of the first frame, RFC 3339.
        pub start: Time,
        /// Time of the last frame, RFC 3339.
        pub end: Time,
        /// Length in seconds.
        pub duration_seconds: Seconds,
        /// First frame.
        pub first_frame: u64,
        /// Last frame.
        pub last_frame: u64,
        /// Frames that belong to it.
        pub frames: u64,
        /// smtp, submission, submissions, lmtp, pop3, pop3s, imap, imaps, or other.
        #[written(by kinds)]
        pub service: Word,
        /// smtp, lmtp, pop3, imap; absent where neither content nor port tells.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[written(before)]
        pub protocol: Option<Word>,
        /// Content told the protocol, not only the port.
        #[written(before)]
        pub protocol_confirmed: bool,
        /// none, starttls, implicit.
        #[written(before)]
        pub security: Word,
        /// The furthest stage reached.
        #[written(before)]
        pub stage_reached: Word,
        /// Who ended it and how.
        #[written(before)]
        pub ended_by: Word,
        /// What became of it.
        #[written(before)]
        pub outcome: Word,
        /// complete, or what the capture lacks: started_late, cut_off, one_direction, gaps, snap_length, duplicates,
        /// conflicting_octets, disordered, kernel_drops (live).
        #[written(before)]
        pub capture_quality: Quality,
        /// The server's greeting.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub greeting: Option<Replied<'a>>,
        /// The client's (last) hello in clear.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub hello: Option<HelloRecord<'a>>,
        /// Service extensions or capabilities, before and after TLS.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub extensions: Option<ExtensionsRecord<'a>>,
        /// Commands with their replies.
        #[serde(skip_serializing_if = "Exchanges::is_empty")]
        pub exchanges: Exchanges<'a>,
        /// Exchanges that were not kept.
        #[serde(skip_serializing_if = "is_zero")]
        pub exchanges_not_kept: u64,
        /// Authentication attempts.
        #[serde(skip_serializing_if = "Logins::is_empty")]
        pub auth: Logins<'a>,
        /// Mail transactions.
        #[serde(skip_serializing_if = "Transactions::is_empty")]
        pub transactions: Transactions<'a>,
        /// TLS.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub tls: Option<Tls<'a>>,
        /// Transport.
        pub tcp: TcpRecord<'a>,
        /// Seconds per stage.
        pub timing: Stages<'a>,
        /// Findings, root cause first.
        pub findings: Findings<'a>,
    }

    /// An address and a port.
    pub struct EndpointRecord {
        /// IP address.
        #[schemars(with = "String")]
        pub address: IpAddr,
        /// TCP port.
        pub port: u16,
    }

    /// A reply or answer.
    pub struct ReplyRecord<'a> {
        /// SMTP reply code.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub code: Option<u16>,
        /// What the first digit means: success, intermediate, transient failure, permanent failure.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub code_name: Option<&'static str>,
        /// POP3 or IMAP status: ok, no, bad.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub status: Option<&'static str>,
        /// POP3 or IMAP response code.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub response_code: Option<Text<'a>>,
        /// Enhanced status code.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub enhanced: Option<Enhanced>,
        /// What the enhanced status code means, in the chosen language.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub enhanced_name: Option<&'static str>,
        /// The server's words, one entry a line.
        pub text: Lines<'a>,
        /// First and last frame.
        #[written(with time)]
        pub frames: (u64, u64),
        /// Time of its end.
        #[written(before)]
        pub time: Time,
    }

    /// The client's hello.
    pub struct HelloRecord<'a> {
        /// EHLO, HELO or LHLO.
        pub verb: Word,
        /// Its argument.
        pub name: Text<'a>,
    }

    /// Service extensions or capabilities.
    pub struct ExtensionsRecord<'a> {
        /// As announced in clear.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub before_tls: Option<Offered<'a>>,
        /// As announced inside TLS; absent where it was not readable: unknown, not empty.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub after_tls: Option<Offered<'a>>,
    }

    /// A command with its reply.
    pub struct ExchangeRecord<'a> {
        /// The command line, credentials masked.
        pub command: Text<'a>,
        /// First and last frame of the command.
        #[written(with time)]
        pub frames: (u64, u64),
        /// Time of the command's end.
        #[written(before)]
        pub time: Time,
        /// Intermediate replies (334, 354).
        #[serde(skip_serializing_if = "Replies::is_empty")]
        pub intermediate: Replies<'a>,
        /// The final reply.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub reply: Option<Replied<'a>>,
        /// Where there is no reply: not_seen (none came) or hidden (the capture lacks the octets).
        #[serde(skip_serializing_if = "Option::is_none")]
        pub no_reply: Option<&'static str>,
        /// Seconds from the end of the command (or of the mail data) to the end of the final reply.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub delay_seconds: Option<Seconds>,
        /// Sent before the reply to the command before it.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        pub pipelined: bool,
        /// Sent inside TLS and decrypted.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        pub inside_tls: bool,
        /// LMTP: replies for further recipients.
        #[serde(skip_serializing_if = "Replies::is_empty")]
        pub further_replies: Replies<'a>,
    }

    /// An authentication attempt.
    pub struct AuthRecord<'a> {
        /// Mechanism name, or USER/PASS, APOP, LOGIN for POP3 and IMAP.
        pub mechanism: Text<'a>,
        /// User name, where shown.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub identity: Option<Text<'a>>,
        /// Authorisation identity.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub authorisation_identity: Option<Text<'a>>,
        /// An initial response came with the command.
        pub initial_response: bool,
        /// readable (password or token in clear), challenge_response, encrypted, none.
        pub exposure: &'static str,
        /// The password or token: `********`, unless the run was told to show secrets.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub secret: Option<Text<'a>>,
        /// First and last frame of the line with the password, token or challenge response (SMTP).
        #[serde(skip_serializing_if = "Option::is_none")]
        pub secret_frames: Option<(u64, u64)>,
        /// accepted, rejected, cancelled, not_seen, hidden.
        pub result: &'static str,
        /// The deciding reply.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub reply: Option<Replied<'a>>,
        /// Decoded OAuth error.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub oauth_error: Option<Text<'a>>,
    }

    /// A mail transaction.
    pub struct TransactionRecord<'a> {
        /// The reverse-path; empty for `<>`.
        pub reverse_path: Text<'a>,
        /// Recipients with their own results.
        pub forward_paths: Recipients<'a>,
        /// Recipients that are not listed.
        #[serde(skip_serializing_if = "is_zero")]
        pub recipients_not_listed: u64,
        /// SIZE= as declared.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub declared_size: Option<u64>,
        /// Size of the mail data in octets, dot-stuffing undone, terminator not counted.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub message_size: Option<u64>,
        /// accepted, partly_accepted, deferred, refused, abandoned, unknown.
        pub result: Word,
        /// The reply that decided.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub final_reply: Option<Replied<'a>>,
        /// The message, where its header was seen.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub message: Option<MessageRecord<'a>>,
    }

    /// A recipient.
    pub struct RecipientRecord<'a> {
        /// The forward-path.
        pub forward_path: Text<'a>,
        /// Its reply.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub reply: Option<Replied<'a>>,
    }

    /// A message.
    pub struct MessageRecord<'a> {
        /// From, decoded.
        pub from: Mailboxes<'a>,
        /// To and Cc, decoded.
        pub to: Mailboxes<'a>,
        /// Subject, decoded.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub subject: Option<Text<'a>>,
        /// Date as sent.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub date: Option<Text<'a>>,
        /// Message-ID as sent.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub message_id: Option<Text<'a>>,
        /// smime_encrypted, smime_signed, pgp_encrypted, pgp_signed, pgp_inline; absent: none seen.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub end_to_end_protection: Option<&'static str>,
        /// Attachments.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        pub attachments: Vec<AttachmentRecord<'a>>,
        /// The text, where `--show-body` asked for it.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub text: Option<Text<'a>>,
    }

    /// An attachment.
    pub struct AttachmentRecord<'a> {
        /// File name, decoded.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub file_name: Option<Text<'a>>,
        /// Content type.
        pub content_type: Text<'a>,
        /// Octets of the encoded body.
        pub encoded_octets: u64,
        /// A password-protected ZIP.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        pub encrypted_zip: bool,
    }

    /// Transport facts.
    pub struct TcpRecord<'a> {
        /// handshake, syn_only, syn_ack_only, mid_stream.
        pub opening: Word,
        /// Round trip of the TCP handshake, in seconds.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub handshake_round_trip_seconds: Option<Seconds>,
        /// From the client.
        pub to_server: DirectionRecord,
        /// From the server.
        pub to_client: DirectionRecord,
        /// Resets.
        #[serde(skip_serializing_if = "Each::is_empty")]
        pub resets: Each<'a, Reset, ResetRecord>,
        /// Gaps.
        #[serde(skip_serializing_if = "Each::is_empty")]
        pub gaps: Each<'a, Gap, GapRecord>,
        /// Zero-window episodes.
        #[serde(skip_serializing_if = "Each::is_empty")]
        pub zero_windows: Each<'a, ZeroWindow, ZeroWindowRecord>,
        /// ICMP errors about this connection.
        #[serde(skip_serializing_if = "Each::is_empty")]
        pub icmp_errors: Each<'a, IcmpError, IcmpRecord>,
    }

    /// A reset.
    pub struct ResetRecord {
        /// client or server.
        pub sender: &'static str,
        /// Frame.
        pub frame: u64,
        /// It fits the window.
        pub in_window: bool,
        /// It came after the end of the conversation.
        pub after_fin: bool,
        /// It does not look like its sender's other segments.
        pub looks_forged: bool,
    }

    /// A gap.
    pub struct GapRecord {
        /// client or server: whose octets are missing.
        pub sender: &'static str,
        /// Stream offset.
        pub offset: u64,
        /// Octets.
        pub length: u64,
        /// Frame behind the gap.
        pub frame: u64,
        /// Acknowledged by the receiver: lost by the capture, not by the network.
        pub acknowledged: bool,
    }

    /// A zero-window episode.
    pub struct ZeroWindowRecord {
        /// client or server: who stopped reading.
        pub receiver: &'static str,
        /// First frame.
        pub frame: u64,
        /// Seconds.
        pub seconds: Seconds,
        /// The window opened again.
        pub reopened: bool,
    }

    /// An ICMP error.
    pub struct IcmpRecord {
        /// Who reported.
        #[schemars(with = "String")]
        pub reporter: IpAddr,
        /// 4 or 6.
        pub version: u8,
        /// Type.
        #[serde(rename = "type")]
        pub kind: u8,
        /// Code.
        pub code: u8,
        /// What type and code mean.
        pub name: &'static str,
        /// Next-hop MTU, where said.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub next_hop_mtu: Option<u32>,
        /// Frame.
        pub frame: u64,
    }

    /// Seconds per stage; absent where not seen.
    #[derive(Default)]
    pub struct TimingRecord<'a> {
        /// SYN to SYN-ACK.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub connect: Option<Seconds>,
        /// To the end of the greeting.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub greeting: Option<Seconds>,
        /// EHLO to its reply.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub ehlo: Option<Seconds>,
        /// STARTTLS to its reply.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub starttls: Option<Seconds>,
        /// TLS handshake.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub tls: Option<Seconds>,
        /// Authentication.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub auth: Option<Seconds>,
        /// MAIL.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub mail: Option<Seconds>,
        /// Each RCPT, in order.
        #[serde(skip_serializing_if = "RcptDelays::is_empty")]
        pub rcpt: RcptDelays<'a>,
        /// Mail data.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub data: Option<Seconds>,
        /// End of data to the final reply.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub final_reply: Option<Seconds>,
        /// Sum of waits for the server.
        pub server_share: Seconds,
        /// Sum of waits for the client.
        pub client_share: Seconds,
    }
}

/// One direction's counts.
#[derive(Debug, serde::Serialize, schemars::JsonSchema)]
pub struct DirectionRecord {
    /// Segments.
    pub segments: u64,
    /// Stream octets.
    pub octets: u64,
    /// Retransmitted segments.
    pub retransmissions: u32,
    /// Segments out of order.
    pub out_of_order: u32,
    /// Octets missing from the capture.
    pub missing_octets: u64,
    /// Duplicates made by the capture.
    pub capture_duplicates: u32,
    /// Octets of conflicting retransmissions.
    pub conflicting_octets: u64,
}

/// What the two counts of a direction are followed by where nothing went wrong: nearly always.
const NO_TROUBLE: &[u8] = b",\"retransmissions\":0,\"out_of_order\":0,\"missing_octets\":0,\"capture_duplicates\":0,\
    \"conflicting_octets\":0}";

impl ToJson for DirectionRecord {
    fn append(&self, json: &mut Vec<u8>) {
        let mut field = |name: &[u8], number: u64| {
            json.extend_from_slice(name);
            number.append(json);
        };
        field(b"{\"segments\":", self.segments);
        field(b",\"octets\":", self.octets);
        let troubles = [
            u64::from(self.retransmissions),
            u64::from(self.out_of_order),
            self.missing_octets,
            u64::from(self.capture_duplicates),
            self.conflicting_octets,
        ];
        if troubles.iter().fold(0, |any, trouble| any | trouble) == 0 {
            return json.extend_from_slice(NO_TROUBLE);
        }
        let [retransmissions, out_of_order, missing, duplicates, conflicting] = troubles;
        field(b",\"retransmissions\":", retransmissions);
        field(b",\"out_of_order\":", out_of_order);
        field(b",\"missing_octets\":", missing);
        field(b",\"capture_duplicates\":", duplicates);
        field(b",\"conflicting_octets\":", conflicting);
        json.push(b'}');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_direction_is_written_as_serde_writes_it() {
        for trouble in 0..6 {
            let count = |place: u32| if place == trouble { 70_000 } else { 0 };
            let record = DirectionRecord {
                segments: 12,
                octets: 1 << 40,
                retransmissions: count(1),
                out_of_order: count(2),
                missing_octets: count(3).into(),
                capture_duplicates: count(4),
                conflicting_octets: count(5).into(),
            };
            let mut written = Vec::new();
            record.append(&mut written);
            let plain = serde_json::to_string(&record).unwrap();
            assert_eq!(String::from_utf8(written).unwrap(), plain);
        }
    }
}
