//! Sorts refusals of MAIL, RCPT and mail data into the catalogue's kinds: by what their provider is known to mean, then by
//! enhanced code and the server's words. Each refusal has exactly one kind, so that no two rules claim it; the order of the
//! questions is the precedence. A greeting or the answer to EHLO that refuses the client's address is sorted as well.

use crate::captured::Captured;
use crate::diagnosis::providers::{self, Place, ProviderText};
use crate::diagnosis::rule::RefusalKind as Kind;
use crate::diagnosis::rules::facts::{self, is_enhanced, says_any};
use crate::diagnosis::rules::smtp::envelope_finding::finding;
use crate::diagnosis::wording::{self, Circumstances};
use crate::diagnosis::{Check, Finding, Rule};
use crate::protocol::smtp::{Exchange, Reply, Verb};
use crate::session::Session;

/// Beside a word for the size of a message.
const TOO_MUCH: [&str; 8] = [
    "exceeds",
    "exceeded",
    "exceed",
    "too long",
    "too large",
    "too big",
    "limit",
    "maximum",
];
/// Words for what mail is addressed to, as servers write them.
const ADDRESSEE: [&str; 18] = [
    "user",
    "recipient",
    "mailbox",
    "account",
    "address",
    "alias",
    "addressee",
    "person",
    "benutzer",
    "empfaenger",
    "empfänger",
    "utilisateur",
    "destinataire",
    "usuario",
    "destinatario",
    "utente",
    "postfach",
    "gebruiker",
];
/// Beside one of these: it is not there.
const MISSING: [&str; 17] = [
    "unknown",
    "not known",
    "no such",
    "not found",
    "nonexistent",
    "non existent",
    "not exist",
    "doesn't exist",
    "no mailbox",
    "no longer valid",
    "not valid",
    "isn't valid",
    "unbekannt",
    "inconnu",
    "desconocido",
    "sconosciuto",
    "onbekend",
];

/// The rules of this family, each with its kind.
fn family() -> impl Iterator<Item = (&'static Rule, Kind)> {
    super::RULES.iter().filter_map(|rule| match rule.check {
        Check::Refusal(kind) => Some((*rule, kind)),
        Check::Session(_) | Check::Insight => None,
    })
}

/// The kind that a diagnosis stands for; [`Kind::Elsewhere`] for one that this family does not know.
fn kind_of_diagnosis(slug: &str) -> Kind {
    family()
        .find(|(rule, _)| rule.slug == slug)
        .map_or(Kind::Elsewhere, |(_, kind)| kind)
}

/// A refusal and where it stands.
#[derive(Clone, Copy)]
pub(in crate::diagnosis) struct Refusal<'a> {
    /// Where it stands.
    pub(super) place: Place,
    /// The command that was refused; `None` for the greeting.
    pub(super) exchange: Option<&'a Exchange>,
    /// The refusal.
    pub(in crate::diagnosis) reply: &'a Reply,
    /// DATA: a recipient of this mail had been accepted.
    has_recipients: bool,
    /// What its provider is known to mean.
    pub(in crate::diagnosis) text: Option<&'static ProviderText>,
    /// What it is about.
    kind: Kind,
    /// Only the command that was refused told that; the words of the reply did not.
    pub(super) unclear: bool,
}

impl Refusal<'_> {
    /// It came behind the mail data.
    pub(super) fn after_data(&self) -> bool {
        self.place == Place::End
    }

    fn is_bdat(&self) -> bool {
        self.exchange.is_some_and(|exchange| exchange.verb == Verb::Bdat)
    }
}

/// Whether a refusal is of one kind.
type Question = fn(&Refusal<'_>) -> bool;

/// The questions in the order of their precedence.
const QUESTIONS: [(Question, Kind); 13] = [
    (is_elsewhere, Kind::Elsewhere),
    (is_blocklist, Kind::Blocklist),
    (is_domain_auth, Kind::DomainAuth),
    (is_reverse_dns, Kind::ReverseDns),
    (is_too_big, Kind::TooBig),
    (is_quota, Kind::Quota),
    (is_greylist, Kind::Greylist),
    (is_rate_limit, Kind::RateLimit),
    (is_relay, Kind::RelayDenied),
    (is_sender, Kind::SenderRejected),
    (is_user_unknown, Kind::UserUnknown),
    (is_content, Kind::Content),
    (is_temporary, Kind::Temporary),
];

/// What says nothing that we know is sorted by what was refused: no refused MAIL, RCPT or DATA is passed over in silence.
const UNCLEAR: [(Question, Kind); 4] = [
    (is_unclear_policy, Kind::RelayDenied),
    (is_unclear_recipient, Kind::UserUnknown),
    (is_unclear_sender, Kind::SenderRejected),
    (is_unclear_data, Kind::Content),
];

/// Refusals that this family sorts, in the order of the dialogue, each with its kind.
pub(in crate::diagnosis) fn refusals(session: &Session) -> Vec<Refusal<'_>> {
    let dialogue = session.smtp.as_deref();
    let greeting = dialogue.and_then(|dialogue| dialogue.greeting.as_ref());
    let greeting = greeting.filter(|reply| reply.class() >= 4).map(|reply| (None, reply));
    let commands = session
        .exchanges()
        .iter()
        .filter_map(|exchange| Some((Some(exchange), facts::refusal(exchange)?)));
    greeting
        .into_iter()
        .chain(commands)
        .filter_map(|(exchange, reply)| sort(session, exchange, reply))
        .collect()
}

fn sort<'a>(session: &Session, exchange: Option<&'a Exchange>, reply: &'a Reply) -> Option<Refusal<'a>> {
    let place = exchange.map_or(Place::Connect, Place::of);
    let sorted = matches!(
        place,
        Place::Connect | Place::Ehlo | Place::Mail | Place::Rcpt | Place::Data | Place::End
    );
    if !sorted {
        return None;
    }
    let mut refusal = Refusal {
        place,
        exchange,
        reply,
        has_recipients: place == Place::Data && exchange.is_some_and(|data| had_recipients(session, data)),
        text: providers::find(session, place, reply),
        kind: Kind::Elsewhere,
        unclear: false,
    };
    (refusal.kind, refusal.unclear) = kind(&refusal);
    // What was cut off may have told more than code and place do.
    refusal.unclear |= reply.incomplete && matches!(refusal.kind, Kind::Content | Kind::Temporary);
    Some(refusal)
}

/// What is said of the first refused command of a mail where nobody found a cause: its words point to a rule that has no
/// ground here (a login that was asked for again, a line end that is sound), so only what was refused tells its kind.
pub(in crate::diagnosis) fn unexplained(session: &Session, refusals: &[Refusal<'_>]) -> Option<Finding> {
    let (rule, refusal): (&Rule, _) = refusals.iter().find_map(|refusal| {
        let rule = match refusal.place {
            Place::Connect | Place::Ehlo | Place::Auth | Place::Other => return None,
            _ if refusal.reply.class() == 4 => &super::smtp_tempfail::RULE,
            Place::Mail => &super::smtp_sender_rejected::RULE,
            Place::Rcpt => &super::smtp_user_unknown::RULE,
            Place::Data | Place::End => &super::smtp_content_rejected::RULE,
        };
        Some((rule, refusal))
    })?;
    let unclear = Refusal {
        text: None,
        unclear: true,
        ..*refusal
    };
    Some(finding(rule, session, &unclear))
}

/// A recipient of the mail that this DATA belongs to was accepted.
fn had_recipients(session: &Session, data: &Exchange) -> bool {
    let before = session.exchanges().iter().rev().filter(|one| one.index < data.index);
    before
        .take_while(|one| one.verb != Verb::Mail)
        .any(|one| one.verb == Verb::Rcpt && facts::replied(one, |code| code / 100 == 2))
}

/// What a rule says of the first refusal of its kind.
pub(in crate::diagnosis) fn check(
    rule: &'static Rule,
    kind: Kind,
    session: &Session,
    refusals: &[Refusal],
) -> Option<Finding> {
    let first = refusals.iter().find(|refusal| refusal.kind == kind)?;
    Some(finding(rule, session, first))
}

/// The answer to a hello speaks of the client's address, not of its name.
pub(super) fn is_about_address(session: &Session, hello: &Exchange, reply: &Reply) -> bool {
    sort(session, Some(hello), reply)
        .is_some_and(|refusal| matches!(refusal.kind, Kind::Blocklist | Kind::ReverseDns | Kind::RateLimit))
}

/// What a refusal is about: what its provider means, or else what code and words tell. Before MAIL words alone tell only of
/// the client's address.
fn kind(refusal: &Refusal<'_>) -> (Kind, bool) {
    if let Some(text) = refusal.text {
        return (kind_of_diagnosis(text.meaning), false);
    }
    let (told, unclear) = kind_by_words(refusal);
    let before_mail = matches!(refusal.place, Place::Connect | Place::Ehlo);
    if before_mail && !matches!(told, Kind::Blocklist | Kind::ReverseDns) {
        return (Kind::Elsewhere, false);
    }
    (told, unclear)
}

/// The kind that code and words tell, and whether only the command that was refused told it. The same words at the same
/// place are of the same kind.
fn kind_by_words(refusal: &Refusal<'_>) -> (Kind, bool) {
    let reply = refusal.reply;
    let circumstances = Circumstances {
        code: reply.code,
        enhanced: reply.enhanced,
        place: refusal.place,
        bdat: refusal.is_bdat(),
        has_recipients: refusal.has_recipients,
    };
    let sorted = wording::of(reply).sorted(circumstances, || kind_asked(refusal));
    debug_assert_eq!(sorted, kind_asked(refusal), "{reply:?}");
    sorted
}

/// The same, asked of the words.
fn kind_asked(refusal: &Refusal<'_>) -> (Kind, bool) {
    let answer = |questions: &[(Question, Kind)]| {
        let told = questions.iter().find(|(asks, _)| asks(refusal));
        told.map(|(_, kind)| *kind)
    };
    let clear = answer(&QUESTIONS).map(|kind| (kind, false));
    clear
        .or_else(|| answer(&UNCLEAR).map(|kind| (kind, true)))
        .unwrap_or((Kind::Elsewhere, false))
}

/// The diagnosis that a server's words lead to by themselves, whoever says them: "user unknown".
#[must_use]
pub fn diagnosis_of_words(words: &str) -> Option<&'static str> {
    let reply = |code| Reply::of_words(code, vec![Captured::new(words.as_bytes())].into());
    let tries = [(550, Place::Rcpt), (550, Place::Mail), (450, Place::Rcpt)];
    tries.into_iter().find_map(|(code, place)| {
        let reply = reply(code);
        let refusal = Refusal {
            place,
            exchange: None,
            reply: &reply,
            has_recipients: false,
            text: None,
            kind: Kind::Elsewhere,
            unclear: false,
        };
        let (kind, unclear) = kind_by_words(&refusal);
        let clear = !unclear && kind != Kind::Temporary;
        let (rule, _) = family().find(|(_, one)| *one == kind && clear)?;
        Some(rule.slug)
    })
}

fn is_elsewhere(refusal: &Refusal<'_>) -> bool {
    let reply = refusal.reply;
    facts::wants_starttls(reply)
        || reply.code == 530
        || (facts::wants_login(reply) && !is_relay(refusal))
        || refusal.is_bdat() && reply.enhanced.is_some_and(|(_, subject, _)| subject == 5)
        || says_any(
            reply,
            &[
                "helo command rejected",
                "ehlo command rejected",
                "bare <lf>",
                "bare lf",
                "bare newline",
                "bare cr",
                "synchronization",
                "pipelining",
                "no valid recipients",
                "need rcpt",
                "need mail",
                "smtputf8",
                "line too long",
            ],
        )
        || (matches!(reply.code, 500..=504 | 555) && !refusal.after_data())
}

fn is_blocklist(refusal: &Refusal<'_>) -> bool {
    let reply = refusal.reply;
    says_any(
        reply,
        &[
            "blocked using",
            "dnsbl",
            "rbl",
            "blocklist",
            "blacklist",
            "black list",
            "block list",
            "is listed",
            "listed in",
            "listed at",
        ],
    ) || facts::says_near(reply, &["reputation"], &["poor", "bad", "low"])
}

fn is_domain_auth(refusal: &Refusal<'_>) -> bool {
    let reply = refusal.reply;
    let coded = reply.enhanced.is_some_and(|(_, subject, detail)| {
        subject == 7 && (matches!(detail, 20..=22 | 24 | 26 | 29) || (detail == 23 && !reply.says("ptr")))
    });
    let word = says_any(reply, &["spf", "dkim", "dmarc"]);
    word || (coded
        && says_any(
            reply,
            &["authenticat", "policy", "unauthenticated", "aligned", "sender"],
        ))
}

fn is_reverse_dns(refusal: &Refusal<'_>) -> bool {
    let reply = refusal.reply;
    is_enhanced(reply, 7, 25)
        || says_any(
            reply,
            &[
                "reverse hostname",
                "cannot find your hostname",
                "reverse dns",
                "reverse mapping",
                "ptr record",
                "no ptr",
                "rdns",
                "does not have a ptr",
            ],
        )
}

fn is_too_big(refusal: &Refusal<'_>) -> bool {
    let reply = refusal.reply;
    is_enhanced(reply, 3, 4)
        || is_enhanced(reply, 2, 3)
        || says_any(
            reply,
            &[
                "size exceeds",
                "too big",
                "too large",
                "exceeds the maximum",
                "message size",
                "exceeded message size",
            ],
        )
        || (facts::says_near(reply, &["size", "length", "bytes", "octets"], &TOO_MUCH)
            && !says_any(reply, &["mailbox", "quota"]))
        || (reply.code == 552 && refusal.place == Place::Mail && reply.enhanced.is_none())
}

fn is_quota(refusal: &Refusal<'_>) -> bool {
    let reply = refusal.reply;
    is_enhanced(reply, 2, 2)
        || is_enhanced(reply, 3, 1)
        || says_any(
            reply,
            &[
                "mailbox full",
                "mailbox is full",
                "quota",
                "over quota",
                "insufficient system storage",
                "not enough space",
                "too much mail data",
                "disk full",
            ],
        )
        || facts::says_near(reply, &["mailbox", "quota"], &["full", "exceeded", "exceeds", "limit"])
        || (matches!(reply.code, 452 | 552) && reply.enhanced.is_none() && reply.says("storage"))
}

fn is_greylist(refusal: &Refusal<'_>) -> bool {
    let reply = refusal.reply;
    reply.class() == 4
        && (says_any(
            reply,
            &[
                "greylist",
                "graylist",
                "grey-list",
                "gray-list",
                "postgrey",
                "deferred for",
                "first contact",
            ],
        ) || (refusal.place != Place::Connect
            && reply.code == 450
            && reply.says("service currently unavailable")
            && is_enhanced(reply, 3, 2)))
}

fn is_rate_limit(refusal: &Refusal<'_>) -> bool {
    let reply = refusal.reply;
    is_enhanced(reply, 5, 3)
        || is_enhanced(reply, 7, 28)
        || is_enhanced(reply, 4, 5)
        || (says_any(reply, &[" rate "]) && says_any(reply, &["limit", "exceed"]))
        || says_any(
            reply,
            &[
                "too many connections",
                "too many messages",
                "too many recipients",
                "too much mail",
                "too many concurrent",
                "rate limit",
                "rate exceeded",
                "sending rate",
                "throttl",
                "tss0",
                "daily limit",
                "hourly limit",
                "sending limit",
                "limit exceeded",
            ],
        )
        || facts::says_near(
            reply,
            &[
                "connections",
                "messages",
                "recipients",
                "mails",
                "emails",
                "sessions",
                "deliveries",
            ],
            &["too many"],
        )
        || (reply.class() == 4 && facts::says_near(reply, &["deferred"], &["complaints", "volume", "activity"]))
}

fn is_relay(refusal: &Refusal<'_>) -> bool {
    let reply = refusal.reply;
    // The relay is somebody who does not answer the server, not something that the client may not do.
    let server_cannot = reply.class() == 4 && says_any(reply, &["connect", "timeout", "timed out", "unavailable"]);
    (says_any(reply, &["relay"]) && !server_cannot)
        || says_any(
            reply,
            &[
                "cannot deliver mail for",
                "rcpthosts",
                "non-local",
                "not a local domain",
            ],
        )
}

fn is_sender(refusal: &Refusal<'_>) -> bool {
    let reply = refusal.reply;
    let worded = says_any(
        reply,
        &[
            "sender address rejected",
            "not owned by user",
            "not logged in",
            "sender rejected",
            "sender verify",
            "invalid sender",
            "sender domain",
            "sender denied",
        ],
    );
    worded
        || is_enhanced(reply, 1, 7)
        || is_enhanced(reply, 1, 8)
        || is_enhanced(reply, 7, 27)
        || (refusal.place == Place::Mail
            && reply.class() == 5
            && says_any(reply, &["domain not found", "does not exist", "domain of sender"]))
}

fn is_user_unknown(refusal: &Refusal<'_>) -> bool {
    let reply = refusal.reply;
    let coded = reply.enhanced.is_some_and(|(_, subject, detail)| {
        (subject == 1 && matches!(detail, 1 | 2 | 3 | 6 | 10)) || (subject == 2 && matches!(detail, 1 | 4))
    });
    let worded = says_any(
        reply,
        &[
            "user unknown",
            "unknown user",
            "no such user",
            "no such mailbox",
            "no such recipient",
            "unrouteable",
            "unroutable",
            "mailbox unavailable",
            "mailbox not found",
            "does not exist",
            "invalid recipient",
            "recipient not found",
            "unknown recipient",
            "user not found",
            "address unknown",
            "null mx",
            "mailbox disabled",
            "account disabled",
            "mailbox is disabled",
            "mailing list expansion problem",
        ],
    ) || (facts::says_near(reply, &ADDRESSEE, &MISSING)
        && !says_any(reply, &["sender", "client", "host"]));
    let here = matches!(refusal.place, Place::Rcpt | Place::Data | Place::End);
    here && reply.class() == 5 && (coded || worded || reply.code == 556)
}

fn is_content(refusal: &Refusal<'_>) -> bool {
    let reply = refusal.reply;
    refusal.after_data() && reply.class() == 5 || says_any(reply, &["virus", "spam", "content rejected", "attachment"])
}

fn is_temporary(refusal: &Refusal<'_>) -> bool {
    let reply = refusal.reply;
    reply.class() == 4
}

/// RCPT refused for a reason of policy (RFC 3463, section 3.8) that the reply does not name.
fn is_unclear_policy(refusal: &Refusal<'_>) -> bool {
    let reply = refusal.reply;
    is_unclear_recipient(refusal) && reply.enhanced.is_some_and(|(_, subject, _)| subject == 7)
}

fn is_unclear_recipient(refusal: &Refusal<'_>) -> bool {
    let reply = refusal.reply;
    refusal.place == Place::Rcpt && reply.class() == 5
}

fn is_unclear_sender(refusal: &Refusal<'_>) -> bool {
    let reply = refusal.reply;
    refusal.place == Place::Mail && reply.class() == 5
}

/// DATA refused though recipients had been accepted, before a word of the mail was sent.
fn is_unclear_data(refusal: &Refusal<'_>) -> bool {
    refusal.place == Place::Data && refusal.reply.class() == 5 && refusal.has_recipients
}
