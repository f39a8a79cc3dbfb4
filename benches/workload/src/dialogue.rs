//! SMTP sessions as plans: mail in clear, pipelined, inside TLS, refused, broken off.

use crate::message::{Mail, message, recipient, sender};
use crate::plan::{Fault, Message, Outcome, Piece, Plan, Source, Step};
use crate::random::Random;
use crate::recorded::Conversation;
use crate::text::Fill;
use crate::wire::Path;

/// Octets that a TLS record carries at most.
const RECORD: usize = 16_384;
/// A segment that something goes wrong with has some before and behind it.
const SEGMENTS_FOR_A_FAULT: u64 = 6;

const CLIENT: bool = true;
const SERVER: bool = false;
/// The server delivers to disk before it says 250.
const DELIVERY: u64 = 4_000_000;

/// What the client calls itself.
fn client_name(random: &mut Random) -> String {
    format!("out{}.sender.example", random.below(400))
}

fn greet(plan: &mut Plan, random: &mut Random) {
    plan.steps.push(Step::Open);
    let number = plan.path.server.1 % 7 + 1;
    plan.server(&format!("220 mx{number}.receiver.example ESMTP Postfix"));
    plan.client(&format!("EHLO {}", client_name(random)));
    plan.server(&format!(
        "250-mx{number}.receiver.example\r\n250-PIPELINING\r\n250-SIZE 52428800\r\n250-ETRN\r\n250-STARTTLS\r\n\
         250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n250-DSN\r\n250-SMTPUTF8\r\n250 CHUNKING"
    ));
}

fn quit(plan: &mut Plan) {
    plan.client("QUIT");
    plan.server("221 2.0.0 Bye");
    plan.steps.push(Step::Close { from_client: SERVER });
}

/// Messages in clear, all accepted.
pub fn plain(path: Path, random: &mut Random, mail: Mail, pipelined: bool) -> Plan {
    let kind = if pipelined { "pipelined" } else { "plain" };
    let mut plan = Plan::session(path, kind, Outcome::Accepted);
    greet(&mut plan, random);
    for _ in 0..random.weighted(&[(75, 1), (15, 2), (10, 3)]) {
        deliver(&mut plan, random, mail, pipelined);
    }
    plan.note_messages(0);
    quit(&mut plan);
    plan
}

fn deliver(plan: &mut Plan, random: &mut Random, mail: Mail, pipelined: bool) {
    let recipients = random.weighted(&[(80, 1), (12, 2), (8, 5)]);
    let bdat = random.chance(30);
    let octets = mail.octets(random);
    let message = message(plan, random, octets, !bdat);
    let size: usize = message.iter().map(|piece| piece.length).sum();
    let mut commands = vec![format!("MAIL FROM:<{}> SIZE={size}", sender(random))];
    let mut replies = vec!["250 2.1.0 Ok"];
    for _ in 0..recipients {
        commands.push(format!("RCPT TO:<{}>", recipient(random)));
        replies.push("250 2.1.5 Ok");
    }
    if !bdat {
        commands.push("DATA".to_owned());
        replies.push("354 End data with <CR><LF>.<CR><LF>");
    }
    if pipelined {
        plan.client(&commands.join("\r\n"));
        plan.server(&replies.join("\r\n"));
    } else {
        for (command, reply) in commands.iter().zip(replies) {
            plan.client(command);
            plan.server(reply);
        }
    }
    if bdat {
        send_chunks(plan, &message);
    } else {
        let end = plan.own(b".\r\n");
        plan.say_pieces(CLIENT, 50_000, &[message.as_slice(), &[end]].concat());
    }
    plan.say(
        SERVER,
        DELIVERY,
        format!("250 2.0.0 Ok: queued as {:010X}\r\n", random.next() >> 24).as_bytes(),
    );
    let step = plan.steps.len() - 2;
    plan.messages.push(Message { step, recipients, bdat });
}

/// The header in a chunk of its own, the rest with LAST (RFC 3030).
fn send_chunks(plan: &mut Plan, message: &[Piece]) {
    let (first, rest) = message.split_at(1);
    let octets = |pieces: &[Piece]| pieces.iter().map(|piece| piece.length).sum::<usize>();
    let command = plan.own(format!("BDAT {}\r\n", octets(first)).as_bytes());
    plan.say_pieces(CLIENT, 20_000, &[&[command], first].concat());
    plan.server("250 2.0.0 Ok: chunk received");
    let command = plan.own(format!("BDAT {} LAST\r\n", octets(rest)).as_bytes());
    plan.say_pieces(CLIENT, 20_000, &[&[command], rest].concat());
}

/// A recorded TLS conversation with as much mail in it as `mail` says.
pub fn encrypted(path: Path, random: &mut Random, mail: Mail, recorded: &Conversation) -> Plan {
    let kind = if path.server.1 == 465 {
        "implicit_tls"
    } else {
        "starttls"
    };
    let mut plan = Plan::session(path, kind, Outcome::Encrypted);
    plan.note(|truth| truth.handshake = true);
    plan.steps.push(Step::Open);
    for (number, flight) in recorded.flights.iter().enumerate() {
        let mut pieces = Vec::new();
        if number == recorded.mail_before {
            let mut left = mail.octets(random);
            while left > 0 {
                let length = left.min(RECORD);
                let sealed = length + 24;
                pieces.push(plan.own(&[23, 3, 3, (sealed >> 8) as u8, sealed as u8]));
                let place = random.below(1 << 20) as usize;
                pieces.push(Piece {
                    source: Source::Pool(Fill::Cipher),
                    place,
                    length: sealed,
                });
                left -= length;
            }
        }
        pieces.push(plan.own(&flight.bytes));
        let think = if flight.from_client { 200_000 } else { 800_000 };
        plan.say_pieces(flight.from_client, think, &pieces);
    }
    plan.steps.push(Step::Close { from_client: SERVER });
    plan
}

/// A recorded TLS conversation that an alert ends.
pub fn alert(path: Path, recorded: &Conversation) -> Plan {
    let mut plan = Plan::session(path, "tls_alert", Outcome::TlsFailed);
    plan.note(|truth| truth.alert = recorded.alert);
    plan.steps.push(Step::Open);
    for flight in &recorded.flights {
        plan.say(flight.from_client, 500_000, &flight.bytes);
    }
    plan.steps.push(Step::Close { from_client: CLIENT });
    plan
}

/// Where a mail is refused, and with which words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    Mail,
    Recipient,
    Content,
}

const REFUSALS: [(u64, (Refusal, u16, &str)); 6] = [
    (
        40,
        (
            Refusal::Recipient,
            550,
            "5.1.1 <user@receiver.example>: Recipient address rejected: User unknown",
        ),
    ),
    (
        20,
        (
            Refusal::Recipient,
            554,
            "5.7.1 <user@other.example>: Relay access denied",
        ),
    ),
    (
        15,
        (
            Refusal::Recipient,
            450,
            "4.2.0 <user@receiver.example>: Recipient address rejected: Greylisted",
        ),
    ),
    (10, (Refusal::Mail, 552, "5.3.4 Message size exceeds fixed limit")),
    (
        5,
        (Refusal::Recipient, 452, "4.2.2 <user@receiver.example>: mailbox full"),
    ),
    (10, (Refusal::Content, 550, "5.7.1 Message rejected as spam")),
];

/// One mail that is refused.
pub fn rejected(path: Path, random: &mut Random, mail: Mail) -> Plan {
    let (refusal, code, text) = random.weighted(&REFUSALS);
    let outcome = if code < 500 {
        Outcome::Deferred
    } else {
        Outcome::Refused
    };
    let mut plan = Plan::session(path, "rejection", outcome);
    plan.note(|truth| truth.rejection = Some(code));
    greet(&mut plan, random);
    plan.client(&format!(
        "MAIL FROM:<{}> SIZE={}",
        sender(random),
        random.between(2_000, 90_000_000)
    ));
    let refused = format!("{code} {text}");
    if refusal != Refusal::Mail {
        plan.server("250 2.1.0 Ok");
        plan.client(&format!("RCPT TO:<{}>", recipient(random)));
    }
    if refusal == Refusal::Content {
        plan.server("250 2.1.5 Ok");
        plan.client("DATA");
        plan.server("354 End data with <CR><LF>.<CR><LF>");
        let octets = mail.octets(random);
        let mut pieces = message(&mut plan, random, octets, true);
        pieces.push(plan.own(b".\r\n"));
        plan.say_pieces(CLIENT, 50_000, &pieces);
        plan.note(|truth| truth.recipients += 1);
    }
    plan.server(&refused);
    quit(&mut plan);
    plan
}

/// A connection that does not come about, or is broken off.
pub fn tcp_failure(path: Path, random: &mut Random) -> Plan {
    let failure = random.weighted(&[(4, "refused"), (3, "unanswered"), (3, "reset")]);
    let outcome = if failure == "reset" {
        Outcome::Aborted
    } else {
        Outcome::NoConnection
    };
    let mut plan = Plan::session(path, "tcp_failure", outcome);
    plan.note(|truth| truth.tcp_failure = Some(failure.into()));
    match failure {
        "refused" => plan.steps.push(Step::Refused),
        "unanswered" => plan.steps.push(Step::Unanswered(4)),
        _ => {
            greet(&mut plan, random);
            plan.client(&format!("MAIL FROM:<{}>", sender(random)));
            plan.steps.push(Step::Reset { from_client: SERVER });
        }
    }
    plan
}

/// Greeting, EHLO, QUIT.
pub fn hello_and_quit(path: Path, random: &mut Random) -> Plan {
    let mut plan = Plan::session(path, "hello_quit", Outcome::NothingTried);
    greet(&mut plan, random);
    quit(&mut plan);
    plan
}

/// Greeting, EHLO, and nothing more.
pub fn left_open(path: Path, random: &mut Random) -> Plan {
    let mut plan = Plan::session(path, "left_open", Outcome::LeftOpen);
    greet(&mut plan, random);
    plan
}

/// Lets something go wrong, where the session is long enough for it.
pub fn spoil(plan: &mut Plan, fault: Fault, at_hello: bool) {
    let enough = SEGMENTS_FOR_A_FAULT * plan.path.full_payload() as u64;
    let is_long = |step: &Step| matches!(step, Step::Say { from_client: true, .. }) && plan.step_octets(step) >= enough;
    let is_clear = plan.truth.as_ref().is_some_and(|truth| !truth.handshake);
    let step = match fault {
        // Steps: Open, the greeting, EHLO.
        Fault::MidStream if at_hello && plan.path.server.1 != 465 => Some(2),
        _ => plan.steps.iter().position(is_long),
    };
    let Some(step) = step else { return };
    plan.fault = Some((fault, step));
    plan.note(|truth| truth.fault = Some(fault));
    if fault == Fault::MidStream && step > 2 {
        plan.note(|truth| truth.handshake = false);
        plan.note_messages(step);
        plan.note(|truth| {
            // Of a message that is not seen to begin nobody can say what it was.
            if is_clear && truth.messages == 0 {
                truth.outcome = Outcome::Unknown;
            }
        });
    }
}
