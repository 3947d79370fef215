"""What the calendars' doors accept: explicit serializers. Times of the day are `HH:MM`, 24:00 included."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from rest_framework import serializers

from hospital.common.clock import now

from .rules import BUFFER_MAX_MIN, EXCEPTION_REASONS, ORDER_KINDS

NEAR = timedelta(days=2 * 366)  # design value: what lies further away is a mistyped year
CLOCK = r"\A(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)\Z"


class NearTimeField(serializers.DateTimeField):
    """A time with its zone, at most two years away."""

    def to_internal_value(self, value: Any) -> datetime:
        found: datetime = super().to_internal_value(value)
        if abs(found - now()) > NEAR:
            raise serializers.ValidationError("too far away")
        return found


def minute_of(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:])


class Stretch(serializers.Serializer[Any]):
    """`opens` and `closes` of one day, given on as minutes."""

    opens = serializers.RegexField(CLOCK)
    closes = serializers.RegexField(CLOCK)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        opens, closes = minute_of(attrs.pop("opens")), minute_of(attrs.pop("closes"))
        return attrs | {"opens_minute": opens, "closes_minute": closes}


class HoursRow(Stretch):
    weekday = serializers.IntegerField(min_value=0, max_value=6)
    place_id = serializers.UUIDField(required=False, allow_null=True, default=None)
    valid_from = serializers.DateField(required=False, allow_null=True, default=None)
    valid_to = serializers.DateField(required=False, allow_null=True, default=None)


class WeekInput(serializers.Serializer[Any]):
    hours = serializers.ListField(child=HoursRow(), max_length=100)


class ExceptionInput(serializers.Serializer[Any]):
    starts_at = NearTimeField()
    ends_at = NearTimeField()
    open = serializers.BooleanField(default=False)
    reason = serializers.ChoiceField(choices=EXCEPTION_REASONS)
    note = serializers.CharField(max_length=200, required=False, default="", allow_blank=True)


class ReleaseInput(serializers.Serializer[Any]):
    starts_at = NearTimeField()
    ends_at = NearTimeField()
    partner_id = serializers.UUIDField(required=False, allow_null=True, default=None)


class ResourceInput(serializers.Serializer[Any]):
    before_minutes = serializers.IntegerField(min_value=0, max_value=BUFFER_MAX_MIN)
    after_minutes = serializers.IntegerField(min_value=0, max_value=BUFFER_MAX_MIN)
    languages = serializers.ListField(
        child=serializers.RegexField(r"\A[a-z]{2,3}(-[A-Za-z]{2,8})?\Z", max_length=12), max_length=20
    )
    exam_types = serializers.ListField(child=serializers.CharField(max_length=40), max_length=200)
    by_release = serializers.BooleanField(default=False)


class OrderRow(serializers.Serializer[Any]):
    procedure = serializers.CharField(max_length=40)
    kind = serializers.ChoiceField(choices=ORDER_KINDS)
    days = serializers.IntegerField(min_value=1, max_value=60)


class ReminderRow(serializers.Serializer[Any]):
    days_before = serializers.IntegerField(min_value=0, max_value=30)
    at = serializers.RegexField(r"\A([01][0-9]|2[0-3]):[0-5][0-9]\Z")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return {"days_before": attrs["days_before"], "minute": minute_of(attrs["at"])}


class ExamTypeInput(serializers.Serializer[Any]):
    minutes = serializers.IntegerField(min_value=1, max_value=480)
    assistant = serializers.BooleanField(default=False)
    probe = serializers.CharField(max_length=20, required=False, default="", allow_blank=True)
    preparation_zh = serializers.CharField(max_length=2000, allow_blank=True)
    preparation_en = serializers.CharField(max_length=2000, allow_blank=True)
    windows = serializers.ListField(child=Stretch(), max_length=20)
    order_rules = serializers.ListField(child=OrderRow(), max_length=50)
    reminders = serializers.ListField(child=ReminderRow(), max_length=20)
