"""A stand-in for `torch.cuda` on a CPU: streams, events, memory statistics and graphs.

A capture records every tensor operation with the tensors it was given, and undoes what it changed,
since a GPU runs none of them while it captures; a replay runs them again on the same memory. So a
number that Python baked into the graph stays baked in, and reading a tensor while capturing fails,
as it does on a GPU.
"""

from __future__ import annotations

import time
from contextlib import contextmanager

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

READS = ("aten::_local_scalar_dense", "aten::nonzero", "aten::equal")


class CaptureError(RuntimeError):
    """What CUDA raises for an operation that makes the CPU wait."""


class Recording(TorchDispatchMode):
    """Records the operations inside the block, and remembers what they overwrote."""

    def __init__(self):
        super().__init__()
        self.calls, self.before, self.made = [], {}, set()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        """Run an operation, record it, and keep what it changes of older tensors."""
        kwargs = kwargs or {}
        if function._schema.name in READS:
            raise CaptureError(f"{function} is not permitted when stream is capturing")
        given = [each for each in tree_leaves((args, kwargs)) if isinstance(each, Tensor)]
        if function._schema.is_mutable:
            for tensor in given:
                storage = tensor.untyped_storage()
                place = storage.data_ptr()
                if place not in self.made and place not in self.before:
                    whole = tensor.detach().new_empty(0).set_(storage)
                    self.before[place] = (whole, whole.clone())
        results = function(*args, **kwargs)
        places = {each.untyped_storage().data_ptr() for each in given}
        fresh = [
            each.untyped_storage().data_ptr() not in places if isinstance(each, Tensor) else False
            for each in tree_leaves(results)
        ]
        self.made |= {
            each.untyped_storage().data_ptr()
            for each, new in zip(tree_leaves(results), fresh, strict=True)
            if new
        }
        self.calls.append((function, args, kwargs, results, fresh))
        return results


class CUDAGraph:
    """The operations of a capture."""

    def __init__(self):
        self.calls = []
        self.replays = 0

    def reset(self):
        """Forget the capture."""
        self.calls = []

    def replay(self):
        """Run them again, each into the tensors that it made in the capture."""
        self.replays += 1
        with torch.no_grad():
            for function, args, kwargs, results, fresh in self.calls:
                again = function(*args, **kwargs)
                pairs = zip(tree_leaves(results), tree_leaves(again), fresh, strict=True)
                for kept, new, own in pairs:
                    if own:
                        kept.copy_(new)


@contextmanager
def graph(captured, pool=None, stream=None, capture_error_mode="global"):  # noqa: ARG001 - torch's
    """Record the block's operations into a graph."""
    recording = Recording()
    with recording:
        yield
    for tensor, value in recording.before.values():
        tensor.copy_(value)
    captured.calls = recording.calls


def graph_pool_handle():
    """Return the name of a pool of memory."""
    return (0, 1)


class Stream:
    """A stream: on a CPU everything is in order."""

    def wait_stream(self, other):
        """Wait for nothing."""


@contextmanager
def stream(_chosen):
    """Run the block, as on any stream."""
    yield


def current_stream():
    """Return the one stream."""
    return Stream()


class Event:
    """A point in time."""

    def __init__(self, enable_timing=False, blocking=False):  # noqa: ARG002 - torch's signature
        self.at = 0.0

    def record(self):
        """Remember now."""
        self.at = time.perf_counter()

    def synchronize(self):
        """Wait for nothing: it is past."""

    def elapsed_time(self, end):
        """Return the milliseconds until another event."""
        return 1000 * (end.at - self.at)


def synchronize(device=None):
    """Wait for nothing: a CPU has finished."""


def empty_cache():
    """Free nothing: a CPU keeps none."""
