"""Workers on other machines, over Ray; the only package that imports it.

The scheduler asks `cluster.py`, which asks a process of its own (`driver.py`): if Ray ends that
one, as it does when its head is lost, the scheduler lives on. `place.py` is the actor that answers
on the other machine, `node.py` is what runs there, and `command.py` is `safelight node`.
"""
