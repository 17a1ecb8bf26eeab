"""What a press or a command does, whatever card it came from."""
