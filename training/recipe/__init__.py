"""The recipe of one training: frozen, checked, and written into its file."""
