"""A browser that is somebody, without the sign-in page."""

from django.conf import settings
from django.test import Client
from playwright.sync_api import BrowserContext

from annotate.models import User


def carry_session(context: BrowserContext, site: object, user: User) -> None:
    """Give the browser a session of the user's at this site."""
    client = Client()
    client.force_login(user)
    name = settings.SESSION_COOKIE_NAME
    context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": str(site)}])
