"""One import in a process of its own, as a worker runs it: `python -m bench.import_worker JOB`."""

import os
import sys


def main() -> None:
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    django.setup()
    from annotate.models import Import
    from annotate.services.import_runs import run_import

    run_import(Import.objects.get(pk=int(sys.argv[1])))


if __name__ == "__main__":
    main()
