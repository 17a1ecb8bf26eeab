"""A long benchmark can be run topic by topic."""

from __future__ import annotations

import argparse

import pytest

from benchmarks.teaching.teaching import QUICK, TOPICS, parse_topics


def test_topics_are_chosen_by_name():
    """Topics are separated by commas; those of a quick check are among them."""
    assert parse_topics("mascot,firefox") == ["mascot", "firefox"]
    assert set(QUICK) < set(TOPICS)


@pytest.mark.parametrize("text", ["", "pandas", "panda,", "panda, guitar"])
def test_an_unknown_topic_is_refused(text):
    """The refusal lists the topics there are."""
    with pytest.raises(argparse.ArgumentTypeError, match="try firefox, ink, panda"):
        parse_topics(text)
