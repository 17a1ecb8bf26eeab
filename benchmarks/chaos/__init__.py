"""Kill the real bot, scheduler and worker at random while members train and draw; count harm.

python -m benchmarks.chaos --kills 1000 --seed 1
"""
