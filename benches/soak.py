#!/usr/bin/env python3
"""Millions of short sessions through `smtpcap live -`: is its memory flat?

    cargo build --release --bin smtpcap --example replay
    benches/soak.py --sessions 10000000

Reads sessions and memory off the program's own figures (--metrics), once a second, and compares the largest memory of the
last two tenths with that of the second tenth (the first fills the window for findings on several sessions). Exit status 1 where
it has grown by more than 10 %, or where not every session was told.
"""

import argparse
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CAPTURES = ["greetings/capture.pcapng", "commands-rejected/capture.pcap.gz", "server-421/capture.pcapng"]


def figures(page):
    """Sessions told so far, and octets in memory."""
    sessions = sum(float(value) for value in re.findall(r"^smtpcap_sessions_total\{[^}]*\} (\S+)", page, re.M))
    memory = re.search(r"^process_resident_memory_bytes (\S+)", page, re.M)
    return int(sessions), int(float(memory.group(1)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=10_000_000)
    parser.add_argument("--target", default=str(ROOT / "target/release"))
    parser.add_argument("arguments", nargs="*", help="further arguments of smtpcap live (behind --)")
    options = parser.parse_args()
    replay = [f"{options.target}/examples/replay", "--sessions", str(options.sessions)]
    source = subprocess.Popen(replay + [str(ROOT / "fixtures" / name) for name in CAPTURES], stdout=subprocess.PIPE)
    live = subprocess.Popen(
        [f"{options.target}/smtpcap", "live", "-", "--format", "jsonl", "-o", "/dev/null", "--metrics", "127.0.0.1:0"]
        + options.arguments,
        stdin=source.stdout,
        stderr=subprocess.PIPE,
        text=True,
        env={"LC_ALL": "C"},
    )
    source.stdout.close()
    address = None
    for line in live.stderr:
        found = re.search(r"http://\S+/metrics", line)
        if found:
            address = found.group(0)
            break
    begun = time.monotonic()
    samples = []
    while live.poll() is None:
        try:
            page = urllib.request.urlopen(address, timeout=5).read().decode()
            samples.append(figures(page))
        except OSError:
            pass
        if len(samples) % 30 == 1:
            sessions, memory = samples[-1]
            print(f"{time.monotonic() - begun:7.0f} s {sessions:12,} sessions {memory / 1e6:8.1f} MB", flush=True)
        time.sleep(1)
    took = time.monotonic() - begun
    if live.returncode != 0:
        print("smtpcap ended with", live.returncode, live.stderr.read())
        return 1
    samples = [sample for sample in samples if sample[0]]
    tenth = options.sessions / 10
    early = max(memory for sessions, memory in samples if tenth <= sessions < 2 * tenth)
    late = max(memory for sessions, memory in samples if sessions >= 8 * tenth)
    told = samples[-1][0]
    growth = late / early - 1
    print(f"{told:,} sessions and more in {took:.0f} s; {early / 1e6:.1f} MB at a tenth, {late / 1e6:.1f} MB at the end: {growth:+.1%}")
    good = live.returncode == 0 and growth <= 0.10
    return 0 if good else 1


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.exit(main())
