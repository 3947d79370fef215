"""How long each table's rows stay: a class with a clock, a parent that takes them along, a sweep, or a reason."""

from __future__ import annotations

from django.apps import apps

from hospital.common import retention

# Which class holds a table's rows. A new table must be added here, to a class, or below with the reason it stays.
CLASS_OF = {
    "records_image": "records.image",
    "records_frozenframe": "records.frozen",
    "records_measurement": "records.measurement",
    "records_report": "records.report",
    "records_missingview": "records.missing_view",
    "teleconsult_exam": "teleconsult.exam",
    "teleconsult_examrequest": "teleconsult.request",
    "teleconsult_linkquality": "teleconsult.process",
    "teleconsult_presence": "teleconsult.process",
    "teleconsult_calendarfeed": "teleconsult.feed",
    "people_patient": "people.identity",
    "people_consent": "people.consent",
    "people_breakglass": "people.break_glass",
    "people_delegation": "people.delegation",
    "people_messagewish": "people.message_wish",
    "people_accountpatient": "people.account_link",
    "people_correctionrequest": "people.correction",
    "people_patientarchive": "people.archive",
    "people_identityverification": "people.verification",
    "people_duplicatereview": "people.review",
    "people_patientmerge": "people.merge",
    "keeping_erasurerequest": "keeping.request",
    "keeping_restriction": "keeping.restriction",
    "fleet_controllease": "fleet.lease",
    "fleet_selftest": "fleet.self_test",
    "fleet_robotevent": "fleet.event",
    "access_accesstoken": "access.token",
    "access_activation": "access.activation",
    "access_codetry": "access.code_try",
    "access_keychallenge": "access.key_challenge",
    "access_logincode": "access.login_code",
    "access_newtotp": "access.new_totp",
    "access_patientaccount": "people.idle_account",
    "access_proof": "access.proof",
    "access_providerrequest": "access.provider_request",
    "access_refreshtoken": "access.refresh_token",
    "access_tabletopening": "access.tablet_opening",
    "access_ticket": "access.ticket",
    "access_unknownname": "access.unknown_name",
    "common_idempotentrequest": "common.answer",
    "common_work": "common.work",
    "django_session": "sessions.page",
    "messages_message": "messages.message",
}
GOES_WITH = {
    "messages_messagereceipt": "messages_message",
    "people_patientsyllable": "people_patient",
    "people_patientinstitution": "people_patient",
    "teleconsult_examtransition": "teleconsult_exam",
    "teleconsult_identifiercheck": "teleconsult_exam",
    "teleconsult_checklist": "teleconsult_exam",
    "teleconsult_waitingentry": "teleconsult_examrequest",
    "teleconsult_slotoffer": "teleconsult_examrequest",
    "teleconsult_queueticket": "teleconsult_exam",
    "teleconsult_bedsidehandover": "teleconsult_exam",
    "teleconsult_turnover": "teleconsult_exam",
    "teleconsult_turnovertick": "teleconsult_exam",
    "scheduling_appointment": "teleconsult_exam",
    "scheduling_reservation": "teleconsult_exam",
}
SWEPT = {
    "access_peernonce": "by teleconsult.sweep as soon as the token it belongs to is too old to count",
    "fleet_robotnonce": "by teleconsult.sweep as soon as the token it belongs to is too old to count",
}
STAYS = {
    "audit_auditentry": "append-only: with the record, at least six months",
    "audit_auditseal": "proves the log",
    "audit_auditcheckpoint": "proves the log",
    "access_bedsidepin": "one digest for a person, gone with the account or replaced",
    "keeping_erasure": "says what was erased; holds no content",
    "keeping_legalhold": "says why something stayed; its subject is an id",
} | dict.fromkeys(
    (
        "access_institution", "access_user", "access_membership", "access_securitykey", "access_peer",
        "access_identityprovider", "access_providersubject", "people_agreement", "people_practitioner",
        "people_registration", "people_privilege",
    ),
    "papers of physicians and hospitals: under what right a kept record was made",
) | dict.fromkeys(
    (
        "scheduling_weeklyhours", "scheduling_calendarexception", "scheduling_releasedtime",
        "scheduling_resource_exam_types", "scheduling_examwindow", "scheduling_orderrule",
        "scheduling_examreminder",
    ),
    "calendars of staff, rooms and devices and the rules of exam types: nothing of a patient",
) | dict.fromkeys(
    ("people_consenttext", "fleet_robot", "scheduling_resource", "scheduling_examtype", "access_tablet"),
    "what kept rows refer to",
)  # fmt: skip


def test_every_table_of_the_house_has_a_clock_or_a_reason_to_stay() -> None:
    tables = {model._meta.db_table for model in apps.get_models(include_auto_created=True)}
    framework = {"django_content_type", "auth_permission"}
    named = set(CLASS_OF) | set(GOES_WITH) | set(SWEPT) | set(STAYS)
    assert tables - framework - named == set(), "say how long these rows stay"
    assert named - tables == set(), "these tables are no more"
    classes = {one.name for kind in retention.kinds() for one in retention.parts(kind)}
    classes |= {one.name for one in retention.rows()}
    assert set(CLASS_OF.values()) - classes == set()
    assert set(GOES_WITH.values()) <= set(CLASS_OF)
