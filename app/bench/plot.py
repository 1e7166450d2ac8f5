"""A measurement as a picture: one SVG of horizontal bars, times sentence-transformers, a group for each corpus."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

_WIDTH, _LABEL, _BAR, _GAP = 760, 190, 16, 30
_OURS, _THEIRS, _INK = "#2f6f4f", "#b9c2cc", "#20262c"


def svg(report: Mapping[str, Any]) -> str:
    """Return the picture of `Report.as_dict()`; engines without a ratio are left out."""
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for result in report["results"]:
        if result["ratio"] is not None:
            groups.setdefault(result["corpus"], []).append(result)
    longest = max((result["ratio"] for group in groups.values() for result in group), default=1.0)
    scale = (_WIDTH - _LABEL - 60) / longest
    medians = {corpus["name"]: corpus["median_tokens"] for corpus in report["corpora"]}
    lines: list[str] = []
    y = 52
    for corpus, results in groups.items():
        lines.append(_text(10, y, f"{corpus}: median {medians[corpus]:g} tokens", bold=True))
        y += 10
        for result in results:
            width = result["ratio"] * scale
            color = _OURS if result["engine"].startswith("rowvec") else _THEIRS
            lines.append(_text(_LABEL - 8, y + 12, result["engine"], anchor="end"))
            lines.append(f'<rect x="{_LABEL}" y="{y}" width="{width:.1f}" height="{_BAR - 3}" fill="{color}"/>')
            lines.append(_text(_LABEL + width + 6, y + 12, f"{result['ratio']:.2f}"))
            y += _BAR
        y += _GAP
    model, machine = report["model"]["name"], report["machine"]
    title = f"{model}, texts per second, times sentence-transformers; {machine['cpu']}, threads: {machine['threads']}"
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {y}" font-family="sans-serif" font-size="12">'
        f'<rect width="{_WIDTH}" height="{y}" fill="white"/>'
    )
    return "\n".join([head, _text(10, 22, title, bold=True), *lines, "</svg>"]) + "\n"


def _text(x: float, y: float, text: str, *, anchor: str = "start", bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return f'<text x="{x:.1f}" y="{y}" text-anchor="{anchor}" fill="{_INK}"{weight}>{escape(text)}</text>'
