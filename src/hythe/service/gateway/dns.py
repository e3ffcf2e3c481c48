"""Answers DNS questions about the host names of groups, for machines that are told to ask it."""

from __future__ import annotations

import asyncio
import logging
from typing import cast

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from .names import Names

log = logging.getLogger(__name__)

_TTL = 5
"""Seconds: an address may change when a group is made again."""
_MOST_ANSWER = 512


class Responder(asyncio.DatagramProtocol):
    """Answers A and AAAA for names below the suffix; refuses everything else."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._transport: asyncio.DatagramTransport | None = None

    async def start(self, host: str, port: int) -> None:
        """Begin to answer.  Raises OSError if the port can't be had."""
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(lambda: self, local_addr=(host, port))

    def stop(self) -> None:
        """Give the port back."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer one question."""
        try:
            asked = dns.message.from_wire(data)
            if asked.flags & dns.flags.QR:
                return
            answer = self._answer(asked).to_wire(max_size=_MOST_ANSWER)
        except (dns.exception.DNSException, ValueError):
            return  # nothing that could be answered
        if self._transport is not None:
            self._transport.sendto(answer, addr)

    def _answer(self, asked: dns.message.Message) -> dns.message.Message:
        answer = dns.message.make_response(asked)
        if len(asked.question) != 1:
            answer.set_rcode(dns.rcode.FORMERR)
            return answer
        question = asked.question[0]
        name = question.name.to_text(omit_final_dot=True)
        if question.rdclass != dns.rdataclass.IN or not self._names.covers(name):
            answer.set_rcode(dns.rcode.REFUSED)
            return answer
        answer.flags |= dns.flags.AA
        address = self._names.address(name)
        if address is None:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        elif question.rdtype in (dns.rdatatype.A, dns.rdatatype.ANY):
            answer.answer.append(dns.rrset.from_text(question.name, _TTL, "IN", "A", address))
        return answer
