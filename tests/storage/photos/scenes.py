"""Pictures with the detail of photographs, drawn from a seed."""

from __future__ import annotations

import random

from PIL import Image, ImageDraw


def draw_scene(seed: int = 0, size: tuple[int, int] = (640, 480)) -> Image.Image:
    """Draw things with sharp edges on a ground that gets brighter downwards."""
    draw_number = random.Random(seed)
    ground = Image.linear_gradient("L").point(lambda level: 60 + level // 2)
    picture = ground.resize(size).convert("RGB")
    pen = ImageDraw.Draw(picture)
    for _ in range(80):
        x, y = (draw_number.randrange(-side // 8, side) for side in size)
        colour = tuple(draw_number.randrange(256) for _ in range(3))
        box = (x, y, x + draw_number.randrange(8, size[0] // 5),
               y + draw_number.randrange(8, size[1] // 5))  # fmt: skip
        draw = draw_number.choice((pen.ellipse, pen.rectangle))
        draw(box, fill=colour)
    return picture
