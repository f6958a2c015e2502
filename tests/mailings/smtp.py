"""A mail server of the tests that does what it is told: takes mail, refuses, stalls, hangs up."""

import asyncio
from collections.abc import Callable
from email import message_from_bytes
from email.message import Message
from email.policy import default

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.webserver import free_port


class MailServer:
    """Keeps what it took. `at_rcpt` and `at_data` answer for an address instead of 250.

    An answer of "stall" waits for ever, "hang up" closes the connection.
    """

    def __init__(self) -> None:
        self.took: list[tuple[str, Message]] = []
        self.at_rcpt: Callable[[str], str] = lambda address: ""
        self.at_data: Callable[[str], str] = lambda address: ""

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = await _said(server, self.at_rcpt(address))
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        [address] = envelope.rcpt_tos
        asked = self.at_data(address)
        if not asked or asked.startswith("250"):
            self.took.append((address, message_from_bytes(envelope.content, policy=default)))
        return await _said(server, asked)

    @property
    def addresses(self) -> list[str]:
        return sorted(address for address, _ in self.took)


async def _said(server: SMTP, answer: str) -> str:
    if answer == "stall":
        await asyncio.sleep(3600)
    if answer == "hang up":
        server.transport.close()
    return answer or "250 OK"


def started(server: MailServer) -> Controller:
    controller = Controller(server, hostname="127.0.0.1", port=free_port())
    controller.start()
    return controller
