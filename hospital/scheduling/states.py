"""An appointment's life; the exam decides, the appointment follows (FHIR R4 Appointment.status codes)."""

from __future__ import annotations

BOOKED, CANCELLED, FULFILLED, NOSHOW, ABORTED = "booked", "cancelled", "fulfilled", "noshow", "aborted"
STATUSES = (BOOKED, CANCELLED, FULFILLED, NOSHOW, ABORTED)
CLOSES = frozenset({CANCELLED, FULFILLED, NOSHOW, ABORTED})
