"""Says in words why the service of this machine can't be reached."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from hythe.errors import ConnectionFailed

OTHERS_PORT = "Another program, or the service of another data dir, has its port."
NAME_ITS_AUTHORITY = (
    "Name the file with its authority by REQUESTS_CA_BUNDLE (in Python ca=), unless another program, or the service of "
    "another data dir, has the port."
)


@contextlib.contextmanager
def answering(url: str, untrusted: str = OTHERS_PORT) -> Iterator[None]:
    """Say why the service of this machine does not answer: what goes wrong within is a `ConnectionFailed`."""
    import http.client
    import ssl

    try:
        yield
    except ssl.SSLCertVerificationError as why:
        raise ConnectionFailed(
            f"cannot trust what answers at {url}: {why.verify_message}. {untrusted}", reason="untrusted"
        ) from why
    except TimeoutError as why:
        raise ConnectionFailed(
            f"cannot wait longer for {url}: it does not answer. Allow more time, or look into the service's log.",
            reason="timeout",
        ) from why
    except ConnectionRefusedError as why:
        raise ConnectionFailed(
            f"cannot reach Hythe at {url}: nobody listens there. Start it with `hythe up`.", reason="refused"
        ) from why
    except (OSError, http.client.HTTPException) as why:
        raise ConnectionFailed(
            f"cannot talk to Hythe at {url}: {str(why) or type(why).__name__}. Look into the service's log, and get "
            "the resource to see what has been carried out.",
            reason="lost",
        ) from why
