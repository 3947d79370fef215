from __future__ import annotations

from django.db import migrations
from django.utils import timezone

NOTE = "carried over from before these papers were kept here; to be checked"


def carry_over(apps, schema_editor):
    """Physicians who practised until today go on: what the house let them do is written down as that, and no more.

    Registrations and privileges end with the licence or the agreement that carried them, so that somebody looks.
    """
    Membership = apps.get_model("access", "Membership")
    Practitioner, Agreement = apps.get_model("people", "Practitioner"), apps.get_model("people", "Agreement")
    Registration, Privilege = apps.get_model("people", "Registration"), apps.get_model("people", "Privilege")
    today = timezone.localdate()
    for licence in Practitioner.objects.filter(licence_expires_on__gte=today):
        mine = Membership.objects.filter(user_id=licence.user_id, role="remote_physician")
        for number, member in enumerate(mine.order_by("institution_id")):
            Registration.objects.create(
                user_id=licence.user_id, institution_id=member.institution_id,
                kind="filing" if number else "main", valid_from=today, valid_to=licence.licence_expires_on, paper=NOTE,
            )
            Privilege.objects.create(
                user_id=licence.user_id, institution_id=member.institution_id, level="independent", basis=NOTE,
                valid_to=licence.licence_expires_on,
            )
            for agreement in Agreement.objects.filter(
                invited_id=member.institution_id, valid_to__gte=today, ended_at=None,
                signed_by_inviting_at__isnull=False, signed_by_invited_at__isnull=False,
            ):
                Registration.objects.create(
                    user_id=licence.user_id, institution_id=agreement.inviting_id, kind="filing",
                    valid_from=today, valid_to=agreement.valid_to, paper=NOTE,
                )


class Migration(migrations.Migration):
    dependencies = [("people", "0010_papers"), ("access", "0005_peers")]
    operations = [migrations.RunPython(carry_over, migrations.RunPython.noop)]
