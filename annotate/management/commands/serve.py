"""`manage.py serve`: everything on this machine, until Ctrl-C."""

import signal
from argparse import ArgumentParser
from typing import Any

from django.core.management import BaseCommand

from config.serving import serve


class Command(BaseCommand):
    help = "Run the web server, the workers, the clock and, unless URLs name others, the database and the broker."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
        parser.add_argument("--port", type=int, default=8000, help="port to listen on (default: 8000)")

    def handle(self, *, host: str, port: int, **options: Any) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.default_int_handler)
        try:
            serve(host=host, port=port)
        except KeyboardInterrupt:
            self.stdout.write("Stopped. Start again with the same command: everything is kept.")
