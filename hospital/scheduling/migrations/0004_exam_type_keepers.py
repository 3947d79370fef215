from django.db import migrations
from django.db.models import Count, Q


def hospitals_with_robots_keep(apps, schema_editor):
    """Who writes the rules of the exam types that are there: the hospital where most robots stand."""
    Institution = apps.get_model("access", "Institution")
    robots = Count("resources", filter=Q(resources__kind="robot"))
    first = Institution.objects.annotate(robots=robots).filter(robots__gt=0).order_by("-robots", "id").first()
    if first is not None:
        apps.get_model("scheduling", "ExamType").objects.filter(keeper=None).update(keeper=first)


class Migration(migrations.Migration):
    dependencies = [("scheduling", "0003_calendars_and_exam_rules")]

    operations = [migrations.RunPython(hospitals_with_robots_keep, migrations.RunPython.noop)]
