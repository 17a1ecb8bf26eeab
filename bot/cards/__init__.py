"""Cards: Discord messages that show one thing and its buttons."""
