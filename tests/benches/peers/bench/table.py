"""Medians of what was measured, medians of paired ratios with their range, and the table for people."""

import statistics

# Name, words, digits, whether more is better.
ROWS = [
    ("drain_rate", "backlog drained, fills a second", 0, True),
    ("cpu", "processor for a million fills: service, broker, Postgres, s", 2, False),
    ("cpu_service", "  of it the service, s", 2, False),
    ("cpu_broker", "  of it the broker, s", 2, False),
    ("cpu_postgres", "  of it Postgres, s", 2, False),
    ("memory_mib", "memory of the service, at most, MiB", 0, False),
    ("bytes", "bytes written for a fill", 0, False),
    ("recovery_s", "SIGKILL under load → a later fill is committed, s", 2, False),
    ("sustained_rate", "highest rate tried that it sustains, fills a second", 0, True),
    *((f"{name}_at_{part}", f"fill due → booking read, {words}, at {part} % of that rate, ms", 0, False)
      for part in (25, 50, 75) for name, words in (("p50", "p50"), ("p99", "p99"), ("p999", "p99.9"))),
]


def ratios(pairs: list, row: str) -> list:
    """How many times better the service is than its peer, one figure a pair; below one it loses."""
    better = next(more for name, _, _, more in ROWS if name == row)
    both = [(ours[row], theirs[row]) for ours, theirs in pairs if ours.get(row) and theirs.get(row)]
    return [ours / theirs if better else theirs / ours for ours, theirs in both]


def render(peers: dict, alone: dict) -> str:
    """`peers`: pairs of figures by the peer's name; `alone`: figures of single runs by contestant."""
    lines = ["| what | ballast | " + " | ".join(f"{peer} | times better" for peer in peers) + " |",
             "|---|---" + "|---|---" * len(peers) + "|"]
    lost = []
    for row, words, digits, _ in ROWS:
        ours = [pair[0][row] for pairs in peers.values() for pair in pairs if row in pair[0]]
        ours += [alone["ballast"][row]] if row in alone.get("ballast", {}) else []
        if not ours:
            continue
        cells = [_show(statistics.median(ours), digits)]
        for peer, pairs in peers.items():
            theirs = [pair[1][row] for pair in pairs if row in pair[1]]
            theirs += [alone[peer][row]] if row in alone.get(peer, {}) else []
            compared = ratios(pairs, row)
            if not compared and row in alone.get(peer, {}):
                compared = ratios([(alone["ballast"], alone[peer])], row)
            cells += [_show(statistics.median(theirs), digits) if theirs else "–", _spread(compared)]
            if compared and statistics.median(compared) < 1:
                lost.append(f"{words.strip()} ({peer}: {statistics.median(compared):.2f} times)")
        lines.append(f"| {words} | " + " | ".join(cells) + " |")
    lines += ["", "Lost: " + ("; ".join(lost) if lost else "nothing of what was measured") + "."]
    return "\n".join(lines)


def _show(figure: float, digits: int) -> str:
    return f"{figure:,.{digits}f}"


def _spread(compared: list) -> str:
    if not compared:
        return "–"
    middle = f"{statistics.median(compared):.2f}"
    return middle if len(compared) == 1 else f"{middle} ({min(compared):.2f} to {max(compared):.2f})"
