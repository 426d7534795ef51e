"""The end of ``make book``: serve the built pages on this computer, and say where."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PAGES = Path(__file__).parent.parent.parent / "_build" / "html"


def serve(pages: Path, port: int) -> ThreadingHTTPServer:
    """A server of the folder, on this port or, if that is taken, on a free one. Seen from this computer only."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(pages))
    try:
        return ThreadingHTTPServer(("127.0.0.1", port), handler)
    except OSError:
        return ThreadingHTTPServer(("127.0.0.1", 0), handler)


def main() -> int:
    """Print the address and serve until Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", nargs="?", type=int, default=8000)
    args = parser.parse_args()
    if not (PAGES / "index.html").is_file():
        print("found no built book; expected _build/html; run: make book", file=sys.stderr)
        return 2
    with serve(PAGES, args.port) as server:
        print(f"The book is at http://127.0.0.1:{server.server_port}/ (Ctrl-C ends it). The files: _build/html")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
