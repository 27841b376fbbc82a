"""A file in parts, so that a download that broke off goes on where it stopped (RFC 9110: Range, If-Range)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from plumbline_client.transport import Answer

PART = 8 * 1024 * 1024  # bytes asked for at once
PARTIAL = 206


def fetch_in_parts(ask: Callable[[Mapping[str, str]], Answer], path: Path, *, part: int = PART) -> Path:
    """Write what `ask` answers to `path`, which appears when it is whole; `ask` sends a request with these headers.

    What came so far stands beside it under “.part”, and which version it is of under “.version”: the next call goes on
    there, or begins again where the file is another now. A server that sends no parts is asked once.
    """
    partial, version = path.with_name(f"{path.name}.part"), path.with_name(f"{path.name}.version")
    etag = version.read_text() if partial.exists() and version.exists() else ""
    done = max(partial.stat().st_size - 1, 0) if etag else 0  # there is always a byte left to ask for
    size = done + 1
    with partial.open("r+b" if etag else "wb") as file:
        while done < size:
            wanted = {"Range": f"bytes={done}-{done + part - 1}"}
            answer = ask(wanted | ({"If-Range": etag} if etag else {}))
            headers = {name.lower(): value for name, value in answer.headers.items()}
            is_part = answer.status == PARTIAL
            done = done if is_part else 0
            size = int(headers["content-range"].rpartition("/")[2]) if is_part else len(answer.body)
            etag = headers.get("etag", "")
            version.write_text(etag)
            file.seek(done)
            file.truncate()
            done += file.write(answer.body)
            file.flush()
    partial.replace(path)
    version.unlink()
    return path
