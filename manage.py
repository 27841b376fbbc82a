#!/usr/bin/env python
"""Django's command line. Without DATABASE_URL or BROKER_URL it uses the embedded services under var/."""

import os
import sys

if sys.version_info < (3, 11):
    sys.exit("Plumbline needs Python 3.11 or newer; this is Python %d.%d." % sys.version_info[:2])


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        from django.core.exceptions import ImproperlyConfigured
        from django.core.management import execute_from_command_line

        from config.embedded import EmbeddedServiceError, provide_database

        try:
            with provide_database(sys.argv):
                execute_from_command_line(sys.argv)
        except (ImproperlyConfigured, EmbeddedServiceError) as error:
            sys.exit(str(error))
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] in ("annotate", "config", "training"):
            raise
        sys.exit(
            f"The Python package {error.name} is not installed in {sys.executable}. "
            "Run `make run`: it installs what is missing and starts Plumbline."
        )


if __name__ == "__main__":
    main()
