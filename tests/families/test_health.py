"""The health files: sealed, up to date or not, and every opening written down."""

from datetime import date, datetime, timedelta

import pytest
from django.core import mail
from django.core.exceptions import PermissionDenied
from django.core.management import call_command

from marelle.accounts.models import AgentRole
from marelle.activities.models import SchoolYear, Site
from marelle.families.health.content import HealthContent, Vaccination
from marelle.families.health.files import ChangedMeanwhile, confirm_health, erase_health, open_health, save_health
from marelle.families.health.reminders import tick
from marelle.families.labels import Topic
from marelle.families.models import Child, Guardianship, HealthFile, HealthReading, ReadingReason
from marelle.families.places import add_adult
from marelle.families.queries import HealthState, health_standing
from marelle.families.services import NewGuardian, set_unwanted
from marelle.foundation.models import AuditLine, OutboxMail
from tests.offer import AT, PARIS, Family, agent, cadours, family, paris, school_year
from tests.people import queries
from tests.security.world import agent_of, other_home
from tests.spaces import plain_spaces

pytestmark = [pytest.mark.django_db, pytest.mark.row("E5")]

CONTENT = HealthContent(
    allergies="Arachide, choc anaphylactique",
    treatments="Ventoline",
    plan="Asthme sévère",
    protocol="Inhalateur bleu, deux bouffées",
    kit="Infirmerie",
    doctor_name="Dr Claire Fabre",
    doctor_phone="02 00 00 00 05",
    vaccination=Vaccination.YES,
    vaccinated_on=date(2026, 9, 4),
)
TODAY = AT.astimezone(PARIS).date()


def saved(
    who: Family, child: Child | None = None, *, at: datetime = AT, version: int = 0, content: HealthContent = CONTENT
) -> HealthFile:
    return save_health(
        child=child or who.children[0],
        household=who.household,
        content=content,
        has_plan=True,
        plan_until=date(2027, 8, 31),
        version=version,
        by=who.user,
        at=at,
    )


def standing(who: Family, *, year: SchoolYear | None = None, today: date = TODAY) -> HealthState:
    child = who.children[0]
    return health_standing([child], year or school_year(), today=today)[child.pk].state


def test_what_is_saved_is_sealed_and_reads_back() -> None:
    cadours()
    who = family()
    file = saved(who)
    row = HealthFile.objects.values().get(pk=file.pk)
    assert b"Arachide" not in bytes(row["sealed"])
    assert "Asthme" not in str({**row, "sealed": ""})
    opened = open_health(child=who.children[0], reader=who.user, household=who.household, why=ReadingReason.OWN, at=AT)
    assert opened is not None and opened.content == CONTENT
    assert "Arachide" not in repr(opened)


def test_every_opening_is_written_down_and_only_an_opening() -> None:
    cadours()
    who = family()
    child = who.children[0]
    assert open_health(child=child, reader=who.user, why=ReadingReason.OWN, at=AT) is None
    assert not HealthReading.objects.exists()
    saved(who)
    malika = agent()
    AgentRole.objects.update(reads_health=True)
    open_health(child=child, reader=malika, as_agent=True, why=ReadingReason.EMERGENCY, at=AT)
    reading = HealthReading.objects.get()
    assert (reading.reader_label, reading.by_agent, reading.why) == ("Malika Roux", True, "emergency")


def test_who_may_open() -> None:
    cadours()
    who, stranger = family(), family("Moreau", [("Léo", "GS")], first_name="Julien")
    elsewhere = other_home(who)
    child = who.children[0]  # at the elementary school
    saved(who)
    malika = agent()
    near, far = (
        agent_of(Site.objects.get(slug="ecole-elementaire"), "Awa Cros"),
        agent_of(Site.objects.get(slug="ecole-maternelle")),
    )

    def opens(reader, *, as_agent: bool = False) -> bool:  # type: ignore[no-untyped-def]
        try:
            open_health(child=child, reader=reader, as_agent=as_agent, why=ReadingReason.DAY, at=AT)
        except PermissionDenied:
            return False
        return True

    assert opens(who.user) and opens(elsewhere.user)
    assert not opens(stranger.user)
    assert not opens(who.user, as_agent=True)
    assert not any(opens(one, as_agent=True) for one in (malika, near, far))
    AgentRole.objects.update(reads_health=True)
    assert opens(malika, as_agent=True) and opens(near, as_agent=True)
    assert not opens(far, as_agent=True) and not opens(malika)


def test_missing_up_to_date_then_outdated_when_the_next_school_year_comes() -> None:
    cadours()
    who = family()
    assert standing(who) is HealthState.MISSING
    saved(who)
    assert standing(who) is HealthState.UP_TO_DATE
    this, following = school_year(), SchoolYear.objects.get(label="2027-2028")
    # In winter, enough to enrol for the next year; once its renewal has begun, no more.
    assert standing(who, year=following, today=date(2027, 1, 15)) is HealthState.UP_TO_DATE
    assert standing(who, year=following, today=date(2027, 4, 15)) is HealthState.OUTDATED
    assert standing(who, year=this, today=date(2027, 4, 15)) is HealthState.UP_TO_DATE
    confirm_health(child=who.children[0], household=who.household, version=1, by=who.user, at=paris(2027, 4, 15, 9))
    assert standing(who, year=following, today=date(2027, 10, 1)) is HealthState.UP_TO_DATE
    assert HealthFile.objects.get().school_year == "2027-2028"


def test_a_plan_that_expired_is_said_without_opening_anything() -> None:
    cadours()
    who = family()
    saved(who)
    children, year = who.children * 4, school_year()
    late = health_standing([child.pk for child in children], year, today=date(2027, 9, 1))
    assert late[who.children[0].pk].plan_expired
    assert queries(lambda: health_standing(children, year, today=TODAY)) == 1
    assert not HealthReading.objects.exists()


def test_two_homes_do_not_write_over_each_other() -> None:
    cadours()
    who = family()
    elsewhere = other_home(who)
    saved(who)
    other = HealthContent(allergies="Rien")
    with pytest.raises(ChangedMeanwhile):
        saved(elsewhere, who.children[0], content=other)
    assert saved(who).version == 1  # the same click twice
    assert saved(elsewhere, who.children[0], content=other, version=1).version == 2
    with pytest.raises(ChangedMeanwhile):
        confirm_health(child=who.children[0], household=who.household, version=1, by=who.user, at=AT)


def test_the_other_home_reads_that_it_changed_and_not_by_whom() -> None:
    cadours()
    who = family()
    elsewhere = other_home(who)
    saved(who)
    labels = dict(AuditLine.objects.filter(action="health.saved").values_list("household_id", "actor_label"))
    assert labels == {who.household.pk: str(who.user), elsewhere.household.pk: "L’autre foyer"}


def test_a_stranger_writes_nothing() -> None:
    cadours()
    who, stranger = family(), family("Moreau", [("Léo", "GS")], first_name="Julien")
    with pytest.raises(PermissionDenied):
        saved(stranger, who.children[0])
    with pytest.raises(PermissionDenied):
        save_health(
            child=who.children[0], household=who.household, content=CONTENT, has_plan=False, plan_until=None, version=0,
            by=stranger.user, at=AT,
        )  # fmt: skip


def test_an_erased_file_leaves_a_line_and_nothing_else() -> None:
    cadours()
    who = family()
    saved(who)
    open_health(child=who.children[0], reader=who.user, why=ReadingReason.OWN, at=AT)
    ids = [child.pk for child in who.children]
    assert erase_health(children=ids, at=AT) == 0, "one that was confirmed meanwhile stays"
    assert erase_health(children=ids, at=AT + timedelta(days=400)) == 1
    assert erase_health(children=ids, at=AT + timedelta(days=400)) == 0
    assert not HealthFile.objects.exists() and not HealthReading.objects.exists()
    assert AuditLine.objects.filter(action="health.erased").count() == 1


def test_a_date_that_nears_is_told_once_to_both_homes_and_says_nothing() -> None:
    cadours()
    who = family()
    elsewhere = other_home(who)
    saved(who)
    before, near = paris(2027, 7, 20, 9), paris(2027, 8, 10, 9)
    assert tick(at=before) == 0
    assert tick(at=near) == 1 and tick(at=near) == 0
    reminders = OutboxMail.objects.filter(kind="families/health_reminder")
    assert set(reminders.values_list("to_address", flat=True)) == {who.email, elsewhere.email}
    call_command("worker", "--once")
    told = [letter for letter in mail.outbox if "Relisez la fiche santé d’Inès" in plain_spaces(letter.subject)]
    assert len(told) == 2
    for letter in told:
        for word in ("PAI", "Asthme", "Arachide"):
            assert word not in letter.message().as_string() and word not in str(letter.body)
    # A new end is another date to tell of.
    HealthFile.objects.update(plan_until=date(2027, 9, 5))
    assert tick(at=near) == 1


def test_who_gets_no_reminders_gets_none_of_a_health_file() -> None:
    cadours()
    who = family()
    saved(who)
    near = paris(2027, 8, 10, 9)
    second, third = (
        add_adult(
            household=who.household,
            adult=NewGuardian(first_name=name, last_name="Benali", email=f"{name.lower()}@famille.example"),
            link="oncle", is_legal=False, by=who.user.actor(), at=AT,
        ).guardian
        for name in ("Sami", "Karim")
    )  # fmt: skip
    set_unwanted(guardian=third, unwanted=[Topic.REMINDERS], by=who.user.actor(), at=AT)
    Guardianship.objects.filter(guardian=who.guardian).update(gets_reminders=False)
    assert tick(at=near) == 1
    reminded = OutboxMail.objects.filter(kind="families/health_reminder")
    assert set(reminded.values_list("to_address", flat=True)) == {second.email}
