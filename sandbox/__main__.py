"""`python -m sandbox serve`: run the stand-in until it is told to end."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from sandbox.server import serve

LOG_SIZE = 50_000


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m sandbox", description="Local stand-in of store platforms.")
    command = parser.add_subparsers(dest="command", required=True).add_parser("serve", help="serve stores over TLS")
    command.add_argument("--directory", type=Path, required=True, help="where data and certificates are kept")
    command.add_argument("--port", type=int, required=True, help="port to listen on; 0 picks a free one")
    command.add_argument("--mail-port", type=int, default=0, help="port that takes mail; 0 picks one, and keeps it")
    command.add_argument("--host", default="127.0.0.1", help="address to listen on")
    command.add_argument("--log-size", type=int, default=LOG_SIZE, help="requests the log remembers")
    command.add_argument("--until-stdin-closes", action="store_true", help="end with the process that started it")
    options = parser.parse_args()
    asyncio.run(
        serve(
            options.directory,
            options.host,
            options.port,
            options.mail_port,
            options.log_size,
            options.until_stdin_closes,
        )
    )


if __name__ == "__main__":
    main()
