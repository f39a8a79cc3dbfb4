//! Turns a script file into a pcap file: `cargo run -p smtpcap-testkit --example script2pcap -- conversation.txt out.pcap`.
//! `-` reads standard input; a name ending in `.pcapng` writes pcapng.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use smtpcap_testkit::Script;
use std::io::Read;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [input, output] = arguments.as_slice() else {
        eprintln!("usage: script2pcap SCRIPT|- OUT.pcap|OUT.pcapng");
        return ExitCode::from(2);
    };
    match convert(input, output) {
        Ok(frames) => {
            eprintln!("{output}: {frames} frames");
            ExitCode::SUCCESS
        }
        Err(message) => {
            eprintln!("{input}: {message}");
            ExitCode::from(2)
        }
    }
}

fn convert(input: &str, output: &str) -> Result<usize, String> {
    let mut text = String::new();
    match input {
        "-" => std::io::stdin()
            .read_to_string(&mut text)
            .map(drop)
            .map_err(|error| error.to_string())?,
        path => text = std::fs::read_to_string(path).map_err(|error| error.to_string())?,
    }
    let script = Script::parse(&text).map_err(|error| error.to_string())?;
    let file = if output.ends_with(".pcapng") {
        script.to_pcapng()
    } else {
        script.to_pcap()
    };
    std::fs::write(output, file).map_err(|error| format!("{output}: {error}"))?;
    Ok(script.frames.len())
}
