//! What several rules on authentication read off a reply.

use crate::diagnosis::rules::facts::{is_enhanced, provider_means, says_any};
use crate::protocol::smtp::{Exchange, Reply};
use crate::session::Session;

/// The reply to AUTH speaks of policy: app password, another kind of login, a switch that is off, a lock.
pub(super) fn is_policy(session: &Session, exchange: &Exchange, reply: &Reply) -> bool {
    if let Some(known) = provider_means(session, exchange, reply, "auth-policy-refused") {
        return known;
    }
    let coded = is_enhanced(reply, 7, 9)
        || is_enhanced(reply, 7, 12)
        || is_enhanced(reply, 7, 13)
        || is_enhanced(reply, 7, 14)
        || is_enhanced(reply, 7, 139)
        || matches!(reply.code, 525 | 534 | 432);
    let worded = says_any(
        reply,
        &[
            "application-specific password",
            "app password",
            "smtpclientauthentication is disabled",
            "basic authentication is not supported",
            "basic authentication is disabled",
            "log in via your web browser",
            "web login required",
            "too many login attempts",
            "account is locked",
            "account locked",
            "account disabled",
            "account is disabled",
            "security defaults policy",
            "conditional access",
        ],
    );
    (coded && !says_any(reply, &["mechanism"])) || worded
}
