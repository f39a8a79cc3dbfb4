"""What is measured: work with peers, growth, open sessions, start-up, threads. Each section gives rows for the report."""

import filecmp
from dataclasses import dataclass
from pathlib import Path

from . import tools as peers
from .captures import warm
from .measure import alternate, measure

M = 1_000_000
G = 1_000 * M

# Sizes at scale 1: the whole profile, then smaller ones for peers that cannot read it in reasonable time.
WORK = {
    "mail-heavy": [("bytes", G), ("bytes", 250 * M), ("bytes", 50 * M)],
    "mirror-port": [("bytes", 2 * G), ("bytes", 500 * M)],
    "many-short": [("sessions", M), ("sessions", 250_000), ("sessions", 50_000), ("sessions", 10_000)],
    "syn-flood": [("sessions", 1_000), ("sessions", 200)],
}
GROWTH = [250 * M, 500 * M, G, 2 * G]
OPEN = [50_000, 100_000, 200_000]


@dataclass
class Setting:
    """What every section needs."""

    store: object
    smtpcap: str
    other: str
    tools: list
    runs: int
    timeout: float
    scale: float
    threads: list

    @property
    def folder(self):
        """Where reports and scratch files go."""
        return self.store.folder

    def scaled(self, size):
        """A size times the scale."""
        unit, number = size
        return unit, max(int(number * self.scale), 1)

    def report(self, name="report.jsonl"):
        """A file for a report; the one before is removed."""
        path = self.folder / name
        path.unlink(missing_ok=True)
        return path


LINES, TABLE, OTHER = "smtpcap, JSON Lines", "smtpcap, table", "smtpcap (--against), JSON Lines"
# The report of the JSON Lines run, read and written by dd: what of that run's time is the kernel's work on its output.
COPY = "dd, copy of the JSON Lines"
# The file that each of them writes.
REPORTS = {LINES: "report.jsonl", TABLE: "report.txt", OTHER: "report-other.jsonl", COPY: "report-copy.jsonl"}
# Seconds of a run that is repeated more often where numbers of threads are compared: how near two processors are to each
# other changes within seconds.
BRIEF = 2.0


def analyze(program, file, report, form="jsonl", threads=1):
    """The command line of a complete run with its report in a file."""
    return [program, "analyze", "--lang", "en", "--threads", str(threads), "--format", form, "-o", str(report), str(file)]


def counts_differ(setting, capture):
    """What one run of smtpcap on a capture says otherwise than the truth."""
    report = setting.report()
    run = measure(analyze(setting.smtpcap, capture.path, report), setting.timeout, setting.folder)
    differences = [run.trouble] if run.trouble else setting.store.differences(capture, report)
    report.unlink(missing_ok=True)
    for difference in differences[:12]:
        print(f"    {capture.profile} {capture.size}: {difference}")
    return differences


def work(setting, profile):
    """smtpcap and every peer that takes a file of this size, on the same file, in alternating order."""
    rows = []
    done = set()
    for size in WORK[profile]:
        capture = setting.store.capture(profile, setting.scaled(size))
        takers = [
            tool for tool in setting.tools
            if tool.installed() and tool.name not in done and tool.takes(profile, capture.octets)
        ]
        if size != WORK[profile][0] and not takers:
            continue
        done |= {tool.name for tool in takers}
        print(f"  {profile}, {capture.size}, {capture.octets / M:,.0f} MB", flush=True)
        rows.append(compare(setting, capture, takers, copied=True))
    return rows


def compare(setting, capture, takers, copied=False):
    """One file: all that read it; `copied`: and what it takes to copy the report."""
    differences = counts_differ(setting, capture)
    reports = {name: setting.folder / file for name, file in REPORTS.items()}
    commands = {
        LINES: analyze(setting.smtpcap, capture.path, reports[LINES]),
        TABLE: analyze(setting.smtpcap, capture.path, reports[TABLE], "table"),
    }
    if setting.other:
        commands[OTHER] = analyze(setting.other, capture.path, reports[OTHER])
    if copied:
        commands[COPY] = ["dd", f"if={reports[LINES]}", f"of={reports[COPY]}", "bs=64K"]
    for tool in takers:
        commands[tool.name] = tool.command(capture.path, setting.folder)
    warm(capture.path)
    series = alternate(commands, setting.runs, setting.timeout, setting.folder, reports=reports)
    for path in reports.values():
        path.unlink(missing_ok=True)
    return {
        "profile": capture.profile,
        "size": capture.size,
        "octets": capture.octets,
        "truth": capture.truth,
        "differences": differences,
        "series": series,
    }


def growth(setting):
    """The mail mix at four sizes: CPU and memory."""
    rows = []
    for octets in GROWTH:
        capture = setting.store.capture("mail-heavy", setting.scaled(("bytes", octets)))
        print(f"  growth, {capture.octets / M:,.0f} MB", flush=True)
        rows.append(compare(setting, capture, []))
    return rows


def open_sessions(setting):
    """Sessions that stop after EHLO: bytes of peak memory per open session (slope), for smtpcap and peers."""
    takers = [tool for tool in setting.tools if tool.installed() and tool.name.split(",")[0] in
              ("tshark -Y smtp -T fields", "suricata", "zeek") and "BPF" not in tool.name]
    found = {}
    differences = []
    for number in OPEN:
        capture = setting.store.capture("all-open", setting.scaled(("sessions", number)))
        print(f"  all-open, {capture.size}", flush=True)
        # Peers for the two smaller sizes only: their slope is clear from these.
        row = compare(setting, capture, takers if number < OPEN[-1] else [])
        differences += row["differences"]
        for name, series in row["series"].items():
            if not series.trouble:
                found.setdefault(name, []).append((capture.truth["sessions"], series.median("memory") * 1024 * 1024))
    slopes = {
        name: (points[-1][1] - points[0][1]) / (points[-1][0] - points[0][0])
        for name, points in found.items() if len(points) > 1
    }
    return {"differences": differences, "points": found, "bytes_per_session": slopes}


def start_up(setting):
    """A file of ten frames: what a run costs before it does anything."""
    capture = setting.store.capture("all-open", ("sessions", 50))
    file = setting.store.first_frames(capture, 10)
    wanted = ("tshark -Y smtp -T fields", "suricata, EVE smtp+tls", "tcpdump, BPF", "zeek")
    commands = {"smtpcap, table": analyze(setting.smtpcap, file, setting.folder / "report.txt", "table")}
    for tool in setting.tools:
        if tool.installed() and tool.name in wanted:
            commands[tool.name] = tool.command(file, setting.folder)
    series = alternate(commands, max(setting.runs, 11), setting.timeout, setting.folder, memory=False)
    for name, peak in alternate(commands, 1, setting.timeout, setting.folder).items():
        for run in series[name].runs:
            run.memory = peak.runs[0].memory
    (setting.folder / "report.txt").unlink(missing_ok=True)
    return series


def threads(setting, profile):
    """The same file with each number of threads: wall, CPU, and whether the report is the same, byte for byte."""
    capture = setting.store.capture(profile, setting.scaled(WORK[profile][0]))
    print(f"  threads, {profile}, {capture.size}", flush=True)
    reports = {number: setting.report(f"report-{number}.jsonl") for number in setting.threads}
    commands = {
        number: analyze(setting.smtpcap, capture.path, reports[number], threads=number) for number in setting.threads
    }
    warm(capture.path)
    series = alternate(commands, setting.runs, setting.timeout, setting.folder, reports=reports, brief=BRIEF)
    first = reports[setting.threads[0]]
    same = {number: same_octets(first, report) for number, report in reports.items()}
    differences = setting.store.differences(capture, first)
    for report in reports.values():
        report.unlink(missing_ok=True)
    return {
        "profile": profile, "size": capture.size, "differences": differences, "series": series, "same": same,
    }


def same_octets(one, other):
    """Both files exist and hold the same."""
    return Path(one).exists() and Path(other).exists() and filecmp.cmp(one, other, shallow=False)


def missing(tools):
    """Peers that are not here."""
    return [tool for tool in tools if not tool.installed()]


def versions(tools):
    """Versions of those that are."""
    return {tool.name: peers.version(tool) for tool in tools if tool.installed()}
