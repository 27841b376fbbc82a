"""Files that are sent whole or from where a download broke off (RFC 9110, section 14)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.cache import get_conditional_response

PIECE = 256 * 1024
ONE_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def send_file(request: HttpRequest, path: Path, *, content_type: str, headers: Mapping[str, str]) -> HttpResponseBase:
    """The file, or the one range of it that is asked for. A range of another version (If-Range) gets it whole.

    `headers` have its ETag.
    """
    etag = headers["ETag"]
    if known := get_conditional_response(request, etag=etag):
        return known
    size = path.stat().st_size
    asked = request.headers.get("Range", "") if request.headers.get("If-Range", etag) == etag else ""
    found = find_range(asked, size)
    if found == range(0):
        return HttpResponse(status=416, headers={"ETag": etag, "Content-Range": f"bytes */{size}"})
    wanted = found or range(size)
    answer = StreamingHttpResponse(
        () if request.method == "HEAD" else read_part(path.open("rb"), wanted),
        content_type=content_type,
        status=206 if found else 200,
        headers={**headers, "Accept-Ranges": "bytes", "Content-Length": str(len(wanted))},
    )
    if found:
        answer.headers["Content-Range"] = f"bytes {wanted.start}-{wanted.stop - 1}/{size}"
    return answer


def find_range(asked: str, size: int) -> range | None:
    """The bytes asked for; None for all of them (no range, several, or one that makes no sense), an empty range where
    there are none such."""
    match = ONE_RANGE.fullmatch(asked.strip())
    if match is None or not any(match.groups()):
        return None
    first, last = match.groups()
    if not first:
        return range(max(0, size - int(last)), size) if int(last) else range(0)
    if last and int(last) < int(first):
        return None
    stop = min(int(last) + 1, size) if last else size
    return range(int(first), stop) if int(first) < stop else range(0)


def read_part(file: BinaryIO, wanted: range) -> Iterator[bytes]:
    with file:
        file.seek(wanted.start)
        left = len(wanted)
        while left and (piece := file.read(min(PIECE, left))):
            left -= len(piece)
            yield piece
