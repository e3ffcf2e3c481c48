"""What no TLS server here sends: session tickets."""

from __future__ import annotations

import ssl


def no_tickets(context: ssl.SSLContext) -> ssl.SSLContext:
    """Have the servers of a context send no TLS session tickets behind the handshake; gives the context.

    A client that reads in one thread and writes in another (websockets' synchronous one, websocket-client) may be
    taking a ticket just when it sends its first request; OpenSSL is not made for that, and both then wait for ever.
    """
    context.num_tickets = 0
    return context
