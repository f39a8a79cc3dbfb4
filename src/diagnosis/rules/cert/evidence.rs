//! What several rules on certificates ask: did the client refuse, does a name fit (RFC 9525), is an issuer public.

use crate::captured::Captured;
use crate::diagnosis::issuers;
use crate::diagnosis::{Evidence, Finding, Severity};
use crate::protocol::tls::{Alert, AlertLevel, Certificate, CertificateMessage, Phase};
use crate::session::{EndedBy, Security, Session};
use crate::span::{Direction, Role};

/// The server's certificates as they can be read, and its own, the first.
pub(super) fn shown(session: &Session) -> Option<(&CertificateMessage, &Certificate)> {
    let message = session.tls.as_deref()?.server_certificate.as_ref()?;
    Some((message, message.certificates.first()?))
}

/// The client's refusal, as an alert in clear.
pub(super) fn rejection(session: &Session) -> Option<Rejection> {
    let tls = session.tls.as_deref()?;
    let alert = tls.alerts.iter().find(|alert| {
        alert.level == AlertLevel::Fatal
            && alert.span.direction == Direction::ToServer
            && alert.phase >= Phase::AfterServerHello
            && matches!(alert.description, 40 | 42..=46 | 48 | 80 | 113)
    });
    if let Some(alert) = alert {
        return Some(Rejection {
            description: alert.description,
            alert: Some(*alert),
        });
    }
    // GnuTLS and Mozilla programs finish the handshake, or stop in it, and leave without a word that can be read.
    let left = matches!(
        session.ended_by,
        EndedBy::Fin(Role::Client) | EndedBy::Reset(Role::Client)
    );
    // A check that only looks at the handshake says goodbye first; a refusal does not, or resets right after.
    let goodbye = tls
        .encrypted_alerts
        .iter()
        .any(|alert| alert.direction == Direction::ToServer);
    let reset = matches!(session.ended_by, EndedBy::Reset(_));
    let silent = tls.directions.to_server.application_records == 0 && (!goodbye || reset);
    let upgraded = session.security == Security::StartTls;
    let unused = silent && (upgraded || reset) && tls.server_certificate.is_some();
    let fatal = tls.alerts.iter().any(|alert| alert.level == AlertLevel::Fatal);
    let whole = !session.quality.gaps && session.quality.only_direction.is_none();
    (left && unused && !fatal && whole).then_some(Rejection {
        description: 0,
        alert: None,
    })
}

/// That the client refused, and how it said so.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rejection {
    /// The alert's description; 0 where it left without one.
    pub(super) description: u8,
    alert: Option<Alert>,
}

impl Rejection {
    /// The alert may mean that the issuer is not believed: bad, unknown, unknown CA, or no alert at all. Expired (45),
    /// revoked (44) and unsupported (43) certificates have alerts of their own (RFC 8446, section 6.2).
    pub(super) const fn may_mean_trust(&self) -> bool {
        !matches!(self.description, 43..=45)
    }

    /// The alert may mean that the certificate is out of date. Who says unknown CA (48) would refuse a new one from the same
    /// issuer as well: OpenSSL and Python say that of a self-signed certificate that has expired besides.
    pub(super) const fn may_mean_validity(&self) -> bool {
        !matches!(self.description, 43 | 44 | 48)
    }
}

/// A fault that made the client refuse is the failure's cause; the decisive frame is the certificate's own.
pub(super) fn judged(finding: Finding, rejection: Option<Rejection>) -> Finding {
    match rejection {
        Some(Rejection { alert: Some(alert), .. }) => finding.as_severity(Severity::Fail).and(Evidence::alert(&alert)),
        Some(Rejection { alert: None, .. }) => {
            let sure = finding.confidence.lowered();
            finding.as_severity(Severity::Fail).as_sure_as(sure)
        }
        None => finding,
    }
}

/// The objective fault of a certificate with which the client went on, as a phrase.
pub(in crate::diagnosis::rules) fn accepted_fault(session: &Session) -> Option<(&'static str, &CertificateMessage)> {
    let tls = session
        .tls
        .as_deref()
        .filter(|tls| tls.phase >= Phase::AfterApplicationData && tls.directions.to_server.application_records >= 2)?;
    let message = tls.server_certificate.as_ref()?;
    let leaf = message.certificates.first()?;
    let at = message.span.first.time;
    let wanted = tls.offer().and_then(|offer| offer.server_name.as_ref());
    let wrong_name = wanted
        .is_some_and(|wanted| !leaf.dns_names.is_empty() && !leaf.dns_names.iter().any(|name| fits(name, wanted)));
    let fault = if at > leaf.not_after {
        "fault_expired"
    } else if at < leaf.not_before {
        "fault_early"
    } else if leaf.self_issued && message.certificates.len() == 1 {
        "fault_self_signed"
    } else if wrong_name {
        "fault_name"
    } else {
        return None;
    };
    Some((fault, message))
}

/// Faults that nobody refused matter where users log in; between relays they are normal.
pub(super) fn matters(session: &Session) -> bool {
    session.service.is_for_users()
}

/// A dNSName fits a host name: equal, or a wildcard for the left-most label (RFC 9525, section 6.3).
pub(super) fn fits(name: &Captured, wanted: &Captured) -> bool {
    let name = name.bytes().to_ascii_lowercase();
    let wanted = wanted.bytes().to_ascii_lowercase();
    let wanted = wanted.strip_suffix(b".").unwrap_or(&wanted);
    match name.strip_prefix(b"*.") {
        Some(rest) => wanted
            .iter()
            .position(|byte| *byte == b'.')
            .and_then(|dot| wanted.get(dot + 1..))
            .is_some_and(|parent| parent == rest),
        None => name == wanted,
    }
}

/// Names of public authorities, as they stand in issuers.
const PUBLIC: &[&str] = &[
    "let's encrypt",
    "isrg",
    "digicert",
    "globalsign",
    "sectigo",
    "comodo",
    "usertrust",
    "entrust",
    "godaddy",
    "amazon",
    "google trust",
    "gts ",
    "identrust",
    "geotrust",
    "thawte",
    "verisign",
    "symantec",
    "cybertrust",
    "secom",
    "jprs",
    "certum",
    "actalis",
    "zerossl",
    "buypass",
    "quovadis",
    "ssl.com",
    "wisekey",
    "d-trust",
    "t-telesec",
    "harica",
    "starfield",
    "baltimore",
];

/// A public authority, by name.
pub(super) fn is_public(issuer: &Captured) -> bool {
    issuers::name_any(issuer, PUBLIC)
}

/// A root that clients know by itself, so that nothing is missing below it.
pub(super) fn is_root(issuer: &Captured) -> bool {
    is_public(issuer) && issuer.contains_ignoring_case("root")
}
