//! What a certificate says, judged at the time of its packet (RFC 5280, RFC 9525), and what the client made of it.
//! Names, dates and issuers only: no signature is verified here.

use std::time::Duration;

use crate::captured::Captured;
use crate::diagnosis::{Confidence, Evidence, Finding, Rule, Severity, Value};
use crate::protocol::tls::{Alert, AlertLevel, Certificate, CertificateMessage, ContentType, Phase, TlsFacts};
use crate::session::{EndedBy, Session, Stage};
use crate::span::{Direction, Role, Stamp};
use crate::time::Timestamp;

/// A QUIT alone has at most this length as an encrypted record of TLS 1.2 and older, in octets.
const QUIT_RECORD: u16 = 48;

/// What the client did after it had seen the server's certificate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::diagnosis::rules) enum Reaction {
    /// It sent an alert about certificates.
    Complained(Alert),
    /// It left without using the connection.
    Left(Stamp),
    /// It sent application data.
    WentOn,
    /// The capture does not show it, or something else ended the session.
    Unclear,
}

/// A server certificate that the capture shows, with the client's reaction.
pub(in crate::diagnosis::rules) struct Judged<'a> {
    /// The message that carried it.
    pub(in crate::diagnosis::rules) message: &'a CertificateMessage,
    /// The server's own certificate.
    pub(in crate::diagnosis::rules) leaf: &'a Certificate,
    /// The name that the client asked for.
    server_name: Option<&'a Captured>,
    /// The client's reaction.
    pub(in crate::diagnosis::rules) reaction: Reaction,
}

/// The client's alert about the server's certificate, also where TLS 1.3 hides the certificate itself.
pub(super) fn complaint(tls: &TlsFacts) -> Option<&Alert> {
    tls.alerts.iter().find(|alert| {
        alert.span.direction == Direction::ToServer
            && alert.level == AlertLevel::Fatal
            && matches!(alert.description, 42..=46 | 48 | 113)
            && alert.phase >= Phase::AfterServerHello
            && alert.phase < Phase::AfterApplicationData
    })
}

/// Where the client ended the connection, if it did so first and nothing of the session is missing.
pub(super) fn departure(session: &Session) -> Option<Stamp> {
    if !session.quality.is_complete() {
        return None;
    }
    match session.ended_by {
        EndedBy::Fin(Role::Client) => session.connection.directions.to_server.fin,
        EndedBy::Reset(Role::Client) => session
            .connection
            .resets
            .iter()
            .find(|reset| reset.direction == Direction::ToServer && reset.in_window)
            .map(|reset| reset.stamp),
        _ => None,
    }
}

fn reaction(session: &Session, tls: &TlsFacts) -> Reaction {
    if let Some(alert) = complaint(tls) {
        return Reaction::Complained(*alert);
    }
    let records = tls.directions.to_server.application_records;
    let only_quit = records == 1 && session.upgraded() && {
        let first = tls
            .records
            .iter()
            .find(|record| record.direction == Direction::ToServer && record.content == ContentType::ApplicationData);
        first.is_some_and(|record| record.length <= QUIT_RECORD)
    };
    if records > 1 || (records == 1 && !only_quit) {
        return Reaction::WentOn;
    }
    let accused = tls
        .alerts
        .iter()
        .any(|alert| alert.span.direction == Direction::ToClient && alert.level == AlertLevel::Fatal);
    match departure(session) {
        Some(stamp) if !accused => Reaction::Left(stamp),
        _ => Reaction::Unclear,
    }
}

/// The server's certificate, where the capture shows it.
pub(in crate::diagnosis::rules) fn judged(session: &Session) -> Option<Judged<'_>> {
    let tls = session.tls.as_ref()?;
    let message = tls.server_certificate.as_ref()?;
    Some(Judged {
        message,
        leaf: message.certificates.first()?,
        server_name: tls.offer().and_then(|hello| hello.server_name.as_ref()),
        reaction: reaction(session, tls),
    })
}

impl<'a> Judged<'a> {
    /// The time at which it is judged: that of the packet.
    pub(super) fn time(&self) -> Timestamp {
        self.message.span.first.time
    }

    /// A certificate of the chain that had expired; roots do not count.
    pub(super) fn expired(&self) -> Option<&'a Certificate> {
        self.chain().find(|certificate| certificate.not_after < self.time())
    }

    /// A certificate of the chain that was not valid yet.
    pub(super) fn not_yet_valid(&self) -> Option<&'a Certificate> {
        self.chain().find(|certificate| certificate.not_before > self.time())
    }

    fn chain(&self) -> impl Iterator<Item = &'a Certificate> {
        let all = self.message.certificates.iter().enumerate();
        all.filter(|(position, certificate)| *position == 0 || !certificate.self_issued)
            .map(|(_, certificate)| certificate)
    }

    /// One certificate that names itself as its issuer.
    pub(super) fn self_signed(&self) -> bool {
        let same_key = match (&self.leaf.authority_key_identifier, &self.leaf.subject_key_identifier) {
            (Some(authority), Some(subject)) => authority == subject,
            _ => true,
        };
        self.leaf.self_issued && same_key && self.message.certificates.len() == 1
    }

    /// The name asked for that no name of the certificate matches. Without SNI nobody knows the name.
    pub(super) fn mismatch(&self) -> Option<&'a Captured> {
        let wanted = self.asked()?;
        let names = &self.leaf.dns_names;
        let matched = if names.is_empty() {
            self.leaf
                .common_name
                .as_ref()
                .is_some_and(|name| matches_name(name, wanted))
        } else {
            names.iter().any(|name| matches_name(name, wanted))
        };
        (!matched).then_some(wanted)
    }

    /// The name asked for stands in the common name only: many clients want it among the alternative names.
    pub(super) fn common_name_only(&self) -> Option<&'a Captured> {
        let wanted = self.asked()?;
        (self.leaf.dns_names.is_empty() && self.mismatch().is_none()).then_some(wanted)
    }

    fn asked(&self) -> Option<&'a Captured> {
        self.server_name.filter(|name| {
            name.utf8()
                .is_some_and(|name| name.contains('.') && name.parse::<std::net::IpAddr>().is_err())
        })
    }

    /// The certificate that issued the leaf is not the next one of the message.
    pub(super) fn issuer_missing(&self) -> bool {
        !self.leaf.self_issued
            && self.message.unreadable == 0
            && self
                .message
                .certificates
                .get(1)
                .is_none_or(|next| next.subject != self.leaf.issuer)
    }

    /// Each certificate is followed by its issuer.
    pub(super) fn linked(&self) -> bool {
        let chain = &self.message.certificates;
        chain.len() > 1
            && chain
                .iter()
                .zip(chain.iter().skip(1))
                .all(|(one, next)| one.issuer == next.subject)
    }

    /// A certificate below the root with a weak signature or a short key.
    pub(super) fn weak(&self) -> Option<&'a Certificate> {
        self.chain()
            .find(|certificate| (certificate.weak_signature && !certificate.self_issued) || short_key(certificate))
    }

    /// Extended key usage without server authentication.
    pub(super) fn wrong_usage(&self) -> bool {
        self.leaf.server_authentication == Some(false)
    }

    /// The faults that no setting of the client excuses, as phrases.
    pub(in crate::diagnosis::rules) fn faults(&self) -> Vec<Value> {
        let found = [
            (self.expired().is_some(), "cert_expired"),
            (self.not_yet_valid().is_some(), "cert_not_yet_valid"),
            (self.self_signed(), "cert_self_signed"),
            (self.mismatch().is_some(), "cert_name"),
            (self.wrong_usage(), "cert_usage"),
        ];
        let present = found.into_iter().filter(|(present, _)| *present);
        present.map(|(_, phrase)| Value::Phrase(phrase)).collect()
    }

    /// The client ended the session over its certificate: by one of these alerts, or by leaving.
    pub(super) fn decided(&self, alerts: &[u8]) -> bool {
        match self.reaction {
            Reaction::Complained(alert) => alerts.contains(&alert.description),
            Reaction::Left(_) => true,
            Reaction::WentOn | Reaction::Unclear => false,
        }
    }

    /// The alert is unknown_ca: the client speaks of the chain, not of the leaf.
    pub(super) fn speaks_of_chain(&self) -> bool {
        matches!(self.reaction, Reaction::Complained(alert) if alert.description == 48)
    }

    /// A finding on the certificate: `fail` where one of these alerts (or leaving) shows that it ended the session,
    /// otherwise `risk`.
    pub(super) fn finding(&self, rule: &'static Rule, about: &Certificate, alerts: &[u8]) -> Finding {
        let finding = Finding::of(rule, Stage::Tls, self.quote(about))
            .with("subject", &about.subject)
            .and_some(self.witness());
        match self.reaction {
            Reaction::Left(_) => finding.as_severity(Severity::Fail).as_sure_as(Confidence::Likely),
            _ if self.decided(alerts) => finding.as_severity(Severity::Fail),
            _ => finding.as_severity(Severity::Risk),
        }
    }

    /// The certificate as proof.
    pub(in crate::diagnosis::rules) fn quote(&self, certificate: &Certificate) -> Evidence {
        let mut text = b"Certificate ".to_vec();
        text.extend_from_slice(certificate.subject.bytes());
        text.extend_from_slice(b", issuer ");
        text.extend_from_slice(certificate.issuer.bytes());
        let dates = format!(
            ", valid {} to {}",
            certificate.not_before.rfc3339(0),
            certificate.not_after.rfc3339(0)
        );
        text.extend_from_slice(dates.as_bytes());
        Evidence::quote(&self.message.span, &Captured::new(&text))
    }

    fn witness(&self) -> Option<Evidence> {
        match &self.reaction {
            Reaction::Complained(alert) => Some(Evidence::alert(alert)),
            Reaction::Left(stamp) => Some(Evidence::frame(
                *stamp,
                Some(Direction::ToServer),
                "the client closes without using the connection",
            )),
            Reaction::WentOn | Reaction::Unclear => None,
        }
    }
}

/// How long until a certificate expires.
pub(super) fn days(duration: Duration) -> u64 {
    duration.as_secs() / 86_400
}

fn short_key(certificate: &Certificate) -> bool {
    let key = &certificate.key;
    let least = if key.algorithm.starts_with("RSA") || key.algorithm.starts_with("DSA") {
        2048
    } else if key.algorithm.starts_with("EC") {
        224
    } else {
        0
    };
    key.bits > 0 && key.bits < least
}

/// RFC 9525, section 6.3: a wildcard stands for the whole left-most label only.
fn matches_name(presented: &Captured, wanted: &Captured) -> bool {
    let without_dot = |name: &Captured| {
        let name = name.bytes();
        name.strip_suffix(b".").unwrap_or(name).to_ascii_lowercase()
    };
    let (presented, wanted) = (without_dot(presented), without_dot(wanted));
    match presented.strip_prefix(b"*.") {
        Some(rest) => wanted
            .iter()
            .position(|byte| *byte == b'.')
            .and_then(|dot| wanted.get(dot.saturating_add(1)..))
            .is_some_and(|parent| parent == rest),
        None => presented == wanted,
    }
}
