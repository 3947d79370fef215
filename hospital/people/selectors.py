from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from itertools import islice
from uuid import UUID

from django.db import connection
from django.db.models import Q, QuerySet

from hospital.access.models import Membership
from hospital.access.phones import phone_index
from hospital.access.principals import Principal
from hospital.access.reach import reached
from hospital.access.scopes import within
from hospital.access.table import places
from hospital.common.clock import now, shanghai_day, today
from hospital.common.errors import Conflict, Invalid, NotFound
from hospital.common.prebuilt import Value, prebuilt
from hospital.common.rows import only
from hospital.keeping import selectors as keeping
from hospital.messages.services import phone_plain

from . import rules, search
from .models import (
    Agreement,
    Consent,
    ConsentText,
    Patient,
    PatientMerge,
    Practitioner,
)
from .scopes import known_in as known_in
from .scopes import lent_to_account, own_of_account
from .scopes import readable as readable

SEARCH_MAX, RECENT_MAX = 50, 20
SOUND_SCAN_MAX = 5000  # design value: names decrypted for one search by sound or part of a name


def patients(
    principal: Principal,
    action: str = "patient.read",
    *,
    merged: bool = False,
    moment: datetime | None = None,
) -> QuerySet[Patient]:
    """Patients with whom the caller may do this, by the permission table's scope; `merged` also gives aliases."""
    rows = Patient.objects.filter(within(principal, action, "patient", moment=moment))
    return rows if merged else rows.filter(merged_into=None)


@reached
def _patient(principal: Principal, action: str, *, patient_id: Value, moment: Value) -> QuerySet[Patient]:
    named = Q(id=patient_id) | Q(aliases__id=patient_id)
    return patients(principal, action, moment=moment).filter(named)[:1]


def restriction_checked(*, principal: Principal, patient_id: UUID) -> None:
    """Conflict `patient_restricted` for a patient of the caller's own desk whose record is only stored."""
    answering = survivor_id(patient_id)
    own = Patient.objects.filter(id=answering)
    if principal.kind != "system":
        own = own.filter(known_in(places(principal, "patient.read")))
    if keeping.is_restricted(answering) and own.exists():
        raise Conflict("patient_restricted")


def patient_get(*, principal: Principal, patient_id: UUID, action: str = "patient.read") -> Patient:
    """The patient, or who answers for them after a merge. NotFound for anybody else's."""
    found = _patient.one(principal, action, patient_id=patient_id)
    if found is None:
        raise NotFound()
    return found


def patient_for_writing(*, principal: Principal, patient_id: UUID, action: str = "patient.read") -> Patient:
    """As `patient_get`, held until the transaction ends: nobody merges the patient away meanwhile."""
    return held(patient_get(principal=principal, patient_id=patient_id, action=action))


def patient_for_exam(*, principal: Principal, patient_id: UUID, action: str) -> Patient:
    """As `patient_for_writing`, and Conflict `patient_restricted` as in `restriction_checked`."""
    try:
        return patient_for_writing(principal=principal, patient_id=patient_id, action=action)
    except NotFound:
        restriction_checked(principal=principal, patient_id=patient_id)
        raise


def held(found: Patient) -> Patient:
    """The patient, or who answers for them by now, as a foreign key holds it: merging waits, others do not."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT merged_into_id FROM people_patient WHERE id = %s FOR KEY SHARE", [found.id])
        (into,) = cursor.fetchone() or (None,)
    return found if into is None else held(Patient.objects.get(id=into))


def survivor_id(patient_id: UUID) -> UUID:
    """Who answers for this patient after merges; the patient itself when there were none."""
    into = only(Patient.objects.filter(id=patient_id).values_list("merged_into_id", flat=True))
    return into or patient_id


def ids_of(patient_id: UUID) -> list[UUID]:
    """The patient and its aliases: under which ids the log and old objects know this person."""
    return [patient_id, *Patient.objects.filter(merged_into_id=patient_id).values_list("id", flat=True)]


def mpi_numbers(patient_id: UUID) -> frozenset[str]:
    """Every MPI number of this person: stored DICOM objects keep the PatientID of their time. A number of a merge
    that was undone counts too: an object may have been made while it stood."""
    own = Q(id=patient_id) | Q(merged_into_id=patient_id)
    once = Q(id__in=PatientMerge.objects.filter(source_id=patient_id).values("survivor_id"))
    return frozenset(Patient.objects.filter(own | once).values_list("mpi", flat=True))


def patient_search(*, principal: Principal, q: str, action: str = "patient.search") -> list[Patient]:
    """By MPI, document, phone, last four of either, name or its beginning, pinyin or its first letters.

    At most 50; nothing asked shows the newest 20.
    """
    q, found = q.replace("\0", "").strip(), patients(principal, action, merged=True)
    if not q:
        return list(found.filter(merged_into=None).order_by("-created_at")[:RECENT_MAX])
    plain, phone = rules.document_normal(q), phone_plain(q)
    which = Q(name_index=search.name_index(q)) | Q(mpi=plain) | Q(phone_index=phone_index(phone))
    which |= Q(document_index__in=document_indexes(q))
    if re.fullmatch(r"[0-9]{3}[0-9X]", plain):
        which |= Q(document_tail_index=search.document_tail_index(plain))
        which |= Q(phone_tail_index=search.phone_tail_index(plain))
    direct = list(found.filter(which).order_by("mpi")[:SEARCH_MAX])
    return _answering(direct or _by_sound(found, q) or _by_part(found, q))


def patients_shown(
    *, principal: Principal, action: str, document_number: str = "", phone_tail: str = "", name: str = ""
) -> list[Patient]:
    """Whom a document in hand names, or a phone's last four together with the whole name; none for anything less."""
    found = patients(principal, action, merged=True)
    if document_number:
        which = Q(document_index__in=document_indexes(document_number))
    elif phone_tail and name:
        which = Q(phone_tail_index=search.phone_tail_index(phone_tail), name_index=search.name_index(name))
    else:
        return []
    return _answering(list(found.filter(which).order_by("mpi")[:SEARCH_MAX]))


def patients_named(
    *, principal: Principal, number: str = "", name: str = "", birth_date: date | None = None
) -> list[Patient]:
    """Whom a whole document or phone number names, or the whole name together with the birth date.

    Invalid `find_too_little` for anything less.
    """
    if number:
        which = Q(document_index__in=document_indexes(number))
        which |= Q(phone_index=phone_index(phone_plain(number)))
    elif name and birth_date is not None:
        which = Q(name_index=search.name_index(name), birth_date=birth_date)
    else:
        raise Invalid("find_too_little", field="number")
    found = patients(principal, "patient.find", merged=True).filter(which)
    return _answering(list(found.order_by("mpi")[:SEARCH_MAX]))


def _answering(rows: list[Patient]) -> list[Patient]:
    """Aliases replaced by who answers for them, each once."""
    into = Patient.objects.in_bulk([row.merged_into_id for row in rows if row.merged_into_id])
    answers = [into[row.merged_into_id] if row.merged_into_id else row for row in rows]
    return list({row.id: row for row in answers}.values())


def _first(found: QuerySet[Patient], syllables: list[bytes], fits: Callable[[str], bool]) -> list[Patient]:
    """Patients with one of the syllables whose name `fits`; names are only readable one by one."""
    rows = found.filter(syllables__index__in=syllables).distinct().order_by("mpi")[:SOUND_SCAN_MAX]
    return list(islice((row for row in rows.iterator() if fits(row.name)), SEARCH_MAX))


def _by_sound(found: QuerySet[Patient], q: str) -> list[Patient]:
    letters = search.letters_of(q)
    if not letters or any(not search.letters_of(char) and char not in " '-" for char in q):
        return []
    for syllables in search.first_syllables(letters):
        rows = _first(found, syllables, lambda name: search.sounds_like(letters, search.readings(name)))
        if rows:
            return rows
    return []


def _by_part(found: QuerySet[Patient], q: str) -> list[Patient]:
    """Part of a name in characters: found by the sound of its first one, or by a character without a known sound."""
    part, sound, silent = rules.name_plain(q), search.readings(q), search.unread(q)
    keys = silent[:1] or (sorted(sound[0]) if sound else [])
    if not keys:
        return []
    return _first(found, [search.syllable_index(one) for one in keys], lambda name: part in name)


def document_indexes(number: str) -> list[bytes]:
    """Every keyed index under which a document of this number may be on file, whatever its type."""
    return [search.document_index(kind, plain) for kind, plain in rules.document_keys_for(number)]


def own_patients(account_id: UUID) -> QuerySet[Patient]:
    """Patients linked to this account whose phone, or an alias's, is still the account's."""
    return readable().filter(own_of_account(account_id))


def patients_with_document(number: str) -> QuerySet[Patient]:
    """Who answers for a document of this number, whatever its type, also as an alias's."""
    keys = document_indexes(number)
    found = Patient.objects.filter(Q(document_index__in=keys) | Q(aliases__document_index__in=keys))
    return readable().filter(id__in=found.values("id"), merged_into=None)


def patients_of_account(account_id: UUID, *, scope: str = "read") -> QuerySet[Patient]:
    """Whom this phone's account may act for: its own patients, as long as the phone is theirs, and those whose
    proven delegation to this phone covers the scope today."""
    return readable().filter(
        own_of_account(account_id) | lent_to_account(account_id, scope=scope, moment=now())
    )


def agreement_covering(*, inviting_id: UUID, invited_id: UUID, service: str, on: date) -> Agreement | None:
    """An agreement signed by both, in force on that day, for that service (LAW-20)."""
    parties = {"inviting_id": inviting_id, "invited_id": invited_id}
    return _covering.one(**parties, service=service, on=on, last=max(now(), shanghai_day(on)[0]))


@prebuilt
def _covering(
    *, inviting_id: Value, invited_id: Value, service: Value, on: Value, last: Value
) -> QuerySet[Agreement]:
    between = _signed(on, last).filter(inviting_id=inviting_id, invited_id=invited_id)
    return between.filter(services__contains=[service])[:1]


def _in_force(on: date) -> QuerySet[Agreement]:
    """Signed by both and not over: one that ends tonight covers nothing tomorrow."""
    return _signed(on, max(now(), shanghai_day(on)[0]))


def _signed(on: Value, last: Value) -> QuerySet[Agreement]:
    still = Q(ended_at=None) | Q(ended_at__gt=last)
    signed = Q(signed_by_inviting_at__isnull=False, signed_by_invited_at__isnull=False)
    return Agreement.objects.filter(still, signed, valid_from__lte=on, valid_to__gte=on)


def consent_active(*, exam_id: UUID, kind: str) -> Consent | None:
    return (
        Consent.objects.select_related("text").filter(exam_id=exam_id, kind=kind, withdrawn_at=None).first()
    )


def consents(principal: Principal, action: str) -> QuerySet[Consent]:
    """Consents within the caller's reach, the newest first."""
    rows = Consent.objects.select_related("text", "receiver", "patient")
    return rows.filter(within(principal, action, "consent")).order_by("-given_at", "id")


def consent_get(*, principal: Principal, action: str, consent_id: UUID) -> Consent:
    found = consents(principal, action).filter(id=consent_id).first()
    if found is None:
        raise NotFound()
    return found


def consent_texts() -> list[ConsentText]:
    """The text in force of every kind that has one."""
    return list(ConsentText.objects.order_by("kind", "-published_at").distinct("kind"))


def transfer_permitted(receiver_id: UUID) -> QuerySet[Consent]:
    """Active consents that name this institution as receiver, and no other (PIPL 23)."""
    return Consent.objects.filter(kind=rules.TRANSFER, receiver_id=receiver_id, withdrawn_at=None)


def agreements_in_force(on: date) -> QuerySet[Agreement]:
    """Signed by both, not ended, covering that Shanghai day."""
    return _in_force(on)


def consent_text_current(kind: str) -> ConsentText:
    found = ConsentText.objects.filter(kind=kind).order_by("-published_at").first()
    if found is None:
        raise NotFound()
    return found


def _problem(row: Practitioner | None, on: date) -> str | None:
    if row is None:
        return "licence_unknown"
    return rules.practitioner_problem(
        licence_expires_on=row.licence_expires_on,
        practice_started_on=row.practice_started_on,
        standing=row.standing,
        on=on,
    )


def practitioners(
    *, principal: Principal, role: str, institution_id: UUID | None
) -> list[dict[str, str | None]]:
    """People of a role in the caller's institutions and in those invited by an agreement in force today.

    `problem` is the code of what stands against their practising today, null for none.
    """
    own = places(principal, "practitioner.list")
    invited = _in_force(today()).filter(inviting_id__in=own).values_list("invited_id", flat=True)
    rows = Membership.objects.select_related("user", "institution", "user__practitioner")
    rows = rows.filter(role=role, user__is_active=True, institution_id__in=[*own, *invited])
    if institution_id is not None:
        rows = rows.filter(institution_id=institution_id)
    return [
        {
            "id": str(row.user_id),
            "name": row.user.name,
            "role": row.role,
            "institution_id": str(row.institution_id),
            "institution": row.institution.name,
            "institution_en": row.institution.name_en,
            "problem": _problem(getattr(row.user, "practitioner", None), today()),
        }
        for row in rows.order_by("institution__short_name", "user__username")
    ]
