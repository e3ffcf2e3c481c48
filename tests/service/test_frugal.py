"""What the process asks of the kernel for itself."""

from __future__ import annotations

import resource

from hythe.service.frugal import many_files


def test_as_many_files_may_be_open_as_the_machine_lets_it() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = 1 << 20 if hard == resource.RLIM_INFINITY else min(hard, 1 << 20)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 512), hard))
        many_files()
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (most, hard)
        many_files()
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (most, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
