//! `smtpcap-workload`: makes captures with a known truth, and checks a report against it.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use smtpcap_workload::check::Report;
use smtpcap_workload::truth::Totals;
use smtpcap_workload::yardstick::yardstick;
use smtpcap_workload::{Format, Order, Profile, Size, generate};

/// Makes captures of any size with a known truth, and holds smtpcap's report against it.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Makes a capture and its truth.
    Generate(Generate),
    /// Compares a report (JSON Lines) with the truth; fails where they differ.
    Check(Check),
    /// Says how fast this machine's memory is just now.
    Yardstick,
}

#[derive(Args)]
struct Check {
    /// The truth that was written with the capture.
    #[arg(long)]
    truth: PathBuf,
    /// The truth of each session, to tell which differ.
    #[arg(long)]
    session_truth: Option<PathBuf>,
    /// What `smtpcap analyze --format jsonl` wrote.
    report: PathBuf,
}

#[derive(Args)]
struct Generate {
    /// What the capture is made of.
    #[arg(value_enum)]
    profile: Profile,
    /// Other numbers, other capture.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// About how many bytes (k, M, G: powers of ten).
    #[arg(long, value_parser = quantity, conflicts_with = "sessions")]
    bytes: Option<u64>,
    /// How many mail sessions (k, M, G: powers of ten).
    #[arg(long, value_parser = quantity, required_unless_present = "bytes")]
    sessions: Option<u64>,
    /// Format of the capture.
    #[arg(long, value_enum, default_value_t = Format::PcapNs)]
    format: Format,
    /// The capture; "-" is standard output.
    #[arg(short, long, default_value = "-")]
    output: PathBuf,
    /// The truth, as JSON.
    #[arg(long)]
    truth: Option<PathBuf>,
    /// The truth of each session, one JSON record a line, in the order in which they end.
    #[arg(long)]
    session_truth: Option<PathBuf>,
}

fn quantity(text: &str) -> Result<u64, String> {
    let (digits, unit) = match text.as_bytes().last() {
        Some(b'k') => (&text[..text.len() - 1], 1e3),
        Some(b'M') => (&text[..text.len() - 1], 1e6),
        Some(b'G') => (&text[..text.len() - 1], 1e9),
        _ => (text, 1.0),
    };
    match digits.parse::<f64>() {
        Ok(number) if number >= 0.0 && number * unit < 1e15 => Ok((number * unit) as u64),
        _ => Err("a number, with k, M or G behind it".to_owned()),
    }
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Generate(arguments) => make(&arguments).map(|()| true),
        Command::Check(arguments) => check(&arguments),
        Command::Yardstick => {
            println!("{}", yardstick());
            Ok(true)
        }
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("smtpcap-workload: {error}");
            ExitCode::FAILURE
        }
    }
}

fn make(arguments: &Generate) -> io::Result<()> {
    let size = match (arguments.sessions, arguments.bytes) {
        (Some(sessions), _) => Size::Sessions(sessions),
        (None, bytes) => Size::Bytes(bytes.unwrap_or(0)),
    };
    let order = Order {
        profile: arguments.profile,
        seed: arguments.seed,
        size,
        format: arguments.format,
    };
    let output: Box<dyn Write> = match arguments.output.to_str() {
        Some("-") => Box::new(io::stdout().lock()),
        _ => Box::new(File::create(&arguments.output)?),
    };
    let mut sessions = match &arguments.session_truth {
        Some(path) => Some(BufWriter::new(File::create(path)?)),
        None => None,
    };
    let totals = generate(
        &order,
        BufWriter::with_capacity(1 << 20, output),
        |truth| match &mut sessions {
            Some(file) => {
                serde_json::to_writer(&mut *file, truth)?;
                file.write_all(b"\n")
            }
            None => Ok(()),
        },
    )?;
    if let Some(mut file) = sessions {
        file.flush()?;
    }
    if let Some(path) = &arguments.truth {
        let mut file = BufWriter::new(File::create(path)?);
        serde_json::to_writer_pretty(&mut file, &totals)?;
        file.write_all(b"\n")?;
        file.flush()?;
    }
    Ok(())
}

/// True where the report says what was put in.
fn check(arguments: &Check) -> io::Result<bool> {
    let open = |path: &PathBuf| File::open(path).map(|file| BufReader::with_capacity(1 << 20, file));
    let truth: Totals = serde_json::from_reader(open(&arguments.truth)?)?;
    let report = Report::read(open(&arguments.report)?, arguments.session_truth.is_some())?;
    let mut differences = report.differences(&truth);
    if let Some(path) = &arguments.session_truth {
        differences.extend(report.session_differences(open(path)?)?);
    }
    for difference in &differences {
        println!("{difference}");
    }
    Ok(differences.is_empty())
}
