"""Prints what the benchmark's clients need: a desk's token and a patient to read. Run in the installation's own
environment, so that no password travels."""

from __future__ import annotations

import json
from datetime import timedelta

import django


def main() -> None:
    django.setup()
    from hospital.access.models import Membership
    from hospital.access.services import token_issue
    from hospital.people.models import Patient

    desk = Membership.objects.select_related("user").filter(role="scheduler").order_by("user_id")[0]
    token, _ = token_issue(life=timedelta(hours=1), user=desk.user)
    patient = Patient.objects.filter(institution_id=desk.institution_id).order_by("created_at")[0]
    print(json.dumps({"token": token, "patient": str(patient.id)}))


if __name__ == "__main__":
    main()
