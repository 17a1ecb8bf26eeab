"""One training, from its recipe to checkpoints, samples and the finished file."""
