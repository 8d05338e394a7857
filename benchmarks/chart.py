"""Charts as SVG, readable on light and on dark pages. Nothing is measured here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

WIDTH, LABELS, VALUES = 860, 210, 60
BAR, GAP, HEAD = 14, 10, 34
COLOURS = ("#2f81f7", "#3fb950", "#a371f7", "#db6d28")
TEXT = 'font-family="sans-serif" font-size="12" fill="#848d97"'


def bars(title: str, groups: Mapping[str, Mapping[str, float]]) -> str:
    """Horizontal bars of one scale.

    Args:
        title: What the figures are.
        groups: For each group its figures by name; every group has the same names.

    Returns:
        The chart as SVG.
    """
    top = max(value for figures in groups.values() for value in figures.values())
    scale = (WIDTH - LABELS - VALUES) / top
    y, parts = HEAD, [f'<text x="0" y="16" {TEXT} font-weight="bold">{escape(title)}</text>']
    for group, figures in groups.items():
        parts.append(f'<text x="0" y="{y + 12}" {TEXT} font-weight="bold">{escape(group)}</text>')
        y += BAR + 6
        for (name, value), colour in zip(figures.items(), COLOURS, strict=False):
            length = max(1.0, value * scale)
            parts += [
                f'<text x="{LABELS - 8}" y="{y + 11}" text-anchor="end" {TEXT}>{escape(name)}</text>',
                f'<rect x="{LABELS}" y="{y}" width="{length:.1f}" height="{BAR - 2}" fill="{colour}"/>',
                f'<text x="{LABELS + length + 6:.1f}" y="{y + 11}" {TEXT}>{value:.2f}</text>',
            ]
            y += BAR
        y += GAP
    return _svg(y, parts)


def lines(title: str, across: str, series: Mapping[str, Sequence[tuple[float, float]]]) -> str:
    """Lines over one axis, each on a scale of its own from 0 to a quarter above its largest value.

    Args:
        title: What is shown.
        across: What the horizontal axis is.
        series: For each line its points, ascending; every line has the same places.

    Returns:
        The chart as SVG.
    """
    height, left, right = 220, 40, WIDTH - 40
    most = max(x for points in series.values() for x, _ in points)
    parts = [
        f'<text x="0" y="16" {TEXT} font-weight="bold">{escape(title)}</text>',
        f'<line x1="{left}" y1="{HEAD + height}" x2="{right}" y2="{HEAD + height}" stroke="#848d97"/>',
        f'<text x="{right}" y="{HEAD + height + 34}" text-anchor="end" {TEXT}>{escape(across)}</text>',
    ]
    for x, _ in next(iter(series.values())):
        place = left + (right - left) * x / most
        parts.append(
            f'<text x="{place:.1f}" y="{HEAD + height + 16}" text-anchor="middle" {TEXT}>{x:g}</text>'
        )
    for number, (name, points) in enumerate(series.items()):
        largest, colour = 1.25 * max(y for _, y in points), COLOURS[number]
        places = [(left + (right - left) * x / most, HEAD + height * (1 - y / largest)) for x, y in points]
        track = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        parts.append(f'<polyline points="{track}" fill="none" stroke="{colour}" stroke-width="2"/>')
        for (x, y), (_, value) in zip(places, points, strict=True):
            parts += [
                f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>',
                f'<text x="{x:.1f}" y="{y - 8:.1f}" text-anchor="middle" {TEXT}>{value:.4g}</text>',
            ]
        parts.append(
            f'<text x="{left}" y="{HEAD + height + 34 + 18 * number}" {TEXT} style="fill:{colour}">'
            f"{escape(name)}</text>"
        )
    return _svg(HEAD + height + 44 + 18 * len(series), parts)


def _svg(height: int, parts: Sequence[str]) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}"'
    return "\n".join([f'{head} viewBox="0 0 {WIDTH} {height}">', *parts, "</svg>"]) + "\n"
