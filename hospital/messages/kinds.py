"""Kinds of message that speak of a booking, and which of them a patient may refuse."""

from __future__ import annotations

REMINDER, BOOKED, MOVED, CANCELLED = "reminder", "booked", "moved", "cancelled"
FAMILY = "family"  # reminders to those whom the patient lent the look at their exams
# Who is not told of a change comes in vain, fasting: nobody is asked whether they want to know.
REFUSABLE = frozenset({REMINDER, BOOKED, FAMILY})
KINDS = (REMINDER, BOOKED, MOVED, CANCELLED, FAMILY)
LANGUAGES = ("zh", "en")
PHONE_CHANNELS = ("sms", "voice")
