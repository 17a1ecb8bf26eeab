"""The `.safetensors` that comes out: written, read, checked and resized."""
