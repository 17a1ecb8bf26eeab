"""Mirrors jobs between this machine and a worker on another one: files only, no network.

`remote.py` is what can be asked of the other machine, by plain values that any wire carries.
`dock.py` answers there, `ferry.py` asks here, `backend.py` starts and watches the worker.
"""
