"""The captures: made by smtpcap-workload when they are not there yet, kept for the next run."""

import hashlib
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Capture:
    """A file, what was put in, and how much of the profile it is."""

    path: Path
    truth_path: Path
    profile: str
    size: str

    @property
    def truth(self):
        """What was put in."""
        return json.loads(self.truth_path.read_text())

    @property
    def octets(self):
        """Bytes of the file."""
        return self.path.stat().st_size


class Store:
    """A folder of captures of one generator: another generator makes them anew."""

    def __init__(self, folder, generator):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.generator = generator
        self.stamp = hashlib.sha256(Path(generator).read_bytes()).hexdigest()[:12]

    def capture(self, profile, size, format="pcap-ns"):
        """A capture; `size` is ("bytes", n) or ("sessions", n)."""
        unit, number = size
        name = f"{profile}-{number}-{unit}-{format}"
        capture = Capture(
            self.folder / f"{name}.pcap", self.folder / f"{name}.truth.json", profile, f"{number:,} {unit}"
        )
        stamp = self.folder / f"{name}.made-by"
        if not stamp.exists() or stamp.read_text() != self.stamp:
            stamp.unlink(missing_ok=True)
            arguments = ["generate", profile, f"--{unit}", str(number), "--format", format]
            files = ["--output", str(capture.path), "--truth", str(capture.truth_path)]
            subprocess.run([self.generator, *arguments, *files], check=True)
            stamp.write_text(self.stamp)
        warm(capture.path)
        return capture

    def first_frames(self, capture, count):
        """A capture of the first frames of another one."""
        data = capture.path.read_bytes()[: 24 + count * 2000]
        end = 24
        for _ in range(count):
            end += 16 + int.from_bytes(data[end + 8 : end + 12], "little")
        path = self.folder / f"first-{count}.pcap"
        path.write_bytes(data[:end])
        return path

    def differences(self, capture, report):
        """What a report says otherwise than the truth; empty where it says the same."""
        check = [self.generator, "check", "--truth", str(capture.truth_path), str(report)]
        done = subprocess.run(check, capture_output=True, text=True)
        if done.returncode == 0:
            return []
        return (done.stdout + done.stderr).strip().splitlines() or [f"check ended with {done.returncode}"]


def warm(path):
    """Reads a file once, so that it is in the page cache."""
    with open(path, "rb", buffering=0) as file:
        while file.read(1 << 22):
            pass
