//! What a session must have for a rule to have anything to say. Most rules speak of what most sessions do not have: a
//! refused command, a login, a mail. They are not asked about the others; a test build asks them all the same, and does not
//! pass where one would have spoken ([`super::missed`]).
//!
//! A rule that is not named here is always asked: nobody need think of this file when writing one.

use crate::diagnosis::rule::{Layer, Rule};
use crate::protocol::smtp::{Detail, Exchange, Verb};
use crate::session::{Session, Stage};

/// One of these is enough; none: the rule is always asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Needs(u16);

/// A reply of 4xx or 5xx to a command.
const REFUSED: u16 = 1;
/// A reply without a command.
const UNSOLICITED: u16 = 1 << 1;
/// AUTH.
const LOGIN: u16 = 1 << 2;
/// Mail data.
const DATA: u16 = 1 << 3;
/// BDAT.
const CHUNKS: u16 = 1 << 4;
/// HELO.
const HELO: u16 = 1 << 5;
/// STARTTLS.
const STARTTLS: u16 = 1 << 6;
/// A command that did not wait for the reply to the one before it.
const PIPELINED: u16 = 1 << 7;
/// POP3 or IMAP.
const MAILBOX: u16 = 1 << 8;

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
        "capture-privacy" => LOGIN | DATA | MAILBOX,
        _ if rule.layer == Layer::Message => DATA | MAILBOX,
        _ => 0,
    })
}

/// What a session has, as far as rules need it.
pub(super) struct Traits {
    has: u16,
    smtp: bool,
    retrieval: bool,
    tls: bool,
    opened: bool,
    switched: bool,
}

impl Traits {
    pub(super) fn of(session: &Session) -> Self {
        let (smtp, retrieval, tls) = (
            session.smtp.as_deref(),
            session.retrieval.is_some(),
            session.tls.is_some(),
        );
        let bit = |so: bool, bit: u16| if so { bit } else { 0 };
        let mut has = bit(retrieval, MAILBOX) | bit(smtp.is_some_and(|smtp| !smtp.unsolicited.is_empty()), UNSOLICITED);
        for exchange in session.exchanges() {
            has |= of_exchange(exchange);
        }
        Self {
            has,
            smtp: smtp.is_some(),
            retrieval,
            tls,
            opened: session.stage > Stage::Connect || smtp.is_some() || retrieval || tls,
            switched: smtp.is_some_and(|smtp| smtp.switched_to_tls.is_some()),
        }
    }

    /// Whether a rule with these needs can find anything to speak of.
    pub(super) const fn meet(&self, Needs(needs): Needs) -> bool {
        needs == 0 || needs & self.has != 0
    }

    /// Whether rules of this layer can.
    pub(super) const fn concern(&self, layer: Layer) -> bool {
        match layer {
            Layer::Capture | Layer::Net | Layer::Cross => true,
            Layer::Healthy | Layer::Smtp | Layer::StartTls => self.opened,
            Layer::Auth => self.smtp || self.retrieval || self.tls,
            Layer::Tls => self.tls || self.retrieval || self.switched,
            Layer::Cert => self.tls,
            Layer::Retrieval => self.retrieval || self.tls,
            Layer::Message => self.smtp || self.retrieval,
        }
    }
}

fn of_exchange(exchange: &Exchange) -> u16 {
    let mut has = match (&exchange.verb, &exchange.detail) {
        (_, Detail::Auth(_)) => LOGIN,
        (_, Detail::Bdat { data, .. }) => CHUNKS | if data.is_some() { DATA } else { 0 },
        (_, Detail::Data(Some(_))) => DATA,
        (Verb::Helo, _) => HELO,
        (Verb::StartTls | Verb::XAnonymousTls, _) => STARTTLS,
        _ => 0,
    };
    if exchange.reply.yes().is_some_and(|reply| reply.class() >= 4) {
        has |= REFUSED;
    }
    if exchange.pipelined {
        has |= PIPELINED;
    }
    has
}
