from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.db import connection, transaction
from psycopg import sql

# Tables whose rows stay as they were written, and the columns that only the database itself fills.
APPEND_ONLY: dict[str, tuple[str, ...]] = {
    "audit_auditentry": ("seq", "xid", "at"),
    "audit_auditseal": (),
    "audit_auditcheckpoint": (),
    "keeping_erasure": ("xid", "at"),
}


class Command(BaseCommand):
    help = "After migrate, as the owner: let the application's role read and write rows, never change tables."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("role", nargs="?", default="hospital_app")

    def handle(self, *args: Any, role: str, **options: Any) -> None:
        name = sql.Identifier(role)
        statements = [
            sql.SQL("GRANT USAGE ON SCHEMA public TO {}"),
            sql.SQL("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {}"),
            sql.SQL("GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {}"),
        ]
        with transaction.atomic(), connection.cursor() as cursor:  # no moment with more or less than meant
            for statement in statements:
                cursor.execute(statement.format(name))
            present = set(connection.introspection.table_names(cursor))
            for table in sorted(present.intersection(APPEND_ONLY)):
                self._append_only(cursor, table, name)

    def _append_only(self, cursor: Any, table: str, role: sql.Identifier) -> None:
        """Insert (without the database's own columns) and read, nothing else."""
        columns = [column.name for column in connection.introspection.get_table_description(cursor, table)]
        given = [sql.Identifier(column) for column in columns if column not in APPEND_ONLY[table]]
        revoke = sql.SQL("REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON {} FROM {}")
        grant = sql.SQL("GRANT INSERT ({}) ON {} TO {}")
        cursor.execute(revoke.format(sql.Identifier(table), role))
        cursor.execute(grant.format(sql.SQL(", ").join(given), sql.Identifier(table), role))
