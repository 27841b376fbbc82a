"""How a recipient knows that a message is ours: HMAC-SHA256 over its time and its body (standardwebhooks.com)."""

import hashlib
import hmac
import secrets


def new_secret() -> str:
    return secrets.token_hex(32)


def sign(*, secret: str, at: int, body: str) -> str:
    """The header `Plumbline-Signature`: "t=<seconds since 1970>,v1=<hex of HMAC-SHA256 over "t.body">".

    The time is signed too, so that an old message cannot be sent again for a new one.
    """
    digest = hmac.new(secret.encode(), f"{at}.{body}".encode(), hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"
