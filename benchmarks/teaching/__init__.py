"""Benchmarks of what a training teaches, judged on pictures the base never saw."""
