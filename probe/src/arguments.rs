//! What the program is asked to do.

use crate::Failure;

/// The text of `--help`.
pub const HELP: &str = "\
Captures packets and writes them as pcapng to standard output; the capture program of smtpcap.

Usage: smtpcap-capture -i INTERFACE [-i INTERFACE ...] [OPTIONS] > FILE-OR-PIPE
       smtpcap-capture --list

  -i, --interface NAME    interface to capture on; \"any\" is all of them; may be repeated
  -f, --filter TEXT       capture filter, see pcap-filter(7)
      --filter-other TEXT filter for interfaces without an Ethernet header (\"any\", PPP, tunnels)
  -s, --snap-length N     octets captured of a packet at most (262144)
      --ring MIB          kernel memory for packets that wait, for each interface (64)
      --no-promiscuous    only packets for this machine
      --immediate         each packet at once instead of in blocks
      --user USER[:GROUP] user to become after opening, when started as root: name or number (nobody)
  -D, --list              the interfaces
  -h, --help              this text
  -V, --version           the version

Needs root, or once: setcap cap_net_raw,cap_net_admin+ep PATH
It gives up every privilege before the first packet is read.
Exit code: 0 stopped, 1 other, 2 usage, 3 no permission, 4 no such interface, 5 bad filter, 6 interfaces gone.
";

/// Octets captured of a packet at most.
const SNAP_LENGTH: u32 = 262_144;
/// Kernel memory for packets that wait, in MiB.
const RING: u32 = 64;
/// libpcap takes the ring's size as a signed number of octets.
const MAX_RING: u32 = 2_047;

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub enum Asked {
    /// Capture.
    Capture(Options),
    /// List the interfaces.
    List,
    /// Show the help.
    Help,
    /// Show the version.
    Version,
}

/// How to capture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Names of interfaces, each once.
    pub interfaces: Vec<String>,
    /// The filter for Ethernet; empty for everything.
    pub filter: String,
    /// The filter for other links.
    pub filter_other: Option<String>,
    /// Octets of a packet at most.
    pub snap_length: u32,
    /// Kernel memory, in MiB.
    pub ring: u32,
    /// Whether packets for other machines are captured.
    pub promiscuous: bool,
    /// Whether each packet is delivered at once.
    pub immediate: bool,
    /// Whom to become when started as root.
    pub user: Option<String>,
}

/// Reads the command line.
pub fn arguments() -> Result<Asked, Failure> {
    parse(lexopt::Parser::from_env())
}

fn parse(mut parser: lexopt::Parser) -> Result<Asked, Failure> {
    use lexopt::prelude::*;
    let mut options = Options {
        interfaces: Vec::new(),
        filter: String::new(),
        filter_other: None,
        snap_length: SNAP_LENGTH,
        ring: RING,
        promiscuous: true,
        immediate: false,
        user: None,
    };
    let usage = |error: lexopt::Error| Failure::Usage(error.to_string());
    while let Some(argument) = parser.next().map_err(usage)? {
        match argument {
            Short('i') | Long("interface") => {
                let name = text(&mut parser)?;
                if !options.interfaces.contains(&name) {
                    options.interfaces.push(name);
                }
            }
            Short('f') | Long("filter") => options.filter = text(&mut parser)?,
            Long("filter-other") => options.filter_other = Some(text(&mut parser)?),
            Short('s') | Long("snap-length") => options.snap_length = number(&mut parser, 1, SNAP_LENGTH)?,
            Long("ring") => options.ring = number(&mut parser, 1, MAX_RING)?,
            Long("no-promiscuous") => options.promiscuous = false,
            Long("immediate") => options.immediate = true,
            Long("user") => options.user = Some(text(&mut parser)?),
            Short('D') | Long("list") => return Ok(Asked::List),
            Short('h') | Long("help") => return Ok(Asked::Help),
            Short('V') | Long("version") => return Ok(Asked::Version),
            other => return Err(usage(other.unexpected())),
        }
    }
    if options.interfaces.is_empty() {
        return Err(Failure::Usage(
            "no interface: -i NAME, see --list and --help".to_owned(),
        ));
    }
    Ok(Asked::Capture(options))
}

fn text(parser: &mut lexopt::Parser) -> Result<String, Failure> {
    let value = parser.value().map_err(|error| Failure::Usage(error.to_string()))?;
    value
        .into_string()
        .map_err(|_| Failure::Usage("an argument is not valid UTF-8".to_owned()))
}

fn number(parser: &mut lexopt::Parser, least: u32, most: u32) -> Result<u32, Failure> {
    let value = text(parser)?;
    value
        .parse()
        .ok()
        .filter(|number| (least..=most).contains(number))
        .ok_or_else(|| Failure::Usage(format!("{value}: expected a number from {least} to {most}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(words: &[&str]) -> Result<Asked, Failure> {
        parse(lexopt::Parser::from_args(words))
    }

    #[test]
    fn interfaces_are_kept_once_and_in_order() {
        let Ok(Asked::Capture(options)) = asked(&["-i", "b", "-ia", "--interface=b", "--ring=8"]) else {
            panic!("no capture");
        };
        assert_eq!(
            (options.interfaces, options.ring),
            (vec!["b".to_owned(), "a".to_owned()], 8)
        );
    }

    #[test]
    fn nonsense_is_refused() {
        for words in [
            &["-i", "a", "--ring", "9999"][..],
            &["-i", "a", "-w", "x"],
            &["-i", "a", "-s", "0"],
            &[],
        ] {
            assert!(matches!(asked(words), Err(Failure::Usage(_))), "{words:?}");
        }
    }
}
