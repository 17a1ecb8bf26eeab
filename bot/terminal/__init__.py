"""What `safelight` says in a shell."""
