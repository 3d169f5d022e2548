"""Telling families, once, that a date in a health file nears: the e-mail says which child's, and nothing of what it
holds, nor that there is a PAI."""

from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q

from marelle.activities.queries import municipality
from marelle.families.labels import Topic
from marelle.families.models import HealthFile, Household
from marelle.families.queries import addressees_of
from marelle.foundation import outbox

BEFORE = timedelta(days=30)
AT_ONCE = 50


def tick(*, at: datetime) -> int:
    """Write to the adults who get reminders in the homes of the children whose plan ends within `BEFORE`; how many
    children. May run in several workers at once."""
    soon = HealthFile.objects.filter(has_plan=True, plan_until__lte=(at + BEFORE).date(), plan_until__gte=at.date())
    due = soon.filter(Q(plan_reminded_for=None) | ~Q(plan_reminded_for=F("plan_until"))).values_list("pk", flat=True)
    ids = list(due[:AT_ONCE])
    if not ids:
        return 0
    today = at.astimezone(municipality().tz).date()
    return sum(_remind(id, today=today, at=at) for id in ids)


@transaction.atomic
def _remind(id: UUID, *, today: date, at: datetime) -> int:
    file = HealthFile.objects.select_for_update(no_key=True).defer("sealed").filter(pk=id, has_plan=True).first()
    if file is None or file.plan_until is None or file.plan_until == file.plan_reminded_for:
        return 0
    file.plan_reminded_for = file.plan_until
    file.save(update_fields=["plan_reminded_for"])
    homes = list(Household.objects.filter(residences__child=file.child_id).order_by("pk"))
    written: set[int] = set()
    for links in addressees_of(homes, Topic.REMINDERS).values():
        for link in links:
            if link.guardian_id in written:
                continue
            written.add(link.guardian_id)
            outbox.post(
                kind="families/health_reminder",
                to_address=link.guardian.email,
                to_name=str(link.guardian),
                household_id=link.household_id,
                at=at,
                context={"child": file.child_id, "guardian": link.guardian_id},
            )
    return 1
