from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.db import connection
from psycopg import sql

APPEND_ONLY = ("audit_auditentry",)


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
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement.format(name))
            present = set(connection.introspection.table_names(cursor))
            for table in present.intersection(APPEND_ONLY):
                revoke = sql.SQL("REVOKE UPDATE, DELETE, TRUNCATE ON {} FROM {}")
                cursor.execute(revoke.format(sql.Identifier(table), name))
