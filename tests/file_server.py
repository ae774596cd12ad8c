"""A server on this machine that does all that servers do wrong."""

import contextlib
import http.server
import re
import threading
from dataclasses import dataclass, field

PATIENCE = 900  # seconds for whatever takes far less, however busy the machine is


@dataclass
class Served:
    """A file, and how it is served."""

    content: bytes
    kind: str = "application/x-tar"
    statuses: list[int] = field(default_factory=list)  # of the first requests; then 200
    breaks: list[int] = field(default_factory=list)  # the first answers end after so many bytes
    halt: int | None = None  # every answer halts after so many bytes, until the test's end
    ranges: bool = True  # does it understand Range?
    says_length: bool = True  # else it comes in chunks
    shift: int = 0  # an answer to Range begins so many bytes too late
    location: str | None = None  # it moved to there


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else small pieces wait 40 milliseconds for each other

    def do_GET(self):
        wanted = self.headers.get("Range")
        self.server.log.append((self.path, wanted))
        self.close_connection = True
        served = self.server.files.get(self.path)
        status = 404 if served is None else served.statuses.pop(0) if served.statuses else 200
        if status != 200:
            return self.send_error(status)
        if served.location:
            self.send_response(302)
            self.send_header("Location", served.location)
            self.send_header("Content-Length", "0")
            return self.end_headers()
        start = 0
        if wanted and served.ranges:
            start = int(re.fullmatch(r"bytes=(\d+)-", wanted)[1])
            if start >= len(served.content):
                return self.send_error(416)
            start += served.shift
        self.send_response(206 if start else 200)
        self.send_header("Content-Type", served.kind)
        if start:
            last, total = len(served.content) - 1, len(served.content)
            self.send_header("Content-Range", f"bytes {start}-{last}/{total}")
        body = served.content[start:]
        if served.says_length:
            self.send_header("Content-Length", str(len(body)))
        else:
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        end = served.breaks.pop(0) if served.breaks else len(body)
        with contextlib.suppress(OSError):  # the other side was killed
            self.send_body(served, body[:end], whole=end >= len(body))

    def send_body(self, served, body, whole):
        sent = 0
        while sent < len(body):
            if served.halt is not None and sent >= served.halt:
                self.server.gate.wait(PATIENCE)
            piece = body[sent : min(sent + 1024, served.halt or len(body))]
            if sent == served.halt:
                piece = body[sent:]
            framed = b"%x\r\n%s\r\n" % (len(piece), piece)
            self.wfile.write(piece if served.says_length else framed)
            sent += len(piece)
        if whole and not served.says_length:
            self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    """`files` maps a path to what is served there; `log` has (path, Range)."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, Served] = {}
        self.log: list[tuple] = []
        self.gate = threading.Event()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_port}{path}"

    def serve(self, path: str, content: bytes, **faults) -> str:
        """Its address."""
        self.files[path] = Served(content, **faults)
        return self.url(path)
