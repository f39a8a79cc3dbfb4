//! What a session must have for a rule to have anything to say. Most rules speak of what most sessions do not have: a
//! refused command, a login, a mail. They are not asked about the others; a test build asks them all the same, and does not
//! pass where one would have spoken ([`super::missed`]).
//!
//! A rule that is not named here is always asked: nobody need think of this file when writing one.

use crate::diagnosis::lists;
use crate::diagnosis::rule::{Check, Layer, Rule};
use crate::protocol::Seen;
use crate::protocol::smtp::{Detail, Exchange, Reply, Verb};
use crate::session::{EndedBy, Session, Stage};
use crate::span::Role;
use crate::tcp::{ConnectionFacts, Opening};

/// One of these is enough; none: the rule is always asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Needs(u64);

/// A reply of 4xx or 5xx to a command.
const REFUSED: u64 = 1;
/// A reply without a command.
const UNSOLICITED: u64 = 1 << 1;
/// AUTH.
const LOGIN: u64 = 1 << 2;
/// Mail data.
const DATA: u64 = 1 << 3;
/// BDAT.
const CHUNKS: u64 = 1 << 4;
/// HELO.
const HELO: u64 = 1 << 5;
/// STARTTLS.
const STARTTLS: u64 = 1 << 6;
/// A command that did not wait for the reply to the one before it.
const PIPELINED: u64 = 1 << 7;
/// POP3 or IMAP.
const MAILBOX: u64 = 1 << 8;
/// SMTP or LMTP.
const SMTP: u64 = 1 << 9;
/// TLS.
const TLS: u64 = 1 << 10;
/// It came further than the connection.
const OPENED: u64 = 1 << 11;
/// TLS began, and nothing of it was understood.
const SWITCHED: u64 = 1 << 12;
/// A port of users' programs.
const USERS: u64 = 1 << 13;
/// MAIL.
const MAIL: u64 = 1 << 14;
/// A command that is not known.
const UNKNOWN: u64 = 1 << 15;
/// A greeting that may be masked with asterisks.
const ASTERISK: u64 = 1 << 16;
/// A list of extensions without STARTTLS.
const NO_STARTTLS: u64 = 1 << 17;
/// A list with "AUTH=".
const OLD_AUTH: u64 = 1 << 18;
/// A list with a keyword that something overwrote.
const CROSSED_OUT: u64 = 1 << 19;
/// A reply in a form that replies do not have, or a list that begins with a keyword.
const MALFORMED: u64 = 1 << 20;
/// A greeting of 4xx or 5xx.
const REFUSED_AT_ONCE: u64 = 1 << 21;
/// What is no SMTP.
const FOREIGN: u64 = 1 << 22;
/// A client that spoke before the greeting.
const EARLY: u64 = 1 << 23;
/// A command without a reply.
const UNANSWERED: u64 = 1 << 24;
/// A port where TLS begins at once.
const IMPLICIT: u64 = 1 << 25;
/// RST.
const RESET: u64 = 1 << 26;
/// Octets that the capture lacks.
const GAP: u64 = 1 << 27;
/// Frames that a snap length cut.
const CUT: u64 = 1 << 28;
/// One direction only.
const ONE_WAY: u64 = 1 << 29;
/// A window of zero.
const ZERO_WINDOW: u64 = 1 << 30;
/// Octets that were sent again and again.
const STUCK: u64 = 1 << 31;
/// No SYN-ACK in the capture, or one that was sent again.
const UNOPENED: u64 = 1 << 32;
/// Segments that were sent again.
const REPEATED: u64 = 1 << 33;
/// A silence of a minute or more.
const LONG_SILENCE: u64 = 1 << 34;
/// Copies made by the capture, or segments too large for a wire.
const COPIES: u64 = 1 << 35;
/// Its beginning or its end is not in the capture.
const PARTIAL: u64 = 1 << 36;
/// A header in front of the dialogue.
const PREAMBLE: u64 = 1 << 37;
/// Neither side sent an octet.
const WORDLESS: u64 = 1 << 38;
/// A greeting that took three seconds or more.
const SLOW_GREETING: u64 = 1 << 39;
/// The client ended it without QUIT.
const CLIENT_LEFT: u64 = 1 << 40;
/// A reply of 500 to 504 or 555: about the form of a command, or one that is not known.
const REFUSED_FORM: u64 = 1 << 41;
/// QUIT.
const QUIT: u64 = 1 << 42;

/// What a rule needs.
pub(super) fn of(rule: &Rule) -> Needs {
    Needs(match rule.slug {
        "auth-required" | "smtp-client-ignored-error" | "smtp-helo-rejected" | "smtp-line-too-long" => REFUSED,
        "smtp-command-rejected" => REFUSED_FORM,
        "smtp-client-vanished" => CLIENT_LEFT,
        "smtp-greeting-delayed" => SLOW_GREETING,
        "smtp-server-421" | "starttls-required" => REFUSED | UNSOLICITED,
        "smtp-extension-missing" => REFUSED | DATA,
        "auth-credentials-rejected"
        | "auth-mechanism-not-offered"
        | "auth-oauth-token-rejected"
        | "auth-payload-malformed"
        | "auth-policy-refused"
        | "auth-temporary-failure"
        | "auth-cleartext-credentials" => LOGIN,
        "auth-cram-md5-exposed" => LOGIN | MAILBOX,
        "smtp-bare-newline" | "smtp-data-no-final-reply" | "smtp-dot-handling-error" => DATA,
        "smtp-bdat-error" => CHUNKS,
        "smtp-ehlo-fallback-helo" => HELO,
        "smtp-pipelining-violation" => PIPELINED | DATA,
        "starttls-client-abandons-after-220" | "starttls-injection" | "starttls-refused" => STARTTLS | MAILBOX,
        "auth-legacy-equals-syntax" => OLD_AUTH,
        "capture-artifacts" => COPIES,
        "capture-gap" => GAP,
        "capture-one-way" => ONE_WAY,
        "capture-partial-session" => PARTIAL,
        "capture-snaplen" => CUT,
        "ok-mail-accepted" => MAIL,
        "ok-rst-after-close" => RESET,
        "pmtu-black-hole" => STUCK,
        "proxy-protocol-mismatch" => PREAMBLE | REFUSED_AT_ONCE,
        "smtp-early-talker" => EARLY,
        "smtp-greeting-refused" => REFUSED_AT_ONCE,
        "smtp-not-smtp-client" => FOREIGN,
        "tcp-connection-refused" | "tcp-syn-no-answer" => UNOPENED,
        "tcp-heavy-retransmission" => REPEATED,
        "tcp-idle-dropped" => STUCK | LONG_SILENCE,
        "tcp-reset-before-greeting" => WORDLESS,
        "tcp-reset-mid-session" => RESET | UNANSWERED,
        "tcp-zero-window" => ZERO_WINDOW,
        "tls-plaintext-on-implicit-port" => IMPLICIT,
        "auth-no-common-mechanism" => USERS,
        "auth-requires-tls-first" => LOGIN | USERS,
        "smtp-ehlo-malformed-reply" => MALFORMED,
        "starttls-not-offered" => NO_STARTTLS | MAILBOX,
        "starttls-offered-not-used" => MAIL | LOGIN | MAILBOX | USERS,
        "starttls-stripped" => CROSSED_OUT | UNKNOWN | ASTERISK,
        "auth-tls-inner-outcome"
        | "ok-capabilities-change-after-tls"
        | "ok-client-ready-for-tls12"
        | "ok-close-notify"
        | "ok-cosmetic-versions"
        | "ok-opportunistic-tls"
        | "tls-hello-on-plaintext-port" => TLS,
        "capture-privacy" => LOGIN | DATA | MAILBOX,
        _ if rule.layer == Layer::Message => DATA | MAILBOX,
        _ if matches!(rule.check, Check::Refusal(_)) => REFUSED | REFUSED_AT_ONCE,
        _ => 0,
    })
}

/// What a session has, as far as rules need it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Traits(u64);

impl Traits {
    pub(super) fn of(session: &Session) -> Self {
        let (smtp, retrieval, tls) = (
            session.smtp.as_deref(),
            session.retrieval.is_some(),
            session.tls.is_some(),
        );
        let mut has = of_connection(&session.connection)
            | bit(session.quality.only_direction.is_some(), ONE_WAY)
            | bit(is_partial(session), PARTIAL)
            | bit(
                session.timing.greeting.is_some_and(|waited| waited.as_secs() >= 3),
                SLOW_GREETING,
            )
            | bit(session.service.is_implicit_tls(), IMPLICIT)
            | bit(smtp.is_some(), SMTP)
            | bit(retrieval, MAILBOX)
            | bit(tls, TLS)
            | bit(session.service.is_for_users(), USERS)
            | bit(session.stage > Stage::Connect, OPENED);
        if let Some(smtp) = smtp {
            has |= bit(!smtp.unsolicited.is_empty(), UNSOLICITED)
                | bit(smtp.switched_to_tls.is_some(), SWITCHED)
                | bit(smtp.foreign.is_some(), FOREIGN)
                | bit(smtp.early_talk.is_some(), EARLY)
                | bit(smtp.preamble.is_some(), PREAMBLE);
            has |= smtp.greeting.as_ref().map_or(0, of_greeting);
        }
        for exchange in session.exchanges() {
            has |= of_exchange(exchange);
        }
        let left = matches!(
            session.ended_by,
            EndedBy::Fin(Role::Client) | EndedBy::Reset(Role::Client)
        );
        has |= bit(left && has & QUIT == 0, CLIENT_LEFT);
        // It was wanted for that only: the fewer differ, the more sessions are alike.
        Self(has & !QUIT)
    }

    const fn any(self, bits: u64) -> bool {
        self.0 & bits != 0
    }

    /// Whether a rule with these needs can find anything to speak of.
    pub(super) const fn meet(self, Needs(needs): Needs) -> bool {
        needs == 0 || self.any(needs)
    }

    /// Whether rules of this layer can.
    pub(super) const fn concern(self, layer: Layer) -> bool {
        match layer {
            Layer::Capture | Layer::Net | Layer::Cross => true,
            Layer::Healthy | Layer::Smtp | Layer::StartTls => self.any(OPENED | SMTP | MAILBOX | TLS),
            Layer::Auth => self.any(SMTP | MAILBOX | TLS),
            Layer::Tls => self.any(TLS | MAILBOX | SWITCHED),
            Layer::Cert => self.any(TLS),
            Layer::Retrieval => self.any(MAILBOX | TLS),
            Layer::Message => self.any(SMTP | MAILBOX),
        }
    }

    /// A number below `places` for sessions of these traits.
    pub(super) const fn place(self, places: usize) -> usize {
        (self.0.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as usize % places
    }
}

const fn bit(so: bool, bit: u64) -> u64 {
    if so { bit } else { 0 }
}

fn is_partial(session: &Session) -> bool {
    session.quality.started_late || session.quality.cut_off || session.ended_by == EndedBy::Operator
}

fn of_connection(connection: &ConnectionFacts) -> u64 {
    let (to_server, to_client) = (&connection.directions.to_server, &connection.directions.to_client);
    let cut = to_server.cut_segments | to_client.cut_segments;
    let repeated = [to_server, to_client].map(|one| one.retransmissions | one.retransmission_timeouts);
    let large = to_server.largest_segment.max(to_client.largest_segment);
    let silence = connection.longest_silence;
    let unopened = connection.opening == Opening::SynOnly || to_client.syn_retransmissions > 0;
    bit(!connection.resets.is_empty(), RESET)
        | bit(!connection.gaps.is_empty(), GAP)
        | bit(cut > 0, CUT)
        | bit(!connection.zero_windows.is_empty(), ZERO_WINDOW)
        | bit(!connection.stuck.is_empty(), STUCK)
        | bit(unopened, UNOPENED)
        | bit(repeated != [0, 0], REPEATED)
        | bit(
            silence.is_some_and(|(from, until)| until.time.since(from.time).as_secs() >= 60),
            LONG_SILENCE,
        )
        | bit(
            large > 9000 || to_server.capture_duplicates | to_client.capture_duplicates > 0,
            COPIES,
        )
        | bit(to_server.octets | to_client.octets == 0, WORDLESS)
}

fn of_greeting(greeting: &Reply) -> u64 {
    let first = greeting.lines.first().and_then(|line| line.bytes().first());
    let masked = matches!(first, Some(b'*' | b'2' | b'0' | b' '));
    bit(greeting.class() >= 4, REFUSED_AT_ONCE) | bit(masked, ASTERISK)
}

fn of_exchange(exchange: &Exchange) -> u64 {
    let mut has = match (&exchange.verb, &exchange.detail) {
        (_, Detail::Auth(_)) | (Verb::Auth, _) => LOGIN,
        (_, Detail::Bdat { data, .. }) => CHUNKS | if data.is_some() { DATA } else { 0 },
        (_, Detail::Data(Some(_))) => DATA,
        (Verb::Mail, _) => MAIL,
        (Verb::Helo, _) => HELO,
        (Verb::StartTls | Verb::XAnonymousTls, _) => STARTTLS,
        (Verb::Other, _) => UNKNOWN,
        (Verb::Quit, _) => QUIT,
        _ => 0,
    };
    if let Some(reply) = exchange.reply.yes() {
        if reply.class() >= 4 {
            has |= REFUSED | bit(matches!(reply.code, 500..=504 | 555), REFUSED_FORM);
        }
        let defects = &reply.defects;
        if defects.mixed_codes || defects.missing_last_line || defects.not_a_reply {
            has |= MALFORMED;
        }
        if matches!(exchange.verb, Verb::Ehlo | Verb::Lhlo) {
            has |= of_list(reply);
        }
    }
    has | bit(exchange.pipelined, PIPELINED) | bit(matches!(exchange.reply, Seen::No), UNANSWERED)
}

fn of_list(reply: &Reply) -> u64 {
    let facts = lists::of(reply);
    bit(!facts.starttls, NO_STARTTLS)
        | bit(facts.old_auth, OLD_AUTH)
        | bit(facts.crossed_out, CROSSED_OUT)
        | bit(facts.keyword_first, MALFORMED)
}
