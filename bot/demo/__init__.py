"""The demo: the real bot on an offline Discord, the real trainer, a page in the browser."""
