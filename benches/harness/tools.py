"""The peers: how each reads a capture, which package brings it, and how large a file it is asked to read.

None does what smtpcap does; `task` says what each does. A ratio is honest for "read this file and do your task" only.
"""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .measure import GNU_TIME

PORTS = (24, 25, 110, 143, 465, 587, 993, 995, 2525)


def bpf():
    """The ports smtpcap looks at, as a BPF filter: behind no, one and two VLAN tags."""
    ports = "(tcp and (" + " or ".join(f"port {port}" for port in PORTS) + "))"
    return f"{ports} or (vlan and {ports}) or (vlan and {ports})"


SURICATA = """%YAML 1.1
---
default-log-dir: {folder}
outputs:
  - eve-log: {{enabled: yes, filetype: regular, filename: eve.json, types: [smtp, tls]}}
logging: {{default-log-level: error, outputs: [{{console: {{enabled: no}}}}]}}
stream: {{memcap: 4gb, checksum-validation: no, midstream: true, reassembly: {{memcap: 4gb, depth: 1mb}}}}
flow: {{memcap: 4gb, hash-size: 65536, prealloc: 10000}}
app-layer:
  protocols:
    smtp: {{enabled: yes}}
    tls: {{enabled: yes, detection-ports: {{dp: 443}}}}
"""


@dataclass
class Tool:
    """A peer. `most` is the largest file, in bytes, that it is asked to read, per profile (absent: any)."""

    name: str
    program: str
    package: str
    task: str
    version: tuple
    most: dict
    command: object = None

    def installed(self):
        """It can be run."""
        return shutil.which(self.program) is not None

    def takes(self, profile, octets):
        """It is asked to read such a file."""
        return octets <= self.most.get(profile, self.most.get("any", 1 << 62))


def shell(text):
    """A command for sh."""
    return ["sh", "-c", text]


def tcpflow(file, scratch):
    out = Path("/dev/shm") if os.access("/dev/shm", os.W_OK) else scratch
    flows = out / f"smtpcap-bench-tcpflow-{os.getpid()}"
    return shell(f"mkdir -p {flows} && tcpflow -q -r {file} -o {flows}; code=$?; rm -rf {flows}; exit $code")


def suricata(file, scratch, filter=None):
    folder = scratch / "suricata"
    folder.mkdir(exist_ok=True)
    (folder / "eve.json").unlink(missing_ok=True)
    settings = folder / "suricata.yaml"
    settings.write_text(SURICATA.format(folder=folder))
    base = ["suricata", "-c", str(settings), "-r", str(file), "-l", str(folder), "-S", "/dev/null", "-k", "none"]
    return base + ["--runmode", "single"] + ([filter] if filter else [])


def two_stage(file, scratch):
    mail = scratch / "mail-only.pcap"
    fields = "-Y smtp -T fields -e smtp.req.command -e smtp.response.code"
    return shell(f"tcpdump -r {file} -w {mail} '{bpf()}' && tshark -r {mail} {fields}; code=$?; rm -f {mail}; exit $code")


FIELDS = ["-Y", "smtp", "-T", "fields", "-e", "smtp.req.command", "-e", "smtp.response.code"]
MB = 1_000_000

TOOLS = [
    Tool("tcpdump, BPF", "tcpdump", "tcpdump", "keeps the frames of mail ports (VLAN too), reassembles nothing",
         ("tcpdump", "--version"), {}, lambda file, _: ["tcpdump", "-r", str(file), "-w", "/dev/null", bpf()]),
    Tool("capinfos", "capinfos", "wireshark-common", "counts frames and bytes",
         ("capinfos", "--version"), {}, lambda file, _: ["capinfos", "-c", "-s", "-d", "-u", str(file)]),
    Tool("tcpdump, then tshark fields", "tshark", "tshark", "two stages: BPF to a small file, SMTP commands and codes of it",
         ("tshark", "--version"), {"any": 0, "mirror-port": 3_000 * MB}, two_stage),
    Tool("tshark -Y smtp -T fields", "tshark", "tshark", "SMTP commands and reply codes",
         ("tshark", "--version"),
         {"mail-heavy": 300 * MB, "mirror-port": 600 * MB, "many-short": 100 * MB, "syn-flood": 100 * MB},
         lambda file, _: ["tshark", "-r", str(file), *FIELDS]),
    Tool("tshark -Y smtp -T json", "tshark", "tshark", "every field of every SMTP frame",
         ("tshark", "--version"), {"any": 60 * MB, "many-short": 0, "syn-flood": 0},
         lambda file, _: ["tshark", "-r", str(file), "-Y", "smtp", "-T", "json"]),
    Tool("tcpflow", "tcpflow", "tcpflow", "writes each direction of each connection to a file (tmpfs)",
         ("tcpflow", "--version"),
         {"mail-heavy": 300 * MB, "mirror-port": 0, "many-short": 100 * MB, "syn-flood": 0}, tcpflow),
    Tool("ndpiReader -q", "ndpiReader", "libndpi-bin", "tells the protocol of each connection, decodes no mail",
         ("ndpiReader", "-h"), {"many-short": 100 * MB, "syn-flood": 0},
         lambda file, _: ["ndpiReader", "-i", str(file), "-q"]),
    Tool("ssldump", "ssldump", "ssldump", "TLS records and handshakes, no mail",
         ("ssldump", "-v"), {"mail-heavy": 300 * MB, "mirror-port": 600 * MB, "many-short": 20 * MB, "syn-flood": 0},
         lambda file, _: ["ssldump", "-n", "-r", str(file)]),
    Tool("suricata, EVE smtp+tls", "suricata", "suricata",
         "events with EHLO, sender, recipients; TLS; no replies, no rules", ("suricata", "-V"),
         {"many-short": 400 * MB, "syn-flood": 100 * MB}, suricata),
    Tool("suricata, EVE, BPF", "suricata", "suricata",
         "the same behind a BPF filter", ("suricata", "-V"), {"any": 0, "mirror-port": 3_000 * MB},
         lambda file, scratch: suricata(file, scratch, bpf())),
    Tool("zeek", "zeek", "zeek", "conn, smtp and ssl logs",
         ("zeek", "--version"), {"mail-heavy": 1_100 * MB, "many-short": 100 * MB, "syn-flood": 100 * MB},
         lambda file, scratch: shell(
             f"mkdir -p {scratch}/zeek && cd {scratch}/zeek && exec zeek -b -r {file} "
             "base/protocols/conn base/protocols/smtp base/protocols/ssl")),
]


def chosen(names):
    """The tools of a comma-separated list of words in their names; "all" and "none" are understood."""
    if names == "none":
        return []
    if names == "all":
        return TOOLS
    return [tool for tool in TOOLS if any(word in tool.name for word in names.split(","))]


def install():
    """Installs what is missing and Debian has, with apt-get; says what it cannot."""
    missing = sorted({tool.package for tool in TOOLS if not tool.installed()})
    if not GNU_TIME:
        missing.append("time")
    if not missing:
        return
    subprocess.run(["apt-get", "update", "-qq"], check=False)
    for package in missing:
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        done = subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", package], env=quiet)
        if done.returncode != 0:
            print(f"apt-get cannot install {package}")


def version(tool):
    """The first line in which the tool names itself."""
    done = subprocess.run(list(tool.version), capture_output=True, text=True, errors="replace")
    lines = (done.stdout + done.stderr).strip().splitlines()
    return next((line.strip() for line in lines if any(c.isdigit() for c in line)), tool.program)
