"""How much memory tensors take, counted as they come and go: on any device, and on meta tensors.

What lives is summed by storage, so that views cost nothing, and what the backward pass keeps
counts as long as it is kept. Kernels' own scratch space and an allocator's rounding are not seen.
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
    """Counts the bytes of tensors that are made inside the block; refuses more than `most`.

    Raises:
        torch.OutOfMemoryError: where an operation's results would not fit, as a full GPU does.
    """

    def __init__(self, most: int = 0) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.limit = most  #: bytes; 0 refuses nothing
        self.live = 0  #: bytes that are held now
        self.peak = 0  #: bytes, at most, that were held
        self.storages: weakref.WeakSet[Any] = weakref.WeakSet()

    def __enter__(self) -> Self:
        super().__enter__()  # type: ignore[no-untyped-call]
        return self

    def add_all(self, tensors: Iterable[Tensor]) -> None:
        """Count tensors that were there before."""
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
        """Count bytes that were given back."""
        self.live -= size

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        """Let an operation pass, and count what it made."""
        found = function(*args, **(kwargs or {}))
        for tensor in tree_leaves(found):
            if isinstance(tensor, Tensor):
                self.add(tensor)
        if self.limit and self.live > self.limit:
            raise torch.OutOfMemoryError(f"{self.live:,} bytes where {self.limit:,} are allowed")
        return found
