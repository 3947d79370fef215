"""Every column that names a patient, and what a merge does with it. Upper apps add theirs in `AppConfig.ready()`.

A test walks all tables and fails on a column that is not here. After each `migrate` every table whose rows move gets
a trigger that refuses new rows for a patient who was merged into another: who read the patient a moment too early is
refused by the database, not believed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import connection, models
from psycopg import sql


class How(StrEnum):
    MOVE = "move"  # rows change hands; what the survivor already has refuses the merge
    MOVE_ALL_BUT_DOUBLES = "move_all_but_doubles"  # a row that the survivor has as well waits at the source
    STAY = "stay"  # belongs to the registration itself, or is the history of merges
    FOLLOW = "follow"  # never changed: readers follow the link between the two


@dataclass(frozen=True)
class Reference:
    """One column; `model` is `app.Model`, `field` the name of a foreign key, a UUID or an array of UUIDs."""

    model: str
    field: str
    how: How

    @property
    def label(self) -> str:
        return f"{self.model}.{self.field}"

    def model_class(self) -> type[models.Model]:
        return apps.get_model(self.model)

    def rows(self, patient_id: UUID) -> models.QuerySet[Any]:
        return self.model_class()._base_manager.filter(**{self.field: patient_id})


@dataclass(frozen=True)
class Attached:
    """Rows of `label` hang on rows of `of` by their column `by`: an exam's pictures go where the exam goes back to."""

    label: str
    by: str
    of: str


# A check gets (patient merged away, patient who stays) and raises Conflict when it can't be now.
Check = Callable[[UUID, UUID], None]
_known: dict[str, Reference] = {}
_checks: list[Check] = []
_attached: list[Attached] = []


def merge_knows(model: str, field: str, how: How) -> None:
    """Say what a merge of two patients does with one column."""
    reference = Reference(model, field, how)
    _known[reference.label] = reference


def merge_check(check: Check) -> None:
    """Say when two patients must not be merged, nor parted again, for a reason this app does not know."""
    if check not in _checks:
        _checks.append(check)


def merge_attaches(label: str, *, by: str, of: str) -> None:
    """Say that rows written while a merge stands belong to a row that moved: undoing it takes them along."""
    if (one := Attached(label, by, of)) not in _attached:
        _attached.append(one)


def attached() -> list[Attached]:
    return list(_attached)


def known() -> dict[str, Reference]:
    return dict(_known)


def moving() -> list[Reference]:
    """In one order, so that two merges lock alike."""
    ways = (How.MOVE, How.MOVE_ALL_BUT_DOUBLES)
    return [_known[label] for label in sorted(_known) if _known[label].how in ways]


def checks() -> list[Check]:
    return list(_checks)


def unknown() -> list[str]:
    """Columns that seem to name a patient and that nobody told the merge about."""
    found = []
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            label = f"{model._meta.app_label}.{model.__name__}.{field.name}"
            if _names_a_patient(field) and label not in _known:
                found.append(label)
    return found


def _names_a_patient(field: Any) -> bool:
    if field.is_relation:
        return bool(field.related_model._meta.label == "people.Patient")
    keeps_ids = isinstance(field, models.UUIDField | models.JSONField) or isinstance(
        getattr(field, "base_field", None), models.UUIDField
    )
    return keeps_ids and "patient" in field.name


def guards_install(**_: Any) -> None:
    """After `migrate`, as the tables' owner. Does nothing while the guard's function is not there."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_proc WHERE proname = 'people_merged_refuse'")
        if cursor.fetchone() is None:
            return
        present = set(connection.introspection.table_names(cursor))
        for reference in moving():
            model = reference.model_class()
            if model._meta.db_table in present:
                field: Any = model._meta.get_field(reference.field)
                _guard(cursor, model._meta.db_table, field.column)


def _guard(cursor: Any, table: str, column: str) -> None:
    cursor.execute(
        sql.SQL(
            "CREATE OR REPLACE TRIGGER people_merged_refuse BEFORE INSERT OR UPDATE OF {column} ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION people_merged_refuse({name})"
        ).format(column=sql.Identifier(column), table=sql.Identifier(table), name=sql.Literal(column))
    )
