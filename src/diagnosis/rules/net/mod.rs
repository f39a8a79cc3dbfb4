//! Rules on TCP/IP and the path.

use crate::diagnosis::rule::Rule;

mod pmtu_black_hole;
mod proxy_protocol_mismatch;
mod tcp_connection_refused;
mod tcp_heavy_retransmission;
mod tcp_idle_dropped;
mod tcp_reset_before_greeting;
mod tcp_reset_mid_session;
mod tcp_syn_no_answer;
mod tcp_zero_window;

/// The layer's rules, in the catalogue's order.
pub(super) static RULES: &[&Rule] = &[
    &tcp_syn_no_answer::RULE,
    &tcp_connection_refused::RULE,
    &tcp_reset_before_greeting::RULE,
    &tcp_reset_mid_session::RULE,
    &tcp_idle_dropped::RULE,
    &pmtu_black_hole::RULE,
    &tcp_zero_window::RULE,
    &tcp_heavy_retransmission::RULE,
    &proxy_protocol_mismatch::RULE,
];
