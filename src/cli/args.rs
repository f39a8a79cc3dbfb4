//! The command line: what a user may type. Help texts in the reader's language.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

/// The whole command line.
#[derive(Debug, Parser)]
#[command(
    name = "smtpcap",
    version,
    about = "Says in plain words why the mail did not go, from a packet capture",
    max_term_width = 100
)]
pub struct Arguments {
    /// Language of the texts (default: from LC_ALL, LC_MESSAGES, LANG)
    #[arg(long, value_enum, global = true)]
    pub lang: Option<Lang>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Sessions, findings and what several sessions show together, of one or several captures
    Analyze(Analyze),
    /// The same, as sessions end, for days: from a pipe
    Live(Box<Live>),
    /// One session as a ladder with its story
    Show(Show),
    /// What a rule, alert, reply code, enhanced code, AUTH mechanism or EHLO keyword means
    Explain(Explain),
    /// Every rule
    Rules(Rules),
    /// JSON Schema of the JSON output
    Schema(Schema),
    /// Completions for a shell, on standard output
    Completions(Completions),
    /// The manual page, on standard output
    Man,
}

/// A report's form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Table,
    /// One JSON document.
    Json,
    /// One JSON record per line.
    Jsonl,
}

/// A language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Lang {
    /// English.
    En,
    /// Japanese.
    Ja,
}

/// When to colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How times are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Time {
    /// UTC.
    Utc,
    /// The time zone of this machine.
    Local,
    /// Since the first frame.
    Relative,
    /// Seconds since 1970.
    Epoch,
}

/// Findings that make the exit code 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// A session or mail failed.
    Fail,
    /// Also what works but is exposed or about to break.
    Risk,
    /// Also notes.
    Note,
}

/// Options of every output.
#[derive(Debug, Args)]
pub struct Look {
    /// Language of the texts (default: from LC_ALL, LC_MESSAGES, LANG)
    #[arg(long, value_enum, global = true)]
    pub lang: Option<Lang>,
    /// Colours
    #[arg(long, value_enum, default_value_t = Color::Auto)]
    pub color: Color,
    /// ASCII ornaments only
    #[arg(long)]
    pub ascii: bool,
    /// How times are shown
    #[arg(long, value_enum, default_value_t = Time::Utc)]
    pub time: Time,
    /// Columns of the output (default: the terminal's, else 100)
    #[arg(long, value_name = "COLUMNS")]
    pub width: Option<usize>,
}

/// Options of every reading of captures.
#[derive(Debug, Args)]
pub struct Reading {
    /// Server ports whose connections are mail, besides 24, 25, 110, 143, 465, 587, 993, 995 and 2525
    #[arg(long, value_name = "PORT,…", value_delimiter = ',')]
    pub ports: Vec<u16>,
    /// Key log (SSLKEYLOGFILE) that opens TLS; may be repeated. Keys inside a pcapng file are used without it
    #[arg(long, value_name = "FILE", action = ArgAction::Append)]
    pub keylog: Vec<PathBuf>,
    /// Show passwords, tokens and challenge responses instead of masking them
    #[arg(long)]
    pub show_secrets: bool,
    /// Keep and show message texts
    #[arg(long)]
    pub show_body: bool,
    /// Threads (default: one for each core); the report is the same for any number
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
    /// Memory for the state of connections, in MB
    #[arg(long, value_name = "MB", default_value_t = 256)]
    pub memory: usize,
}

/// `smtpcap analyze`.
#[derive(Debug, Args)]
pub struct Analyze {
    /// Captures: pcap or pcapng, plain or gzip, zstd, lz4; "-" is standard input
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<OsString>,
    /// Form of the report
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
    /// Show only sessions that match: client=, server=, service=, outcome=, severity=, finding=; comma: and; repeated: or
    #[arg(long, value_name = "KEY=VALUE,…", action = ArgAction::Append)]
    pub filter: Vec<String>,
    /// Exit with 1 where a finding of this severity or graver is there
    #[arg(long, value_enum)]
    pub fail_on: Option<FailOn>,
    /// Write the report to a file, readable only by you
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// More about the run, on standard error
    #[arg(short, long, action = ArgAction::Count)]
    pub verbose: u8,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub reading: Reading,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub look: Look,
}

/// How much of the sandbox must be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Sandbox {
    /// Every piece, or no run.
    Strict,
    /// What the kernel has.
    Auto,
    /// Privileges are given up, and nothing else.
    Off,
}

/// Capturing on this machine.
#[derive(Debug, Args)]
pub struct Capture {
    /// Watch these interfaces of this machine; "any" is all of them
    #[arg(short, long, value_name = "INTERFACE,…", value_delimiter = ',')]
    pub interface: Vec<String>,
    /// List the interfaces of this machine
    #[arg(short = 'D', long)]
    pub list_interfaces: bool,
    /// Capture what this filter (pcap-filter) lets through, instead of the mail ports
    #[arg(long, value_name = "FILTER", requires = "interface")]
    pub capture_filter: Option<String>,
    /// Capture the outer packets of tunnels as well (GRE, VXLAN, Geneve, IP in IP, PPPoE, MPLS)
    #[arg(long, requires = "interface", conflicts_with = "capture_filter")]
    pub tunnels: bool,
    /// Octets captured of a packet at most
    #[arg(long, value_name = "OCTETS", default_value_t = crate::capture::live::SNAP_LENGTH)]
    pub snap_length: u32,
    /// Kernel memory for packets that wait, for each interface, in MiB
    #[arg(long, value_name = "MIB", default_value_t = crate::capture::live::RING_MIB)]
    pub kernel_buffer: u32,
    /// Only packets from and to this machine
    #[arg(long)]
    pub no_promiscuous: bool,
    /// The program that captures (default: smtpcap-capture, else dumpcap, else tcpdump)
    #[arg(long, value_name = "PROGRAM")]
    pub capture_program: Option<PathBuf>,
    /// Whom to become when started as root (default: nobody)
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
    /// Walls around the process that decodes: no privilege, few system calls, few files
    #[arg(long, value_enum, default_value_t = Sandbox::Auto)]
    pub sandbox: Sandbox,
}

/// `smtpcap live`.
#[derive(Debug, Args)]
pub struct Live {
    /// Where the capture comes from: "-" is standard input (ssh host tcpdump -U -w - … | smtpcap live -), else a named pipe
    #[arg(value_name = "PIPE", required_unless_present_any = ["interface", "list_interfaces"], conflicts_with = "interface")]
    pub input: Option<OsString>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub capture: Capture,
    /// Form of the output: table for people, jsonl for programs
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
    /// Show only sessions that match: client=, server=, service=, outcome=, severity=, finding=; comma: and; repeated: or
    #[arg(long, value_name = "KEY=VALUE,…", action = ArgAction::Append)]
    pub filter: Vec<String>,
    /// Exit with 1 where a finding of this severity or graver was there
    #[arg(long, value_enum)]
    pub fail_on: Option<FailOn>,
    /// More about the run, on standard error
    #[arg(short, long, action = ArgAction::Count)]
    pub verbose: u8,
    /// Add to a file, readable only by you; SIGHUP opens it again
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// A summary this often (30s, 10m, 1h; 0s: only at the end)
    #[arg(long, value_name = "TIME", default_value = "10m")]
    pub summary_every: String,
    /// How long sessions are remembered for findings on several of them
    #[arg(long, value_name = "TIME", default_value = "1h")]
    pub window: String,
    /// Figures for Prometheus at this loopback address, such as 127.0.0.1:9465
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub metrics: Option<String>,
    /// Allow --metrics an address that is no loopback address
    #[arg(long)]
    pub metrics_on_network: bool,
    /// Keep the mail traffic as rotated pcapng files in this folder
    #[arg(long, value_name = "FOLDER")]
    pub ring: Option<PathBuf>,
    /// Files of the ring; the oldest is deleted beyond it
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    pub ring_files: u32,
    /// Size of a file of the ring, in MB
    #[arg(long, value_name = "MB", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..))]
    pub ring_size: u64,
    /// Write the frames of each failed session as a pcapng file of its own into this folder
    #[arg(long, value_name = "FOLDER")]
    pub write_failed: Option<PathBuf>,
    /// Files that --write-failed keeps; the oldest is deleted beyond it
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    pub write_failed_files: u32,
    /// Memory for recent frames, from which --write-failed takes, in MB
    #[arg(long, value_name = "MB", default_value_t = 64, value_parser = clap::value_parser!(u64).range(1..=4096))]
    pub keep: u64,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub reading: Reading,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub look: Look,
}

/// `smtpcap show`.
#[derive(Debug, Args)]
pub struct Show {
    /// The capture
    #[arg(value_name = "FILE")]
    pub file: OsString,
    /// Number of the session's first frame (the # of `analyze`), or 1, 2, 3 … for the first, second, third session
    #[arg(long, short = 's', value_name = "N")]
    pub session: u64,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub reading: Reading,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub look: Look,
}

/// `smtpcap explain`.
#[derive(Debug, Args)]
pub struct Explain {
    /// A rule's slug, an alert's number or name, a reply code, an enhanced status code, a mechanism, an EHLO keyword
    #[arg(value_name = "WHAT")]
    pub what: String,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub look: Look,
}

/// `smtpcap rules`.
#[derive(Debug, Args)]
pub struct Rules {
    /// Form of the list
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub look: Look,
}

/// `smtpcap schema`.
#[derive(Debug, Args)]
pub struct Schema {
    /// Of the document (json) or of one record (jsonl)
    #[arg(long, value_enum, default_value_t = Format::Json)]
    pub format: Format,
}

/// `smtpcap completions`.
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}
