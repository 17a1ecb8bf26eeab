"""`safelight`, as installed and as `python -m bot.terminal`: Ctrl+C never shows a traceback."""

from __future__ import annotations

import signal
import sys


def main() -> int:
    """Run the command line and return its exit code."""
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:  # by a script that uses `&`
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # while the rest is imported
    from bot.terminal import cli  # noqa: PLC0415 - after that

    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
