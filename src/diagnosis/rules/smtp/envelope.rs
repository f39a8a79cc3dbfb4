//! Sorts refusals of MAIL, RCPT and mail data into the catalogue's kinds: by what their provider is known to mean, then by
//! enhanced code and the server's words. Each refusal has exactly one kind, so that no two rules claim it; the order of the
//! questions is the precedence. A greeting or the answer to EHLO that refuses the client's address is sorted as well.

use crate::captured::Captured;
use crate::diagnosis::providers::{self, Place, ProviderText};
use crate::diagnosis::rules::facts::{self, is_enhanced, says_any};
use crate::protocol::smtp::{Exchange, Reply, ReplyDefects, Verb};
use crate::session::Session;
use crate::span::{Direction, Span, Stamp};

/// What a refusal is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// Third-party relay.
    RelayDenied,
    /// Mailbox or domain does not exist.
    UserUnknown,
    /// No room.
    Quota,
    /// The reverse-path.
    SenderRejected,
    /// Reverse DNS of the client.
    ReverseDns,
    /// A blocklist.
    Blocklist,
    /// SPF, DKIM, DMARC.
    DomainAuth,
    /// Greylisting.
    Greylist,
    /// Rate, connections, recipients.
    RateLimit,
    /// Message size.
    TooBig,
    /// Message content.
    Content,
    /// A temporary problem of the server.
    Temporary,
    /// Something that another rule speaks of: login, STARTTLS, HELO, order, form, line ends.
    Elsewhere,
}

impl Kind {
    /// The kind that a diagnosis stands for; [`Kind::Elsewhere`] for one that this family does not know.
    fn of_diagnosis(slug: &str) -> Self {
        KINDS
            .iter()
            .find(|(one, _)| *one == slug)
            .map_or(Self::Elsewhere, |(_, kind)| *kind)
    }
}

/// The diagnosis of each kind.
const KINDS: [(&str, Kind); 12] = [
    ("smtp-relay-denied", Kind::RelayDenied),
    ("smtp-user-unknown", Kind::UserUnknown),
    ("smtp-storage-or-quota", Kind::Quota),
    ("smtp-sender-rejected", Kind::SenderRejected),
    ("smtp-client-rdns-rejected", Kind::ReverseDns),
    ("smtp-dnsbl-rejected", Kind::Blocklist),
    ("smtp-domain-auth-rejected", Kind::DomainAuth),
    ("smtp-greylisted", Kind::Greylist),
    ("smtp-rate-limited", Kind::RateLimit),
    ("smtp-message-too-big", Kind::TooBig),
    ("smtp-content-rejected", Kind::Content),
    ("smtp-tempfail", Kind::Temporary),
];

/// A refusal and where it stands.
#[derive(Clone, Copy)]
pub(super) struct Refusal<'a> {
    /// Where it stands.
    pub(super) place: Place,
    /// The command that was refused; `None` for the greeting.
    pub(super) exchange: Option<&'a Exchange>,
    /// The refusal.
    pub(super) reply: &'a Reply,
    /// DATA: a recipient of this mail had been accepted.
    has_recipients: bool,
}

impl Refusal<'_> {
    /// It came behind the mail data.
    pub(super) fn after_data(&self) -> bool {
        self.place == Place::End
    }

    fn is_bdat(&self) -> bool {
        self.exchange.is_some_and(|exchange| exchange.verb == Verb::Bdat)
    }

    /// What its provider is known to mean.
    pub(super) fn text(&self, session: &Session) -> Option<&'static ProviderText> {
        providers::find(session, self.place, self.reply)
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

/// Refusals that this family sorts, in the order of the dialogue.
fn refusals(session: &Session) -> impl Iterator<Item = Refusal<'_>> {
    let dialogue = session.smtp.as_deref();
    let greeting = dialogue.and_then(|dialogue| dialogue.greeting.as_ref());
    let greeting = greeting.filter(|reply| reply.class() >= 4).map(|reply| Refusal {
        place: Place::Connect,
        exchange: None,
        reply,
        has_recipients: false,
    });
    let commands = session.exchanges().iter().filter_map(|exchange| {
        let reply = facts::refusal(exchange)?;
        let place = Place::of(exchange);
        Some(Refusal {
            place,
            exchange: Some(exchange),
            reply,
            has_recipients: place == Place::Data && had_recipients(session, exchange),
        })
    });
    greeting.into_iter().chain(commands).filter(|refusal| {
        matches!(
            refusal.place,
            Place::Connect | Place::Ehlo | Place::Mail | Place::Rcpt | Place::Data | Place::End
        )
    })
}

/// The first refusal of a mail, for a session in which nobody else found a cause: its words point to a rule that has no
/// ground here (a login that is asked for again, a line end that is sound), so only what was refused tells its kind.
pub(super) fn unexplained(session: &Session) -> Option<(Refusal<'_>, Kind)> {
    refusals(session).find_map(|refusal| {
        let kind = match refusal.place {
            Place::Connect | Place::Ehlo | Place::Auth | Place::Other => return None,
            _ if refusal.reply.class() == 4 => Kind::Temporary,
            Place::Mail => Kind::SenderRejected,
            Place::Rcpt => Kind::UserUnknown,
            Place::Data | Place::End => Kind::Content,
        };
        Some((refusal, kind))
    })
}

/// A recipient of the mail that this DATA belongs to was accepted.
fn had_recipients(session: &Session, data: &Exchange) -> bool {
    let before = session.exchanges().iter().rev().filter(|one| one.index < data.index);
    before
        .take_while(|one| one.verb != Verb::Mail)
        .any(|one| one.verb == Verb::Rcpt && facts::replied(one, |code| code / 100 == 2))
}

/// The first refusal of a kind.
pub(super) fn first(session: &Session, wanted: Kind) -> Option<Refusal<'_>> {
    refusals(session).find(|refusal| is(session, refusal, wanted))
}

/// The answer to a hello speaks of the client's address, not of its name.
pub(super) fn is_about_address(session: &Session, hello: &Exchange, reply: &Reply) -> bool {
    let refusal = Refusal {
        place: Place::Ehlo,
        exchange: Some(hello),
        reply,
        has_recipients: false,
    };
    let kinds = [Kind::Blocklist, Kind::ReverseDns, Kind::RateLimit];
    kinds.iter().any(|kind| is(session, &refusal, *kind))
}

/// Whether a refusal is of a kind: its own question first, for every rule of the family asks, and one is answered.
fn is(session: &Session, refusal: &Refusal<'_>, wanted: Kind) -> bool {
    if let Some(text) = refusal.text(session) {
        return Kind::of_diagnosis(text.meaning) == wanted;
    }
    let before_mail = matches!(refusal.place, Place::Connect | Place::Ehlo);
    if before_mail && !matches!(wanted, Kind::Blocklist | Kind::ReverseDns) {
        return false;
    }
    let mut questions = QUESTIONS.iter().chain(&UNCLEAR);
    let asked = questions.any(|(asks, kind)| *kind == wanted && asks(refusal));
    asked && kind_by_words(refusal) == wanted
}

/// The kind that code and words tell.
fn kind_by_words(refusal: &Refusal<'_>) -> Kind {
    let mut questions = QUESTIONS.iter().chain(&UNCLEAR);
    questions
        .find(|(asks, _)| asks(refusal))
        .map_or(Kind::Elsewhere, |(_, kind)| *kind)
}

/// The diagnosis that a server's words lead to by themselves, whoever says them: "user unknown".
#[must_use]
pub fn diagnosis_of_words(words: &str) -> Option<&'static str> {
    let reply = |code| Reply {
        code,
        enhanced: None,
        lines: vec![Captured::new(words.as_bytes())],
        span: Span {
            direction: Direction::ToClient,
            start: 0,
            end: 0,
            first: Stamp::default(),
            last: Stamp::default(),
        },
        defects: ReplyDefects::default(),
        incomplete: false,
    };
    let tries = [(550, Place::Rcpt), (550, Place::Mail), (450, Place::Rcpt)];
    tries.into_iter().find_map(|(code, place)| {
        let reply = reply(code);
        let refusal = Refusal {
            place,
            exchange: None,
            reply: &reply,
            has_recipients: false,
        };
        let kind = kind_by_words(&refusal);
        let clear = !is_unclear(&refusal) && kind != Kind::Temporary;
        let (slug, _) = KINDS.iter().find(|(_, one)| *one == kind && clear)?;
        Some(*slug)
    })
}

fn is_elsewhere(refusal: &Refusal<'_>) -> bool {
    let reply = refusal.reply;
    facts::wants_starttls(reply)
        || reply.code == 530
        || refusal.is_bdat() && reply.enhanced.is_some_and(|(_, subject, _)| subject == 5)
        || says_any(
            reply,
            &[
                "authentication required",
                "not authenticated",
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
    )
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
}

fn is_relay(refusal: &Refusal<'_>) -> bool {
    let reply = refusal.reply;
    says_any(reply, &["relay", "relaying", "cannot deliver mail for"])
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
    );
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

/// Only the command that was refused told the kind; the words of the reply did not.
pub(super) fn is_unclear(refusal: &Refusal<'_>) -> bool {
    let answers = |(asks, _): &(Question, Kind)| asks(refusal);
    !QUESTIONS.iter().any(answers) && UNCLEAR.iter().any(answers)
}
