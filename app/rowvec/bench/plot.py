"""A measurement as a picture: one SVG of horizontal bars, in groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, NamedTuple

_WIDTH, _LABEL, _NUMBER, _BAR, _GAP = 760, 190, 60, 16, 30
_OURS, _THEIRS, _INK = "#2f6f4f", "#b9c2cc", "#20262c"


class Bar(NamedTuple):
    """One bar: what it stands for, how long it is, what is written at its end; ours are darker."""

    label: str
    value: float
    text: str
    ours: bool


def encode(report: Mapping[str, Any]) -> str:
    """Return the picture of bench.encode's `Report.as_dict()`; engines without a ratio are left out."""
    medians = {corpus["name"]: corpus["median_tokens"] for corpus in report["corpora"]}
    groups: dict[str, list[Bar]] = {}
    for result in report["results"]:
        if result["ratio"] is not None:
            name, ratio = result["engine"], result["ratio"]
            heading = f"{result['corpus']}: median {medians[result['corpus']]:g} tokens"
            groups.setdefault(heading, []).append(Bar(name, ratio, f"{ratio:.2f}", name.startswith("rowvec")))
    model, machine = report["model"]["name"], report["machine"]
    return svg(
        f"{model}, texts per second, times sentence-transformers; {machine['cpu']}, threads: {machine['threads']}",
        groups,
    )


def search(report: Mapping[str, Any]) -> str:
    """Return the picture of bench.search's `Report.as_dict()`: medians in milliseconds, and recall."""
    groups: dict[str, list[Bar]] = {}
    for result in report["results"]:
        bars = groups.setdefault(f"index of {result['kind']}", [])
        found = f"{result['p50_ms']:.1f} ms, recall {result['recall']:.3f}"
        bars.append(Bar(f"{result['case']}, k = {result['k']}", result["p50_ms"], found, True))
        if result["hand_p50_ms"] is not None:
            hand = f"{result['hand_p50_ms']:.1f} ms, recall {result['hand_recall']:.3f}"
            bars.append(Bar("hand-written SQL", result["hand_p50_ms"], hand, False))
    title = f"rowvec.search, p50 of {report['queries']} queries; {report['rows']:,} rows of {report['dims']} dims"
    return svg(f"{title}; {report['server']}", groups, number=140)


def svg(title: str, groups: Mapping[str, Sequence[Bar]], *, number: int = _NUMBER) -> str:
    """Return the picture; `number` is the room for what stands at the bars' ends."""
    longest = max((bar.value for group in groups.values() for bar in group), default=1.0)
    scale = (_WIDTH - _LABEL - number) / longest
    lines: list[str] = []
    y = 52
    for heading, bars in groups.items():
        lines.append(_text(10, y, heading, bold=True))
        y += 10
        for bar in bars:
            width, color = bar.value * scale, _OURS if bar.ours else _THEIRS
            lines.append(_text(_LABEL - 8, y + 12, bar.label, anchor="end"))
            lines.append(f'<rect x="{_LABEL}" y="{y}" width="{width:.1f}" height="{_BAR - 3}" fill="{color}"/>')
            lines.append(_text(_LABEL + width + 6, y + 12, bar.text))
            y += _BAR
        y += _GAP
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {y}" font-family="sans-serif" font-size="12">'
        f'<rect width="{_WIDTH}" height="{y}" fill="white"/>'
    )
    return "\n".join([head, _text(10, 22, title, bold=True), *lines, "</svg>"]) + "\n"


def _text(x: float, y: float, text: str, *, anchor: str = "start", bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return f'<text x="{x:.1f}" y="{y}" text-anchor="{anchor}" fill="{_INK}"{weight}>{escape(text)}</text>'
