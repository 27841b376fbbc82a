"""A form with a file in it, as browsers send it (multipart/form-data, RFC 7578)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping


def encode_form(fields: Mapping[str, object], name: str, filename: str, content: bytes) -> tuple[bytes, str]:
    """(body, its content type). Raises ValueError for a file name with a quote or a line break."""
    if any(mark in filename for mark in '"\r\n'):
        raise ValueError(f"{filename!r} cannot be sent as the name of a file. Rename it.")
    boundary = uuid.uuid4().hex
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{text(value)}\r\n'.encode()
        for field, value in fields.items()
    ]
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{filename}"\r\n'
    parts += [head.encode(), b"Content-Type: application/octet-stream\r\n\r\n", content]
    return b"".join([*parts, f"\r\n--{boundary}--\r\n".encode()]), f"multipart/form-data; boundary={boundary}"


def text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
