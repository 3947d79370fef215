"""What several deeds of one transaction ask for alike happens once after it.

Django keeps what waits for the commit in `run_on_commit`, and forgets with a savepoint what was asked inside it.
"""

from __future__ import annotations

from typing import Protocol, TypeVar

from django.db import connection, transaction


class Deed(Protocol):
    """Something to do after the transaction, which can take up more while it waits."""

    def do(self) -> None: ...


D = TypeVar("D", bound=Deed)


def waiting(kind: type[D]) -> D | None:
    """The deed of this class that already waits for the transaction's end; None outside a transaction."""
    asked = (getattr(row[1], "__self__", None) for row in connection.run_on_commit)
    return next((deed for deed in asked if isinstance(deed, kind)), None)


def after_commit(deed: Deed) -> None:
    """Do it when the transaction stands, at once outside one. What it raises is logged and undoes nothing."""
    # A method: what Django writes of a call that raises is its `__qualname__`, which an object has not.
    transaction.on_commit(deed.do, robust=True)
