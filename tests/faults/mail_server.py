"""A mail server for tests that kill it: `python mail_server.py LOG PORT`.

Writes down whom it took a mail for, and only then says so.
"""

import asyncio
import sys
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session


class Taking:
    def __init__(self, log: Path) -> None:
        self.log = log

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        with self.log.open("a") as file:
            file.write(f"{envelope.rcpt_tos[0]}\n")
        return "250 OK"


async def serve(log: Path, port: int) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(Taking(log)), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2])))
