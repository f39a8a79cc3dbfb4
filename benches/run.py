#!/usr/bin/env python3
"""The benchmark: makes captures with a known truth, checks smtpcap's report against it, and compares what smtpcap and its
peers take to read the same file, in the same run. See README.md beside this file.

    benches/run.py --scale 0.05                       a look, some minutes with every peer
    benches/run.py --install --baseline               the whole benchmark, kept with its date
"""

import argparse
import datetime
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

from harness import report, sections, tools
from harness.captures import Store
from harness.measure import GNU_TIME

BENCHES = Path(__file__).resolve().parent
ROOT = BENCHES.parent
PARTS = ("work", "growth", "open", "start", "threads")


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default=str(Path(tempfile.gettempdir()) / "smtpcap-bench"), help="folder for captures")
    parser.add_argument("--scale", type=float, default=1.0, help="all sizes times this; goals are judged at 1 only")
    parser.add_argument("--runs", type=int, default=5, help="runs of each command; the median counts")
    parser.add_argument("--timeout", type=float, default=120, help="seconds after which a peer is ended")
    parser.add_argument("--profiles", default=",".join(sections.WORK), help="profiles of the part 'work' and 'threads'")
    parser.add_argument("--parts", default=",".join(PARTS), help=f"of {', '.join(PARTS)}")
    parser.add_argument("--peers", default="all", help="all, none, or words in their names: tcpdump,tshark")
    parser.add_argument("--threads", default="1,2,4", help="numbers of threads, the first is the measure")
    parser.add_argument("--build", default="dist", help="cargo profile: dist or release; or guided, by scripts/build-guided")
    parser.add_argument("--smtpcap", help="a program to measure instead of building one")
    parser.add_argument("--against", default="", help="another smtpcap, measured beside it on the same files")
    parser.add_argument("--install", action="store_true", help="install missing peers with apt-get (as root)")
    parser.add_argument("--baseline", action="store_true", help="keep the figures in benches/baselines/, dated")
    parser.add_argument("--output", help="write the page to this file, too")
    return parser.parse_args()


def build(profile):
    """Builds smtpcap and the generator; their paths."""
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    if profile == "guided":
        subprocess.run([ROOT / "scripts" / "build-guided"], cwd=ROOT, check=True)
        guided = ROOT / "target" / "guided"
        return str(guided / "dist/smtpcap"), str(guided / "workload/release/smtpcap-workload")
    for package in ("smtpcap", "smtpcap-workload"):
        subprocess.run(["cargo", "build", "--quiet", "--profile", profile, "-p", package], cwd=ROOT, check=True)
    folder = target / ("debug" if profile == "dev" else profile)
    return str(folder / "smtpcap"), str(folder / "smtpcap-workload")


def output_of(*command):
    """What a command prints, or nothing."""
    try:
        return subprocess.run(command, capture_output=True, text=True, cwd=ROOT).stdout.strip()
    except OSError:
        return ""


def machine(options):
    """Where and with what."""
    cpu = next((line.split(":", 1)[1].strip() for line in output_of("lscpu").splitlines() if "Model name" in line), "?")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    dirty = " with changes" if output_of("git", "status", "--porcelain", "--untracked-files=no") else ""
    return {
        "date": datetime.datetime.now().astimezone().isoformat(timespec="minutes"),
        "commit": output_of("git", "rev-parse", "--short=12", "HEAD") + dirty,
        "machine": f"{cpu}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.release()}",
        "load": "%.2f %.2f %.2f (1, 5, 15 minutes, at the start)" % os.getloadavg(),
        "build": f"{'scripts/build-guided' if options.build == 'guided' else f'cargo profile {options.build}'}, "
                 f"{output_of('rustc', '--version')}",
        "runs": f"{options.runs} of each, median; scale {options.scale}",
        "memory measured by": "GNU time" if GNU_TIME else "wait4 (never below this interpreter's own memory)",
    }


def run(options):
    """All parts that were asked for."""
    smtpcap, generator = build(options.build)
    chosen = tools.chosen(options.peers)
    setting = sections.Setting(
        Store(options.data, generator), options.smtpcap or smtpcap, options.against, chosen, options.runs,
        options.timeout, options.scale, [int(number) for number in options.threads.split(",")],
    )
    parts = [part for part in PARTS if part in options.parts.split(",")]
    profiles = [profile for profile in options.profiles.split(",") if profile in sections.WORK]
    about = machine(options) | {"memory, at the start": output_of(str(generator), "yardstick")}
    found = {"about": about, "versions": sections.versions(chosen),
             "missing": {tool.name: f"apt-get install {tool.package}" for tool in sections.missing(chosen)}}
    found |= {"work": [], "growth": [], "open": None, "start": None, "threads": []}
    for part in parts:
        if part == "work":
            for profile in profiles:
                found["work"] += sections.work(setting, profile)
                keep(found, options)
        elif part == "threads":
            for profile in profiles:
                if profile != "syn-flood":
                    found["threads"].append(sections.threads(setting, profile))
                    keep(found, options)
        else:
            found[part] = {"growth": sections.growth, "open": sections.open_sessions, "start": sections.start_up}[part](
                setting
            )
        keep(found, options)
    about["memory, at the end"] = output_of(str(generator), "yardstick")
    return found


def keep(found, options):
    """The page as far as it is known: a run that is broken off is not lost."""
    Path(options.data, "page-so-far.md").write_text(page(found, options.scale))
    Path(options.data, "found-so-far.json").write_text(report.as_json(found))


def page(found, scale):
    """The Markdown page."""
    text = f"# Benchmark of {found['about']['date'][:10]}\n\n"
    text += report.table(["", ""], found["about"].items())
    text += "\nSeconds are of this machine on this day: compare ratios. What the columns mean: [README](../README.md).\n"
    text += "\n## Against what is wanted (issue 4)\n\n" + report.goals(found, scale)
    if found["work"]:
        text += "\n## Work\n\n" + "\n".join(report.work(row) for row in found["work"])
    if found["growth"]:
        text += "\n## Growth (mail-heavy, 3,000 sessions at a time)\n\n" + report.growth_table(found["growth"])
    if found["open"]:
        text += "\n## Open sessions (all-open)\n\n" + report.open_table(found["open"])
    if found["start"]:
        text += "\n## Start-up (a file of ten frames)\n\n" + report.start_table(found["start"])
    if found["threads"]:
        text += "\n## Threads\n\n" + report.threads_table(found["threads"])
    text += "\n## Peers\n\n"
    text += report.table(["program", "version", "what it does with the file"],
                         [[tool.name, found["versions"][tool.name], tool.task] for tool in tools.TOOLS
                          if tool.name in found["versions"]])
    for name, how in found["missing"].items():
        text += f"\nNot there: {name} (`{how}`, where the release has it).\n"
    return text


def main():
    """Runs, prints, keeps."""
    options = arguments()
    if options.install:
        tools.install()
    found = run(options)
    text = page(found, options.scale)
    print(text)
    if options.output:
        Path(options.output).write_text(text)
    if options.baseline:
        folder = BENCHES / "baselines"
        folder.mkdir(exist_ok=True)
        day = found["about"]["date"][:10]
        (folder / f"{day}.md").write_text(text)
        (folder / f"{day}.json").write_text(report.as_json(found))
    rows = found["work"] + found["growth"] + found["threads"] + ([found["open"]] if found["open"] else [])
    same = all(all(section["same"].values()) for section in found["threads"])
    return 1 if any(row["differences"] for row in rows) or not same else 0


if __name__ == "__main__":
    sys.exit(main())
