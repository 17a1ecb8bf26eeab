"""Drop this process's rights: no files, no network, no programs, as far as the system can.

Each layer holds alone where another is missing: no file descriptor can be opened (any POSIX
system), Landlock closes the file system and TCP (Linux 5.13 and newer), and a seccomp filter
lets through what decoding needs and nothing else (Linux on x86-64 and ARM64).
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import platform
import resource
import socket
import struct
import sys
from collections.abc import Callable

NOBODY_ID = 65534  #: user and group
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
LANDLOCK_CREATE_RULESET, LANDLOCK_RESTRICT_SELF = 444, 446  #: the same on every architecture
#: rights to files that each version of Landlock knows, and the first with TCP and with scopes
LANDLOCK_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
LANDLOCK_TCP_VERSION, LANDLOCK_SCOPE_VERSION = 4, 6

ALLOW, REFUSE, KILL = 0x7FFF0000, 0x00050000 | errno.EPERM, 0x80000000
UNKNOWN_CALL = 0x00050000 | errno.ENOSYS  #: then glibc uses `clone`, whose flags can be read
LOAD, JUMP_IF_EQUAL, JUMP_IF_SET, RETURN = 0x20, 0x15, 0x45, 0x06
CLONE_THREAD, PROT_EXEC, ANY_BIT = 0x10000, 0x4, 0xFFFFFFFF
#: system calls by architecture: its audit number, those without conditions, and
#: mmap, mprotect, clone, clone3, prlimit64
SYSTEM_CALLS = {
    # read write close fstat lseek munmap brk rt_sigaction rt_sigprocmask rt_sigreturn readv
    # writev sched_yield mremap madvise nanosleep getpid exit getrusage sigaltstack gettid futex
    # sched_getaffinity restart_syscall clock_gettime clock_nanosleep exit_group set_robust_list
    # getrandom membarrier rseq
    "x86_64": (
        0xC000003E,
        (
            *(0, 1, 3, 5, 8, 11, 12, 13, 14, 15, 19, 20, 24, 25, 28, 35, 39, 60, 98, 131, 186),
            *(202, 204, 219, 228, 230, 231, 273, 318, 324, 334),
        ),
        (9, 10, 56, 435, 302),
    ),
    "aarch64": (
        0xC00000B7,
        (
            *(63, 64, 57, 80, 62, 215, 214, 134, 135, 139, 65, 66, 124, 216, 233, 101, 172, 93),
            *(165, 132, 178, 98, 123, 128, 113, 115, 94, 99, 278, 283, 293),
        ),
        (222, 226, 220, 435, 261),
    ),
}


def give_up_rights() -> None:
    """Keep the open pipes, memory and threads; modules must have been imported before."""
    steps = (forbid_new_privileges, close_file_system, leave_root, forbid_opening, filter_calls)
    for step in steps:
        with contextlib.suppress(OSError, ValueError):  # the doctor tells what holds
            step()


def leave_root() -> None:
    """Become nobody, if the bot runs as root."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY_ID)
        os.setuid(NOBODY_ID)


def forbid_opening() -> None:
    """Let no further file descriptor be opened: no file, socket or pipe."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))


def forbid_new_privileges() -> None:
    """Let no program that is started gain rights; the other layers of Linux ask for it."""
    if sys.platform == "linux":
        _call("prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def close_file_system() -> None:
    """Refuse every path, TCP port, abstract socket and signal to others (Landlock)."""
    if sys.platform != "linux":
        return
    version = _call("syscall", LANDLOCK_CREATE_RULESET, None, 0, 1)
    files = (1 << LANDLOCK_FILE_RIGHTS[min(version, max(LANDLOCK_FILE_RIGHTS))]) - 1
    tcp = 3 if version >= LANDLOCK_TCP_VERSION else 0
    scopes = 3 if version >= LANDLOCK_SCOPE_VERSION else 0
    size = 8 if not tcp else 16 if not scopes else 24
    handled = struct.pack("=QQQ", files, tcp, scopes)[:size]
    ruleset = _call("syscall", LANDLOCK_CREATE_RULESET, handled, size, 0)
    try:
        _call("syscall", LANDLOCK_RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def filter_calls() -> None:
    """Refuse every system call that decoding does not need (seccomp)."""
    known = platform.machine() in SYSTEM_CALLS and sys.maxsize > 1 << 32  # not in 32 bits
    if sys.platform != "linux" or not known:
        return
    program = ctypes.create_string_buffer(make_filter(*SYSTEM_CALLS[platform.machine()]))
    length = (len(program) - 1) // 8
    described = struct.pack("@HP", length, ctypes.addressof(program))
    _call("prctl", PR_SET_SECCOMP, SECCOMP_MODE_FILTER, described, 0, 0)


def make_filter(audit: int, plain: tuple[int, ...], special: tuple[int, ...]) -> bytes:
    """Return the filter as a BPF program; see seccomp(2)."""
    mmap, mprotect, clone, clone3, prlimit = special

    def step(code: int, value: int, then: int = 0, otherwise: int = 0) -> bytes:
        return struct.pack("=HBBI", code, then, otherwise, value)

    def if_set(call: int, argument: int, mask: int, answers: tuple[int, int]) -> bytes:
        low_word = 16 + 8 * argument  # of `struct seccomp_data`, little-endian
        found, clear = (step(RETURN, answer) for answer in answers)
        check = step(LOAD, low_word) + step(JUMP_IF_SET, mask, 0, 1)
        return step(JUMP_IF_EQUAL, call, 0, 4) + check + found + clear

    return b"".join(
        (
            step(LOAD, 4) + step(JUMP_IF_EQUAL, audit, 1, 0) + step(RETURN, KILL),
            step(LOAD, 0),
            *(step(JUMP_IF_EQUAL, call, 0, 1) + step(RETURN, ALLOW) for call in plain),
            if_set(mmap, 2, PROT_EXEC, (REFUSE, ALLOW)),
            if_set(mprotect, 2, PROT_EXEC, (REFUSE, ALLOW)),
            if_set(clone, 0, CLONE_THREAD, (ALLOW, REFUSE)),
            if_set(prlimit, 0, ANY_BIT, (REFUSE, ALLOW)),
            step(JUMP_IF_EQUAL, clone3, 0, 1) + step(RETURN, UNKNOWN_CALL),
            step(RETURN, REFUSE),
        )
    )


def try_attempts() -> dict[str, bool]:
    """Try what a picture's decoder must not do, and return what works."""
    return {name: _works(attempt) for name, attempt in ATTEMPTS.items()}


def _works(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except OSError:
        return False
    return True


def _fork() -> None:
    if os.fork() == 0:
        os._exit(0)


#: what `try_attempts` tries, by the word in the doctor's line
ATTEMPTS: dict[str, Callable[[], object]] = {
    "files": lambda: os.open(__file__, os.O_RDONLY),
    "the network": socket.socket,
    "other programs": _fork,
}


def _call(function: str, *arguments: int | bytes | None) -> int:
    """Call a function of the C library; raise OSError if it returns -1."""
    library = ctypes.CDLL(None, use_errno=True)
    typed = [ctypes.c_ulong(one) if isinstance(one, int) else one for one in arguments]
    result: int = getattr(library, function)(*typed)
    if result == -1:
        raise OSError(ctypes.get_errno(), function)
    return result
