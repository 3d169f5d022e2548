"""Days that go together, in a real basket: what the planning says, the check says, and the send does."""

import uuid
from dataclasses import replace
from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from marelle.activities.models import OpeningDay, Unit
from marelle.activities.queries import municipality
from marelle.bookings.models import BasketLine, Booking
from marelle.bookings.queries.closures import Reach
from marelle.bookings.queries.days import live_enrolments, load_days
from marelle.bookings.services.baskets import Shown, basket_of, fill_basket
from marelle.bookings.services.closures import close_days
from marelle.bookings.services.sending import Sending, send_basket
from marelle.bookings.services.shortcuts import choose_days
from marelle.bookings.services.waiting import DoesNotGo, accept_offer, offer_freed_places
from marelle.rules.decisions import Reason
from marelle.rules.lifecycles import EnrolmentState
from marelle.townfile import read
from marelle.townfile.town import CombinationKind, CombinationRule
from marelle.towns.services import load_town
from tests import guides, offer
from tests.offer import AT, Family
from tests.portal.visit import Screen

pytestmark = pytest.mark.django_db

WEDNESDAY = date(2026, 11, 25)
PAGE = "/planning/mercredi/?mois=2026-11"


@pytest.fixture
def benali() -> Family:
    """Guide C's town: Wednesdays by half-days, a meal only with a half-day, whole days apart from their parts."""
    return guides.valmontier()


def tick(who: Family, *units: str, child: str = "Inès", on: bool = True, day: date = WEDNESDAY) -> uuid.UUID:
    mine = [e for e in offer.enrolments(who, "mercredi") if e.child.first_name == child]
    days = load_days(town=municipality(), enrolments=mine, at=AT, dates=[day])
    shown = {key: Shown(was=state.was, ticked=on) for key, state in days.states.items() if state.unit.slug in units}
    assert len(shown) == len(units)
    fill_basket(user=who.user, household=who.household, days=days, shown=shown, at=AT)
    return basket_of(user=who.user, household=who.household, at=AT).send_key


def send(who: Family, key: uuid.UUID) -> Sending:
    return send_basket(town=municipality(), user=who.user, household=who.household, send_key=key, at=AT)


def reasons(sending: Sending) -> dict[str, Reason]:
    return {one.line.unit.slug: one.refusal.reason for one in sending.unsent}


def recorded(who: Family) -> dict[str, str]:
    found = Booking.objects.filter(household=who.household, unit__service__slug="mercredi")
    return dict(found.values_list("unit__slug", "state"))


def fill(who: Family, unit: str) -> None:
    group = next(e.group for e in offer.enrolments(who, "mercredi"))
    OpeningDay.objects.filter(group=group, date=WEDNESDAY, unit__slug=unit).update(ceiling=0, capacity=0)


def rules_hold(who: Family) -> None:
    for day in OpeningDay.objects.filter(date=WEDNESDAY, unit__service__slug="mercredi"):
        held = sum(
            day.unit_id in (booking.unit.components.values_list("id", flat=True) or [booking.unit_id])
            for booking in Booking.objects.filter(date=WEDNESDAY, group=day.group_id, holds_place=True)
        )
        assert day.taken == held


@pytest.mark.row("B6")
def test_a_meal_alone_stays_in_the_basket_with_its_reason(benali: Family) -> None:
    sending = send(benali, tick(benali, "repas"))
    assert sending.request is None and reasons(sending) == {"repas": Reason.NEEDS_UNIT}
    assert sending.unsent[0].refusal.facts["units"] == ("Matin", "Après-midi"), "in the words of families"
    sending = send(benali, tick(benali, "matin"))
    assert sending.request is not None and not sending.unsent
    assert set(recorded(benali)) == {"matin", "repas"}
    rules_hold(benali)


def test_a_full_half_day_leaves_its_meal_in_the_basket(benali: Family) -> None:
    key = tick(benali, "matin", "repas")
    tick(benali, "apres-midi", child="Tom")
    fill(benali, "matin")
    sending = send(benali, key)
    assert reasons(sending) == {"matin": Reason.FULL, "repas": Reason.NEEDS_UNIT}
    assert sending.request is not None, "the other child's afternoon leaves"
    assert set(recorded(benali)) == {"apres-midi"}
    assert BasketLine.objects.filter(basket__user=benali.user).count() == 2
    rules_hold(benali)


def test_a_whole_day_and_its_morning_are_not_both_sent(benali: Family) -> None:
    sending = send(benali, tick(benali, "matin", "journee"))
    assert reasons(sending) == {"matin": Reason.EXCLUDES_UNIT, "journee": Reason.EXCLUDES_UNIT}
    assert recorded(benali) == {}


def test_nothing_is_given_back_for_a_day_that_cannot_be_had(benali: Family) -> None:
    send(benali, tick(benali, "matin"))
    before = recorded(benali)
    tick(benali, "matin", on=False)
    key = tick(benali, "journee")
    fill(benali, "apres-midi")
    sending = send(benali, key)
    assert set(reasons(sending)) == {"matin", "journee"}
    assert recorded(benali) == before
    rules_hold(benali)


def test_a_shortcut_adds_no_unit_beside_one_that_excludes_it(benali: Family) -> None:
    tick(benali, "matin")
    mine = live_enrolments(town=municipality(), household=benali.household, states=(EnrolmentState.ACCEPTED,))
    mine = [e for e in mine if e.activity.service.slug == "mercredi"]
    days = load_days(town=municipality(), enrolments=mine, at=AT, dates=[WEDNESDAY])
    chosen = choose_days(
        user=benali.user, household=benali.household, days=days, chosen=list(days.states.values()), on=True, at=AT
    )
    left_out = {(s.enrolment.child.first_name, s.unit.slug) for s, _why in chosen.skipped}
    assert ("Inès", "journee") in left_out and ("Inès", "matin-repas") in left_out
    lines = BasketLine.objects.filter(basket__user=benali.user)
    units = {(line.child.first_name, line.unit.slug) for line in lines.select_related("child", "unit")}
    assert {unit for name, unit in units if name == "Inès"} == {"matin", "repas", "apres-midi"}
    assert not {unit for name, unit in units if name == "Tom"} >= {"matin", "journee"}
    sending = send(benali, basket_of(user=benali.user, household=benali.household, at=AT).send_key)
    assert not sending.unsent, "what a shortcut chose can be sent"


def test_an_offer_that_does_not_go_with_the_rest_stays_offered(benali: Family) -> None:
    send(benali, tick(benali, "matin"))
    group = next(e.group for e in offer.enrolments(benali, "mercredi"))
    afternoon = OpeningDay.objects.filter(group=group, date=WEDNESDAY, unit__slug="apres-midi")
    afternoon.update(ceiling=0, capacity=0)
    send(benali, tick(benali, "journee"))
    waiting = Booking.objects.get(unit__slug="journee", state="queued")
    afternoon.update(ceiling=10, capacity=10)
    assert offer_freed_places(at=AT) == 1
    with pytest.raises(DoesNotGo) as fault:
        accept_offer(booking_id=waiting.pk, by=benali.user, at=AT)
    assert fault.value.refusal.reason is Reason.EXCLUDES_UNIT
    waiting.refresh_from_db()
    assert waiting.state == "offered"
    rules_hold(benali)


@pytest.mark.row("B6")
def test_the_planning_says_the_rule_and_what_breaks_it(benali: Family, settings: Settings) -> None:
    screen = Screen(settings, benali.user)
    assert "Repas : avec Matin ou Après-midi" in screen.go(PAGE)
    assert "ne peuvent pas partir" not in screen.go(PAGE)
    tick(benali, "repas")
    page = screen.go(PAGE)
    said = "Mercredi 25 novembre, Inès, Repas : Se réserve avec : Matin ou Après-midi."
    assert said in page and screen.markup.count(" data-clash") >= 1
    meal = Unit.objects.get(service__slug="mercredi", slug="repas")
    ines = benali.children[0]
    key = f"{ines.pk}.{meal.pk}.{WEDNESDAY.isoformat()}"
    assert f'aria-describedby="regle-{key}"' in screen.markup and f'id="regle-{key}"' in screen.markup
    assert said in screen.go("/planning/mercredi/jour/2026-11-25/"), "the day's sheet says it too"
    assert "Se réserve avec : Matin ou Après-midi" in screen.go("/planning/verifier/")
    assert 'btn--lg">' not in screen.markup


@pytest.mark.parametrize("where", [PAGE, "/planning/verifier/", "/planning/mercredi/jour/2026-11-25/"])
def test_the_rules_ask_nothing_more_of_the_database(benali: Family, settings: Settings, where: str) -> None:
    screen = Screen(settings, benali.user)

    def count() -> int:
        screen.go(where)
        with CaptureQueriesContext(connection) as queries:
            screen.go(where)
        return len(queries)

    tick(benali, "repas")
    one = count()
    tick(benali, "matin", child="Tom")
    tick(benali, "journee", child="Tom")
    assert count() == one <= 15


def meuse_with(*rules: CombinationRule) -> Family:
    """Guide B's town, where everything is booked and cancelled at once; its meals under these rules."""
    town = read(offer.TOWNS / "portes-de-meuse.toml")
    services = [replace(said, combinations=rules) if said.slug == "restaurant" else said for said in town.services]
    load_town(replace(town, services=tuple(services)), at=AT)
    malika = offer.agent("Malika Roux", email="malika@portesdemeuse.example")
    who = guides.household(
        "Benali", {"Inès": "CE2", "Tom": "CE1"}, school="ecole-ancerville", email="nadia@famille.example"
    )
    guides.enrol(who, "mercredi", "centre-montiers", by=malika)
    guides.enrol(who, "restaurant", by=malika)
    return who


@pytest.fixture
def meuse() -> Family:
    return meuse_with()


def test_a_morning_is_kept_when_the_day_that_should_replace_it_is_full(meuse: Family) -> None:
    send(meuse, tick(meuse, "matin"))
    tick(meuse, "matin", on=False)
    key = tick(meuse, "journee")
    fill(meuse, "apres-midi")
    BasketLine.objects.update(waits=False)
    sending = send(meuse, key)
    assert reasons(sending) == {"matin": Reason.TIED, "journee": Reason.FULL}
    assert recorded(meuse) == {"matin": "booked"}
    rules_hold(meuse)


def test_a_place_freed_by_the_same_send_does_not_put_a_child_in_two_units(meuse: Family) -> None:
    send(meuse, tick(meuse, "apres-midi"))
    send(meuse, tick(meuse, "journee", child="Tom"))
    group = next(e.group for e in offer.enrolments(meuse, "mercredi"))
    for place in OpeningDay.objects.filter(group=group, date=WEDNESDAY):
        place.ceiling = place.capacity = place.taken
        place.save()
    tick(meuse, "journee", child="Tom", on=False)
    key = tick(meuse, "journee")
    BasketLine.objects.filter(act="book").update(waits=True)
    send(meuse, key)
    mine = Booking.objects.filter(child=meuse.children[0], state__in=("booked", "pending"))
    assert list(mine.values_list("unit__slug", flat=True)) == ["apres-midi"]
    rules_hold(meuse)


def test_a_closed_day_does_not_break_the_rules_of_the_week() -> None:
    who = meuse_with(CombinationRule(rule=CombinationKind.DAYS, units=("repas",), least=4))
    malika = offer.User.objects.get(email="malika@portesdemeuse.example")
    tuesday, week = date(2026, 12, 1), [date(2026, 11, 30), date(2026, 12, 3), date(2026, 12, 4)]
    key = offer.choose(who, week, "restaurant", children=who.children[:1])
    assert {one.refusal.reason for one in send(who, key).unsent} == {Reason.TOO_FEW_DAYS}
    close_days(kind="strike", reach=Reach(), days=[tuesday], words="", key=uuid.uuid4(), by=malika, at=AT)
    assert not send(who, key).unsent
