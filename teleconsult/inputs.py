"""What each command accepts: explicit serializers, no unknown meaning."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from hospital.records.rules import MISSING_REASONS
from hospital.scheduling.inputs import NearTimeField
from hospital.scheduling.rules import PARTS_OF_DAY

from .finding import DAYS_MAX

END_CODES = ("patient_request", "pain", "robot_fault", "link_lost", "emergency", "not_feasible", "other")
TEXT_MAX = 4000


class Nothing(serializers.Serializer[Any]):
    pass


class OtherProcedure(serializers.Serializer[Any]):
    procedure = serializers.CharField(max_length=40)
    at = NearTimeField()


class Team(serializers.Serializer[Any]):
    exam_type = serializers.CharField(max_length=40)
    remote_physician_id = serializers.UUIDField()
    bedside_physician_id = serializers.UUIDField()
    assistant_id = serializers.UUIDField(required=False, allow_null=True, default=None)
    robot_id = serializers.UUIDField()
    room_id = serializers.UUIDField()
    starts_at = serializers.DateTimeField()


class Times(serializers.Serializer[Any]):
    """A search, from the address: `place` and `person` several times, `procedure` as `code@time`."""

    exam_type = serializers.CharField(max_length=40)
    starts_from = NearTimeField(required=False)
    days = serializers.IntegerField(min_value=1, max_value=DAYS_MAX, default=30)
    place = serializers.ListField(child=serializers.UUIDField(), default=list, max_length=50)
    person = serializers.ListField(child=serializers.UUIDField(), default=list, max_length=3)
    language = serializers.CharField(max_length=12, default="", allow_blank=True)
    part_of_day = serializers.ChoiceField(choices=("", *PARTS_OF_DAY), default="")
    procedure = serializers.ListField(
        child=serializers.RegexField(r"\A[^@\s]{1,40}@\S{10,40}\Z"), default=list, max_length=20
    )
    page = serializers.IntegerField(min_value=1, max_value=200, default=1)


class BoardDays(serializers.Serializer[Any]):
    """The board from `day` (a Shanghai day, today by default) on."""

    day = serializers.DateField(required=False, allow_null=True, default=None)
    days = serializers.IntegerField(min_value=1, max_value=7, default=1)


class BoardSearch(serializers.Serializer[Any]):
    q = serializers.CharField(max_length=60, default="", allow_blank=True)


class Arrival(serializers.Serializer[Any]):
    said = serializers.CharField(max_length=120)


class WalkIn(serializers.Serializer[Any]):
    patient_id = serializers.UUIDField()
    exam_type = serializers.CharField(max_length=40)
    clinical_question = serializers.CharField(max_length=TEXT_MAX)
    history = serializers.CharField(max_length=TEXT_MAX, required=False, default="", allow_blank=True)


class Book(Team):
    patient_id = serializers.UUIDField()
    clinical_question = serializers.CharField(max_length=TEXT_MAX)
    history = serializers.CharField(max_length=TEXT_MAX, required=False, default="", allow_blank=True)
    other_procedures = serializers.ListField(
        child=OtherProcedure(), required=False, default=list, max_length=20
    )
    hold_id = serializers.UUIDField(required=False, allow_null=True, default=None)


class Move(serializers.Serializer[Any]):
    starts_at = serializers.DateTimeField()
    remote_physician_id = serializers.UUIDField(required=False)
    bedside_physician_id = serializers.UUIDField(required=False)
    assistant_id = serializers.UUIDField(required=False)
    robot_id = serializers.UUIDField(required=False)
    room_id = serializers.UUIDField(required=False)
    hold_id = serializers.UUIDField(required=False)
    expected_starts_at = serializers.DateTimeField(required=False)
    expected_team = serializers.ListField(child=serializers.UUIDField(), required=False, max_length=5)


class NoticesSeen(serializers.Serializer[Any]):
    ids = serializers.ListField(child=serializers.UUIDField(), max_length=50)


class MoveOwn(serializers.Serializer[Any]):
    """A patient chooses a time; the team is who was booked, as far as they are free."""

    starts_at = NearTimeField()
    expected_starts_at = serializers.DateTimeField(required=False)


class OwnTimes(serializers.Serializer[Any]):
    starts_from = NearTimeField(required=False)
    days = serializers.IntegerField(min_value=1, max_value=DAYS_MAX, default=30)
    part_of_day = serializers.ChoiceField(choices=("", *PARTS_OF_DAY), default="")
    page = serializers.IntegerField(min_value=1, max_value=200, default=1)


class Identify(serializers.Serializer[Any]):
    confirmed = serializers.ListField(child=serializers.CharField(max_length=40), max_length=10)


class AnswerSet(serializers.Serializer[Any]):
    last_meal = serializers.CharField(max_length=200)
    wound_or_stoma = serializers.BooleanField()
    recent_surgery = serializers.BooleanField()
    known_aneurysm = serializers.BooleanField()
    pain = serializers.BooleanField()
    can_lie_still = serializers.BooleanField()
    gel_allergy = serializers.BooleanField()


class Answers(serializers.Serializer[Any]):
    answers = AnswerSet()


class Consent(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=("remote_exam", "recording"), default="remote_exam")
    text_version = serializers.CharField(max_length=40)
    given_by = serializers.ChoiceField(choices=("patient", "guardian"))
    method = serializers.ChoiceField(choices=("signature", "witness"))
    guardian_name = serializers.CharField(max_length=80, required=False, default="", allow_blank=True)
    guardian_relation = serializers.CharField(max_length=40, required=False, default="", allow_blank=True)
    signature_png = serializers.CharField(max_length=400_000, required=False, default="", allow_blank=True)
    witness_name = serializers.CharField(max_length=80, required=False, default="", allow_blank=True)


class Reason(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=500)


class Withdraw(Reason):
    kind = serializers.ChoiceField(choices=("remote_exam", "recording"), default="remote_exam")


class MaybeReason(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=500, required=False, default="", allow_blank=True)


class Abort(Reason):
    code = serializers.ChoiceField(choices=END_CODES)


class ReportText(serializers.Serializer[Any]):
    findings = serializers.CharField(max_length=20_000, allow_blank=True)
    impression = serializers.CharField(max_length=8_000, allow_blank=True)
    revision = serializers.IntegerField(min_value=0)


class MissingViews(serializers.Serializer[Any]):
    """Codes of standard views and why they have no picture; an empty reason takes it back."""

    views = serializers.ListField(child=serializers.CharField(max_length=64), min_length=1, max_length=60)
    reason = serializers.ChoiceField(choices=("", *MISSING_REASONS))
    text = serializers.CharField(max_length=500, required=False, default="", allow_blank=True)


class Measure(serializers.Serializer[Any]):
    """`points` in pixels: two of a distance, three of an ellipse, six of a volume; its axes may have frames of
    their own in `frame_ids`."""

    frame_id = serializers.IntegerField(min_value=0)
    frame_ids = serializers.ListField(
        child=serializers.IntegerField(min_value=0), min_length=3, max_length=3, required=False
    )
    kind = serializers.ChoiceField(choices=("distance", "ellipse", "volume"), default="distance")
    points = serializers.ListField(
        child=serializers.ListField(child=serializers.FloatField(), min_length=2, max_length=2),
        min_length=2,
        max_length=6,
    )
    label = serializers.CharField(max_length=80, required=False, default="", allow_blank=True)  # type: ignore[assignment]
