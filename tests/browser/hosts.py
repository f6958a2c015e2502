"""Somebody else's site: pages at another address than ours, with the headers they are given."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PAGE = """<!doctype html><html lang="{lang}"><head><meta charset="utf-8"><title>Shop</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
{head}</head><body><main><h1>Retourneren</h1>{body}</main></body></html>"""


class Site:
    """A site on this machine. Its pages are what `put` said last."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.pages: dict[str, tuple[str, Mapping[str, str]]] = {}

    def put(
        self,
        path: str,
        body: str,
        *,
        head: str = "",
        lang: str = "nl",
        headers: Mapping[str, str] | None = None,
    ) -> str:
        """Publish a page and return its address."""
        self.pages[path] = (PAGE.format(lang=lang, head=head, body=body), headers or {})
        return self.url + path

    def file(self, path: str, text: str, content_type: str) -> None:
        self.pages[path] = (text, {"Content-Type": content_type})


@contextmanager
def site() -> Iterator[Site]:
    """Run a site until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            text, headers = here.pages.get(self.path, ("-", {}))
            body = text.encode()
            self.send_response(200)
            for name, value in ({"Content-Type": "text/html; charset=utf-8"} | headers).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    here = Site(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield here
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
