"""The styles, the everyday names, and what is held out for measuring."""

from __future__ import annotations

import re

BASE_STYLES = {
    "noto": "noto",
    "blob": "noto-v1",
    "flat": "fluent-emoji-flat",
    "glossy": "@lobehub/fluent-emoji-3d",
}
HELD_OUT_STYLES = {"firefox": "fxemoji", "ink": "fluent-emoji-high-contrast"}
STYLES = (*BASE_STYLES, *HELD_OUT_STYLES)
#: further pictures of known names; their styles are taught to nobody
MORE_STYLES = {"gradient": "fluent-emoji", "twitter": "twemoji", "soft": "emojione"}

HELD_OUT_SUBJECTS = (
    "panda",
    "penguin",
    "octopus",
    "wolf",
    "strawberry",
    "doughnut",
    "avocado",
    "guitar",
    "rocket",
    "robot",
)

# 200 names drawn in all four base styles: what the diffusion model learns.
_EVERYDAY = """
ant baby-chick bat bear bird blowfish butterfly camel cat cat-face chicken cow-face crab
crocodile deer dog dog-face dolphin dragon-face duck eagle elephant fish fox frog goat gorilla
hamster honeybee horse-face koala lady-beetle lion monkey-face mouse-face owl pig pig-face
rabbit-face rooster shark sheaf-of-rice snail snake spider spouting-whale squid tiger-face
tropical-fish turtle unicorn whale blossom bouquet cactus cherry-blossom deciduous-tree
evergreen-tree four-leaf-clover hibiscus maple-leaf mushroom palm-tree rose seedling sunflower
tulip bacon banana birthday-cake bread candy carrot cheese-wedge cherries chocolate-bar cookie
cooking croissant cucumber egg eggplant french-fries grapes green-apple hamburger hot-beverage
hot-dog ice-cream kiwi-fruit lemon lollipop pancakes peach pear pineapple pizza popcorn
red-apple soft-ice-cream sushi taco tangerine tomato watermelon alien angry-face crying-face
face-with-tears-of-joy ghost grinning-face nerd-face pile-of-poo red-heart skull sleeping-face
slightly-smiling-face smiling-face-with-halo smiling-face-with-heart-eyes
smiling-face-with-sunglasses winking-face american-football balloon basketball christmas-tree
game-die jack-o-lantern soccer-ball tennis trophy wrapped-gift backpack bell bomb books camera
crown gem-stone key light-bulb scissors t-shirt umbrella cloud fire full-moon house rainbow
sailboat snowman star sun-with-face automobile airplane violin trumpet saxophone drum microphone
bus taxi fire-engine bicycle motorcycle helicopter tractor locomotive castle tent volcano
desert-island hammer anchor candle pencil envelope telephone television laptop watch locked
money-bag dress jeans top-hat sunglasses high-heeled-shoe melon hot-pepper shrimp wine-glass
beer-mug poultry-leg ear-of-corn scorpion lizard leopard snowflake crescent-moon baseball
"""
EVERYDAY = tuple(_EVERYDAY.split())
KNOWN_NAMES = (*EVERYDAY, *HELD_OUT_SUBJECTS)  #: in the order of the content teacher's scores

CATEGORIES = {
    "Activities",
    "Animals & Nature",
    "Food & Drink",
    "Objects",
    "Smileys & Emotion",
    "Travel & Places",
    "Nature",
    "Places",
}
DROPPED = re.compile(
    r"skin-tone|flag|keycap|arrow|button|thirty|o-clock|clock$|\bman\b|\bmen\b|woman|women|person"
)


def is_usable(name: str) -> bool:
    """Return whether a name is a thing, not a flag, a clock, an arrow or a variant of people."""
    return DROPPED.search(name) is None


def to_words(name: str) -> str:
    """Return a kebab-case name as people type it."""
    return name.replace("-", " ")
