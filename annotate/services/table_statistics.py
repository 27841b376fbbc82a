"""What Postgres knows about the size and the values of tables, from which it chooses how to run a statement.

It looks by itself about once a minute, so that for some time after a large import it takes a table of a hundred
thousand rows for an empty one, and reads all of it where an index would do.
"""

from __future__ import annotations

from django.db import connection, models

GROWN_BY = 1.2  # times as many pages as when it was looked at last
FEW_PAGES = 100  # a table of 800 kB is read in no time, whatever is known of it

GROWN = """
    SELECT relname FROM pg_class WHERE oid = ANY (%s::regclass[])
        AND pg_relation_size(oid) / current_setting('block_size')::int > %s + %s * relpages
"""


def analyse_grown(*written: type[models.Model]) -> list[str]:
    """Have Postgres look at those of these models' tables that have grown by a fifth since; returns their names.

    To be called once what was written is committed: until then there is nothing to see.
    """
    tables = [model._meta.db_table for model in written]
    with connection.cursor() as cursor:
        cursor.execute(GROWN, [tables, FEW_PAGES, GROWN_BY])
        grown = [name for (name,) in cursor.fetchall()]
        for name in grown:
            cursor.execute(f"ANALYZE {connection.ops.quote_name(name)}")
    return grown
