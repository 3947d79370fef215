"""An appointment's life as a table. The exam decides, the appointment follows.

Names are FHIR R4 `Appointment.status` codes except `aborted`, which is ours: the exam began and was broken off.
"""

from __future__ import annotations

BOOKED, CANCELLED, FULFILLED, NOSHOW, ABORTED = "booked", "cancelled", "fulfilled", "noshow", "aborted"
STATUSES = (BOOKED, CANCELLED, FULFILLED, NOSHOW, ABORTED)
COMMANDS = ("move", "cancel", "fulfil", "no_show", "abort")
TABLE: dict[tuple[str, str], str] = {
    (BOOKED, "move"): BOOKED,
    (BOOKED, "cancel"): CANCELLED,
    (BOOKED, "fulfil"): FULFILLED,
    (BOOKED, "no_show"): NOSHOW,
    (BOOKED, "abort"): ABORTED,
}
# The command that leads to each status an exam may close its appointment with; cancelling needs a reason.
CLOSING = {FULFILLED: "fulfil", NOSHOW: "no_show", ABORTED: "abort"}

HOLD, RELEASED = "hold", "released"
BLOCKING = (HOLD, BOOKED)  # a reservation in one of these keeps its resource from others


class IllegalStep(ValueError):
    """The appointment's status does not allow the command."""


def advance(status: str, command: str) -> str:
    """The next status; IllegalStep for every pair without a row."""
    try:
        return TABLE[status, command]
    except KeyError:
        raise IllegalStep(f"{command} of a {status} appointment") from None
