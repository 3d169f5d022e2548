"""Health files go once no enrolment needs them."""

from datetime import timedelta

import pytest

from marelle.bookings.services.health_files import tick
from marelle.families.health.content import HealthContent
from marelle.families.health.files import save_health
from marelle.families.models import HealthFile
from marelle.foundation.models import AuditLine
from tests.offer import AT, agent, cadours, enrolled, family, school_year

pytestmark = [pytest.mark.django_db, pytest.mark.row("E5")]


def test_a_file_is_erased_a_while_after_its_year_unless_the_child_is_still_enrolled() -> None:
    cadours()
    who, leaver = family(), family("Moreau", [("Léo", "GS")], first_name="Julien")
    for home in (who, leaver):
        for child in home.children:
            save_health(
                child=child, household=home.household, content=HealthContent(), has_plan=False, plan_until=None,
                version=0, by=home.user, at=AT,
            )  # fmt: skip
    end = school_year().last_day
    after = AT + (end - AT.date()) + timedelta(days=61)
    enrolled(who, by=agent(), at=after - timedelta(days=1))
    assert tick(at=after - timedelta(days=2)) == 0
    assert tick(at=after + timedelta(days=1)) == 1
    assert set(HealthFile.objects.values_list("child", flat=True)) == {child.pk for child in who.children}
    line = AuditLine.objects.get(action="health.erased")
    assert line.household_id == leaver.household.pk
