//! Which sessions belong together: one provider, one network, one rhythm. Used by several rules; judges nothing.

use std::net::IpAddr;
use std::time::Duration;

use crate::captured::Captured;
use crate::insight::digest::{Digest, TransactionDigest};
use crate::session::{Security, Service};

/// How long after a mailbox login providers accept mail from the same address: Japanese providers used 10 to 20 minutes.
pub(super) const POP_WINDOW: Duration = Duration::from_secs(30 * 60);

/// The same address, or the same /24 (IPv4) or /64 (IPv6).
pub(super) fn same_network(one: IpAddr, other: IpAddr) -> bool {
    match (one, other) {
        (IpAddr::V4(one), IpAddr::V4(other)) => one.octets()[..3] == other.octets()[..3],
        (IpAddr::V6(one), IpAddr::V6(other)) => one.octets()[..8] == other.octets()[..8],
        _ => false,
    }
}

/// The domain above a host name, where it is one organisation's ("example.jp" of "pop.example.jp", nothing of
/// "example.co.jp", whose parent belongs to everybody).
fn parent(name: &Captured) -> Option<String> {
    let name = name.utf8()?.trim_end_matches('.').to_ascii_lowercase();
    let (_, parent) = name.split_once('.')?;
    let (first, rest) = parent.split_once('.')?;
    let shared = !rest.contains('.') && rest.len() == 2 && first.len() <= 3;
    (!shared).then(|| parent.to_owned())
}

/// Two servers of one provider: the same network, or names under one domain.
pub(super) fn same_provider(one: &Digest, other: &Digest) -> bool {
    let name = |digest: &Digest| {
        let told = digest.tls.as_ref().and_then(|tls| tls.server_name.clone());
        told.or_else(|| digest.server_says.clone()).as_ref().and_then(parent)
    };
    one.server.address == other.server.address
        || same_network(one.server.address, other.server.address)
        || name(one).is_some_and(|domain| name(other) == Some(domain))
}

fn domain(address: &Captured) -> Option<String> {
    Some(address.utf8()?.rsplit_once('@')?.1.to_ascii_lowercase())
}

/// The mail leaves the server's own domains, as far as its name and the sender tell: it is relayed.
pub(super) fn is_relayed(digest: &Digest, transaction: &TransactionDigest) -> bool {
    let Some(recipient) = domain(&transaction.first_recipient) else {
        return false;
    };
    let own = digest.server_says.as_ref().and_then(parent);
    domain(&transaction.reverse_path).is_some_and(|sender| sender != recipient)
        && own.is_some_and(|own| own != recipient && !recipient.ends_with(&format!(".{own}")))
}

/// A mail relayed without a login, in clear: only the client's address can have opened the way.
pub(super) fn relayed_without_login(digest: &Digest) -> Option<&TransactionDigest> {
    if digest.security != Security::None || !digest.auth.is_empty() || digest.quality.started_late {
        return None;
    }
    digest
        .transactions
        .iter()
        .find(|one| one.result == crate::session::TransactionResult::Accepted && is_relayed(digest, one))
}

/// Pairs of a mailbox login and a mail relayed without login by the same client soon after, in one client's sessions.
pub(super) fn pop_before_smtp<'a>(sessions: &[&'a Digest]) -> Vec<(&'a Digest, &'a Digest)> {
    let logins: Vec<&Digest> = sessions
        .iter()
        .copied()
        .filter(|one| one.retrieval_login.is_some())
        .collect();
    if logins.is_empty() {
        return Vec::new();
    }
    sessions
        .iter()
        .copied()
        .filter(|one| relayed_without_login(one).is_some())
        .filter_map(|mail| Some((last_login(&logins, mail)?, mail)))
        .filter(|(login, mail)| {
            login
                .retrieval_login
                .is_some_and(|(stamp, _)| mail.start().since(stamp.time) <= POP_WINDOW)
        })
        .collect()
}

/// The last mailbox login at the same provider before a session.
pub(super) fn last_login<'a>(logins: &[&'a Digest], before: &Digest) -> Option<&'a Digest> {
    logins.iter().rev().copied().find(|login| {
        login
            .retrieval_login
            .is_some_and(|(stamp, _)| stamp.time <= before.start() && same_provider(login, before))
    })
}

/// The common interval between starts, where three sessions or more keep it within a tenth.
pub(super) fn rhythm(sessions: &[&Digest]) -> Option<Duration> {
    let gaps: Vec<Duration> = sessions
        .windows(2)
        .filter_map(|pair| match pair {
            [one, next] => Some(next.start().since(one.start())),
            _ => None,
        })
        .collect();
    let count = u32::try_from(gaps.len()).ok().filter(|count| *count >= 2)?;
    let mean = gaps.iter().fold(Duration::ZERO, |sum, gap| sum.saturating_add(*gap)) / count;
    let regular = mean >= Duration::from_secs(1) && gaps.iter().all(|gap| gap.abs_diff(mean) <= mean / 10);
    regular.then_some(mean)
}

/// What a service is used for: sending, POP3, IMAP. Two ways of the same purpose can stand in for each other.
pub(super) const fn purpose(service: Service) -> Option<u8> {
    match service {
        Service::Smtp | Service::Submission | Service::Submissions => Some(0),
        Service::Pop3 | Service::Pop3s => Some(1),
        Service::Imap | Service::Imaps => Some(2),
        Service::Lmtp | Service::Other => None,
    }
}
