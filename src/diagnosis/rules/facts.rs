//! Questions that rules of several layers ask of a session. Facts only; no verdicts.

use crate::captured::Captured;
use crate::diagnosis::lists;
use crate::diagnosis::providers::{self, Place};
use crate::diagnosis::wording::{self, Phrases};
pub(super) use crate::protocol::smtp::is_keyword;
use crate::protocol::smtp::{AuthFacts, Detail, Exchange, Reply, Verb};
use crate::session::Session;

/// AUTH exchanges with what they carried.
pub(super) fn auth_attempts(session: &Session) -> impl Iterator<Item = (&Exchange, &AuthFacts)> {
    session
        .exchanges()
        .iter()
        .filter_map(|exchange| match &exchange.detail {
            Detail::Auth(facts) => Some((exchange, &**facts)),
            _ => None,
        })
}

/// A login succeeded at some point.
pub(super) fn authenticated(session: &Session) -> bool {
    auth_attempts(session).any(|(exchange, _)| replied(exchange, |code| code == 235))
}

/// The final reply was seen and its code fits.
pub(super) fn replied(exchange: &Exchange, fits: impl Fn(u16) -> bool) -> bool {
    exchange.reply.yes().is_some_and(|reply| fits(reply.code))
}

/// The final reply where it is a refusal, 4xx or 5xx.
pub(super) fn refusal(exchange: &Exchange) -> Option<&Reply> {
    exchange.reply.yes().filter(|reply| reply.class() >= 4)
}

/// The exchange with the extension list that counts at this point: the last EHLO before `before` in the same TLS state
/// that was answered with a complete list.
pub(super) fn list_before<'a>(session: &'a Session, before: &Exchange) -> Option<&'a Exchange> {
    session
        .exchanges()
        .iter()
        .rev()
        .find(|exchange| exchange.index < before.index && exchange.inside_tls == before.inside_tls && is_list(exchange))
}

/// The last extension list seen in clear.
pub(super) fn clear_list(session: &Session) -> Option<&Exchange> {
    session
        .exchanges()
        .iter()
        .rev()
        .find(|exchange| !exchange.inside_tls && is_list(exchange))
}

fn is_list(exchange: &Exchange) -> bool {
    matches!(exchange.verb, Verb::Ehlo | Verb::Lhlo)
        && exchange
            .reply
            .yes()
            .is_some_and(|reply| reply.class() == 2 && !reply.incomplete)
}

/// The first word of an extension line, before a blank or "=".
pub(super) fn keyword(line: &Captured) -> &[u8] {
    line.bytes()
        .split(|byte| matches!(byte, b' ' | b'='))
        .next()
        .unwrap_or_default()
}

/// True where a list has this keyword.
pub(super) fn offers(list: &Exchange, name: &str) -> bool {
    Session::extensions(list).iter().any(|line| is_keyword(line, name))
}

/// True where a list has one of these AUTH mechanisms.
pub(super) fn offers_mechanism(list: &Exchange, names: &[&str]) -> bool {
    let lines = Session::extensions(list).iter();
    lists::mechanism_words(lines.filter(|line| is_keyword(line, "AUTH")))
        .any(|word| names.iter().any(|name| word.eq_ignore_ascii_case(name.as_bytes())))
}

/// The AUTH mechanisms of a list, upper case, each once.
pub(super) fn mechanisms(list: &Exchange) -> Vec<Captured> {
    let lines = Session::extensions(list).iter();
    let mut found: Vec<Captured> = lists::each_mechanism(lines.filter(|line| is_keyword(line, "AUTH"))).collect();
    let mut seen = Vec::new();
    found.retain(|one| {
        let new = !seen.contains(one);
        seen.push(one.clone());
        new
    });
    found
}

/// Subject and detail of the enhanced status code are these.
pub(super) fn is_enhanced(reply: &Reply, subject: u16, detail: u16) -> bool {
    reply
        .enhanced
        .is_some_and(|(_, one, other)| one == subject && other == detail)
}

/// One of the phrases stands in the reply, ASCII case ignored.
pub(super) fn says_any(reply: &Reply, phrases: Phrases) -> bool {
    wording::of(reply).says_any(phrases)
}

/// How many words may stand between two words that belong together: "User <nobody> unknown", "unknown or disabled mailbox".
const WITHIN: usize = 3;

/// The reply says one of `words` and close to it one of `phrases`, ASCII case ignored; addresses do not count as words.
pub(super) fn says_near(reply: &Reply, words: Phrases, phrases: Phrases) -> bool {
    wording::of(reply).says_near(words, phrases, |line| are_near(line, words, phrases))
}

fn are_near(line: &Captured, words: Phrases, phrases: Phrases) -> bool {
    let text = String::from_utf8_lossy(line.bytes()).to_lowercase();
    let said: Vec<&str> = text
        .split_whitespace()
        .filter(|word| !word.contains(['@', '<']))
        .flat_map(|word| word.split(|letter: char| !letter.is_alphanumeric() && letter != '\''))
        .filter(|word| !word.is_empty())
        .collect();
    let at = |phrase: &str| -> Vec<usize> {
        let phrase: Vec<&str> = phrase.split(' ').collect();
        let windows = said.windows(phrase.len()).enumerate();
        windows
            .filter(|(_, window)| *window == phrase)
            .map(|(place, _)| place)
            .collect()
    };
    let nouns: Vec<usize> = words.iter().flat_map(|word| at(word)).collect();
    let mut places = phrases.iter().flat_map(|phrase| at(phrase));
    places.any(|place| nouns.iter().any(|noun| noun.abs_diff(place) <= WITHIN))
}

/// The server asks for a login in these words (RFC 4954, section 6), whatever the code.
pub(super) fn wants_login(reply: &Reply) -> bool {
    let worded = says_any(
        reply,
        &[
            "not authenticated",
            "must authenticate",
            "please authenticate",
            "need to authenticate",
            "authenticate first",
            "auth required",
            "smtp auth",
        ],
    );
    const WANTED: Phrases = &["required", "requires", "require", "needed", "needs", "must"];
    // Authentication of the sender's domain is another matter.
    const OF_DOMAIN: Phrases = &[
        "authentication level",
        "spf",
        "dkim",
        "dmarc",
        "sender authentication",
        "domain authentication",
    ];
    worded || (says_near(reply, &["authentication", "login"], WANTED) && !says_any(reply, OF_DOMAIN))
}

/// Whether a refusal is known to lead to this diagnosis, by its provider's words; `None` where they are not known.
pub(super) fn provider_means(session: &Session, exchange: &Exchange, reply: &Reply, slug: &str) -> Option<bool> {
    providers::find(session, Place::of(exchange), reply).map(|text| text.meaning == slug)
}

/// The reply's first line with its code, as the server's words.
pub(super) use crate::diagnosis::finding::words;

/// Octets of mail data that was begun and not ended, where none of it is missing from the capture: the server has no mail.
pub(super) fn unfinished_octets(exchange: &Exchange) -> Option<u64> {
    match exchange.mail_data() {
        Some(data) => (data.ended.is_none() && data.missing == 0).then_some(data.size),
        None if exchange.verb == Verb::Data => exchange
            .intermediate()
            .iter()
            .any(|reply| reply.code == 354)
            .then_some(0),
        None => None,
    }
}

/// The server asks for STARTTLS or encryption in these words.
pub(super) fn wants_starttls(reply: &Reply) -> bool {
    says_any(
        reply,
        &[
            "starttls",
            "must issue a tls",
            "tls required",
            "requires tls",
            "encryption required",
            "encryption needed",
            "secure connection",
            "over tls",
            "use tls",
            "tls is required",
        ],
    )
}

/// MAIL, RCPT, DATA and BDAT exchanges that were refused, with the reply.
pub(super) fn refused_mail(session: &Session) -> impl Iterator<Item = (&Exchange, &Reply)> {
    session
        .exchanges()
        .iter()
        .filter(|exchange| matches!(exchange.verb, Verb::Mail | Verb::Rcpt | Verb::Data | Verb::Bdat))
        .filter_map(|exchange| Some((exchange, refusal(exchange)?)))
}

/// The client's EHLO, HELO or LHLO name in clear, the first.
pub(super) fn hello_name(session: &Session) -> Option<(&Exchange, &Captured)> {
    session.exchanges().iter().find_map(|exchange| match &exchange.detail {
        Detail::Hello { name } => Some((exchange, name)),
        _ => None,
    })
}

/// A dialogue in clear, not from inside TLS: what crosses here can be read by everyone on the path.
pub(super) fn in_clear(session: &Session, exchange: &Exchange) -> bool {
    !exchange.inside_tls && !session.smtp.as_ref().is_some_and(|dialogue| dialogue.decrypting_mirror)
}
