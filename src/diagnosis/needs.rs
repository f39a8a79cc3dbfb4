//! What a session must have for a rule to have anything to say. Most rules speak of what most sessions do not have: a
//! refused command, a login, a mail. They are not asked about the others; a test build asks them all the same, and does not
//! pass where one would have spoken ([`super::missed`]).
//!
//! A rule that is not named here is always asked: nobody need think of this file when writing one.

use crate::diagnosis::lists;
use crate::diagnosis::rule::{Layer, Rule};
use crate::protocol::Seen;
use crate::protocol::smtp::{Detail, Exchange, Reply, Verb};
use crate::session::{Session, Stage};
use crate::tcp::ConnectionFacts;

/// One of these is enough; none: the rule is always asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Needs(u32);

/// A reply of 4xx or 5xx to a command.
const REFUSED: u32 = 1;
/// A reply without a command.
const UNSOLICITED: u32 = 1 << 1;
/// AUTH.
const LOGIN: u32 = 1 << 2;
/// Mail data.
const DATA: u32 = 1 << 3;
/// BDAT.
const CHUNKS: u32 = 1 << 4;
/// HELO.
const HELO: u32 = 1 << 5;
/// STARTTLS.
const STARTTLS: u32 = 1 << 6;
/// A command that did not wait for the reply to the one before it.
const PIPELINED: u32 = 1 << 7;
/// POP3 or IMAP.
const MAILBOX: u32 = 1 << 8;
/// SMTP or LMTP.
const SMTP: u32 = 1 << 9;
/// TLS.
const TLS: u32 = 1 << 10;
/// It came further than the connection.
const OPENED: u32 = 1 << 11;
/// TLS began, and nothing of it was understood.
const SWITCHED: u32 = 1 << 12;
/// A port of users' programs.
const USERS: u32 = 1 << 13;
/// MAIL.
const MAIL: u32 = 1 << 14;
/// A command that is not known.
const UNKNOWN: u32 = 1 << 15;
/// A greeting that may be masked with asterisks.
const ASTERISK: u32 = 1 << 16;
/// A list of extensions without STARTTLS.
const NO_STARTTLS: u32 = 1 << 17;
/// A list with "AUTH=".
const OLD_AUTH: u32 = 1 << 18;
/// A list with a keyword that something overwrote.
const CROSSED_OUT: u32 = 1 << 19;
/// A reply in a form that replies do not have, or a list that begins with a keyword.
const MALFORMED: u32 = 1 << 20;
/// A greeting of 4xx or 5xx.
const REFUSED_AT_ONCE: u32 = 1 << 21;
/// What is no SMTP.
const FOREIGN: u32 = 1 << 22;
/// A client that spoke before the greeting.
const EARLY: u32 = 1 << 23;
/// A command without a reply.
const UNANSWERED: u32 = 1 << 24;
/// A port where TLS begins at once.
const IMPLICIT: u32 = 1 << 25;
/// RST.
const RESET: u32 = 1 << 26;
/// Octets that the capture lacks.
const GAP: u32 = 1 << 27;
/// Frames that a snap length cut.
const CUT: u32 = 1 << 28;
/// One direction only.
const ONE_WAY: u32 = 1 << 29;
/// A window of zero.
const ZERO_WINDOW: u32 = 1 << 30;
/// Octets that were sent again and again.
const STUCK: u32 = 1 << 31;

/// What a rule needs.
pub(super) fn of(rule: &Rule) -> Needs {
    Needs(match rule.slug {
        "auth-required"
        | "smtp-client-ignored-error"
        | "smtp-command-rejected"
        | "smtp-helo-rejected"
        | "smtp-line-too-long" => REFUSED,
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
        "capture-gap" => GAP,
        "capture-one-way" => ONE_WAY,
        "capture-snaplen" => CUT,
        "ok-mail-accepted" => MAIL,
        "ok-rst-after-close" => RESET,
        "pmtu-black-hole" => STUCK,
        "smtp-early-talker" => EARLY,
        "smtp-greeting-refused" => REFUSED_AT_ONCE,
        "smtp-not-smtp-client" => FOREIGN,
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
        _ => 0,
    })
}

/// What a session has, as far as rules need it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Traits(u32);

impl Traits {
    pub(super) fn of(session: &Session) -> Self {
        let (smtp, retrieval, tls) = (
            session.smtp.as_deref(),
            session.retrieval.is_some(),
            session.tls.is_some(),
        );
        let mut has = of_connection(&session.connection)
            | bit(session.quality.only_direction.is_some(), ONE_WAY)
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
                | bit(smtp.early_talk.is_some(), EARLY);
            has |= smtp.greeting.as_ref().map_or(0, of_greeting);
        }
        for exchange in session.exchanges() {
            has |= of_exchange(exchange);
        }
        Self(has)
    }

    const fn any(self, bits: u32) -> bool {
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
        (self.0 ^ self.0 >> 6 ^ self.0 >> 13) as usize % places
    }
}

const fn bit(so: bool, bit: u32) -> u32 {
    if so { bit } else { 0 }
}

fn of_connection(connection: &ConnectionFacts) -> u32 {
    let directions = &connection.directions;
    let cut = directions.to_server.cut_segments.max(directions.to_client.cut_segments);
    bit(!connection.resets.is_empty(), RESET)
        | bit(!connection.gaps.is_empty(), GAP)
        | bit(cut > 0, CUT)
        | bit(!connection.zero_windows.is_empty(), ZERO_WINDOW)
        | bit(!connection.stuck.is_empty(), STUCK)
}

fn of_greeting(greeting: &Reply) -> u32 {
    let first = greeting.lines.first().and_then(|line| line.bytes().first());
    let masked = matches!(first, Some(b'*' | b'2' | b'0' | b' '));
    bit(greeting.class() >= 4, REFUSED_AT_ONCE) | bit(masked, ASTERISK)
}

fn of_exchange(exchange: &Exchange) -> u32 {
    let mut has = match (&exchange.verb, &exchange.detail) {
        (_, Detail::Auth(_)) | (Verb::Auth, _) => LOGIN,
        (_, Detail::Bdat { data, .. }) => CHUNKS | if data.is_some() { DATA } else { 0 },
        (_, Detail::Data(Some(_))) => DATA,
        (Verb::Mail, _) => MAIL,
        (Verb::Helo, _) => HELO,
        (Verb::StartTls | Verb::XAnonymousTls, _) => STARTTLS,
        (Verb::Other, _) => UNKNOWN,
        _ => 0,
    };
    if let Some(reply) = exchange.reply.yes() {
        if reply.class() >= 4 {
            has |= REFUSED;
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

fn of_list(reply: &Reply) -> u32 {
    let facts = lists::of(reply);
    bit(!facts.starttls, NO_STARTTLS)
        | bit(facts.old_auth, OLD_AUTH)
        | bit(facts.crossed_out, CROSSED_OUT)
        | bit(facts.keyword_first, MALFORMED)
}
