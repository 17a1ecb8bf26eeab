"""What Safelight can do: caption, train, sample and evaluate on a local GPU or CPU."""
