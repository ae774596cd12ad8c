"""Memory of freed tensors: kept between steps, given back after a training."""

import ctypes
import sys


def keep_freed_memory() -> None:
    """Let this process keep the memory of freed tensors for the tensors of the next step.

    Otherwise Linux takes back every large tensor at once and clears its pages before it hands
    them out again, at each layer of each step; tests/benchmarks measures what that costs. On
    systems without glibc nothing changes. Source: the manual page mallopt(3).
    """
    library = c_library()
    if library is None:
        return
    trim_threshold, mmap_threshold = -1, -3  # the options' numbers in malloc.h
    library.mallopt(trim_threshold, 2**31 - 1)
    # Some versions of glibc refuse (and return 0 for) more than 32 MiB.
    library.mallopt(mmap_threshold, 2**30) or library.mallopt(mmap_threshold, 2**25)


def return_freed_memory() -> None:
    """Give the memory of freed tensors back to Linux: after a training, before another begins.

    The tensors of two networks differ in size and rarely fit into each other's gaps. Source: the
    manual page malloc_trim(3).
    """
    library = c_library()
    if library is not None:
        library.malloc_trim(0)


def c_library() -> ctypes.CDLL | None:
    """The C library, if it is glibc; None on other systems."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        library = ctypes.CDLL("libc.so.6")
    except OSError:
        return None
    return library if hasattr(library, "malloc_trim") and hasattr(library, "mallopt") else None
