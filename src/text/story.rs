//! A finding told in one language: what happened, why, what to do and who, how sure.

use std::borrow::Cow;

use crate::diagnosis::providers::ProviderText;
use crate::diagnosis::{Actor, Confidence, Finding};
use crate::text::explanation::{Explanation, SHOWN_LINES, fill};
use crate::text::values::{Encoder, show};
use crate::text::{Language, Message};

/// A finding's sentences.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Story {
    /// The rule's title.
    pub title: Cow<'static, str>,
    /// What happened, one clause.
    pub what: Cow<'static, str>,
    /// Why: found against expected, at most three lines.
    pub why: Vec<Cow<'static, str>>,
    /// What to do and who, at most three.
    pub remedies: Vec<(Actor, Cow<'static, str>)>,
    /// What would settle it; empty where the finding is confirmed.
    pub certainty: Vec<Cow<'static, str>>,
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
    let line = |text: &'static str| fill(text, &finding.values, &show);
    let page = finding.provider.and_then(|text| {
        let values = [("provider", text.provider.name), ("page", text.page?)];
        Some(Cow::Owned(Message::ProviderPage.say(language, &values)))
    });
    Story {
        title: explanation.title.into(),
        what: explanation
            .what
            .iter()
            .find_map(|text| line(text))
            .unwrap_or(explanation.title.into()),
        why: finding
            .provider
            .map(|text| Cow::Borrowed(meant(text, language)))
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
