"""Glim, a little red darkroom lamp with a green shade, drawn as SVG in twelve poses.

Three flat colours, a large head and large eyes: 64 pixels hold it. Nothing is behind it.
Coordinates are in pixels of a picture of 512; the middle of the head is at 0, 0.
"""

from __future__ import annotations

from collections.abc import Sequence

SIDE = 512
RED, GREEN, DARK, CREAM, YELLOW = "#ef3b35", "#17808c", "#241d38", "#fff4dc", "#ffc94d"
LINE = f'fill="none" stroke="{DARK}" stroke-width="22" stroke-linecap="round"'
EDGE = f'stroke="{DARK}" stroke-width="16" stroke-linejoin="round"'

HEAD = f'<circle r="182" fill="{RED}"/>'
SHADE = (
    f'<rect x="-34" y="-238" width="68" height="50" rx="16" fill="{DARK}"/>'
    f'<path d="M-192 -70 C-186 -250 186 -250 192 -70 z" fill="{GREEN}"/>'
    f'<path d="M-198 -66 Q0 -18 198 -66" fill="none" stroke="{CREAM}" stroke-width="34"'
    ' stroke-linecap="round"/>'
)
LAUGH = f'<path d="M-48 92 h96 q-4 60 -48 60 t-48 -60 z" fill="{DARK}"/>'
SMILE = f'<path d="M-42 100 q42 46 84 0" {LINE}/>'
WONDER = f'<ellipse cy="116" rx="22" ry="26" fill="{DARK}"/>'
CAMERA = (
    f'<rect x="-96" y="70" width="192" height="124" rx="22" fill="{DARK}"/>'
    f'<rect x="-40" y="50" width="80" height="40" rx="10" fill="{DARK}"/>'
    f'<circle cy="132" r="46" fill="#fff"/><circle cy="132" r="27" fill="{GREEN}"/>'
)
HEART = f'<path d="M0 216 C-150 120 -96 40 0 96 C96 40 150 120 0 216 z" fill="{YELLOW}" {EDGE}/>'
PRINT = (
    f'<rect x="52" y="60" width="156" height="156" rx="16" fill="#fff" {EDGE}/>'
    f'<path d="M68 200 l46 -70 l34 44 l20 -24 l24 50 z" fill="{GREEN}"/>'
    f'<circle cx="168" cy="104" r="20" fill="{YELLOW}"/>'
)
PARTY_HAT = (
    f'<path d="M-92 -176 L0 -330 L92 -176 z" fill="{YELLOW}" {EDGE}/>'
    f'<circle cy="-322" r="30" fill="#fff" stroke="{DARK}" stroke-width="12"/>'
)
SNORE = f'<path d="M150 -200 h78 l-78 86 h78" {LINE} stroke-linejoin="round"/>'

Point = tuple[float, float]
UP, DOWN, FRONT = (222, -80), (206, 130), (150, 150)  #: where a hand is


def eyes(x: float = 0, y: float = 0, middles: Sequence[float] = (-72, 72)) -> str:
    """Return open eyes that look to a side."""
    return "".join(
        f'<ellipse cx="{middle}" cy="14" rx="52" ry="58" fill="#fff"/>'
        f'<circle cx="{middle + x}" cy="{20 + y}" r="31" fill="{DARK}"/>'
        f'<circle cx="{middle + x + 11}" cy="{9 + y}" r="11" fill="#fff"/>'
        for middle in middles
    )


def lid(middle: float, bend: float) -> str:
    """Return a closed eye that is bent up (below 0) or down."""
    return f'<path d="M{middle - 46} {20 - bend / 4} q46 {bend} 92 0" {LINE}/>'


def arm(side: int, hand: Point) -> str:
    """Return an arm, left (-1) or right (1), that ends in a place."""
    x, y = hand
    bend = 60 + (y - 60) * 0.35
    return (
        f'<path d="M{side * 160} 60 Q{side * 205} {bend:.0f} {side * x} {y}" fill="none"'
        f' stroke="{DARK}" stroke-width="40" stroke-linecap="round"/>'
    )


def feet(spread: float = 70, lifts: Point = (0, 0)) -> str:
    """Return two feet, lifted or not."""
    return "".join(
        f'<ellipse cx="{side * spread}" cy="{182 - lift}" rx="58" ry="34" fill="{DARK}"/>'
        for side, lift in zip((-1, 1), lifts, strict=True)
    )


def pose(
    *face: str,
    hands: tuple[Point, Point] = (DOWN, DOWN),
    stand: str = "",
    holds: Sequence[str] = (),
    place: str = "translate(256 276)",
) -> str:
    """Return a picture as SVG; what it holds or wears comes last."""
    arms = [arm(side, hand) for side, hand in zip((-1, 1), hands, strict=True)]
    parts = "".join([stand or feet(), *arms, HEAD, *face, SHADE, *holds])
    size = f'viewBox="0 0 {SIDE} {SIDE}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size}><g transform="{place}">{parts}</g></svg>'
    )


POSES = {
    "waving": pose(eyes(), LAUGH, hands=(DOWN, UP)),
    "winking": pose(eyes(middles=(-72,)), lid(72, -44), SMILE),
    "sleeping": pose(
        lid(-72, 44), lid(72, 44), WONDER, holds=[SNORE], place="translate(244 290)"
    ),
    "jumping": pose(
        eyes(), LAUGH, hands=(UP, UP), stand=feet(100, (26, 26)), place="translate(256 250)"
    ),
    "hat": pose(eyes(), SMILE, holds=[PARTY_HAT], place="translate(256 324) scale(.86)"),
    "camera": pose(eyes(), hands=(FRONT, FRONT), holds=[CAMERA]),
    "looking": pose(eyes(-22, -6), WONDER),
    "small": pose(eyes(), SMILE, place="translate(256 270) scale(.62)"),
    "big": pose(eyes(), LAUGH, place="translate(256 290) scale(1.28)"),
    "loving": pose(eyes(0, 16), hands=(FRONT, FRONT), holds=[HEART]),
    "walking": pose(
        eyes(18), SMILE, hands=(UP, DOWN), stand=feet(96, (30, 0)),
        place="translate(256 280) rotate(9)",
    ),
    "showing": pose(
        eyes(14, 14), SMILE, hands=(DOWN, (200, 150)), holds=[PRINT], place="translate(236 276)"
    ),
}  # fmt: skip
