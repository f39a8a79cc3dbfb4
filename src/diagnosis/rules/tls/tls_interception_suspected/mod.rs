//! The certificate's issuer names a product that intercepts TLS.

use crate::diagnosis::issuers;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::session::{Session, Stage};

/// `tls-interception-suspected`.
pub static RULE: Rule = Rule {
    slug: "tls-interception-suspected",
    layer: Layer::Tls,
    severity: Severity::Risk,
    confidence: Confidence::Possible,
    precedence: Some(45),
    actors: &[Actor::Network],
    explains_away: &[],
    leans_on_absence: false,
    references: &["RFC 7817", "RFC 9325"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

/// What issuers of intercepting products call themselves, lower case.
const PRODUCTS: &[&str] = &[
    "mail shield",
    "web shield",
    "ssl filter ca",
    "ssl-filter",
    "personal root certificate",
    "personal ca",
    "anti-virus personal root",
    "antivirus",
    "anti-virus",
    "ssl scanner",
    "ssl inspection",
    "ssl proxy",
    "https proxy",
    "fortigate ca",
    "fortinet_ca_ssl",
    "zscaler",
    "sophos ssl",
    "watchguard",
    "blue coat",
    "superfish",
    "netskope",
    "untrusted ca from proxy",
];

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let tls = session.tls.as_deref()?;
    let message = tls.server_certificate.as_ref()?;
    let mut certificates = message.certificates.iter();
    let certificate = certificates.find(|certificate| issuers::name_any(&certificate.issuer, PRODUCTS))?;
    let name = tls.offer().and_then(|hello| hello.server_name.as_ref());
    Some(
        Finding::of(rule, Stage::Tls, Evidence::quote(&message.span, &certificate.issuer))
            .with("issuer", &certificate.issuer)
            .with_some("name", name),
    )
}
