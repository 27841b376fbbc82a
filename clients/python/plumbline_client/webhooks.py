"""What a webhook's recipient does first: make sure that the message is Plumbline's, and of now."""

from __future__ import annotations

import hashlib
import hmac
import time

TOLERANCE = 300  # seconds between the signature and now


class BadSignature(ValueError):
    """The message is not from who holds the secret, or not of now; do nothing with it."""


def verify(*, secret: str, signature: str, body: bytes, now: float | None = None) -> None:
    """Check the header `Plumbline-Signature` ("t=…,v1=…") against the body as it came, byte for byte.

    `secret` is the webhook's, `now` seconds since 1970. Raises BadSignature.
    """
    parts = dict(part.partition("=")[::2] for part in signature.split(","))
    at, said = parts.get("t", ""), parts.get("v1", "")
    if not (at.isascii() and at.isdigit()):
        raise BadSignature(f"The header is {signature!r}; it should be t=<seconds>,v1=<hex>.")
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(digest.encode(), said.encode()):
        raise BadSignature("The signature is not of this body and secret.")
    if abs((time.time() if now is None else now) - int(at)) > TOLERANCE:
        raise BadSignature(f"The message was signed at {at}, more than {TOLERANCE} seconds from now.")
