//! A finding told in one language: what happened, why, what to do and who, how sure.

use crate::diagnosis::providers::ProviderText;
use crate::diagnosis::{Actor, Confidence, Finding};
use crate::text::explanation::{Explanation, SHOWN_LINES, fill};
use crate::text::values::{Encoder, show};
use crate::text::{Language, Message};

/// A finding's sentences.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Story {
    /// The rule's title.
    pub title: String,
    /// What happened, one clause.
    pub what: String,
    /// Why: found against expected, at most three lines.
    pub why: Vec<String>,
    /// What to do and who, at most three.
    pub remedies: Vec<(Actor, String)>,
    /// What would settle it; empty where the finding is confirmed.
    pub certainty: Vec<String>,
}

/// What a provider means by a text.
#[must_use]
pub const fn meant(text: &ProviderText, language: Language) -> &'static str {
    match language {
        Language::English => text.english,
        Language::Japanese => text.japanese,
    }
}

/// Tells a finding. `encode` is the sink's encoder for captured text.
#[must_use]
pub fn tell(finding: &Finding, language: Language, encode: Encoder) -> Story {
    let explanation = Explanation::of(finding.rule, language);
    let show = |value: &crate::diagnosis::Value| show(value, language, encode);
    let line = |text: &str| fill(text, &finding.values, &show);
    let page = finding.provider.and_then(|text| {
        let values = [("provider", text.provider.name), ("page", text.page?)];
        Some(Message::ProviderPage.say(language, &values))
    });
    Story {
        title: explanation.title.to_owned(),
        what: explanation
            .what
            .iter()
            .find_map(|text| line(text))
            .unwrap_or_else(|| explanation.title.to_owned()),
        why: finding
            .provider
            .map(|text| meant(text, language).to_owned())
            .into_iter()
            .chain(explanation.why.iter().filter_map(|text| line(text)))
            .take(SHOWN_LINES)
            .collect(),
        remedies: explanation
            .remedies
            .iter()
            .filter_map(|(actor, text)| Some((*actor, line(text)?)))
            .take(SHOWN_LINES - usize::from(page.is_some()))
            .chain(page.clone().map(|page| (Actor::Client, page)))
            .collect(),
        certainty: if finding.confidence == Confidence::Confirmed {
            Vec::new()
        } else {
            explanation
                .certainty
                .iter()
                .filter_map(|text| line(text))
                .take(SHOWN_LINES)
                .collect()
        },
    }
}
