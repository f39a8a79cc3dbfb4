//! Turns one-line shorthands (`tls handshake 1.2`, `starttls`, `smtp hello` …) into the script lines they stand for.

use crate::words::Words;

const EHLO: &[&str] = &[
    "PIPELINING",
    "SIZE 10240000",
    "VRFY",
    "ETRN",
    "ENHANCEDSTATUSCODES",
    "8BITMIME",
    "DSN",
    "CHUNKING",
];

/// The lines a shorthand stands for; none when the word is no shorthand. After a TLS handshake (`secure`) the
/// conversations are encrypted ones.
pub(crate) fn expand(word: &str, arguments: &str, secure: bool) -> Result<Option<Vec<String>>, String> {
    let words = Words::new(arguments);
    let lines = match word {
        "tls" => match words.next() {
            Some("handshake") => handshake(&words)?,
            Some("quit") => farewell("QUIT", "221 2.0.0 Bye", true),
            _ => {
                return Err(
                    "only \"tls handshake …\" and \"tls quit\" stand alone; else write C: tls … or S: tls …".to_owned(),
                );
            }
        },
        "starttls" => match words.next().unwrap_or("smtp") {
            "smtp" => pair("STARTTLS", &["220 2.0.0 Ready to start TLS"], false),
            "pop3" => pair("STLS", &["+OK Begin TLS negotiation now."], false),
            "imap" => pair("a001 STARTTLS", &["a001 OK Begin TLS negotiation now."], false),
            other => return Err(format!("\"starttls {other}\": smtp, pop3 or imap")),
        },
        "smtp" => smtp(&words, secure)?,
        "pop3" => pop3(&words, secure)?,
        "imap" => imap(&words, secure)?,
        _ => return Ok(None),
    };
    words.finish()?;
    Ok(Some(lines))
}

fn mark(secure: bool) -> char {
    if secure { '=' } else { ':' }
}

fn reply(lines: &[&str], secure: bool) -> Vec<String> {
    lines
        .iter()
        .enumerate()
        .map(|(index, line)| match index {
            0 => format!("S{} {line}", mark(secure)),
            _ => format!("S+{} {line}", if secure { "=" } else { "" }),
        })
        .collect()
}

fn pair(command: &str, answer: &[&str], secure: bool) -> Vec<String> {
    let mut out = vec![format!("C{} {command}", mark(secure))];
    out.extend(reply(answer, secure));
    out
}

fn farewell(command: &str, answer: &str, secure: bool) -> Vec<String> {
    pair(command, &[answer], secure)
}

fn smtp(words: &Words, secure: bool) -> Result<Vec<String>, String> {
    Ok(match words.next() {
        Some("greeting") => reply(
            &[words.value("text").unwrap_or("220 mail.example.com ESMTP Postfix")],
            secure,
        ),
        Some("hello") => {
            let mut out = reply(
                &[words.value("greeting").unwrap_or("220 mail.example.com ESMTP Postfix")],
                secure,
            );
            out.extend(ehlo(words, secure));
            out
        }
        Some("ehlo") => ehlo(words, secure),
        Some("auth") => {
            let user = words.value("user").unwrap_or("alice@example.com");
            let password = words.value("password").unwrap_or("PLANTED-pass");
            let answer = words.value("reply").unwrap_or("235 2.7.0 Authentication successful");
            pair(&format!("AUTH PLAIN {{b64:\\0{user}\\0{password}}}"), &[answer], secure)
        }
        Some("envelope") => envelope(words, secure),
        Some("mail") => {
            let mut out = envelope(words, secure);
            out.extend(pair("DATA", &["354 End data with <CR><LF>.<CR><LF>"], secure));
            out.extend(body(words, secure)?);
            out.extend(reply(
                &[words.value("reply").unwrap_or("250 2.0.0 Ok: queued as 4C7F91C0A1")],
                secure,
            ));
            out
        }
        Some("quit") => farewell("QUIT", "221 2.0.0 Bye", secure),
        _ => return Err("write smtp greeting, hello, ehlo, auth, envelope, mail or quit".to_owned()),
    })
}

fn ehlo(words: &Words, secure: bool) -> Vec<String> {
    let name = words.value("name").unwrap_or("client.example.net");
    let server = words.value("server").unwrap_or("mail.example.com");
    let without: Vec<&str> = words
        .value("without")
        .map(|text| text.split(',').collect())
        .unwrap_or_default();
    let mut keywords: Vec<&str> = EHLO.to_vec();
    keywords.insert(4, if secure { "AUTH PLAIN LOGIN" } else { "STARTTLS" });
    keywords.retain(|keyword| {
        !without.iter().any(|name| {
            name.trim()
                .eq_ignore_ascii_case(keyword.split(' ').next().unwrap_or(keyword))
        })
    });
    if let Some(with) = words.value("with") {
        keywords.extend(with.split(',').map(str::trim));
    }
    let mut lines = vec![format!("250-{server}")];
    lines.extend(keywords.iter().map(|keyword| format!("250-{keyword}")));
    if let Some(last) = lines.last_mut() {
        last.replace_range(3..4, " ");
    }
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    pair(&format!("EHLO {name}"), &lines, secure)
}

fn envelope(words: &Words, secure: bool) -> Vec<String> {
    let from = words.value("from").unwrap_or("alice@example.com");
    let mut out = pair(&format!("MAIL FROM:<{from}>"), &["250 2.1.0 Ok"], secure);
    for to in words.value("to").unwrap_or("bob@example.org").split(',') {
        out.extend(pair(&format!("RCPT TO:<{to}>"), &["250 2.1.5 Ok"], secure));
    }
    out
}

fn body(words: &Words, secure: bool) -> Result<Vec<String>, String> {
    let joined = if secure { "C+=" } else { "C+" };
    let from = words
        .value("header-from")
        .or(words.value("from"))
        .unwrap_or("alice@example.com");
    let to = words
        .value("to")
        .unwrap_or("bob@example.org")
        .split(',')
        .next()
        .unwrap_or_default();
    let id = words.value("id").unwrap_or("20261102090000.1@client.example.net");
    let mut out = vec![
        format!("C{} Date: Mon, 2 Nov 2026 18:00:00 +0900", mark(secure)),
        format!("{joined} From: <{from}>"),
        format!("{joined} To: <{to}>"),
        format!("{joined} Message-ID: <{id}>"),
        format!("{joined} Subject: {}", words.value("subject").unwrap_or("Test")),
        joined.to_owned(),
        format!("{joined} Hello."),
    ];
    if let Some(size) = words.number("size")? {
        out.push(format!("{joined} fill {size}"));
    }
    out.push(format!("{joined} ."));
    Ok(out)
}

fn pop3(words: &Words, secure: bool) -> Result<Vec<String>, String> {
    Ok(match words.next() {
        Some("hello") => {
            let mut out = reply(&[words.value("greeting").unwrap_or("+OK Dovecot ready.")], secure);
            let middle = if secure { "SASL PLAIN LOGIN" } else { "STLS" };
            out.extend(pair(
                "CAPA",
                &[
                    "+OK",
                    "CAPA",
                    "TOP",
                    "UIDL",
                    "RESP-CODES",
                    "PIPELINING",
                    middle,
                    "USER",
                    ".",
                ],
                secure,
            ));
            out
        }
        Some("login") => {
            let mut out = pair(
                &format!("USER {}", words.value("user").unwrap_or("alice")),
                &["+OK"],
                secure,
            );
            let password = words.value("password").unwrap_or("PLANTED-pass");
            out.extend(pair(
                &format!("PASS {password}"),
                &[words.value("reply").unwrap_or("+OK Logged in.")],
                secure,
            ));
            out
        }
        Some("retrieve") => {
            let mut out = pair("STAT", &["+OK 1 320"], secure);
            let mail = [
                "+OK 320 octets",
                "From: <bob@example.org>",
                "Subject: Test",
                "",
                "Hello.",
                ".",
            ];
            out.extend(pair("RETR 1", &mail, secure));
            out
        }
        Some("quit") => farewell("QUIT", "+OK Logging out.", secure),
        _ => return Err("write pop3 hello, login, retrieve or quit".to_owned()),
    })
}

fn imap(words: &Words, secure: bool) -> Result<Vec<String>, String> {
    Ok(match words.next() {
        Some("hello") => {
            let default = match secure {
                true => "* OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID AUTH=PLAIN] Dovecot ready.",
                false => "* OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID STARTTLS LOGINDISABLED] Dovecot ready.",
            };
            reply(&[words.value("greeting").unwrap_or(default)], secure)
        }
        Some("login") => {
            let user = words.value("user").unwrap_or("alice");
            let password = words.value("password").unwrap_or("PLANTED-pass");
            pair(
                &format!("a002 LOGIN {user} {password}"),
                &[words.value("reply").unwrap_or("a002 OK Logged in")],
                secure,
            )
        }
        Some("fetch") => {
            let mut out = pair(
                "a003 SELECT INBOX",
                &["* 1 EXISTS", "a003 OK [READ-WRITE] Select completed."],
                secure,
            );
            let mail = ["* 1 FETCH (BODY[TEXT] {8}", "Hello.", ")", "a004 OK Fetch completed."];
            out.extend(pair("a004 FETCH 1 BODY[TEXT]", &mail, secure));
            out
        }
        Some("quit") => {
            let mut out = pair(
                "a005 LOGOUT",
                &["* BYE Logging out", "a005 OK Logout completed."],
                secure,
            );
            out.truncate(3);
            out
        }
        _ => return Err("write imap hello, login, fetch or quit".to_owned()),
    })
}

/// How far a handshake shorthand goes.
#[derive(PartialEq, PartialOrd)]
enum Until {
    Hello,
    Server,
    Client,
    End,
}

fn handshake(words: &Words) -> Result<Vec<String>, String> {
    let version = words.next().unwrap_or("1.3").to_owned();
    let until = match words.value("until") {
        Some("hello") => Until::Hello,
        Some("server") => Until::Server,
        Some("client") => Until::Client,
        None | Some("end") => Until::End,
        Some(other) => return Err(format!("until={other}: hello, server, client or end")),
    };
    let option = |key: &str| {
        words
            .value(key)
            .map(|value| format!(" {key}={value}"))
            .unwrap_or_default()
    };
    let resumed = words.flag("resumed");
    let mut server = format!("S: tls server-hello version={version}");
    for key in ["suite", "sentinel"] {
        server.push_str(&option(key));
    }
    let choice = words
        .value("choose")
        .map(|value| format!(" alpn={value}"))
        .unwrap_or_default();
    server.push_str(&choice);
    let suite = words.value("suite").map(super::super::tls::suite::parse).transpose()?;
    let certificate = words.value("cert").unwrap_or("valid").to_owned();
    let client_certificate = words.value("clientcert").map(str::to_owned);
    let status = words.value("ocsp").map(str::to_owned);
    let exchange = format!("{}{}", option("dhe"), option("group"));
    let retry = words.value("retry").map(str::to_owned);
    let maximum = words.value("max").unwrap_or(&version).to_owned();
    // What is left describes the ClientHello.
    let hello = words.rest().join(" ");
    let resume = if resumed { " resume" } else { "" };
    let client_hello = format!("C: tls hello max={maximum} {hello}{resume}");
    let mut out = vec![client_hello.clone()];
    if until == Until::Hello {
        return Ok(out);
    }
    if let Some(group) = retry {
        out.push(format!("S: tls hello-retry group={group}"));
        out.push("S+ tls ccs".to_owned());
        out.push(client_hello.replace(" keyshare=", " oldshare=") + &format!(" keyshare={group}"));
        if let Some(last) = out.last_mut() {
            *last = last
                .split(' ')
                .filter(|word| !word.starts_with("oldshare="))
                .collect::<Vec<_>>()
                .join(" ");
        }
    }
    if resumed {
        server.push_str(" resumed");
    }
    out.push(server);
    let flights = Flights {
        certificate,
        client_certificate,
        status,
        exchange,
        resumed,
        suite,
    };
    match version.as_str() {
        "1.3" => flights.modern(&mut out, &until),
        _ => flights.classic(&mut out, &until),
    }
    Ok(out)
}

struct Flights {
    certificate: String,
    client_certificate: Option<String>,
    status: Option<String>,
    exchange: String,
    resumed: bool,
    suite: Option<u16>,
}

impl Flights {
    fn modern(&self, out: &mut Vec<String>, until: &Until) {
        let mut say = |line: String| out.push(line);
        say("S+ tls ccs".to_owned());
        say("S+ tls encrypted-extensions".to_owned());
        if !self.resumed {
            if self.client_certificate.is_some() {
                say("S+ tls certificate-request".to_owned());
            }
            say(format!("S+ tls certificate leaf={}", self.certificate));
            say("S+ tls certificate-verify".to_owned());
        }
        say("S+ tls finished".to_owned());
        if *until <= Until::Server {
            return;
        }
        say("C: tls ccs".to_owned());
        if let Some(name) = &self.client_certificate {
            say(format!("C+ tls certificate leaf={name}"));
            if name != "empty" {
                say("C+ tls certificate-verify".to_owned());
            }
        }
        say("C+ tls finished".to_owned());
        if *until == Until::End {
            say("S: tls ticket".to_owned());
            say("S+ tls ticket".to_owned());
        }
    }

    fn classic(&self, out: &mut Vec<String>, until: &Until) {
        use crate::tls::suite::{KeyExchange, key_exchange};
        let mut say = |line: String| out.push(line);
        if self.resumed {
            say("S+ tls ccs".to_owned());
            say("S+ tls finished".to_owned());
            if *until >= Until::Client {
                say("C: tls ccs".to_owned());
                say("C+ tls finished".to_owned());
            }
            return;
        }
        let exchange = self.suite.map_or(KeyExchange::Ecdhe { anonymous: false }, key_exchange);
        let anonymous = matches!(
            exchange,
            KeyExchange::Dhe { anonymous: true } | KeyExchange::Ecdhe { anonymous: true }
        );
        if !anonymous {
            say(format!("S+ tls certificate leaf={}", self.certificate));
            if let Some(state) = &self.status {
                say(format!("S+ tls certificate-status {state}"));
            }
        }
        if exchange != KeyExchange::Rsa {
            say(format!("S+ tls key-exchange{}", self.exchange));
        }
        if self.client_certificate.is_some() {
            say("S+ tls certificate-request".to_owned());
        }
        say("S+ tls done".to_owned());
        if *until <= Until::Server {
            return;
        }
        match &self.client_certificate {
            Some(name) => {
                say(format!("C: tls certificate leaf={name}"));
                say("C+ tls client-key-exchange".to_owned());
                if name != "empty" {
                    say("C+ tls certificate-verify".to_owned());
                }
            }
            None => say("C: tls client-key-exchange".to_owned()),
        }
        say("C+ tls ccs".to_owned());
        say("C+ tls finished".to_owned());
        if *until == Until::End {
            say("S: tls ccs".to_owned());
            say("S+ tls finished".to_owned());
        }
    }
}
