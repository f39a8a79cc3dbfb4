//! Builds captures from scripted mail conversations: for tests, rule examples and benchmarks only.
//!
//! Three layers, each usable alone: [`frame`] (one segment → bytes with right checksums), [`container`] (timed frames →
//! pcap or pcapng in memory), [`script`] (a short text → a whole capture). Nothing here reads a clock, a file or a random
//! source; the same text gives the same bytes. Certificates are real DER files, made by `certificates/make.sh`.
//!
//! ```
//! let script = smtpcap_testkit::Script::parse("
//!     port 587
//!     S: 220 mail.example.com ESMTP
//!     C: EHLO client.example.net
//!     S: 250-mail.example.com
//!     S+ 250 STARTTLS
//!     starttls
//!     C: tls hello max=1.0
//!     S: tls alert fatal protocol_version
//!     S: fin
//! ").unwrap();
//! assert!(script.frames.len() > 10);
//! let file: Vec<u8> = script.to_pcap();
//! # assert!(file.len() > 1000);
//! ```
//!
//! [`Script::parse`] gives an error that names the line; [`Script::must`] and [`frames`] panic with it. Look at a script:
//! `cargo run -p smtpcap-testkit --example script2pcap -- conversation.txt /tmp/out.pcap && tshark -r /tmp/out.pcap`.
//!
//! # The language
//!
//! One statement a line; leading blanks do not count; a line that begins with `#` is a comment (after statements that are
//! no conversation, ` # …` is one, too). The capture starts at 2026-11-02T09:00:00Z. TCP handshake, acknowledgments, SACK,
//! timestamps, segmentation and the answer to a FIN happen by themselves.
//!
//! ## Conversation
//!
//! | line | meaning |
//! |---|---|
//! | `C: text` `S: text` | one line of the client or server, CRLF added, a segment of its own |
//! | `C+ text` `S+ text` | one more line in the same segment as the line before (multi-line replies, pipelining) |
//! | `C> text` | the same as `C:` without CRLF |
//! | `C= text` | as TLS application data of the length that `text` + CRLF has under the negotiated suite; `C+ text` after it joins the same record |
//! | `C! text` | on the wire and acknowledged, but missing from the capture |
//! | `Cx text` `Cx5 text` | captured, never received: 3 (or 5) retransmissions, never acknowledged |
//! | `Cr text` `Cr2 text` | captured, lost, received with the 1st (or 2nd) retransmission |
//! | `C:: text` | text that begins with a keyword below (`C:: fin is a word`) |
//! | `C: <<` … `>>` | all lines up to `>>`, each with CRLF, in one piece (cut at the MSS); no keywords, no comments inside; the indentation of the `C: <<` line is taken off |
//! | `C: fill 20000` | that many bytes of text lines, CRLF at the end |
//!
//! Marks combine: `C+>`, `C+=`, `C!=`, `Cx3>`. Everywhere `S` for `C`.
//! In texts: `\r \n \t \0 \\ \xNN` (other backslashes stay: `\Seen`), `{b64:\0user\0pass}`, `{hex:16 03 01}`, `{x:900}`
//! (900 letters x); other braces stay (`{12}`). `{b64:…}` may contain braces and escapes.
//!
//! ## Time and end
//!
//! | line | meaning |
//! |---|---|
//! | `wait 5s` | silence: `us ms s m h d`; owed acknowledgments are sent first |
//! | `C: fin` `S: fin` | FIN; the peer answers with its own FIN unless a later line of this session lets it speak; `fin only`: the peer just acknowledges |
//! | `C: rst` | RST,ACK; options `ttl=200` (somebody else's), `noack` (bare RST), `outofwindow` (wrong sequence number, the session goes on) |
//! | `close` `close client` | FIN both ways, server (or client) first |
//! | `open` | stays open although QUIT was said |
//!
//! A session whose last client line is `QUIT` or `… LOGOUT` and was answered closes by itself, server first (`C=` lines:
//! with close_notify both ways). **Every other session stays open** until a line says otherwise. Nothing is closed after a
//! `421`, a TLS alert or a failure: say `S: fin`.
//!
//! ## Sessions
//!
//! Without a `session` line: 192.0.2.10 → 198.51.100.25, port 25 or what `port 587` said before. With it, each line opens
//! a new connection and everything below belongs to it:
//!
//! ```text
//! session 192.0.2.31 -> 198.51.100.28:587 ttl=64/57 at=+5m
//! session 587                        # default addresses
//! session -> 198.51.100.28:imaps     # port names: smtp submission smtps pop3 pop3s imap imaps
//! session [2001:db8::1] -> [2001:db8::2]:25      or      session v6 587
//! ```
//!
//! | option | meaning |
//! |---|---|
//! | `at=+5s` | starts 5 s after the session before ended (default 1 s) |
//! | `at=5s` | starts 5 s after the capture started: sessions may overlap; also `at=2026-11-03T10:00:00Z` |
//! | `x5 every=300s` | the whole session five times, starting every 300 s (new client port each) |
//! | `unanswered` `unanswered=3` | nothing but 5 (or 3) SYNs, gaps doubling from 1 s |
//! | `refused` | RST,ACK to the SYN |
//! | `icmp=3/13` | a router (203.0.113.1, 2001:db8:ffff::1) answers the SYN; for IPv6 write ICMPv6 numbers, `icmp=1/1` |
//! | `halfopen` | SYN-ACK four times, never acknowledged |
//! | `synlost=2` | two SYNs lost, the third is answered |
//! | `midstream` | the capture begins after the handshake |
//! | `oneway=c2s` `oneway=s2c` | only this direction is captured |
//! | `mss=1460` `mss=1460/1380` `ttl=64/57` | client/server |
//! | `latency=100ms` `notimestamps` `port=587` | |
//!
//! Client ports count up from 50000; give one with `192.0.2.31:40000 -> …`.
//!
//! ## Settings
//!
//! Lines before the first session or conversation line hold for all sessions, later ones for the rest of their session;
//! most take `off`.
//!
//! | line | meaning |
//! |---|---|
//! | `capture at client` (default), `server`, `middle` | decides delays and which lost frames are seen |
//! | `latency 10ms` | one way |
//! | `snap 96` | frames cut in the file, original length kept |
//! | `vlan 100`, `vlan 100,200` | tags, outer first |
//! | `split 1` | segments of at most one payload byte |
//! | `fragment 600` | IP fragments of at most 600 bytes |
//! | `oneway c2s` | as the session option, from here on |
//! | `hide` … `show` | what happens in between is not captured |
//! | `offload client` | that end's segments up to 60 kB with unfinished checksums |
//! | `mirror`, `mirror routed` | every frame twice (routed: the second with TTL-1) |
//! | `pmtu 1400 [c2s\|s2c] [icmp] [retries=4]` | IP packets above 1400 bytes vanish; the first one of a flight is retransmitted; seen at the sender's end only; `icmp` adds the router's answer |
//! | `start 2026-12-01T00:00:00Z` | other start of the capture |
//! | `drops 17` | isb_ifdrop in [`Script::to_pcapng`] |
//!
//! ## Transport events
//!
//! `dup` (the next data frame is captured twice) · `reorder` (the next data frame is captured after the following one of
//! its side) · `lose 2 x3` (of the next payload, segments from the 2nd on are lost, the first lost one is retransmitted
//! 3 times) · `midstream` (forget everything captured of this session so far) · `C: retransmit x2 every=1s` (the last
//! data again though it arrived) · `C: conflict text` (other bytes at the place of the last data) · `S: window 0`
//! (announce a window) · `C: probe x3 every=5s` = `C: keepalive x3 every=60s` (one byte back, answered unless
//! `unanswered`) · `C: ack` · `C: syn x3` (first in a session: unanswered SYNs; later: a SYN with a new sequence number) ·
//! `S: icmp 3/13 [mtu=1400]` (a router answers the client's last packet; `C: icmp` answers the server's).
//!
//! ## Repetition
//!
//! ```text
//! repeat 6 every=1s
//! C: RCPT TO:<user{n}@example.org>
//! S: 550 5.1.1 User unknown
//! end
//! ```
//! Blocks nest and may contain `session` lines.
//!
//! ## Shorthands for healthy parts
//!
//! After a TLS handshake they speak encrypted (`C=`/`S=`) by themselves. Values with blanks in double quotes.
//!
//! | line | stands for |
//! |---|---|
//! | `smtp hello` | greeting, EHLO, 250 list (in clear with STARTTLS and no AUTH, encrypted with `AUTH PLAIN LOGIN` and no STARTTLS); `greeting="220 …" name=… server=… with="AUTH PLAIN LOGIN,SMTPUTF8" without=STARTTLS,PIPELINING` |
//! | `smtp greeting`, `smtp ehlo` | only that part, same options (`text=` for the greeting) |
//! | `smtp auth` | AUTH PLAIN with the planted password; `user= password= reply="535 …"` |
//! | `smtp envelope` | MAIL, RCPT accepted; `from= to=a,b` |
//! | `smtp mail` | envelope, DATA, message, 250 queued; `from= to= header-from= subject= id= size=20000 reply="554 …"` |
//! | `smtp quit`, `tls quit` | QUIT, 221 and the closing |
//! | `starttls`, `starttls pop3`, `starttls imap` | command and positive answer |
//! | `pop3 hello`, `login`, `retrieve`, `quit` | greeting and CAPA; USER/PASS (`user= password= reply=`); STAT/RETR; QUIT |
//! | `imap hello`, `login`, `fetch`, `quit` | greeting with capabilities; LOGIN; SELECT/FETCH; LOGOUT |
//! | `tls handshake 1.2` | see below |
//!
//! ## TLS
//!
//! `tls handshake 1.3|1.2|1.1|1.0|ssl3` plays both sides' flights with real record sizes. Options: `suite=0xc02f` (or
//! `aes128-gcm aes256-gcm chacha20 aes128-sha ecdhe-aes128-sha dhe-aes256-sha 3des rc4-sha rc4-md5 null-sha export-rc4
//! ecdh-anon …`), `cert=NAME`, `clientcert=empty|client|client-expired`, `resumed`, `sentinel=1.2|1.1`, `dhe=1024`,
//! `group=` (server's), `retry=secp256r1` (HelloRetryRequest first), `ocsp=good|revoked`, `choose=smtp` (server's ALPN),
//! `until=hello|server|client` (stop after that flight, to go on by hand), and everything of `tls hello`; the client
//! offers what the handshake's version says unless `max=` is given.
//!
//! | by hand | |
//! |---|---|
//! | `C: tls hello` | `max=1.3` (default) `1.2 1.1 1.0 ssl3 ssl2`, `min=` (writes supported_versions below 1.3, too), `sni=mail.example.com` (default) or `nosni`, `suites=0xc02f,0x002f`, `groups=x25519,secp256r1,none`, `sigalgs=rsa-sha256,pss-sha256,rsa-sha1,none`, `alpn=smtp,h2`, `keyshare=mlkem\|none\|GROUP`, `size=1800` (padded to this TCP payload), `scsv` (default; `noscsv`) `fallback grease ech resume noticket noextensions`, `sslv2` (SSLv2 format), `record=1.0` (record version), `legacy=1.0` (legacy_version), `client=openssl\|gnutls\|nss\|java` (java: TLS 1.3 records padded by 16) |
//! | `S: tls server-hello` | `version= suite= alpn= resumed sentinel=1.2\|1.1 group=` |
//! | `S: tls hello-retry group=secp256r1` | HelloRetryRequest |
//! | `S: tls certificate leaf=NAME` | the chain of that leaf, or `leaf=a,b,c` exactly these; `C: tls certificate empty`, `leaf=client` |
//! | `S: tls certificate-status revoked` | stapled OCSP answer for `valid` |
//! | `S: tls key-exchange` | by suite, or `ecdhe group=`, `dhe=1024` |
//! | `tls certificate-request`, `done`, `client-key-exchange`, `certificate-verify`, `encrypted-extensions`, `ticket`, `hello-request` | |
//! | `tls ccs`, `tls finished` | from here on this side's handshake records, alerts and `close` are encrypted |
//! | `tls app 200` | application data record with 200 bytes of body (for plaintext use `C= text`) |
//! | `tls alert fatal 70`, `tls alert warning close_notify version=1.0` | in the clear; number or name; the record version follows the session unless given |
//! | `tls encrypted-alert`, `tls encrypted-alert 26` | sized by suite, or so many bytes of body |
//! | `tls close` | close_notify, encrypted or not as the session is |
//! | `tls record type=22 version=1.0 length=300` | a record of noise; or hexadecimal body; `tls raw 15 03 01` bytes as they are |
//!
//! After a TLS 1.3 `server-hello` the server's `certificate`, `finished` … become encrypted records of the right length by
//! themselves. `S+ tls …` puts records into the segment of the line before.
//!
//! Certificates (leaf `mail.example.com`, valid 2026-09-15 to 2027-03-15, 2048-bit RSA, SHA-256 unless the name says
//! otherwise): `valid`, `expired` (2026-09-01), `notyet` (2027-01-01), `expiring` (2026-11-09, a week), `expiring-days`
//! (2026-11-04, two days), `selfsigned`, `wrongname` (www.example.net), `wildcard` (*.example.com), `sha1`, `rsa1024`,
//! `ecdsa`, `nosan` (CN only), `nosni` (CN=invalid2.invalid, OU=No SNI provided…), `clientauth` (no serverAuth),
//! `keyagreement` (unfit keyUsage), `nointermediate`, `wrongorder`, `expiredchain` (intermediate expired 2025-09-15),
//! `privateca` (with its own root), `interception` (issuer "Example Web-Mail Shield Root"). The public chain bears the
//! names Let's Encrypt R10 / ISRG Root X1, with keys of our own.

// A script that cannot be played is a mistake in a test: it panics with the line.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod bytes;
pub mod certificate;
pub mod container;
pub mod frame;
pub mod script;
pub mod tls;
pub mod words;

pub use container::{TimedFrame, pcap, pcapng};
pub use script::{Script, ScriptError, Side, frames};
