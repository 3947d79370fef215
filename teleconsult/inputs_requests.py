"""What the doors of requests, of the waiting list and of offers accept."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from hospital.scheduling.rules import PARTS_OF_DAY

from .inputs import TEXT_MAX, Book, OtherProcedure
from .states_requests import FEES, PRIORITIES, REQUEST_STATES, ROUTINE, STAT, UNPAID, URGENT


class ExamRequestList(serializers.Serializer[Any]):
    state = serializers.ChoiceField(choices=("", *REQUEST_STATES), default="")
    page = serializers.IntegerField(min_value=1, max_value=200, default=1)


class ExamRequestNew(serializers.Serializer[Any]):
    patient_id = serializers.UUIDField()
    exam_type = serializers.CharField(max_length=40)
    institution_id = serializers.UUIDField()
    clinical_question = serializers.CharField(max_length=TEXT_MAX)
    history = serializers.CharField(max_length=TEXT_MAX, required=False, default="", allow_blank=True)
    priority = serializers.ChoiceField(choices=PRIORITIES, default=ROUTINE)
    fee = serializers.ChoiceField(choices=FEES, default=UNPAID)


class ExamRequestFee(serializers.Serializer[Any]):
    fee = serializers.ChoiceField(choices=FEES)


class ExamRequestBook(serializers.Serializer[Any]):
    """A team and a time; what is examined and why stands in the request."""

    remote_physician_id = serializers.UUIDField()
    bedside_physician_id = serializers.UUIDField()
    assistant_id = serializers.UUIDField(required=False, allow_null=True, default=None)
    robot_id = serializers.UUIDField()
    room_id = serializers.UUIDField()
    starts_at = serializers.DateTimeField()
    hold_id = serializers.UUIDField(required=False, allow_null=True, default=None)
    other_procedures = serializers.ListField(
        child=OtherProcedure(), required=False, default=list, max_length=20
    )


class Waiting(serializers.Serializer[Any]):
    """Shanghai days, both included."""

    earliest = serializers.DateField(required=False, allow_null=True, default=None)
    latest = serializers.DateField(required=False, allow_null=True, default=None)
    parts_of_day = serializers.ListField(
        child=serializers.ChoiceField(choices=tuple(PARTS_OF_DAY)), required=False, default=list, max_length=3
    )
    person_id = serializers.UUIDField(required=False, allow_null=True, default=None)


class OfferLink(serializers.Serializer[Any]):
    token = serializers.CharField(max_length=64)


class Displace(Book):
    """An emergency in the place of planned exams."""

    reason = serializers.CharField(max_length=500)
    priority = serializers.ChoiceField(choices=(STAT, URGENT), default=STAT)
