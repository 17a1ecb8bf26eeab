"""Ctrl+C in a command of the shell."""

from __future__ import annotations

import signal

import pytest

from training.cli.stop import Stop

pytestmark = pytest.mark.usefixtures("handlers")


def test_a_task_that_ends_by_itself_is_asked() -> None:
    """One press that arrives twice, from the terminal and from the parent, counts once."""
    stop = Stop()

    with stop.listening(), stop.deferring():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)

    assert [stop.is_news(), stop.is_news(), stop.asked] == [True, False, True]
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_what_was_ignored_before_stays_ignored() -> None:
    """`nohup` keeps a command running when its terminal is closed."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)

    with Stop().listening():
        signal.raise_signal(signal.SIGHUP)

    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


def test_elsewhere_it_ends_the_command() -> None:
    """What cannot end by itself is interrupted."""
    with pytest.raises(KeyboardInterrupt), Stop().listening():
        signal.raise_signal(signal.SIGINT)


def test_a_second_press_ends_it_at_once() -> None:
    """Where the task does not end soon enough, another press interrupts it."""
    stop = Stop(same_press_seconds=0)

    with stop.listening(), stop.deferring():
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
