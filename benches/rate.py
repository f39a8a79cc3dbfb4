#!/usr/bin/env python3
"""Rate ladder of live capture: a paced sender in one network namespace, capturers in another, joined by a veth pair.

For every rate and capturer it compares what the receiving interface counted, what the kernel dropped and what the
capturer says it saw, and tells CPU per packet. Needs root, ip, tcpdump, and what it measures, built in release:

    cargo build --release -p smtpcap-capture --example pace && cargo build --release -p smtpcap-capture
    cargo build --release
    smtpcap-workload generate live-mix --bytes 900M --output mix.pcap
    benches/rate.py mix.pcap

The sender runs on the first core, the capturer with all its processes on the second: "one core". On a machine with
other work, compare a row with tcpdump's of the same rate and run, not with another day.
"""
import argparse
import json
import os
import re
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import time

SEND, RECEIVE = f"smtpcap-send-{os.getpid()}", f"smtpcap-receive-{os.getpid()}"
METRICS = "127.0.0.1:9465"
HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def run(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def inside(namespace, *command):
    return ["ip", "netns", "exec", namespace, *command]


def setup():
    for namespace in (SEND, RECEIVE):
        run("ip", "netns", "add", namespace)
    run("ip", "link", "add", "out0", "netns", SEND, "type", "veth", "peer", "name", "in0", "netns", RECEIVE)
    run(*inside(RECEIVE, "ip", "link", "set", "lo", "up"))
    for namespace, interface in ((SEND, "out0"), (RECEIVE, "in0")):
        run(*inside(namespace, "sysctl", "-qw", f"net.ipv6.conf.{interface}.disable_ipv6=1"))
        run(*inside(namespace, "ip", "link", "set", interface, "mtu", "2000", "up"))


def teardown():
    for namespace in (SEND, RECEIVE):
        subprocess.run(["ip", "netns", "del", namespace], check=False)


def received():
    shown = subprocess.check_output(["ip", "-n", RECEIVE, "-s", "-j", "link", "show", "in0"])
    return json.loads(shown)[0]["stats64"]["rx"]["packets"]


class Tcpdump:
    """The yardstick: copies nothing anywhere."""

    name = "tcpdump -B 65536 -w /dev/null"

    def __init__(self, arguments):
        self.filter = arguments.filter

    def command(self, _):
        return ["tcpdump", "-Z", "root", "-n", "-i", "in0", "-B", "65536", "-w", "/dev/null", self.filter]

    def counts(self, output, errors):
        saw = int(re.search(r"(\d+) packets? captured", errors)[1])
        dropped = int(re.search(r"(\d+) packets? dropped by kernel", errors)[1])
        return saw, dropped


class Capture:
    """Our capture program alone, into a pipe whose last octets are kept: its final counters."""

    name = "smtpcap-capture | tail"

    def __init__(self, arguments):
        self.program, self.filter = arguments.capture, arguments.filter

    def command(self, _):
        return [self.program, "-i", "in0", "--filter", self.filter]

    def counts(self, output, errors):
        # The last block is the interface's statistics: fixed fields, then options of code, length, value.
        (length,) = struct.unpack("<I", output[-4:])
        options, found = output[-length + 20 : -4], {}
        while len(options) >= 4:
            code, size = struct.unpack("<HH", options[:4])
            if size == 8:
                found[code] = struct.unpack("<Q", options[4:12])[0]
            options = options[4 + (size + 3) // 4 * 4 :]
        return found[8], found[7]


class Live:
    """The whole of `smtpcap live`: both processes."""

    name = "smtpcap live --format jsonl"

    def __init__(self, arguments):
        self.program, self.capture = arguments.live, arguments.capture

    def command(self, folder):
        output = os.path.join(folder, "live.jsonl")
        return [
            self.program, "live", "-i", "in0", "--format", "jsonl", "-o", output,
            "--capture-program", self.capture, "--metrics", METRICS,
        ]  # fmt: skip

    def before_the_end(self):
        page = subprocess.check_output(inside(RECEIVE, "curl", "-s", f"http://{METRICS}/metrics")).decode()
        samples = re.findall(r"^(smtpcap_\w+)(?:\{[^}]*\})? ([\d.e+]+)$", page, re.M)
        self.page = {name: sum(float(value) for other, value in samples if other == name) for name, _ in samples}

    def counts(self, output, errors):
        frames = self.page.get("smtpcap_frames_total", 0)
        return int(frames), int(self.page.get("smtpcap_capture_dropped_packets_total", 0))


def measure(capturer, rate, arguments, folder):
    tail = isinstance(capturer, Capture)
    command = ["taskset", "-c", "1", *inside(RECEIVE, *capturer.command(folder))]
    errors = tempfile.TemporaryFile()
    if isinstance(capturer, Live):
        capturer.output = os.path.join(folder, "live.jsonl")
        if os.path.exists(capturer.output):
            os.unlink(capturer.output)
    sink = subprocess.PIPE if tail else subprocess.DEVNULL
    process = subprocess.Popen(command, stdout=sink, stderr=errors, stdin=subprocess.DEVNULL)
    keeper = subprocess.Popen(["tail", "-c", "4096"], stdin=process.stdout, stdout=subprocess.PIPE) if tail else None
    if tail:
        process.stdout.close()
    time.sleep(1.5)
    before = received()
    sent = subprocess.check_output(
        ["taskset", "-c", "0", *inside(SEND, arguments.pace, "out0", arguments.mix, str(rate * 1000), str(arguments.seconds))]
    )
    time.sleep(1.5)
    if isinstance(capturer, Live):
        capturer.before_the_end()
    arrived = received() - before
    process.send_signal(signal.SIGINT if isinstance(capturer, Tcpdump) else signal.SIGTERM)
    output = keeper.communicate()[0] if keeper else b""
    _, _, usage = os.wait4(process.pid, 0)
    errors.seek(0)
    told = errors.read().decode(errors="replace")
    saw, dropped = capturer.counts(output, told)
    return {
        "sent": json.loads(sent),
        "arrived": arrived,
        "saw": saw,
        "dropped": dropped,
        "cpu": usage.ru_utime + usage.ru_stime,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mix", help="a pcap file: the frames that are sent, all of them mail")
    parser.add_argument("--rates", default="50,100,200,400", help="thousands of packets a second")
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--filter", default=None, help="of tcpdump and smtpcap-capture; default: what smtpcap live uses")
    parser.add_argument("--capture", default=os.path.join(HERE, "target/release/smtpcap-capture"))
    parser.add_argument("--live", default=os.path.join(HERE, "target/release/smtpcap"))
    parser.add_argument("--pace", default=os.path.join(HERE, "target/release/examples/pace"))
    parser.add_argument("--only", default="tcpdump,capture,live")
    arguments = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("needs root: it makes network namespaces")
    if arguments.filter is None:
        ports = " or ".join(f"tcp port {port}" for port in (24, 25, 110, 143, 465, 587, 993, 995, 2525))
        arguments.filter = f"{ports} or (vlan and ({ports} or (vlan and ({ports}))))"
    classes = {"tcpdump": Tcpdump, "capture": Capture, "live": Live}
    capturers = [classes[name](arguments) for name in arguments.only.split(",")]
    print(f"load before: {os.getloadavg()[0]:.1f}; {arguments.runs} runs of {arguments.seconds} s; mix {arguments.mix}")
    print(f"{'kpps':>5} {'reached':>8} {'capturer':32} {'arrived':>9} {'saw':>9} {'kernel drops':>12} {'agree':>6} {'us/packet':>9}")
    setup()
    try:
        with tempfile.TemporaryDirectory() as folder:
            # The user that smtpcap becomes writes here.
            os.chmod(folder, 0o777)
            for rate in map(int, arguments.rates.split(",")):
                rows = {capturer.name: [] for capturer in capturers}
                # In turn, so that what else the machine does hits all alike.
                for _ in range(arguments.runs):
                    for capturer in capturers:
                        rows[capturer.name].append(measure(capturer, rate, arguments, folder))
                for name, results in rows.items():
                    show(rate, name, results)
    finally:
        teardown()


def show(rate, name, results):
    reached = statistics.median(result["sent"]["sent"] / result["sent"]["seconds"] / 1000 for result in results)
    cpu = statistics.median(result["cpu"] / max(result["saw"], 1) * 1e6 for result in results)
    columns = {key: [result[key] or 0 for result in results] for key in ("arrived", "saw", "dropped")}
    agree = all(result["arrived"] == result["saw"] + (result["dropped"] or 0) for result in results)
    print(
        f"{rate:>5} {reached:>8.0f} {name:32} {sum(columns['arrived']):>9} {sum(columns['saw']):>9} "
        f"{'/'.join(map(str, columns['dropped'])):>12} {'yes' if agree else 'NO':>6} {cpu:>9.2f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
