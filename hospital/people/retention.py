"""What this app keeps of a patient and how it goes; whose record it is, and when its clock began.

When somebody was last here is known above: whoever books visits registers a `Visits`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Max, Q, QuerySet

from hospital.access.models import LoginCode, PatientAccount
from hospital.common import objects
from hospital.common.retention import (
    NETWORK,
    PATIENT,
    RECORD,
    UNSEEN,
    Part,
    Rows,
    Standing,
    Subject,
    Words,
    cutoff,
)
from hospital.messages.models import Message
from hospital.messages.services import recipient_index

from . import selectors
from .models import (
    AccountPatient,
    BreakGlass,
    Consent,
    CorrectionRequest,
    Delegation,
    DuplicateReview,
    IdentityVerification,
    MessageWish,
    Patient,
    PatientArchive,
    PatientMerge,
)


@dataclass(frozen=True, kw_only=True)
class Visits:
    """`last(patient)`: when the newest visit ended. `seen_since(moment)`: ids of patients seen later (None: ever).

    `open(patient)`: a code while something is not finished, else empty.
    """

    last: Callable[[UUID], datetime | None]
    seen_since: Callable[[datetime | None], QuerySet[Any, UUID]]
    open: Callable[[UUID], str]


_visits: dict[str, Visits] = {}


def register_visits(name: str, visits: Visits) -> None:
    _visits[name] = visits


def _lock(patient_id: UUID) -> bool:
    """Whoever books for this patient waits from here on: a foreign key needs the row."""
    return Patient.objects.select_for_update().filter(id=patient_id).first() is not None


def _find(text: str) -> list[UUID]:
    """By id, MPI or document number."""
    try:
        return [selectors.survivor_id(UUID(text))]
    except ValueError:
        pass
    which = Q(mpi=text.strip().upper()) | Q(document_index__in=selectors.document_indexes(text))
    found = Patient.objects.filter(which).order_by("id").values_list("id", flat=True)
    return list(dict.fromkeys(selectors.survivor_id(one) for one in found))


def _institution(patient_id: UUID) -> UUID | None:
    return Patient.objects.filter(id=patient_id).values_list("institution_id", flat=True).first()


def _label(patient_id: UUID) -> str:
    return Patient.objects.filter(id=patient_id).values_list("mpi", flat=True).first() or str(patient_id)


def _standing(patient_id: UUID) -> Standing:
    visits = list(_visits.values())
    seen = [moment for one in visits if (moment := one.last(patient_id)) is not None]
    still = next(filter(None, (one.open(patient_id) for one in visits)), "")
    if seen:
        return Standing(clock=RECORD, start=max(seen), open=still)
    made = Patient.objects.filter(id=patient_id).values_list("created_at", flat=True).first()
    return Standing(clock=UNSEEN, start=made, open=still)


def _candidates(at: datetime) -> QuerySet[Patient, UUID]:
    """Registered before either clock's limit, and not seen since; who was never seen has the shorter one."""
    long, short = cutoff(RECORD, at), cutoff(UNSEEN, at)
    old = Patient.objects.filter(created_at__lt=long, merged_into=None)
    unseen = Patient.objects.filter(created_at__lt=short, merged_into=None)
    for one in _visits.values():
        old = old.exclude(id__in=one.seen_since(long))
        unseen = unseen.exclude(id__in=one.seen_since(None))
    return (old | unseen).order_by("id").values_list("id", flat=True)


def _part(name: str, words: Words, order: int, rows: Callable[[UUID], QuerySet[Any]], **more: Any) -> Part:
    """Rows that name the patient and go with the record."""

    def erase(patient_id: UUID, before: datetime | None) -> int:
        count = rows(patient_id).count()
        rows(patient_id).delete()
        return count

    return Part(
        name=name,
        words=words,
        subject=PATIENT,
        clock=more.pop("clock", RECORD),
        order=order,
        count=lambda patient_id, before: rows(patient_id).count(),
        erase=erase,
        **more,
    )


def object_named(path: str) -> bool:
    """Whether a correction's proof or an archive stands on this stored object."""
    if CorrectionRequest.objects.filter(proof_path=path).exists():
        return True
    return PatientArchive.objects.filter(Q(path=path) | Q(pieces__contains=[path])).exists()


def _corrections(patient_id: UUID) -> QuerySet[CorrectionRequest]:
    return CorrectionRequest.objects.filter(patient__in=selectors.ids_of(patient_id))


def _corrections_erase(patient_id: UUID, before: datetime | None) -> int:
    rows = list(_corrections(patient_id))
    _corrections(patient_id).delete()
    for path in sorted({row.proof_path for row in rows} - {""}):
        objects.erase(path)
    return len(rows)


def _archives(patient_id: UUID) -> QuerySet[PatientArchive]:
    return PatientArchive.objects.filter(patient__in=selectors.ids_of(patient_id))


def _archives_erase(patient_id: UUID, before: datetime | None) -> int:
    rows = list(_archives(patient_id))
    _archives(patient_id).delete()
    for path in sorted({one for row in rows for one in (row.path, *row.pieces)} - {""}):
        objects.erase(path)
    return len(rows)


def _merges(patient_id: UUID) -> QuerySet[PatientMerge]:
    ids = selectors.ids_of(patient_id)
    return PatientMerge.objects.filter(Q(source__in=ids) | Q(survivor__in=ids))


def _reviews(patient_id: UUID) -> QuerySet[DuplicateReview]:
    ids = selectors.ids_of(patient_id)
    return DuplicateReview.objects.filter(
        Q(first__in=ids) | Q(second__in=ids) | Q(merge__in=_merges(patient_id))
    )


def _identities_erase(patient_id: UUID, before: datetime | None) -> int:
    """The aliases first, then who answered for them."""
    count = Patient.objects.filter(id__in=selectors.ids_of(patient_id)).count()
    Patient.objects.filter(merged_into_id=patient_id).delete()
    Patient.objects.filter(id=patient_id).delete()
    return count


def _messages(patient_id: UUID) -> QuerySet[Message]:
    """Those that were sent to the patient's phone, unless another patient has the same one: whose they are is not
    known then, and they go by their own time. What is still to be sent, perhaps that an exam is off, is not lost.
    """
    patient = Patient.objects.filter(id=patient_id).first()
    if patient is None:
        return Message.objects.none()
    others = Patient.objects.filter(phone_index=patient.phone_index)
    if others.exclude(id__in=selectors.ids_of(patient_id)).exists():
        return Message.objects.none()
    return Message.objects.exclude(status="queued").filter(to_index=recipient_index(patient.phone))


def _codes(patient_id: UUID) -> QuerySet[LoginCode]:
    return LoginCode.objects.filter(
        phone_index__in=Patient.objects.filter(id=patient_id).values("phone_index")
    )


def _accounts(before: datetime | None) -> QuerySet[PatientAccount]:
    """Accounts that speak for nobody and were not used since; their sign-ins go with them."""
    lent = Delegation.objects.filter(revoked_at=None).values("phone_index")
    idle = PatientAccount.objects.filter(links=None).exclude(phone_index__in=lent)
    if before is None:
        return idle
    return idle.filter(Q(last_sign_in_at__lt=before) | Q(last_sign_in_at=None, created_at__lt=before))


def _accounts_of(patient_id: UUID, before: datetime | None = None) -> QuerySet[PatientAccount]:
    """The account of the patient's own phone, once it speaks for nobody."""
    phone = Patient.objects.filter(id=patient_id).values("phone_index")
    return _accounts(before).filter(phone_index__in=phone)


def _accounts_clear(before: datetime, limit: int) -> int:
    keys = list(_accounts(before).order_by("id").values_list("id", flat=True)[:limit])
    PatientAccount.objects.filter(id__in=keys).delete()
    return len(keys)


def _accounts_erase(patient_id: UUID, before: datetime | None) -> int:
    count = _accounts_of(patient_id, before).count()
    _accounts_of(patient_id, before).delete()
    return count


SUBJECT = Subject(
    kind=PATIENT,
    lock=_lock,
    find=_find,
    institution=_institution,
    standing=_standing,
    candidates=_candidates,
    aliases=lambda patient_id: selectors.ids_of(patient_id)[1:],
    label=_label,
)
PARTS = (
    _part("people.message", ("发给本人的消息", "messages to the patient"), 40, _messages, on_request=True),
    _part("people.login_code", ("本人的验证码", "one-time codes"), 40, _codes, on_request=True),
    _part(
        "people.delegation",
        ("家属及照护人授权", "delegations to family and carers"),
        40,
        lambda patient_id: Delegation.objects.filter(patient_id=patient_id),
        on_request=True,
    ),
    _part(
        "people.message_wish",
        ("接收消息的意愿", "how the patient wants to be told"),
        40,
        lambda patient_id: MessageWish.objects.filter(patient__in=selectors.ids_of(patient_id)),
        on_request=True,
    ),
    _part(
        "people.account_link",
        ("手机账户的关联", "links to phone accounts"),
        35,
        lambda patient_id: AccountPatient.objects.filter(patient_id=patient_id),
        on_request=True,
    ),
    Part(
        name="people.account",
        words=("手机账户及其登录记录", "the phone's account and its sign-ins"),
        subject=PATIENT,
        clock=NETWORK,
        own_clock=True,
        order=20,
        count=lambda patient_id, before: _accounts_of(patient_id, before).count(),
        erase=_accounts_erase,
        newest=lambda patient_id: _accounts_of(patient_id).aggregate(at=Max("last_sign_in_at"))["at"],
    ),
    _part(
        "people.consent",
        ("知情同意书", "consents"),
        30,
        lambda patient_id: Consent.objects.filter(patient_id=patient_id),
    ),
    _part(
        "people.break_glass",
        ("紧急调阅记录", "emergency accesses"),
        30,
        lambda patient_id: BreakGlass.objects.filter(patient_id=patient_id),
    ),
    Part(
        name="people.archive",
        words=("病历副本", "copies of the record"),
        subject=PATIENT,
        clock=RECORD,
        on_request=True,
        order=40,
        count=lambda patient_id, before: _archives(patient_id).count(),
        erase=_archives_erase,
    ),
    Part(
        name="people.correction",
        words=("更正申请", "requests for correction"),
        subject=PATIENT,
        clock=RECORD,
        order=30,
        count=lambda patient_id, before: _corrections(patient_id).count(),
        erase=_corrections_erase,
    ),
    _part(
        "people.verification",
        ("身份核验", "checks of identity"),
        30,
        lambda patient_id: IdentityVerification.objects.filter(patient__in=selectors.ids_of(patient_id)),
    ),
    _part("people.review", ("重复登记的核对", "reviews of possible doubles"), 12, _reviews),
    _part("people.merge", ("合并记录", "merges"), 11, _merges),
    Part(
        name="people.identity",
        words=("身份信息", "identity"),
        subject=PATIENT,
        clock=RECORD,
        order=0,
        count=lambda patient_id, before: len(selectors.ids_of(patient_id)),
        erase=_identities_erase,
        ids=lambda patient_id, before: selectors.ids_of(patient_id),
    ),
)
ACCOUNTS = Rows(
    name="people.idle_account",
    words=("不再关联任何患者的手机账户", "phone accounts that speak for nobody"),
    clock=NETWORK,
    count=lambda before: _accounts(before).count(),
    clear=_accounts_clear,
)
