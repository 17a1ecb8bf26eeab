"""How people talk to Safelight: Discord cards and commands, and links to files."""
