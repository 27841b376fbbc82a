#!/usr/bin/env python
"""Django's command line. Without DATABASE_URL or BROKER_URL it uses the embedded services under var/."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        from django.core.management import execute_from_command_line
    except ImportError:
        sys.exit("Django is not installed in this Python. Run `make run`, which sets up .venv and starts Plumbline.")
    from config.embedded import provide_database

    with provide_database(sys.argv):
        execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
