"""How the tables are emptied after a test that committed: only those that hold rows are touched.

Django's TRUNCATE gives each of a hundred tables and their indexes new files, for a test that wrote to five.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from django.db.backends.postgresql.operations import DatabaseOperations

DELETE_ROWS = """
DO $$
DECLARE name text; filled boolean;
BEGIN
    SET LOCAL session_replication_role = replica;  -- neither foreign keys nor triggers have a say
    FOREACH name IN ARRAY ARRAY[{tables}] LOOP
        EXECUTE 'SELECT EXISTS (SELECT FROM ' || quote_ident(name) || ')' INTO filled;
        IF filled THEN EXECUTE 'DELETE FROM ' || quote_ident(name); END IF;
    END LOOP;
END $$;
"""


def delete_rows(operations: DatabaseOperations, style: Any, tables: list[str], **options: bool) -> list[str]:
    """What `sql_flush` is to return."""
    names = ", ".join("'" + table.replace("'", "''") + "'" for table in tables)
    return [DELETE_ROWS.format(tables=names)] if tables else []


@contextmanager
def quick_flush() -> Iterator[None]:
    """Django's `flush` deletes rows instead of truncating tables."""
    with patch.object(DatabaseOperations, "sql_flush", delete_rows):
        yield
