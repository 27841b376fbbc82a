"""The keys of endpoints at rest: sealed by Fernet (AES-128-CBC with HMAC-SHA256) under keys derived from the site's.

HKDF-SHA256 makes one from ENDPOINT_KEY, if it is set, from SECRET_KEY and from each of SECRET_KEY_FALLBACKS. The first
seals; all of them open, so that the site's key can be changed.
"""

from __future__ import annotations

import base64

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

PURPOSE = b"plumbline: keys of endpoints"
SHOWN = 4


class KeyUnreadable(ValueError):
    """A sealed key that none of the site's keys opens."""


def seal(key: str) -> str:
    return _sealer().encrypt(key.encode()).decode()


def unseal(sealed: str) -> str:
    """The key, or "" for none. Raises KeyUnreadable."""
    if not sealed:
        return ""
    try:
        return _sealer().decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise KeyUnreadable(
            "Its key cannot be read: the site's SECRET_KEY or ENDPOINT_KEY has changed. Enter the key again, or "
            "have the administrator add the old SECRET_KEY to SECRET_KEY_FALLBACKS."
        ) from error


def ending(key: str) -> str:
    """What may be shown of a key: its last four characters, nothing of a short one."""
    return key[-SHOWN:] if len(key) >= 4 * SHOWN else ""


def _sealer() -> MultiFernet:
    secrets = [settings.ENDPOINT_KEY, settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet([Fernet(_derive(secret)) for secret in secrets if secret])


def _derive(secret: str) -> bytes:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=PURPOSE).derive(secret.encode())
    return base64.urlsafe_b64encode(derived)
