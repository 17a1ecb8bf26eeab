"""What Safelight can do: caption, train and sample on a local GPU or CPU."""
