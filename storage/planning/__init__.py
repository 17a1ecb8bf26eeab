"""Arithmetic before a job: what a training takes, and which one to advise."""
