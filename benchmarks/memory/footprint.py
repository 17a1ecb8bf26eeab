"""Count the memory that tensors take as they come and go, on any device and on meta tensors.

Live memory is summed by storage, so views cost nothing; what is kept for the backward pass counts
as long as it is kept. Kernels' scratch space and the allocator's rounding are not seen.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterable
from typing import Any, Self

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class Footprint(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the bytes of tensors that are created inside the block, at most `max_bytes`.

    Raises:
        torch.OutOfMemoryError: if an operation's results exceed the limit, as on a full GPU.
    """

    def __init__(self, max_bytes: int = 0) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.limit = max_bytes  #: bytes; 0 is unlimited
        self.live = 0  #: bytes held now
        self.peak = 0  #: the most bytes ever held
        self.storages: weakref.WeakSet[Any] = weakref.WeakSet()

    def __enter__(self) -> Self:
        super().__enter__()  # type: ignore[no-untyped-call]
        return self

    def add_all(self, tensors: Iterable[Tensor]) -> None:
        """Count tensors that exist already."""
        for tensor in tensors:
            self.add(tensor)

    def add(self, tensor: Tensor) -> None:
        """Count a tensor's storage until it is freed."""
        storage = tensor.untyped_storage()
        if storage in self.storages:
            return
        size = storage.nbytes()
        self.storages.add(storage)
        self.live += size
        weakref.finalize(storage, self.free, size).atexit = False
        self.peak = max(self.peak, self.live)

    def free(self, size: int) -> None:
        """Subtract bytes that were freed."""
        self.live -= size

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        """Run an operation and count its results."""
        results = function(*args, **(kwargs or {}))
        for tensor in tree_leaves(results):
            if isinstance(tensor, Tensor):
                self.add(tensor)
        if self.limit and self.live > self.limit:
            raise torch.OutOfMemoryError(f"{self.live:,} bytes where {self.limit:,} are allowed")
        return results
