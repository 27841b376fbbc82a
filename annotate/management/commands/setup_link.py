"""`manage.py setup_link`: the one-time link that makes the first owner."""

from typing import Any

from django.core.management import BaseCommand

from annotate.services.people import ensure_setup_link


class Command(BaseCommand):
    help = "Print the one-time link that makes the first owner; an earlier unused one stops working."

    def handle(self, **options: Any) -> None:
        link = ensure_setup_link()
        self.stdout.write(link or "There is an owner already. Owners invite people from their project's page.")
