"""What one training is asked to be: frozen, checked and written into its file."""
