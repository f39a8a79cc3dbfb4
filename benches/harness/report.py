"""The figures as a Markdown page and as JSON."""

import json

NO_SPEED = "no speed: counts differ"

# issue 4: what must hold and what is aimed at, at scale 1. (profile, row, unit, must, aim); CPU seconds unless said.
GOALS = [
    ("mail-heavy", "smtpcap, JSON Lines", "GB per CPU s", 1.0, 2.0),
    ("mirror-port", "smtpcap, JSON Lines", "GB per CPU s", 4.0, 8.0),
    ("many-short", "smtpcap, table", "CPU s", 4.0, 2.0),
    ("many-short", "smtpcap, JSON Lines", "CPU s", 7.0, 3.5),
    ("syn-flood", "smtpcap, JSON Lines", "CPU s", 2.0, 0.8),
    ("syn-flood", "smtpcap, JSON Lines", "MiB", 256, 128),
    ("many-short", "smtpcap, JSON Lines", "MiB", 256, 96),
    ("mail-heavy", "smtpcap, JSON Lines", "MiB", 128, 48),
]


def table(head, rows):
    """A Markdown table."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]) + "\n"


def spread(series, what):
    """Lowest and highest beside the median."""
    values = sorted(getattr(run, what) for run in series.runs)
    return f"{series.median(what):.3f} ({values[0]:.3f}-{values[-1]:.3f})"


def work(row):
    """One file, all that read it, ratios to smtpcap's JSON Lines run."""
    base = row["series"]["smtpcap, JSON Lines"]
    lines = []
    for name, series in row["series"].items():
        if series.trouble:
            lines.append([name, series.trouble] + ["-"] * 5)
            continue
        if row["differences"] and name.startswith("smtpcap"):
            lines.append([name, NO_SPEED] + ["-"] * 5)
            continue
        cpu, memory = series.median("cpu"), series.median("memory")
        usable = not row["differences"] and not base.trouble
        ratios = [f"{cpu / base.median('cpu'):.2f}", f"{memory / base.median('memory'):.2f}"] if usable else ["-", "-"]
        speed = f"{row['octets'] / 1e6 / max(cpu, 1e-6):,.0f}"
        lines.append([name, spread(series, "cpu"), speed, f"{series.median('wall'):.3f}", f"{memory:,.0f}", *ratios])
    truth = row["truth"]
    head = f"### {row['profile']}, {row['size']}\n\n{row['octets'] / 1e6:,.1f} MB, {truth['frames']:,} frames, "
    head += f"{truth['sessions']:,} mail sessions. "
    if row["differences"]:
        head += f"**{NO_SPEED}**: " + "; ".join(row["differences"][:6])
    else:
        head += "smtpcap reports what was put in."
    columns = ["program", "CPU s: median (lowest-highest)", "MB per CPU s", "wall s", "peak MiB",
               "CPU / smtpcap", "memory / smtpcap"]
    return head + "\n\n" + table(columns, lines)


def goals(found, scale):
    """Measured against what issue 4 wants. Judged at scale 1 only."""
    rows, growth, opened, started, threads = (found[part] for part in ("work", "growth", "open", "start", "threads"))
    lines = []

    def verdict(value, must, aim, higher):
        return judge(value, must, aim, higher) if scale == 1 else "-"

    for profile, name, unit, must, aim in GOALS:
        row = next((row for row in rows if row["profile"] == profile), None)
        if row is None:
            continue
        series = row["series"][name]
        if row["differences"] or series.trouble:
            lines.append([f"{profile} {row['size']}, {name}", unit, must, aim, series.trouble or NO_SPEED, "no"])
            continue
        higher = unit == "GB per CPU s"
        value = {"GB per CPU s": row["octets"] / 1e9 / max(series.median("cpu"), 1e-9), "CPU s": series.median("cpu"),
                 "MiB": series.median("memory")}[unit]
        reached = verdict(value, must, aim, higher)
        lines.append([f"{profile} {row['size']}, {name}", unit, must, aim, f"{value:.2f}", reached])
    if growth:
        values = [row["series"]["smtpcap, JSON Lines"].median("memory") for row in growth]
        lines.append(["mail-heavy at four sizes, greatest peak", "MiB", 128, 48, f"{max(values):.0f}",
                      verdict(max(values), 128, 48, False)])
    if opened and "smtpcap, JSON Lines" in opened["bytes_per_session"]:
        value = opened["bytes_per_session"]["smtpcap, JSON Lines"]
        lines.append(["memory per open session", "bytes", 1024, 400, f"{value:,.0f}", verdict(value, 1024, 400, False)])
    if started:
        value = started["smtpcap, table"].median("cpu") * 1000
        lines.append(["start-up, ten frames", "CPU ms", 50, 5, f"{value:.1f}", verdict(value, 50, 5, False)])
    for section in threads:
        if section["differences"]:
            lines.append([f"two threads, {section['profile']}", "-", "-", "-", NO_SPEED, "no"])
        elif 2 in section["series"] and not section["series"][2].trouble:
            one, two = section["series"][min(section["series"])], section["series"][2]
            value = two.lowest("wall") / one.lowest("wall")
            lines.append([f"two threads, {section['profile']}", "wall / one thread (lowest of each)", 0.65, 0.55, f"{value:.2f}",
                          verdict(value, 0.65, 0.55, False)])
            value = two.median("cpu") / one.median("cpu")
            lines.append([f"two threads, {section['profile']}", "CPU / one thread", 1.15, 1.15, f"{value:.2f}",
                          verdict(value, 1.15, 1.15, False)])
    return table(["work", "unit", "must", "aim", "measured", "reached"], lines)


def judge(value, must, aim, higher):
    """must, aim or no."""
    reached = (lambda limit: value >= limit) if higher else (lambda limit: value <= limit)
    return "aim" if reached(aim) else "must" if reached(must) else "no"


def growth_table(rows):
    """CPU and memory by size."""
    lines = []
    for row in rows:
        series = row["series"]["smtpcap, JSON Lines"]
        cells = [NO_SPEED, "-", "-"] if row["differences"] or series.trouble else [
            spread(series, "cpu"), f"{row['octets'] / 1e6 / max(series.median('cpu'), 1e-6):,.0f}",
            f"{series.median('memory'):.1f}"]
        lines.append([f"{row['octets'] / 1e6:,.0f}", f"{row['truth']['sessions']:,}", *cells])
    return table(["MB", "sessions", "CPU s", "MB per CPU s", "peak MiB"], lines)


def open_table(opened):
    """Peak memory by open sessions, and the slope."""
    lines = []
    for name, points in opened["points"].items():
        slope = opened["bytes_per_session"].get(name)
        shown = ", ".join(f"{number:,}: {octets / 1048576:,.0f} MiB" for number, octets in points)
        lines.append([name, shown, f"{slope:,.0f}" if slope is not None else "-"])
    note = "" if not opened["differences"] else f"**{NO_SPEED}**\n\n"
    return note + table(["program", "peak memory", "bytes per open session"], lines)


def start_table(started):
    """Start-up."""
    lines = [[name, series.trouble or f"{series.median('cpu') * 1000:.1f}",
              "-" if series.trouble else f"{series.median('memory'):.1f}"] for name, series in started.items()]
    return table(["program", "CPU ms", "peak MiB"], lines)


def threads_table(sections):
    """Threads."""
    lines = []
    for section in sections:
        one = next(iter(section["series"].values()))
        for number, series in section["series"].items():
            if series.trouble or section["differences"]:
                lines.append([section["profile"], number, series.trouble or NO_SPEED, "-", "-", "-", "-"])
                continue
            lines.append([section["profile"], number, spread(series, "wall"), spread(series, "cpu"),
                          f"{series.lowest('wall') / one.lowest('wall'):.2f}",
                          f"{series.median('cpu') / one.median('cpu'):.2f}",
                          "yes" if section["same"][number] else "**no**"])
    return table(["profile", "threads", "wall s", "CPU s", "wall / first (lowest)", "CPU / first", "same bytes"], lines)


def as_json(value):
    """JSON of the whole result."""
    return json.dumps(value, indent=1, default=lambda one: one.as_json() if hasattr(one, "as_json") else str(one)) + "\n"
