//! One session as a ladder: every exchange, TLS message and TCP event in the order of its frames, client on the left, server on
//! the right.

use crate::captured::Captured;
use crate::protocol::Seen;
use crate::protocol::retrieval;
use crate::protocol::smtp::{Detail, Exchange, Reply};
use crate::protocol::tls::{self, AlertLevel, TlsFacts};
use crate::render::encode;
use crate::render::text::layout::{pad, width, wrap};
use crate::render::text::story::{Page, Telling, told};
use crate::render::text::style::{Paint, Style};
use crate::render::text::words;
use crate::secret::{MASK, Secret};
use crate::session::Session;
use crate::span::{Direction, Span, Stamp};
use crate::tcp::ConnectionFacts;
use crate::text::{Message, proof};

/// A step of the ladder.
struct Step {
    stamp: Stamp,
    direction: Option<Direction>,
    text: String,
    paint: Option<Paint>,
}

/// Lines of a multi-line reply shown.
const REPLY_LINES: usize = 24;

/// The ladder of a session, then its story.
pub fn ladder(page: &mut Page<'_>, session: &Session, findings: &[crate::diagnosis::Finding], style: &Style) {
    let connection = &session.connection;
    page.text(
        0,
        &style.say(
            Message::LadderTitle,
            &[
                ("id", &session.id.0.to_string()),
                ("client", &connection.client.to_string()),
                ("server", &connection.server.to_string()),
                ("service", crate::render::json::words::service(session.service)),
                ("outcome", &style.word(words::outcome(session.outcome))),
            ],
        ),
    );
    page.blank();
    let mut steps = Steps {
        style,
        steps: Vec::new(),
    };
    steps.transport(connection);
    if let Some(facts) = session.tls.as_deref().filter(|facts| facts.decrypted) {
        steps.decrypted_from(facts);
    }
    if let Some(dialogue) = session.smtp.as_deref() {
        if let Some(greeting) = &dialogue.greeting {
            steps.reply(greeting);
        }
        for exchange in &dialogue.exchanges {
            steps.exchange(exchange);
        }
        for reply in &dialogue.unsolicited {
            steps.reply(reply);
        }
        for (span, bytes) in &dialogue.injected {
            steps.captured(span, bytes.bytes(), None);
        }
    }
    if let Some(dialogue) = session.retrieval.as_deref() {
        steps.retrieval(dialogue);
    }
    if let Some(facts) = session.tls.as_deref() {
        steps.tls(facts);
    }
    let mut steps = steps.steps;
    steps.sort_by_key(|step| step.stamp.frame);
    for step in &steps {
        draw(page, step, style);
    }
    page.blank();
    told(page, findings, Telling::Full);
}

fn draw(page: &mut Page<'_>, step: &Step, style: &Style) {
    let arrow = match (step.direction, style.ascii) {
        (Some(Direction::ToServer), false) => "C ──▶ S",
        (Some(Direction::ToClient), false) => "C ◀── S",
        (None, false) => "C  ·  S",
        (Some(Direction::ToServer), true) => "C --> S",
        (Some(Direction::ToClient), true) => "C <-- S",
        (None, true) => "C  .  S",
    };
    let head = format!("{:>6}  {}  {arrow}  ", step.stamp.frame, style.clock(step.stamp.time));
    let columns = style.columns.saturating_sub(width(&head)).max(16);
    for (position, line) in step.text.lines().flat_map(|line| wrap(line, columns)).enumerate() {
        let front = if position == 0 {
            style.paint(Paint::Faint, &head)
        } else {
            pad("", width(&head))
        };
        let line = style.plain(&line);
        let line = step
            .paint
            .map_or_else(|| line.clone(), |paint| style.paint(paint, &line));
        page.line(format!("{front}{line}").trim_end().to_owned());
    }
}

struct Steps<'a> {
    style: &'a Style,
    steps: Vec<Step>,
}

impl Steps<'_> {
    fn add(&mut self, stamp: Stamp, direction: Option<Direction>, text: String, paint: Option<Paint>) {
        self.steps.push(Step {
            stamp,
            direction,
            text,
            paint,
        });
    }

    fn captured(&mut self, span: &Span, bytes: &[u8], paint: Option<Paint>) {
        self.add(
            span.first,
            Some(span.direction),
            encode::terminal(bytes).into_owned(),
            paint,
        );
    }

    fn transport(&mut self, connection: &ConnectionFacts) {
        let (to_server, to_client) = (&connection.directions.to_server, &connection.directions.to_client);
        let style = self.style;
        if let Some(syn) = to_server.syn {
            self.add(syn, Some(Direction::ToServer), style.word(Message::LadderSyn), None);
        }
        if let (1.., Some(first), Some(last)) = (to_server.syn_retransmissions, to_server.syn, to_server.last_syn) {
            let duration = crate::text::duration(last.time.since(first.time), style.language);
            let text = style.say(
                Message::LadderSynAgain,
                &[
                    ("count", &to_server.syn_retransmissions.to_string()),
                    ("duration", &duration),
                ],
            );
            self.add(last, Some(Direction::ToServer), text, None);
        }
        if let Some(syn) = to_client.syn {
            self.add(syn, Some(Direction::ToClient), style.word(Message::LadderSynAck), None);
        }
        if let Some(ack) = connection.handshake_ack {
            self.add(ack, Some(Direction::ToServer), style.word(Message::LadderAck), None);
        }
        for direction in Direction::BOTH {
            let facts = connection.directions.get(direction);
            if let Some(fin) = facts.fin {
                self.add(fin, Some(direction), style.word(Message::LadderFin), None);
            }
            if let (1.., Some(last)) = (facts.retransmissions, facts.last_data) {
                let text = style.say(
                    Message::LadderRetransmissions,
                    &[("count", &facts.retransmissions.to_string())],
                );
                self.add(last, Some(direction), text, Some(Paint::Faint));
            }
        }
        for reset in &connection.resets {
            let message = if reset.in_window {
                Message::LadderReset
            } else {
                Message::LadderResetIgnored
            };
            self.add(reset.stamp, Some(reset.direction), style.word(message), None);
        }
        for gap in &connection.gaps {
            let text = style.say(Message::LadderGap, &[("octets", &gap.length.to_string())]);
            let paint = Paint::Severity(crate::diagnosis::Severity::Limit);
            self.add(gap.found_at, Some(gap.direction), text, Some(paint));
        }
        for error in &connection.icmp_errors {
            let evidence = crate::diagnosis::Evidence::icmp(error);
            let name = style.word(words::icmp(error));
            let text = format!("{} ({name})", proof(&evidence, self.style.language, encode::terminal));
            self.add(error.stamp, None, text, None);
        }
    }

    fn reply(&mut self, reply: &Reply) {
        let mut text = String::new();
        let last = reply.lines.len().saturating_sub(1);
        for (position, line) in reply.lines.iter().take(REPLY_LINES).enumerate() {
            let separator = if position == last { ' ' } else { '-' };
            text.push_str(&format!(
                "{}{separator}{}\n",
                reply.code,
                encode::terminal(line.bytes())
            ));
        }
        if reply.lines.is_empty() {
            text = reply.code.to_string();
        }
        let paint = (reply.class() >= 4).then_some(Paint::Severity(crate::diagnosis::Severity::Fail));
        self.add(reply.span.first(), Some(reply.span.direction()), text, paint);
    }

    fn exchange(&mut self, exchange: &Exchange) {
        self.captured(&exchange.command.get(), exchange.line.bytes(), None);
        for reply in exchange.intermediate() {
            self.reply(reply);
        }
        if let Detail::Auth(facts) = &exchange.detail {
            let at = facts.credential.map_or(exchange.command.last(), |span| span.last);
            let login = (facts.secret.as_ref(), facts.response.as_ref());
            self.login(at, facts.identity.as_ref(), login, exchange.inside_tls);
        }
        if let Detail::Data(Some(data)) | Detail::Bdat { data: Some(data), .. } = &exchange.detail {
            let text = self
                .style
                .say(Message::LadderMailData, &[("octets", &data.size.to_string())]);
            self.add(data.span.first, Some(data.span.direction), text, None);
        }
        match &exchange.reply {
            Seen::Yes(reply) => self.reply(reply),
            Seen::No => self.missing(exchange.command.last(), Message::LadderNoReply),
            Seen::Hidden => self.missing(exchange.command.last(), Message::LadderHiddenReply),
        }
        for reply in exchange.further_replies() {
            self.reply(reply);
        }
    }

    /// What a login showed, to everybody on the path or inside TLS; secrets as far as this run reveals them.
    fn login(
        &mut self,
        at: Stamp,
        user: Option<&Captured>,
        (secret, response): (Option<&Secret>, Option<&Secret>),
        inside_tls: bool,
    ) {
        let (message, crossed) = match (secret, response) {
            (Some(secret), _) if inside_tls => (Message::LadderLoginInside, secret),
            (Some(secret), _) => (Message::LadderLoginReadable, secret),
            (None, Some(response)) => (Message::LadderLoginResponse, response),
            (None, None) => return,
        };
        let user = user.map_or_else(|| "?".to_owned(), |user| encode::terminal(user.bytes()).into_owned());
        let shown = crossed
            .reveal()
            .map_or(MASK.to_owned(), |bytes| encode::terminal(bytes).into_owned());
        let text = self.style.say(message, &[("user", &user), ("secret", &shown)]);
        self.add(at, Some(Direction::ToServer), text, None);
    }

    fn missing(&mut self, stamp: Stamp, message: Message) {
        let text = self.style.word(message);
        self.add(stamp, Some(Direction::ToClient), text, Some(Paint::Faint));
    }

    fn retrieval(&mut self, dialogue: &retrieval::Dialogue) {
        if let Some(greeting) = &dialogue.greeting {
            let kind = encode::terminal(greeting.kind.bytes()).into_owned();
            let text = format!("{kind} {}", encode::terminal(greeting.text.bytes()));
            self.add(greeting.span.first, Some(Direction::ToClient), text, None);
        }
        for command in &dialogue.commands {
            self.captured(&command.span, command.line.bytes(), None);
            if let Some(login) = command.login.as_deref() {
                let shown = (login.secret.as_ref(), login.response.as_ref());
                self.login(command.span.last, login.identity.as_ref(), shown, command.inside_tls);
            }
            match &command.answer {
                Seen::Yes(answer) => {
                    let evidence = crate::diagnosis::Evidence::answer(command, answer);
                    let paint = (answer.status != retrieval::Status::Ok)
                        .then_some(Paint::Severity(crate::diagnosis::Severity::Fail));
                    self.captured(&answer.span, evidence.quotation.bytes(), paint);
                }
                Seen::No => self.missing(command.span.last, Message::LadderNoReply),
                Seen::Hidden => self.missing(command.span.last, Message::LadderHiddenReply),
            }
        }
        if let Some((text, span)) = &dialogue.bye {
            self.captured(span, text.bytes(), None);
        }
    }

    fn tls(&mut self, facts: &TlsFacts) {
        for hello in &facts.client_hellos {
            let evidence = crate::diagnosis::Evidence::client_hello(hello);
            let mut text = proof(&evidence, self.style.language, encode::terminal);
            if let Some(name) = &hello.server_name {
                let name = encode::terminal(name.bytes());
                text.push_str(&self.style.say(Message::LadderSni, &[("name", &name)]));
            }
            let suites = hello.cipher_suites.len().to_string();
            text.push_str(&self.style.say(Message::LadderSuites, &[("count", &suites)]));
            self.add(hello.span.first, Some(Direction::ToServer), text, None);
        }
        for hello in facts.hello_retry_requests.iter() {
            let group = hello.group.and_then(tls::group_name).unwrap_or("?");
            let text = self.style.say(Message::LadderHelloRetry, &[("group", group)]);
            self.add(hello.span.first, Some(Direction::ToClient), text, None);
        }
        if let Some(hello) = &facts.server_hello {
            let evidence = crate::diagnosis::Evidence::server_hello(hello);
            let mut text = proof(&evidence, self.style.language, encode::terminal);
            if facts.resumed() {
                text.push_str(&self.style.word(Message::LadderResumed));
            }
            self.add(hello.span.first, Some(Direction::ToClient), text, None);
        }
        let certificates = [
            (facts.server_certificate.as_ref(), Direction::ToClient),
            (facts.client_certificate.as_ref(), Direction::ToServer),
        ];
        for (message, direction) in certificates {
            let Some(message) = message else { continue };
            let text = message.certificates.first().map_or_else(
                || self.style.word(Message::LadderNoCertificate),
                |one| {
                    self.style.say(
                        Message::LadderCertificate,
                        &[
                            ("subject", &encode::terminal(one.subject.bytes())),
                            ("issuer", &encode::terminal(one.issuer.bytes())),
                            ("until", &one.not_after.rfc3339(0)),
                        ],
                    )
                },
            );
            self.add(message.span.first, Some(direction), text, None);
        }
        if let Some(span) = &facts.certificate_request {
            self.add(
                span.first,
                Some(Direction::ToClient),
                "CertificateRequest".to_owned(),
                None,
            );
        }
        self.alerts(facts);
        self.encrypted(facts);
    }

    /// Where the dialogue inside TLS begins, before its first line.
    fn decrypted_from(&mut self, facts: &TlsFacts) {
        let first = Direction::BOTH
            .into_iter()
            .filter_map(|direction| facts.directions.get(direction).first_application_data)
            .min();
        if let Some(first) = first {
            let text = self.style.word(Message::LadderDecrypted);
            self.add(first, None, text, Some(Paint::Faint));
        }
    }

    fn alerts(&mut self, facts: &TlsFacts) {
        for alert in &facts.alerts {
            let evidence = crate::diagnosis::Evidence::alert(alert);
            let paint = (alert.level == AlertLevel::Fatal).then_some(Paint::Severity(crate::diagnosis::Severity::Fail));
            let text = proof(&evidence, self.style.language, encode::terminal);
            self.add(alert.span.first, Some(alert.span.direction), text, paint);
        }
        for alert in &facts.encrypted_alerts {
            let text = self
                .style
                .say(Message::LadderEncryptedAlert, &[("octets", &alert.length.to_string())]);
            self.add(alert.stamp, Some(alert.direction), text, Some(Paint::Faint));
        }
    }

    fn encrypted(&mut self, facts: &TlsFacts) {
        let (client, server) = (&facts.directions.to_server, &facts.directions.to_client);
        let first = [client.first_application_data, server.first_application_data]
            .into_iter()
            .flatten()
            .min();
        if let Some(first) = first
            && !facts.decrypted
        {
            let text = self.style.say(
                Message::LadderEncrypted,
                &[
                    ("client", &client.application_octets.to_string()),
                    ("server", &server.application_octets.to_string()),
                ],
            );
            self.add(first, None, text, Some(Paint::Faint));
        }
    }
}
