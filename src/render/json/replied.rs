//! Replies as a session's record holds them, written from the session itself. A server says the same to everybody, and all
//! of a reply but its frames and its time is what it said: what came last is remembered as JSON, in each thread, and copied.
//! Nothing but time depends on that; a test holds it against the plain record.

use std::cell::RefCell;

use serde::{Serialize, Serializer};

use crate::captured::Captured;
use crate::protocol::retrieval::{Answer, Greeting, Status};
use crate::protocol::smtp::{Reply, ReplyLines};
use crate::render::json::convert::{Form, frames};
use crate::render::json::enhanced::Enhanced;
use crate::render::json::schema::schema_like;
use crate::render::json::session::ReplyRecord;
use crate::render::json::text::{Lines, Text, Word};
use crate::render::json::time::when;
use crate::render::json::words;
use crate::render::json::writer::ToJson;
use crate::text::{Language, enhanced_status_meaning};

/// Replies remembered in each thread.
const REMEMBERED: usize = 256;
/// Octets of JSON of the longest that is remembered.
const LONGEST: usize = 2048;

/// What was said.
#[derive(Clone, Copy, Debug)]
enum Said<'a> {
    Reply(&'a Reply),
    Answer(&'a Answer),
    Greeting(&'a Greeting),
}

/// A reply, answer or greeting: as JSON what [`ReplyRecord`] says of it.
#[derive(Clone, Copy, Debug)]
pub struct Replied<'a> {
    said: Said<'a>,
    form: Form,
}

impl<'a> Replied<'a> {
    /// A reply of SMTP or LMTP.
    #[must_use]
    pub const fn reply(reply: &'a Reply, form: Form) -> Self {
        let said = Said::Reply(reply);
        Self { said, form }
    }

    /// An answer of POP3 or IMAP.
    #[must_use]
    pub const fn answer(answer: &'a Answer, form: Form) -> Self {
        let said = Said::Answer(answer);
        Self { said, form }
    }

    /// A greeting of POP3 or IMAP.
    #[must_use]
    pub const fn greeting(greeting: &'a Greeting, form: Form) -> Self {
        let said = Said::Greeting(greeting);
        Self { said, form }
    }

    /// Its record.
    #[must_use]
    pub fn record(&self) -> ReplyRecord<'a> {
        let form = self.form;
        let status = |status, text: &'a Captured, span| ReplyRecord {
            code: None,
            code_name: None,
            status: Some(status),
            response_code: None,
            enhanced: None,
            enhanced_name: None,
            text: Lines(std::slice::from_ref(text)),
            frames: frames(span),
            time: form.time(span.last.time),
        };
        match self.said {
            Said::Reply(reply) => ReplyRecord {
                code: Some(reply.code),
                code_name: words::reply_class(reply.code),
                status: None,
                response_code: None,
                enhanced: reply.enhanced.map(Enhanced),
                enhanced_name: reply
                    .enhanced
                    .and_then(|code| enhanced_status_meaning(code, form.language)),
                text: Lines(&reply.lines),
                frames: frames(&reply.span.get()),
                time: form.time(reply.span.last().time),
            },
            Said::Answer(answer) => {
                let word = match answer.status {
                    Status::Ok => "ok",
                    Status::No => "no",
                    Status::Bad => "bad",
                };
                ReplyRecord {
                    response_code: answer.code.as_ref().map(Text::from),
                    ..status(word, &answer.text, &answer.span)
                }
            }
            Said::Greeting(greeting) => {
                let word = match greeting.kind.bytes() {
                    b"+OK" | b"OK" | b"PREAUTH" => "ok",
                    _ => "no",
                };
                status(word, &greeting.text, &greeting.span)
            }
        }
    }
}

impl ToJson for Replied<'_> {
    fn append(&self, json: &mut Vec<u8>) {
        let Said::Reply(reply) = self.said else {
            return self.record().append(json);
        };
        let language = self.form.language;
        let known = remembered(reply, language, |known| json.extend_from_slice(&known.head));
        if known.is_none() {
            let start = json.len();
            let second = append_said(reply, language, json);
            let head = json.get(start..).unwrap_or_default();
            remember(reply, language, head, second.map(|second| second - start));
        }
        when(frames(&reply.span.get()), self.form.time(reply.span.last().time), json);
        json.push(b'}');
    }
}

/// Appends what was said, as the record has it up to the frames, and tells where the second line begins, if there is one.
fn append_said(reply: &Reply, language: Language, json: &mut Vec<u8>) -> Option<usize> {
    json.extend_from_slice(b"{\"code\":");
    reply.code.append(json);
    if let Some(class) = words::reply_class(reply.code) {
        json.extend_from_slice(b",\"code_name\":");
        Word(class).append(json);
    }
    if let Some(code) = reply.enhanced {
        json.extend_from_slice(b",\"enhanced\":");
        Enhanced(code).append(json);
        if let Some(meaning) = enhanced_status_meaning(code, language) {
            json.extend_from_slice(b",\"enhanced_name\":");
            meaning.append(json);
        }
    }
    json.extend_from_slice(b",\"text\":[");
    let mut second = None;
    for (number, line) in reply.lines.iter().enumerate() {
        if number > 0 {
            json.push(b',');
        }
        if number == 1 {
            second = Some(json.len());
        }
        Text::from(line).append(json);
    }
    json.push(b']');
    second
}

/// A reply as JSON, up to its frames.
struct Known {
    lines: ReplyLines,
    code: u16,
    enhanced: Option<(u8, u16, u16)>,
    language: Language,
    head: Vec<u8>,
    /// Where its second line begins in the head, if there is one.
    second: Option<usize>,
}

impl Known {
    /// Only lines that lie at the same place are compared: others are not likely to come again.
    fn is_of(&self, reply: &Reply, language: Language) -> bool {
        self.lines.is_shared_with(&reply.lines)
            && self.code == reply.code
            && self.enhanced == reply.enhanced
            && self.language == language
    }
}

thread_local! {
    static KNOWN: RefCell<Vec<Option<Known>>> = RefCell::new((0..REMEMBERED).map(|_| None).collect());
}

/// Lines lie sixteen octets apart at least.
fn place(reply: &Reply) -> usize {
    let address = reply.lines.as_ptr().addr() >> 4;
    (address ^ address >> 8 ^ usize::from(reply.code)) % REMEMBERED
}

/// By `try_with`, which is made part of each of its users; `with_borrow` is a function of its own.
fn remembered<T>(reply: &Reply, language: Language, take: impl FnOnce(&Known) -> T) -> Option<T> {
    let known = KNOWN.try_with(|known| {
        let known = known.borrow();
        let known = known.get(place(reply))?.as_ref()?;
        known.is_of(reply, language).then(|| take(known))
    });
    known.ok()?
}

/// Remembers a reply of which this is said.
fn remember(reply: &Reply, language: Language, said: &[u8], second: Option<usize>) {
    if said.len() > LONGEST {
        return;
    }
    KNOWN.with_borrow_mut(|known| {
        if let Some(place) = known.get_mut(place(reply)) {
            // The room of the one that was there is used again.
            let mut head = place.take().map_or_else(Vec::new, |known| known.head);
            head.clear();
            head.extend_from_slice(said);
            *place = Some(Known {
                lines: reply.lines.clone(),
                code: reply.code,
                enhanced: reply.enhanced,
                language,
                head,
                second,
            });
        }
    });
}

/// A list of service extensions: all lines of a reply but the first, or a list of keywords.
#[derive(Clone, Copy, Debug)]
pub struct Offered<'a> {
    lines: Lines<'a>,
    reply: Option<(&'a Reply, Language)>,
}

impl<'a> Offered<'a> {
    /// The lines behind a reply's first.
    #[must_use]
    pub fn by(reply: &'a Reply, language: Language) -> Self {
        Self {
            lines: Lines(reply.lines.get(1..).unwrap_or_default()),
            reply: Some((reply, language)),
        }
    }
}

impl<'a> From<&'a [Captured]> for Offered<'a> {
    fn from(keywords: &'a [Captured]) -> Self {
        Self {
            lines: Lines(keywords),
            reply: None,
        }
    }
}

impl ToJson for Offered<'_> {
    fn append(&self, json: &mut Vec<u8>) {
        let known = self.reply.and_then(|(reply, language)| {
            remembered(reply, language, |known| {
                let rest = known.head.get(known.second?..)?;
                json.push(b'[');
                json.extend_from_slice(rest);
                Some(())
            })?
        });
        if known.is_none() {
            self.lines.append(json);
        }
    }
}

impl Serialize for Offered<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.lines.serialize(serializer)
    }
}

impl Serialize for Replied<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.record().serialize(serializer)
    }
}

schema_like!(Replied<'a> is ReplyRecord<'static>);
schema_like!(Offered<'a> is Lines<'static>);

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(code: u16, enhanced: Option<(u8, u16, u16)>, lines: &ReplyLines) -> Reply {
        Reply {
            enhanced,
            ..Reply::of_words(code, lines.clone())
        }
    }

    fn written(value: &impl ToJson) -> String {
        let mut json = Vec::new();
        value.append(&mut json);
        String::from_utf8(json).unwrap()
    }

    #[test]
    fn what_is_remembered_is_what_the_record_says() {
        let texts: Vec<Vec<String>> = (0..400)
            .map(|number| {
                let odd = ["", "a,\"text\":[\"", ",\"frames\":[1,2]", "\u{1f5fe}<\\"][number % 4];
                (0..number % 5).map(|line| format!("{number} {odd} {line}")).collect()
            })
            .collect();
        let lines: Vec<ReplyLines> = texts
            .iter()
            .map(|lines| {
                lines
                    .iter()
                    .map(|line| Captured::from(&**line))
                    .collect::<Vec<_>>()
                    .into()
            })
            .collect();
        for round in 0..3 {
            for (number, lines) in lines.iter().enumerate() {
                // The same lines with other codes, in both languages.
                for (code, enhanced) in [(250, None), (550, Some((5, 1, 1))), (550, None), (450, Some((4, 2, 0)))] {
                    for language in Language::ALL {
                        let reply = reply(code, enhanced, lines);
                        let form = Form { language, digits: 6 };
                        let replied = Replied::reply(&reply, form);
                        for _ in 0..2 {
                            let place = format!("{number} {code} {language:?} in round {round}");
                            assert_eq!(written(&replied), written(&replied.record()), "{place}");
                            let offered = Offered::by(&reply, language);
                            assert_eq!(written(&offered), written(&offered.lines), "{place}");
                        }
                    }
                }
            }
        }
    }
}
