//! Reads the arguments of MAIL and RCPT (RFC 5321, sections 4.1.1.2, 4.1.1.3 and 4.1.2): octets → path and parameters.
//! Lenient: the server judges, we tell what was sent.

use nom::branch::alt;
use nom::bytes::complete::{tag, tag_no_case, take, take_till, take_while, take_while1};
use nom::character::complete::{char, none_of};
use nom::combinator::{opt, recognize, verify};
use nom::multi::many0_count;
use nom::sequence::{delimited, preceded, terminated};
use nom::{IResult, Parser};

use crate::captured::Captured;
use crate::protocol::smtp::{Few, Parameter, Path};

/// Parameters kept of one MAIL or RCPT command.
pub const PARAMETERS: usize = 64;

type Octets<'a> = &'a [u8];

const fn is_space(octet: u8) -> bool {
    octet == b' ' || octet == b'\t'
}

/// `FROM:` or `TO:`, the path and the parameters behind it. The path is `None` where it cannot be read.
pub fn envelope(argument: &[u8], keyword: &str) -> (Option<Path>, Few<Parameter>) {
    match usual_envelope(argument, keyword) {
        Some((address, rest)) => (Some(path(address)), parameters(rest)),
        None => any_envelope(argument, keyword),
    }
}

fn path(address: &[u8]) -> Path {
    Path {
        address: Captured::new(address),
    }
}

/// The address and what stands behind it, where it is in angle brackets, without quotes or a route: the short way.
fn usual_envelope<'a>(argument: &'a [u8], keyword: &str) -> Option<(&'a [u8], &'a [u8])> {
    let (start, rest) = argument.split_at_checked(keyword.len())?;
    let inside = rest.strip_prefix(b":<").filter(|inside| !inside.starts_with(b"@"))?;
    let end = inside.iter().position(|octet| matches!(octet, b'>' | b'"'))?;
    let usual = start.eq_ignore_ascii_case(keyword.as_bytes()) && inside.get(end) == Some(&b'>');
    let (address, rest) = inside.split_at_checked(end).filter(|_| usual)?;
    Some((address.trim_ascii(), rest.get(1..)?))
}

fn any_envelope(argument: &[u8], keyword: &str) -> (Option<Path>, Few<Parameter>) {
    let prefix = |input| -> IResult<Octets<'_>, Octets<'_>> {
        delimited(
            take_while(is_space),
            tag_no_case(keyword),
            preceded(take_while(is_space), char(':')),
        )
        .parse(input)
    };
    let Ok((input, _)) = prefix(argument) else {
        return (None, Few::default());
    };
    match alt((bracketed, unclosed, bare)).parse(input.trim_ascii_start()) {
        Ok((rest, address)) => (Some(path(address)), parameters(rest)),
        Err(_) => (None, Few::default()),
    }
}

fn quoted(input: Octets<'_>) -> IResult<Octets<'_>, Octets<'_>> {
    let escaped = recognize((char('\\'), take(1_usize)));
    let plain = take_while1(|octet| octet != b'"' && octet != b'\\');
    recognize((char('"'), many0_count(alt((escaped, plain))), char('"'))).parse(input)
}

/// "@one,@two:" in front of a mailbox.
fn source_route(input: Octets<'_>) -> IResult<Octets<'_>, Octets<'_>> {
    recognize((char('@'), take_while1(|octet| !b":>\" ".contains(&octet)), char(':'))).parse(input)
}

fn mailbox(input: Octets<'_>) -> IResult<Octets<'_>, Octets<'_>> {
    let stray_quote = recognize(verify(none_of(">"), |octet| *octet == '"'));
    recognize(many0_count(alt((
        quoted,
        take_while1(|octet| octet != b'>' && octet != b'"'),
        stray_quote,
    ))))
    .parse(input)
}

fn bracketed(input: Octets<'_>) -> IResult<Octets<'_>, Octets<'_>> {
    let (rest, address) = delimited(char('<'), preceded(opt(source_route), mailbox), char('>')).parse(input)?;
    Ok((rest, address.trim_ascii()))
}

fn unclosed(input: Octets<'_>) -> IResult<Octets<'_>, Octets<'_>> {
    preceded(tag("<"), take_till(is_space)).parse(input)
}

fn bare(input: Octets<'_>) -> IResult<Octets<'_>, Octets<'_>> {
    let unquoted = take_while1(|octet| !is_space(octet) && octet != b'"');
    let (rest, address) = terminated(recognize(many0_count(alt((quoted, unquoted)))), opt(char('>'))).parse(input)?;
    if address.is_empty() {
        return Err(nom::Err::Error(nom::error::Error::new(
            input,
            nom::error::ErrorKind::NonEmpty,
        )));
    }
    Ok((rest, address.strip_suffix(b">").unwrap_or(address)))
}

fn parameters(input: Octets<'_>) -> Few<Parameter> {
    input
        .split(|octet| is_space(*octet))
        .filter(|word| !word.is_empty())
        .take(PARAMETERS)
        .map(|word| match memchr::memchr(b'=', word) {
            Some(position) => Parameter {
                keyword: Captured::new(word.get(..position).unwrap_or_default()),
                value: Some(Captured::new(word.get(position + 1..).unwrap_or_default())),
            },
            None => Parameter {
                keyword: Captured::new(word),
                value: None,
            },
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(argument: &str) -> Option<String> {
        let path = envelope(argument.as_bytes(), "FROM").0;
        path.map(|path| String::from_utf8(path.address.bytes().to_vec()).unwrap())
    }

    #[test]
    fn every_form_of_a_path_is_read() {
        for (argument, address) in [
            ("FROM:<taro@example.test>", "taro@example.test"),
            ("from:<>", ""),
            ("FROM:< >", ""),
            ("FROM: <a@b.test>", "a@b.test"),
            ("FROM :<a@b.test>", "a@b.test"),
            ("FROM:a@b.test SIZE=3", "a@b.test"),
            ("FROM:<a@b.test SIZE=3", "a@b.test"),
            ("FROM:a@b.test>", "a@b.test"),
            ("FROM:<@one.test,@two.test:a@b.test>", "a@b.test"),
            ("FROM:<\"a >\\\" b\"@c.test> SIZE=1", "\"a >\\\" b\"@c.test"),
            ("FROM:\"a b\"@c.test SIZE=1", "\"a b\"@c.test"),
            ("FROM:<\"a@b.test>", "\"a@b.test"),
            ("FROM:<postmaster>", "postmaster"),
            ("FROM:<太郎@例え.jp> SMTPUTF8", "太郎@例え.jp"),
        ] {
            assert_eq!(read(argument).as_deref(), Some(address), "{argument}");
        }
        for argument in ["", "FROM", "FROM <a@b>", "TO:<a@b>", "FROM:", "FROM:  "] {
            assert_eq!(read(argument), None, "{argument}");
        }
    }

    #[test]
    fn parameters_are_kept_as_sent() {
        let (_, parameters) = envelope(b"TO:<a@b> NOTIFY=SUCCESS,DELAY  ORCPT=rfc822;a+3Db@c smtputf8 X=", "to");
        let shown: Vec<_> = parameters
            .iter()
            .map(|parameter| {
                let value = parameter.value.as_ref().map(|value| value.utf8().unwrap());
                (parameter.keyword.utf8().unwrap(), value)
            })
            .collect();
        assert_eq!(
            shown,
            [
                ("NOTIFY", Some("SUCCESS,DELAY")),
                ("ORCPT", Some("rfc822;a+3Db@c")),
                ("smtputf8", None),
                ("X", Some("")),
            ]
        );
    }

    proptest! {
        #[test]
        fn the_short_way_reads_what_the_long_way_reads(
            pieces in prop::collection::vec(
                prop::sample::select(vec!["FROM", "from", ":", "<", ">", "@", "a", "b.c", " ", "\t", "\"", "\\", "SIZE=3", "=", ",", "\u{e9}"]), 0..12,
            ),
        ) {
            let usual = ["FROM:<", &pieces.concat()].concat();
            for argument in [pieces.concat(), usual] {
                prop_assert_eq!(envelope(argument.as_bytes(), "FROM"), any_envelope(argument.as_bytes(), "FROM"));
            }
        }
    }
}
