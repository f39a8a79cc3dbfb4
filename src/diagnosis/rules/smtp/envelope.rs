//! Sorts refusals of MAIL, RCPT and mail data into the catalogue's kinds, by enhanced code and by the server's words. Each
//! refusal has exactly one kind, so that no two rules claim it; the order of the questions is the precedence.

use crate::captured::Captured;
use crate::diagnosis::rule::RefusalKind as Kind;
use crate::diagnosis::rules::facts::{self, is_enhanced, says_any};
use crate::diagnosis::{Confidence, Evidence, Finding, Rule, Severity};
use crate::protocol::smtp::{Detail, Exchange, Reply, Verb};
use crate::session::{Session, Stage};

/// A refusal and what it is about.
pub(in crate::diagnosis) struct Refusal<'s> {
    kind: Kind,
    exchange: &'s Exchange,
    reply: &'s Reply,
}

/// Whether a refusal is of one kind.
type Question = fn(&Exchange, &Reply) -> bool;

/// The questions in the order of their precedence.
const QUESTIONS: [(Question, Kind); 16] = [
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
    // What says nothing that we know is sorted by what was refused: no refused MAIL or RCPT is passed over in silence.
    (is_unclear_policy, Kind::RelayDenied),
    (is_unclear_recipient, Kind::UserUnknown),
    (is_unclear_sender, Kind::SenderRejected),
];

/// Every refusal of a session, sorted.
pub(in crate::diagnosis) fn refusals(session: &Session) -> Vec<Refusal<'_>> {
    facts::refused_mail(session)
        .map(|(exchange, reply)| Refusal {
            kind: kind(exchange, reply),
            exchange,
            reply,
        })
        .collect()
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

/// The kind of a refusal.
fn kind(exchange: &Exchange, reply: &Reply) -> Kind {
    QUESTIONS
        .iter()
        .find(|(asks, _)| asks(exchange, reply))
        .map_or(Kind::Elsewhere, |(_, kind)| *kind)
}

fn after_data(exchange: &Exchange) -> bool {
    exchange.mail_data().is_some()
}

fn is_elsewhere(exchange: &Exchange, reply: &Reply) -> bool {
    facts::wants_starttls(reply)
        || reply.code == 530
        || exchange.verb == Verb::Bdat && reply.enhanced.is_some_and(|(_, subject, _)| subject == 5)
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
        || (matches!(reply.code, 500..=504 | 555) && !after_data(exchange))
}

fn is_blocklist(_: &Exchange, reply: &Reply) -> bool {
    says_any(
        reply,
        &[
            "blocked using",
            "spamhaus",
            "spamcop",
            "barracuda",
            "dnsbl",
            "rbl",
            "blocklist",
            "blacklist",
            "black list",
            "block list",
            "banned sending ip",
            "is listed",
            "listed in",
            "listed at",
            "open resolver",
            "s3140",
            "s3150",
        ],
    )
}

fn is_domain_auth(_: &Exchange, reply: &Reply) -> bool {
    let coded = reply.enhanced.is_some_and(|(_, subject, detail)| {
        subject == 7 && (matches!(detail, 20..=22 | 26 | 27 | 32 | 509) || (detail == 23 && !reply.says("ptr")))
    });
    let word = says_any(reply, &["spf", "dkim", "dmarc"]);
    word || (coded
        && says_any(
            reply,
            &["authenticat", "policy", "unauthenticated", "aligned", "sender"],
        ))
}

fn is_reverse_dns(_: &Exchange, reply: &Reply) -> bool {
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

fn is_too_big(exchange: &Exchange, reply: &Reply) -> bool {
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
        || (reply.code == 552 && exchange.verb == Verb::Mail && reply.enhanced.is_none())
}

fn is_quota(_: &Exchange, reply: &Reply) -> bool {
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

fn is_greylist(exchange: &Exchange, reply: &Reply) -> bool {
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
        ) || (matches!(exchange.verb, Verb::Rcpt | Verb::Data | Verb::Mail)
            && reply.code == 450
            && reply.says("service currently unavailable")
            && is_enhanced(reply, 3, 2)))
}

fn is_rate_limit(_: &Exchange, reply: &Reply) -> bool {
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

fn is_relay(_: &Exchange, reply: &Reply) -> bool {
    says_any(reply, &["relay", "relaying", "cannot deliver mail for"])
}

fn is_sender(exchange: &Exchange, reply: &Reply) -> bool {
    let worded = says_any(
        reply,
        &[
            "sender address rejected",
            "not owned by user",
            "not logged in",
            "send as denied",
            "sendasdenied",
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
        || is_enhanced(reply, 7, 60)
        || (exchange.verb == Verb::Mail
            && reply.class() == 5
            && says_any(reply, &["domain not found", "does not exist", "domain of sender"]))
}

fn is_user_unknown(exchange: &Exchange, reply: &Reply) -> bool {
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
    let here = exchange.verb == Verb::Rcpt || after_data(exchange);
    let disabled = is_enhanced(reply, 4, 1) && reply.says("access denied");
    here && reply.class() == 5 && (coded || worded || disabled || reply.code == 556)
}

fn is_content(exchange: &Exchange, reply: &Reply) -> bool {
    after_data(exchange) && reply.class() == 5 || says_any(reply, &["virus", "spam", "content rejected", "attachment"])
}

fn is_temporary(_: &Exchange, reply: &Reply) -> bool {
    reply.class() == 4
}

/// RCPT refused for a reason of policy (RFC 3463, section 3.8) that the reply does not name.
fn is_unclear_policy(exchange: &Exchange, reply: &Reply) -> bool {
    is_unclear_recipient(exchange, reply) && reply.enhanced.is_some_and(|(_, subject, _)| subject == 7)
}

fn is_unclear_recipient(exchange: &Exchange, reply: &Reply) -> bool {
    exchange.verb == Verb::Rcpt && reply.class() == 5
}

fn is_unclear_sender(exchange: &Exchange, reply: &Reply) -> bool {
    exchange.verb == Verb::Mail && reply.class() == 5
}

/// Only the command that was refused told the kind; the words of the reply did not.
fn is_unclear(refusal: &Refusal) -> bool {
    let clear: [Question; 3] = [is_relay, is_user_unknown, is_sender];
    let any: [Question; 2] = [is_unclear_recipient, is_unclear_sender];
    let answers = |asks: &Question| asks(refusal.exchange, refusal.reply);
    matches!(
        refusal.kind,
        Kind::RelayDenied | Kind::UserUnknown | Kind::SenderRejected
    ) && any.iter().any(answers)
        && !clear.iter().any(answers)
}

/// The finding of a refusal with the values that the rules of this family share.
fn finding(rule: &'static Rule, session: &Session, refusal: &Refusal) -> Finding {
    let Refusal { exchange, reply, .. } = *refusal;
    let stage = match exchange.verb {
        Verb::Mail => Stage::Mail,
        Verb::Rcpt => Stage::Rcpt,
        _ => Stage::FinalReply,
    };
    let transaction = session.transactions.iter().find(|one| {
        session
            .exchanges()
            .get(one.mail)
            .is_some_and(|mail| mail.index <= exchange.index)
            && covers(session, one, exchange)
    });
    let accepted = transaction.map_or(0, |one| {
        one.recipients
            .iter()
            .filter(|recipient| recipient.code.is_some_and(|code| code < 300))
            .count()
    });
    let recipient = match &exchange.detail {
        Detail::Rcpt {
            forward_path: Some(path),
            ..
        } => Some(path.address.clone()),
        _ => None,
    };
    let sender = transaction
        .map(|one| one.reverse_path.clone())
        .filter(|path| !path.is_empty());
    let size = exchange.mail_data().map(|data| data.size);
    let limit = facts::list_before(session, exchange).and_then(size_limit);
    let logged_in = facts::authenticated(session);
    let unclear = is_unclear(refusal);
    let used = [
        ("reply", Some(crate::diagnosis::Value::Captured(facts::words(reply)))),
        ("recipient", recipient.map(crate::diagnosis::Value::Captured)),
        ("sender", sender.clone().map(crate::diagnosis::Value::Captured)),
        (
            "domain",
            sender.as_ref().and_then(domain).map(crate::diagnosis::Value::Captured),
        ),
        ("client", Some(session.connection.client.address.to_string().into())),
        ("later", (reply.class() == 4).then(|| "yes".into())),
        ("logged_in", logged_in.then(|| "yes".into())),
        (
            "others",
            (accepted > 0 && exchange.verb == Verb::Rcpt).then(|| accepted.into()),
        ),
        (
            "accepted",
            (accepted > 0 && is_enhanced(reply, 5, 3)).then(|| accepted.into()),
        ),
        ("unclear", unclear.then(|| "yes".into())),
        ("after_data", after_data(exchange).then(|| "yes".into())),
        (
            "declared",
            transaction.and_then(|one| one.declared_size).map(Into::into),
        ),
        ("size", size.map(Into::into)),
        ("limit", limit.map(Into::into)),
        (
            "resolver",
            says_any(
                reply,
                &["127.255.255.", "open resolver", "public resolver", "excessive queries"],
            )
            .then(|| "yes".into()),
        ),
    ];
    let mut finding = Finding::of(rule, stage, Evidence::reply(reply)).and(Evidence::command(exchange));
    if unclear {
        finding = finding.as_sure_as(Confidence::Possible);
    }
    for (name, value) in used {
        if let Some(value) = value.filter(|_| is_used(rule, name)) {
            finding = finding.with(name, value);
        }
    }
    // A mail that was accepted in the end, or another recipient's mail, makes the refusal no less true for this one.
    if rule.severity == Severity::Note {
        finding.as_severity(Severity::Fail)
    } else {
        finding
    }
}

/// The rule's sentences speak of this value.
fn is_used(rule: &Rule, name: &str) -> bool {
    let text = rule.texts.english.as_bytes();
    memchr::memmem::find_iter(text, name).any(|at| {
        let before = text.get(..at).unwrap_or_default();
        let opened = [&b"{"[..], b"{?", b"{!"]
            .iter()
            .any(|opening| before.ends_with(opening));
        opened && text.get(at + name.len()) == Some(&b'}')
    })
}

fn covers(session: &Session, transaction: &crate::session::Transaction, exchange: &Exchange) -> bool {
    let index = |position: usize| session.exchanges().get(position).map(|one| one.index);
    index(transaction.mail) == Some(exchange.index)
        || transaction.data.and_then(index) == Some(exchange.index)
        || transaction
            .recipients
            .iter()
            .any(|recipient| index(recipient.exchange) == Some(exchange.index))
}

fn size_limit(list: &Exchange) -> Option<u64> {
    let line = Session::extensions(list)
        .iter()
        .find(|line| facts::is_keyword(line, "SIZE"))?;
    line.utf8()?
        .split_ascii_whitespace()
        .nth(1)?
        .parse()
        .ok()
        .filter(|limit| *limit > 0)
}

fn domain(address: &Captured) -> Option<Captured> {
    let at = address.bytes().iter().rposition(|byte| *byte == b'@')?;
    address.bytes().get(at + 1..).map(Captured::new)
}
