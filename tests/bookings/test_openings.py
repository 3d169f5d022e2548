"""A period's opening: the instant that is a family's own, and the e-mail that tells of it, exactly once."""

from datetime import date, timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from marelle.activities.models import Period
from marelle.activities.queries import municipality
from marelle.bookings import notifications
from marelle.bookings.models import Enrolment, OpeningNotice
from marelle.bookings.queries.days import load_days
from marelle.bookings.queries.openings import KIND, STILL_NEWS, own_opening, to_tell
from marelle.bookings.services import openings
from marelle.bookings.services.openings import AlreadyOpen, tick, wish
from marelle.families.models import Guardian, Household
from marelle.families.queries import addressees_of
from marelle.families.services import set_audiences
from marelle.foundation.audit import PORTAL
from marelle.foundation.models import AuditLine, OutboxMail
from marelle.foundation.postman import compose
from marelle.rules.decisions import Allowed, Reason, Refused
from marelle.rules.eligibility import Audience
from marelle.townfile import read_text
from marelle.towns.services import load_town
from tests import guides
from tests.guides import valmontier
from tests.offer import AT, TOWNS, Family, accept, agent, ask, cadours, enrolled, family, paris, refuse
from tests.portal.visit import Screen
from tests.spaces import plain_spaces

pytestmark = [pytest.mark.django_db, pytest.mark.row("A5")]

SECOND = timedelta(seconds=1)
# Guide C: the holidays of winter 2027 open eight weeks ahead, nine to who lives in the town.
RESIDENTS, EVERYBODY = paris(2026, 12, 5), paris(2026, 12, 12)
WINTER_DAY = date(2027, 2, 15)


def winter() -> Period:
    return Period.objects.get(service__slug="vacances", slug="hiver-2027")


def away(household: Household) -> None:
    set_audiences(household=household, audiences=[], by=PORTAL, at=AT)
    household.refresh_from_db()


def book_verdict(household: Household, at) -> object:  # type: ignore[no-untyped-def]
    """What the rules answer a family that looks at a day of the winter holidays."""
    mine = list(
        Enrolment.objects.filter(household=household, activity__service__slug="vacances").select_related(
            "activity__service", "school_year"
        )
    )
    days = load_days(town=municipality(), enrolments=mine, at=at, dates=[WINTER_DAY])
    (verdict,) = {repr(state.book): state.book for state in days.states.values()}.values()
    return verdict


def opens_at(verdict: object) -> object:
    assert isinstance(verdict, Refused) and verdict.reason == Reason.NOT_OPEN_YET
    return verdict.facts["opens"]


def test_who_lives_in_the_town_starts_a_week_earlier(settings: Settings) -> None:
    who = valmontier()
    assert own_opening(winter(), who.household.audiences) == RESIDENTS
    assert opens_at(book_verdict(who.household, RESIDENTS - SECOND)) == RESIDENTS
    assert isinstance(book_verdict(who.household, RESIDENTS), Allowed)
    seen = Screen(settings, who.user).go("/planning/vacances/lieu/?lieu=accueil-du-parc")
    assert "ouvre le samedi 5 décembre, 0 h" in seen

    away(who.household)
    assert own_opening(winter(), who.household.audiences) == EVERYBODY
    for at in (AT, EVERYBODY - SECOND):
        assert opens_at(book_verdict(who.household, at)) == EVERYBODY
    assert isinstance(book_verdict(who.household, EVERYBODY), Allowed)
    seen = Screen(settings, who.user).go("/planning/vacances/lieu/?lieu=accueil-du-parc")
    assert "ouvre le samedi 12 décembre, 0 h" in seen


def test_a_priority_counts_only_where_the_period_gives_it() -> None:
    who = valmontier()
    set_audiences(household=who.household, audiences=[Audience.SIBLINGS], by=PORTAL, at=AT)
    who.household.refresh_from_db()
    assert who.household.audiences == {Audience.SIBLINGS}
    assert own_opening(winter(), who.household.audiences) == EVERYBODY


def test_setting_priorities_twice_writes_once() -> None:
    who = valmontier()
    for changed in (True, False):
        done = set_audiences(household=who.household, audiences=[Audience.SIBLINGS], by=PORTAL, at=AT)
        assert done is changed
    line = AuditLine.objects.get(action="household.audiences")
    assert plain_spaces(line.text) == "Priorités aux ouvertures : Frère ou sœur déjà dans le service."
    assert line.household_id == who.household.pk


def test_an_own_opening_costs_the_days_no_more_than_one_query() -> None:
    """One for the households when they are not at hand, however many days; none when they are."""
    who = valmontier()
    book_verdict(who.household, AT)  # the offer and the rules are read once per process
    mine = list(
        Enrolment.objects.filter(household=who.household, activity__service__slug="vacances").select_related(
            "activity__service", "school_year"
        )
    )
    counts = []
    for days in (0, 0, 14):
        with CaptureQueriesContext(connection) as queries:
            load_days(
                town=municipality(), enrolments=mine, at=AT, first=WINTER_DAY, last=WINTER_DAY + timedelta(days=days)
            )
        counts.append(len(queries))
    assert counts[0] - 1 == counts[1] == counts[2]


# ── the e-mail ──────────────────────────────────────────────────────────────────────────────────────────────────────

# Guide A: Cadours' holidays of winter 2027 open six weeks before, on 26 December 2026 at 8:00.
OPENS = paris(2026, 12, 26, 8)


def mails() -> list[OutboxMail]:
    return list(OutboxMail.objects.filter(kind=KIND).order_by("to_address"))


def told() -> list[str]:
    return [mail.to_address for mail in mails()]


def hiver() -> Period:
    return Period.objects.get(service__slug="petites-vacances", slug="hiver-2027")


@pytest.fixture
def benali() -> Family:
    cadours()
    who = family()
    enrolled(who, "petites-vacances", by=agent())
    OutboxMail.objects.all().delete()
    return who


def test_the_opening_is_told_once_with_its_period_and_its_link(benali: Family) -> None:
    tick(at=OPENS - SECOND)
    assert mails() == []

    assert tick(at=OPENS) == 1
    assert tick(at=OPENS) == tick(at=OPENS + timedelta(hours=5)) == 0
    (mail,) = mails()
    assert mail.to_address == benali.email and mail.household_id == benali.household.pk
    composed = compose(mail)
    subject = "Réservations ouvertes : Vacances d’hiver (Centre de loisirs des petites vacances)"
    assert plain_spaces(composed.subject) == subject
    said = plain_spaces(str(composed.body))
    assert "Vous pouvez choisir vos jours du samedi 6 février au dimanche 21 février." in said
    assert "/planning/petites-vacances/?periode=hiver-2027" in said
    assert AuditLine.objects.filter(action="opening.told").count() == 1


def test_only_the_families_concerned_are_told(benali: Family) -> None:
    """Enrolled elsewhere, asked and not accepted, refused: not concerned. Accepted after the opening: told then."""
    malika = agent()
    enrolled(family("Cantine"), by=malika)
    ask(family("Attente"), "petites-vacances")
    refuse(ask(family("Refus"), "petites-vacances"), "Trop tard.", by=malika)
    late = family("Retard")
    request = ask(late, "petites-vacances")
    OutboxMail.objects.all().delete()
    accept(request, by=malika, at=OPENS + SECOND)

    tick(at=OPENS + timedelta(minutes=1))
    assert told() == [benali.email]


def test_who_asked_is_told_and_who_declined_is_not(benali: Family) -> None:
    waits = family("Attente")
    ask(waits, "petites-vacances")
    assert wish(household=waits.household, period=hiver(), wanted=True, user=waits.user, at=AT)
    assert not wish(household=benali.household, period=hiver(), wanted=True, user=benali.user, at=AT), "told anyway"
    for changed in (True, False):
        done = wish(household=benali.household, period=hiver(), wanted=False, user=benali.user, at=AT)
        assert done is changed

    tick(at=OPENS)
    assert told() == [waits.email]
    with pytest.raises(AlreadyOpen):
        wish(household=benali.household, period=hiver(), wanted=True, user=benali.user, at=OPENS)


def test_each_family_is_told_at_its_own_opening() -> None:
    here = valmontier()
    other = guides.household("Loin", {"Zoé": "CE2"}, school="ecole-prevert", email="loin@famille.example")
    guides.enrol(other, "vacances", "accueil-du-parc", by=agent())
    away(other.household)
    tick(at=RESIDENTS)
    assert told() == [here.email]
    tick(at=EVERYBODY)
    assert sorted(told()) == sorted([here.email, other.email])


def test_a_family_that_becomes_a_priority_between_two_openings_is_told_then() -> None:
    who = valmontier()
    away(who.household)
    tick(at=RESIDENTS)
    assert told() == []
    set_audiences(household=who.household, audiences=[Audience.RESIDENTS], by=PORTAL, at=RESIDENTS)
    tick(at=RESIDENTS + timedelta(hours=1))
    tick(at=EVERYBODY)
    assert told() == [who.email]


def opening_at(days: int) -> None:
    """The town's file again, with the holidays opening so many days before."""
    text = (TOWNS / "cadours.toml").read_text()
    assert text.count("opens = { days = 42,") == 1
    load_town(read_text(text.replace("opens = { days = 42,", f"opens = {{ days = {days},")), at=AT)


def test_an_opening_that_the_file_moves_later_is_told_at_its_new_date(benali: Family) -> None:
    opening_at(35)
    tick(at=OPENS)
    assert mails() == []
    tick(at=OPENS + timedelta(days=7))
    assert told() == [benali.email]


def test_an_opening_told_then_moved_is_not_told_again(benali: Family) -> None:
    tick(at=OPENS)
    opening_at(35)
    tick(at=OPENS + timedelta(days=7))
    assert told() == [benali.email]


def test_an_opening_long_past_tells_nobody(benali: Family) -> None:
    tick(at=OPENS + STILL_NEWS)
    assert mails() == []


def test_a_worker_that_dies_leaves_nothing_and_the_next_tells_all(
    benali: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    def power_cut(**_facts: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as cut:
        cut.setattr(openings.audit, "record", power_cut)
        with pytest.raises(KeyboardInterrupt):
            tick(at=OPENS)
    assert mails() == [] and not OpeningNotice.objects.exists()
    assert tick(at=OPENS) == 1 and told() == [benali.email]


def test_a_family_without_an_address_is_known_as_such(benali: Family) -> None:
    Guardian.objects.filter(pk=benali.guardian.pk).update(email="")
    assert tick(at=OPENS) == 1
    assert mails() == []
    assert OpeningNotice.objects.get().mails == 0


def test_telling_asks_as_many_queries_for_many_families_as_for_one(benali: Family) -> None:
    malika = agent()
    tick(at=AT)  # the offer is read
    with CaptureQueriesContext(connection) as nothing:
        tick(at=AT)
    assert len(nothing) == 1, "a turn while nothing opens reads the town"
    with CaptureQueriesContext(connection) as one:
        tick(at=OPENS)
    for name in ("Roux", "Moreau", "Petit"):
        enrolled(family(name), "petites-vacances", by=malika)
    with CaptureQueriesContext(connection) as three:
        assert tick(at=OPENS) == 3
    assert len(three) == len(one)


# ── races ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def enrolled_families() -> None:
    cadours()
    malika = agent()
    for rank in range(8):
        enrolled(family(f"Famille{rank}", [("Ana", "CE2")]), "petites-vacances", by=malika)
    OutboxMail.objects.all().delete()


def careless(_worker: int) -> int:
    """The tick without its rows: it reads who was not told, then writes to them."""
    with transaction.atomic():
        due = to_tell(hiver(), at=OPENS)
        adults = addressees_of([household for household, _own in due])
        period = Period.objects.select_related("service").get(pk=hiver().pk)
        links = [link for listed in adults.values() for link in listed]
        notifications.period_opened(period=period, service=period.service, adults=links, at=OPENS)
        OpeningNotice.objects.bulk_create(
            [
                OpeningNotice(household=household, period=period, opened_at=own, told_at=OPENS, mails=1)
                for household, own in due
            ],
            ignore_conflicts=True,
        )
    return len(due)


@pytest.mark.race
def test_without_the_rows_taken_first_families_are_told_twice(race) -> None:  # type: ignore[no-untyped-def]
    enrolled_families()
    outcomes = race(careless, range(16), at_once=16)
    assert [outcome.error for outcome in outcomes if outcome.error] == []
    assert len(mails()) > 8


@pytest.mark.race
def test_sixteen_workers_tell_each_family_once(race) -> None:  # type: ignore[no-untyped-def]
    enrolled_families()
    outcomes = race(lambda _: tick(at=OPENS), range(16), at_once=16)
    assert [outcome.error for outcome in outcomes if outcome.error] == []
    assert sum(outcome.answer for outcome in outcomes) == 8
    assert len(told()) == len(set(told())) == 8
