from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class PeopleConfig(AppConfig):
    name = "hospital.people"
    label = "people"

    def ready(self) -> None:
        from hospital.common.error_texts import register_titles
        from hospital.common.objects import register_named
        from hospital.common.retention import register
        from hospital.keeping.services import register_blocker

        # Some of them register their due work.
        from . import archives, break_glass, corrections, erasure, retention, scopes, warnings  # noqa: F401
        from .archive import part_register
        from .archive_parts import people_part
        from .references import How, guards_install, merge_knows
        from .texts import TITLES

        register_titles(TITLES)
        scopes.register()
        post_migrate.connect(guards_install, sender=self, dispatch_uid="people.guards")
        merge_knows("people.Patient", "merged_into", How.MOVE)
        merge_knows("people.AccountPatient", "patient", How.MOVE_ALL_BUT_DOUBLES)
        merge_knows("people.PatientInstitution", "patient", How.MOVE_ALL_BUT_DOUBLES)
        for table in ("Delegation", "BreakGlass", "Consent"):
            merge_knows(f"people.{table}", "patient", How.MOVE)
        for label in ("PatientSyllable.patient", "PatientMerge.source", "PatientMerge.survivor"):
            merge_knows(f"people.{label.split('.')[0]}", label.split(".")[1], How.STAY)
        merge_knows("people.IdentityVerification", "patient", How.STAY)
        merge_knows("people.CorrectionRequest", "patient", How.MOVE)
        merge_knows("people.PatientArchive", "patient", How.MOVE_ALL_BUT_DOUBLES)
        merge_knows("people.MessageWish", "patient", How.MOVE_ALL_BUT_DOUBLES)
        part_register("people", people_part)
        for field in ("first", "second"):
            merge_knows("people.DuplicateReview", field, How.STAY)
        merge_knows("audit.AuditEntry", "patient_ids", How.FOLLOW)
        for table in ("ErasureRequest", "Restriction"):
            merge_knows(f"keeping.{table}", "patient_id", How.MOVE)
        register(retention.SUBJECT, retention.ACCOUNTS, *retention.PARTS)
        register_blocker(erasure.review_open)
        register_named(retention.object_named)
