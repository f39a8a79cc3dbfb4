//! The records of a report, as far as they are compared, and what they say in the truth's terms.

use serde::Deserialize;

use crate::plan::{Fault, Outcome, Truth};

/// Any record of the report; what is not named here is not compared.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Record {
    Session(Box<Session>),
    Capture(Capture),
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
pub(super) struct Session {
    pub(super) id: u64,
    pub(super) server: Endpoint,
    pub(super) outcome: Outcome,
    pub(super) ended_by: String,
    #[serde(default)]
    pub(super) exchanges: Vec<Exchange>,
    #[serde(default)]
    pub(super) transactions: Vec<Transaction>,
    pub(super) findings: Vec<Finding>,
    pub(super) tls: Option<Tls>,
    pub(super) tcp: Tcp,
}

#[derive(Deserialize)]
pub(super) struct Finding {
    pub(super) severity: String,
}

#[derive(Deserialize)]
pub(super) struct Endpoint {
    pub(super) port: u16,
}

#[derive(Deserialize)]
pub(super) struct Exchange {
    pub(super) command: String,
}

#[derive(Deserialize)]
pub(super) struct Transaction {
    pub(super) forward_paths: Vec<ForwardPath>,
    pub(super) result: String,
    pub(super) final_reply: Option<Reply>,
}

#[derive(Deserialize)]
pub(super) struct ForwardPath {
    pub(super) reply: Option<Reply>,
}

#[derive(Deserialize)]
pub(super) struct Reply {
    pub(super) code: Option<u16>,
}

#[derive(Deserialize)]
pub(super) struct Tls {
    pub(super) choice: Option<serde::de::IgnoredAny>,
    pub(super) alerts: Vec<Alert>,
    pub(super) stopped_at: String,
}

#[derive(Deserialize)]
pub(super) struct Alert {
    pub(super) level: Option<String>,
    pub(super) number: Option<u8>,
}

#[derive(Deserialize)]
pub(super) struct Tcp {
    pub(super) opening: String,
    pub(super) to_server: Direction,
    pub(super) to_client: Direction,
    #[serde(default)]
    pub(super) resets: Vec<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
pub(super) struct Direction {
    pub(super) retransmissions: u64,
    pub(super) out_of_order: u64,
    pub(super) missing_octets: u64,
}

#[derive(Deserialize)]
pub(super) struct Capture {
    pub(super) frames: u64,
    pub(super) limits_reached: Vec<Count>,
    pub(super) files: Vec<CaptureFile>,
}

#[derive(Deserialize)]
pub(super) struct Count {
    pub(super) what: String,
    pub(super) count: u64,
}

#[derive(Deserialize)]
pub(super) struct CaptureFile {
    pub(super) octets: u64,
}

impl Session {
    /// What the report says of a session, in the truth's terms.
    pub(super) fn truth(&self) -> Truth {
        let no_connection = self.outcome == Outcome::NoConnection;
        let alert = self.fatal_alert();
        Truth {
            first_frame: self.id,
            kind: "".into(),
            port: self.server.port,
            outcome: if self.is_left_open() {
                Outcome::LeftOpen
            } else {
                self.outcome
            },
            failed: self.findings.iter().any(|finding| finding.severity == "fail"),
            messages: self
                .transactions
                .iter()
                .filter(|one| one.result.ends_with("accepted"))
                .count() as u64,
            bdat: self
                .exchanges
                .iter()
                .filter(|one| one.command.starts_with("BDAT") && one.command.ends_with("LAST"))
                .count() as u64,
            recipients: self.recipients(),
            rejection: self.transactions.iter().find_map(Transaction::rejection),
            handshake: alert.is_none() && self.tls.as_ref().is_some_and(Tls::is_complete),
            alert,
            tcp_failure: match (no_connection, self.tcp.resets.is_empty()) {
                (true, true) => Some("unanswered".into()),
                (true, false) => Some("refused".into()),
                (false, _) => self.ended_by.ends_with("_reset").then(|| "reset".into()),
            },
            fault: self.tcp.fault(),
            lost_frames: 0,
            lost_octets: self.tcp.to_server.missing_octets + self.tcp.to_client.missing_octets,
        }
    }

    /// Neither side ended it, and nothing became of it.
    fn is_left_open(&self) -> bool {
        matches!(self.ended_by.as_str(), "capture_end" | "idle" | "limit")
            && matches!(self.outcome, Outcome::Unknown | Outcome::Aborted)
    }

    fn fatal_alert(&self) -> Option<u8> {
        let fatal = |alert: &&Alert| alert.level.as_deref() == Some("fatal");
        self.tls.as_ref()?.alerts.iter().find(fatal)?.number
    }

    fn recipients(&self) -> u64 {
        let paths = self.transactions.iter().flat_map(|one| &one.forward_paths);
        paths
            .filter(|path| {
                path.reply
                    .as_ref()
                    .and_then(|reply| reply.code)
                    .is_some_and(|code| code / 100 == 2)
            })
            .count() as u64
    }
}

impl Transaction {
    fn rejection(&self) -> Option<u16> {
        let of_recipients = self.forward_paths.iter().filter_map(|path| path.reply.as_ref());
        let mut replies = of_recipients.chain(&self.final_reply).filter_map(|reply| reply.code);
        matches!(self.result.as_str(), "refused" | "deferred").then(|| replies.find(|code| *code >= 400))?
    }
}

impl Tls {
    fn is_complete(&self) -> bool {
        self.choice.is_some() && matches!(self.stopped_at.as_str(), "after_handshake" | "after_application_data")
    }
}

impl Tcp {
    fn fault(&self) -> Option<Fault> {
        let directions = [&self.to_server, &self.to_client];
        let any = |count: fn(&Direction) -> u64| directions.iter().any(|one| count(one) > 0);
        if self.opening == "mid_stream" {
            Some(Fault::MidStream)
        } else if any(|one| one.missing_octets) {
            Some(Fault::Lost)
        } else if any(|one| one.out_of_order) {
            Some(Fault::Reordered)
        } else if any(|one| one.retransmissions) {
            Some(Fault::Retransmitted)
        } else {
            None
        }
    }
}
