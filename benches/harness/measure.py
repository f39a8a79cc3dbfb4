"""Runs one command and says what it took: CPU seconds, wall seconds, peak memory.

CPU and wall come from wait4. Peak memory comes from GNU time where it is installed: the kernel's figure for a child of this
interpreter is never below the interpreter's own memory.
"""

import os
import select
import shutil
import signal
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass, field

GNU_TIME = shutil.which("time", path="/usr/bin:/bin:/usr/local/bin")


@dataclass
class Run:
    """One run. `cpu` and `wall` in seconds, `memory` in MiB; `trouble` where it gave no figure."""

    cpu: float = 0.0
    wall: float = 0.0
    memory: float = 0.0
    trouble: str = ""


@dataclass
class Series:
    """The runs of one command on one file."""

    runs: list = field(default_factory=list)
    trouble: str = ""

    def add(self, run):
        """Takes a run."""
        self.runs.append(run)
        self.trouble = self.trouble or run.trouble

    def median(self, what):
        """The median of `cpu`, `wall` or `memory`."""
        return statistics.median(getattr(run, what) for run in self.runs)

    def lowest(self, what):
        """The lowest of `cpu`, `wall` or `memory`: the least disturbed run."""
        return min(getattr(run, what) for run in self.runs)

    def as_json(self):
        """For the dated file."""
        return {
            "cpu_seconds": [round(run.cpu, 4) for run in self.runs],
            "wall_seconds": [round(run.wall, 4) for run in self.runs],
            "peak_mebibytes": [round(run.memory, 1) for run in self.runs],
            "trouble": self.trouble,
        }


def measure(command, timeout, folder, memory=True):
    """Runs `command` (a list) with its output thrown away; kills it and all that it started after `timeout` seconds.

    GNU time itself costs a millisecond: without `memory` it is left out, and the peak is not told.
    """
    with tempfile.NamedTemporaryFile("r", dir=folder) as peak:
        by_time = memory and GNU_TIME
        wrapped = [GNU_TIME, "-f", "%M", "-o", peak.name] if by_time else []
        begin = time.perf_counter()
        child = subprocess.Popen(
            wrapped + command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        status, usage = wait(child, begin + timeout)
        wall = time.perf_counter() - begin
        if status is None:
            return Run(trouble=f"not finished in {timeout:.0f} s")
        code = os.waitstatus_to_exitcode(status)
        told = peak.read().split() if by_time else []
        kibibytes = int(told[-1]) if told else usage.ru_maxrss
    trouble = "" if code == 0 else f"ended with {code}"
    return Run(usage.ru_utime + usage.ru_stime, wall, kibibytes / 1024, trouble)


def wait(child, deadline):
    """Status and usage of the child; (None, None) where it had to be ended.

    The kernel says when it ends: looking every now and then would round the time up.
    """
    ending = os.pidfd_open(child.pid)
    try:
        has_ended = select.select([ending], [], [], max(0.0, deadline - time.perf_counter()))[0]
    finally:
        os.close(ending)
    if not has_ended:
        os.killpg(child.pid, signal.SIGKILL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    return (status, usage) if has_ended else (None, None)


def alternate(commands, runs, timeout, folder, patience=20.0, memory=True, reports=None, brief=0.0):
    """Runs every command of a dict `runs` times, in alternating order; one that takes longer than `patience` only once, one
    that takes less than `brief` three times as often.

    `reports` are the files that commands write: one is removed right before it is written anew, so that the kernel has pages
    at hand. On a virtual machine a page that was free for long has to be fetched from the host: 8 microseconds of system time.
    """
    series = {name: Series() for name in commands}
    names = list(commands)
    for number in range(3 * runs if brief else runs):
        for name in names if number % 2 == 0 else reversed(names):
            one = series[name]
            if one.runs and (one.trouble or one.runs[0].wall > patience):
                continue
            if number >= runs and one.runs[0].wall >= brief:
                continue
            if reports and name in reports:
                reports[name].unlink(missing_ok=True)
            one.add(measure(commands[name], timeout, folder, memory))
    return series
