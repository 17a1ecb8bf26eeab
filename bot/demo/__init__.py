"""The demo: the real bot on an offline Discord, the real scheduler, a page in the browser."""
