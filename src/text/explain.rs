//! Answers `smtpcap explain`: everything that is known under a name or number, in one language, with "did you mean".

use crate::diagnosis::providers::{self, Place, Provider, ProviderText, words_of};
use crate::diagnosis::{Actor, Rule, rules};
use crate::insight::register;
use crate::text::explanation::Explanation;
use crate::text::registry::{
    AUTH_MECHANISMS, EHLO_KEYWORDS, ENHANCED_STATUS, REPLY_CODES, RESPONSE_CODES, Registry, Row, TLS_ALERTS,
};
use crate::text::story::meant;
use crate::text::{Language, Message};

/// One thing that is known under the name asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What kind of thing.
    pub kind: Message,
    /// Its name or number as registered.
    pub name: String,
    /// Its title, where it has one besides its name.
    pub title: Option<String>,
    /// Paragraphs on what it means.
    pub meaning: Vec<String>,
    /// What to do and who, for rules.
    pub remedies: Vec<(Actor, String)>,
    /// Rules that speak of it.
    pub rules: Vec<String>,
    /// References.
    pub references: Vec<String>,
}

/// Names offered where nothing fits.
const SUGGESTIONS: usize = 5;

/// Everything known as `what`; empty where nothing is.
#[must_use]
pub fn explain(what: &str, language: Language) -> Vec<Answer> {
    let what = what.trim().trim_start_matches('[').trim_end_matches(']');
    let mut answers: Vec<Answer> = register()
        .filter(|rule| rule.slug.eq_ignore_ascii_case(what))
        .map(|rule| of_rule(rule, language))
        .collect();
    answers.extend(alerts(what).map(|row| of_row(Message::KindAlert, row, "name", language)));
    answers.extend(exact(REPLY_CODES, what).map(|row| of_row(Message::KindReplyCode, row, "code", language)));
    answers.extend(enhanced(what).map(|row| of_row(Message::KindEnhanced, row, "code", language)));
    answers.extend(exact(AUTH_MECHANISMS, what).map(|row| of_row(Message::KindMechanism, row, "name", language)));
    answers.extend(exact(EHLO_KEYWORDS, what).map(|row| of_row(Message::KindKeyword, row, "keyword", language)));
    answers.extend(exact(RESPONSE_CODES, what).map(|row| of_row(Message::KindResponseCode, row, "code", language)));
    answers.extend(provider(what).flat_map(|provider| of_provider(provider, language)));
    let of_provider = |text: &ProviderText| provider(what).any(|provider| *provider == *text.provider);
    answers.extend(
        providers::texts()
            .filter(|text| is_about(text, what) && !of_provider(text))
            .map(|text| of_text(text, language)),
    );
    answers.extend(words(what, language));
    answers
}

/// A provider is asked for by its word, a word of its name, or one of its hosts.
fn provider(what: &str) -> impl Iterator<Item = &'static Provider> {
    let what = what.to_owned();
    providers::providers().filter(move |provider| {
        let asked = words_of(what.as_bytes());
        let name = words_of(provider.name.as_bytes());
        let named = |asked: &&[u8]| {
            name.iter()
                .any(|word| word.len() > 1 && word.eq_ignore_ascii_case(asked))
        };
        provider.id.eq_ignore_ascii_case(&what)
            || provider.name.eq_ignore_ascii_case(&what)
            || provider.hosts().any(|host| host.eq_ignore_ascii_case(&what))
            || (!asked.is_empty() && asked.iter().all(named))
    })
}

fn of_provider(provider: &'static Provider, language: Language) -> Vec<Answer> {
    let hosts: Vec<&str> = provider.hosts().collect();
    let known = Message::KnownByHosts.say(language, &[("hosts", &hosts.join(", "))]);
    let mut answers = vec![Answer {
        kind: Message::KindProvider,
        name: provider.name.to_owned(),
        title: None,
        meaning: if hosts.is_empty() { Vec::new() } else { vec![known] },
        remedies: Vec::new(),
        rules: Vec::new(),
        references: provider.page.into_iter().map(str::to_owned).collect(),
    }];
    let texts = providers::texts().filter(|text| *text.provider == *provider);
    answers.extend(texts.map(|text| of_text(text, language)));
    answers
}

/// A text is asked for by its key, an enhanced status code that it bears, a word that it alone uses, or a part of it.
fn is_about(text: &ProviderText, what: &str) -> bool {
    if let Some(code) = status(what) {
        return text.has_enhanced(code);
    }
    if providers::texts().any(|text| text.key.eq_ignore_ascii_case(what)) {
        return text.key.eq_ignore_ascii_case(what);
    }
    let asked = words_of(what.as_bytes());
    let numbers_alone = asked.iter().flat_map(|word| *word).all(u8::is_ascii_digit);
    !numbers_alone && text.is_about(what, &asked)
}

/// "5.7.28" as class, subject and detail.
fn status(what: &str) -> Option<(u8, u16, u16)> {
    let mut parts = what.split('.');
    let code = (
        parts.next()?.parse().ok()?,
        parts.next()?.parse().ok()?,
        parts.next()?.parse().ok()?,
    );
    parts.next().is_none().then_some(code)
}

/// Where in the dialogue, as an operator says it.
const fn stage(place: Place, language: Language) -> &'static str {
    match place {
        Place::Connect => Message::StageConnect.word(language),
        Place::Ehlo => "EHLO",
        Place::Auth => "AUTH",
        Place::Mail => "MAIL",
        Place::Rcpt => "RCPT",
        Place::Data => "DATA",
        Place::End => Message::StageEnd.word(language),
        Place::Other => "-",
    }
}

fn of_text(text: &ProviderText, language: Language) -> Answer {
    let mut meaning = vec![meant(text, language).to_owned()];
    let places: Vec<&str> = text.places.iter().map(|place| stage(*place, language)).collect();
    meaning.push(Message::SeenAt.say(language, &[("places", &places.join(", "))]));
    if text.needs_peer {
        meaning.push(Message::OnlyOfOwnServer.say(language, &[("provider", text.provider.name)]));
    }
    Answer {
        kind: Message::KindProviderText,
        name: text.key.to_owned(),
        title: Some(text.example.to_owned()),
        meaning,
        remedies: Vec::new(),
        rules: vec![text.meaning.to_owned()],
        references: text
            .page
            .map(str::to_owned)
            .into_iter()
            .chain([format!("{} ({})", text.source, text.date)])
            .collect(),
    }
}

/// What the words of a reply lead to, whoever says them; not asked for names, which may be misspelt.
fn words(what: &str, language: Language) -> Option<Answer> {
    let is_words = what.contains(' ') || what.bytes().all(|octet| octet.is_ascii_alphabetic());
    let slug = rules::diagnosis_of_words(what).filter(|_| is_words)?;
    let rule = register().find(|rule| rule.slug == slug)?;
    Some(Answer {
        kind: Message::KindWords,
        name: format!("\"{what}\""),
        title: None,
        meaning: vec![Explanation::of(rule, language).title.to_owned()],
        remedies: Vec::new(),
        rules: vec![slug.to_owned()],
        references: Vec::new(),
    })
}

fn exact(registry: Registry, what: &str) -> impl Iterator<Item = Row> {
    let what = what.to_owned();
    registry.rows().filter(move |row| row.key().eq_ignore_ascii_case(&what))
}

fn alerts(what: &str) -> impl Iterator<Item = Row> {
    let what = what.to_owned();
    TLS_ALERTS
        .rows()
        .filter(move |row| row.key() == what || row.field("name").is_some_and(|name| name.eq_ignore_ascii_case(&what)))
}

/// "5.7.1" is asked for as a whole; the table keeps "X.7.1" with the classes that it may have, and vendors' own meanings.
fn enhanced(what: &str) -> impl Iterator<Item = Row> {
    let what = what.to_ascii_uppercase();
    let (class, rest) = what
        .split_once('.')
        .map_or((String::new(), String::new()), |(class, rest)| {
            (class.to_owned(), format!("X.{rest}"))
        });
    ENHANCED_STATUS.rows().filter(move |row| {
        let allowed = class == "X"
            || row
                .field("classes")
                .is_none_or(|classes| classes.split(',').any(|one| one == class));
        row.key().eq_ignore_ascii_case(&what) || (row.key() == rest && allowed)
    })
}

fn of_rule(rule: &'static Rule, language: Language) -> Answer {
    let explanation = Explanation::of(rule, language);
    Answer {
        kind: Message::KindRule,
        name: rule.slug.to_owned(),
        title: Some(explanation.title.to_owned()),
        meaning: explanation.meaning.iter().map(|line| (*line).to_owned()).collect(),
        remedies: explanation
            .remedies
            .iter()
            .map(|(actor, text)| (*actor, generic(text)))
            .collect(),
        rules: Vec::new(),
        references: rule.references.iter().map(|one| (*one).to_owned()).collect(),
    }
}

/// A sentence with its values as names in angle brackets and its conditions left out: for explaining without a case.
#[must_use]
pub fn generic(template: &str) -> String {
    let mut shown = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, behind)) = rest.split_once('{') {
        shown.push_str(before);
        let Some((name, after)) = behind.split_once('}') else {
            break;
        };
        if !name.starts_with(['?', '!']) {
            shown.push('<');
            shown.push_str(name);
            shown.push('>');
        }
        rest = after;
    }
    shown.push_str(rest);
    shown.trim_start().to_owned()
}

fn of_row(kind: Message, row: Row, named: &str, language: Language) -> Answer {
    let name = row.field(named).unwrap_or_default();
    let name = if name == row.key() {
        name.to_owned()
    } else {
        format!("{} {name}", row.key())
    };
    let texts = ["meaning", "note", "state"]
        .iter()
        .filter_map(|column| row.in_language(column, language));
    let mut meaning: Vec<String> = texts.map(str::to_owned).collect();
    if let Some(clear) = row
        .field("clear_on_wire_without_tls")
        .filter(|_| language == Language::English)
    {
        meaning.push(format!("Readable without TLS: {clear}."));
    }
    Answer {
        kind,
        name,
        title: row
            .field("summary")
            .filter(|_| language == Language::English)
            .map(str::to_owned),
        meaning,
        remedies: Vec::new(),
        rules: row
            .field("diagnoses")
            .into_iter()
            .flat_map(|list| list.split(','))
            .map(|slug| slug.trim().to_owned())
            .collect(),
        references: ["rfc", "ref", "spec"]
            .iter()
            .filter_map(|column| row.field(column))
            .map(str::to_owned)
            .collect(),
    }
}

/// Names close to `what`, nearest first.
#[must_use]
pub fn did_you_mean(what: &str) -> Vec<String> {
    let what = what.to_ascii_lowercase();
    let mut names: Vec<String> = register().map(|rule| rule.slug.to_owned()).collect();
    names.extend(TLS_ALERTS.rows().filter_map(|row| row.field("name")).map(str::to_owned));
    for registry in [AUTH_MECHANISMS, EHLO_KEYWORDS, REPLY_CODES, RESPONSE_CODES] {
        names.extend(registry.rows().map(|row| row.key().to_owned()));
    }
    names.extend(providers::providers().map(|provider| provider.id.to_owned()));
    names.extend(providers::texts().flat_map(|text| text.marks().map(str::to_ascii_uppercase)));
    let mut scored: Vec<(usize, String)> = names
        .into_iter()
        .filter_map(|name| {
            let lower = name.to_ascii_lowercase();
            let distance = distance(&what, &lower);
            let close = distance <= what.chars().count() / 3 + 1;
            let part = what.len() >= 3 && lower.contains(&what);
            (close || part).then_some((if part { distance.min(1) } else { distance }, name))
        })
        .collect();
    scored.sort();
    scored.dedup();
    scored.into_iter().take(SUGGESTIONS).map(|(_, name)| name).collect()
}

/// Insertions, deletions and replacements between two words; capped words keep it cheap.
fn distance(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().take(64).collect(), other.chars().take(64).collect());
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.iter().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (cell, b) in row.iter_mut().skip(1).zip(&other) {
            let up = *cell;
            let best = (diagonal + usize::from(a != b)).min(up + 1).min(left + 1);
            diagonal = up;
            left = best;
            *cell = best;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_answers_to_number_and_name() {
        assert_eq!(explain("70", Language::English).len(), 1);
        assert_eq!(explain("protocol_version", Language::Japanese).len(), 1);
    }

    #[test]
    fn codes_mechanisms_and_keywords_answer() {
        for what in [
            "550",
            "5.7.1",
            "cram-md5",
            "starttls",
            "[AUTHENTICATIONFAILED]",
            "tls-protocol-version-refused",
        ] {
            for language in Language::ALL {
                let answers = explain(what, language);
                assert!(answers.iter().any(|answer| !answer.meaning.is_empty()), "{what}");
            }
        }
    }

    #[test]
    fn a_slip_of_the_finger_is_understood() {
        assert!(did_you_mean("protocol_verison").contains(&"protocol_version".to_owned()));
        assert!(did_you_mean("STARTLS").contains(&"STARTTLS".to_owned()));
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
