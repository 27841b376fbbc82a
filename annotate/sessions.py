"""Sessions as Django keeps them in the database, found by a prepared statement: every request begins with one."""

from __future__ import annotations

from django.contrib.sessions.backends import db
from django.contrib.sessions.base_session import AbstractBaseSession
from django.contrib.sessions.models import Session
from django.utils import timezone

from annotate.statements import columns, fetch, load

BY_KEY = f"""
    SELECT {columns(Session, "session")} FROM "{Session._meta.db_table}" AS session
    WHERE session_key = %(key)s AND expire_date > %(now)s
"""


class SessionStore(db.SessionStore):
    def _get_session_from_db(self) -> AbstractBaseSession | None:
        rows = fetch(BY_KEY, {"key": self.session_key, "now": timezone.now()})
        if rows:
            return load(Session, rows[0])
        self._session_key = None
        return None
