from django.db import migrations

# Of a table that nobody has looked at, Postgres supposes that it may be large, and goes by an index. Looked at while it
# has a hundred rows, it is read from end to end by every statement prepared then, for as long as that plan is kept,
# while it grows to thousands within the minute. So these are looked at once they have five thousand.
BUSY = ("task", "lease", "judgement", "comparison")
SETTINGS = ("autovacuum_vacuum_threshold", "autovacuum_vacuum_insert_threshold", "autovacuum_analyze_threshold")
SET = ", ".join(f"{name} = 5000" for name in SETTINGS)


class Migration(migrations.Migration):
    dependencies = [
        ("annotate", "0017_lists_of_done_tasks"),
    ]

    operations = [
        migrations.RunSQL(
            [f"ALTER TABLE annotate_{table} SET ({SET})" for table in BUSY],
            [f"ALTER TABLE annotate_{table} RESET ({', '.join(SETTINGS)})" for table in BUSY],
        ),
    ]
