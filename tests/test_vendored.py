"""Vendored files are exactly what VENDORED.md says they are."""

import base64
import hashlib
import re

from django.conf import settings

VENDOR = settings.BASE_DIR / "static" / "vendor"


def listed_hashes() -> dict[str, str]:
    rows = (VENDOR / "VENDORED.md").read_text().splitlines()
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows if row.startswith("| ")]
    return {row[0]: row[4] for row in cells[1:]}


def test_every_vendored_file_is_listed_and_every_listed_file_is_there():
    files = {str(path.relative_to(VENDOR)) for path in VENDOR.rglob("*") if path.is_file()}
    assert files - {"VENDORED.md"} == set(listed_hashes())


def test_every_vendored_file_has_the_listed_hash():
    actual = {
        name: base64.b64encode(hashlib.sha384((VENDOR / name).read_bytes()).digest()).decode()
        for name in listed_hashes()
    }
    assert actual == listed_hashes()


def test_a_vendored_files_name_carries_its_version():
    rows = [row.split("|") for row in (VENDOR / "VENDORED.md").read_text().splitlines() if row.startswith("| ")][1:]
    assert all(re.search(rf"-{re.escape(row[2].strip())}(\.min\.|/)", row[1]) for row in rows)
