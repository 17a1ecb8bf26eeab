"""The process that claims jobs, starts workers and settles what they leave; without torch."""
