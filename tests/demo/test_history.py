"""The demo's town, prepared at moments of the year that have little in common."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.management import call_command
from django.test import Client

from marelle import townfile
from marelle.activities.models import OpeningDay
from marelle.bookings.models import BasketLine, Booking, Enrolment, OpeningNotice
from marelle.bookings.queries.days import live_enrolments, load_days
from marelle.bookings.queries.openings import own_opening, periods_that_open
from marelle.bookings.services.baskets import add_days
from marelle.bookings.services.sending import send_basket
from marelle.demo import accounts
from marelle.demo.cover import covered
from marelle.demo.history import OtherTown, Played, places_astray, prepare
from marelle.demo.models import DeliveredMail, DemoState
from marelle.families.models import Household
from marelle.foundation.models import AuditLine, MailState, OutboxMail
from marelle.requests.models import Act, FamilyRequest, RequestLine
from marelle.rules.decisions import Allowed
from marelle.rules.lifecycles import BookingState, EnrolmentState, LineState, RequestState
from tests.offer import TOWNS, municipality, paris

pytestmark = pytest.mark.django_db

FEW = 9
NOVEMBER = paris(2026, 11, 17, 14, 20)


def prepared(at: datetime = NOVEMBER, town: str = "cadours", families: int = FEW) -> Played:
    return prepare(townfile.read(TOWNS / f"{town}.toml"), at=at, families=families)


def household(address: str) -> Household:
    return Household.objects.get(guardians__email=address)


def everything() -> list[object]:
    """All that a preparation could double or change."""
    return [
        list(model.objects.order_by("pk").values_list())  # type: ignore[attr-defined]
        for model in (Household, Enrolment, Booking, FamilyRequest, RequestLine, AuditLine, OutboxMail, OpeningDay)
    ]


@pytest.mark.parametrize(
    "at",
    [
        pytest.param(NOVEMBER, id="a Tuesday in November"),
        pytest.param(paris(2026, 11, 23, 8, 58), id="a Monday, two minutes before the canteen's limit"),
        pytest.param(paris(2027, 1, 2, 11), id="in the Christmas holidays"),
        pytest.param(paris(2027, 2, 28, 3, 30), id="a Sunday night in winter"),
        pytest.param(paris(2027, 7, 10, 10), id="after the last school day"),
        pytest.param(paris(2026, 8, 25, 18), id="before the first school day"),
    ],
)
def test_the_town_is_alive_on_any_day(at: datetime) -> None:
    played = prepared(at)
    assert played.families == FEW
    assert 6 <= played.waiting <= 18
    assert list(places_astray()) == []

    waiting = RequestLine.objects.filter(state=LineState.PENDING, request__state=RequestState.SENT)
    assert waiting.filter(act=Act.BOOK).exists()
    assert FamilyRequest.objects.filter(state=RequestState.ANSWERED).count() > FEW
    assert not FamilyRequest.objects.filter(sent_at__gt=at).exists()
    assert not AuditLine.objects.filter(at__gt=at + timedelta(minutes=5)).exists()
    instants = list(FamilyRequest.objects.order_by("household_id", "id").values_list("household_id", "sent_at"))
    assert instants == sorted(instants)

    today = at.astimezone(municipality().tz).date()
    soonest = OpeningDay.objects.filter(date__gt=today).earliest("date").date
    assert waiting.filter(act=Act.BOOK, date__lte=soonest + timedelta(days=7)).exists()

    nadia = household(accounts.NADIA)
    assert [child.first_name for child in nadia.children.all()] == ["Inès", "Tom"]
    states = set(Booking.objects.filter(household=nadia).values_list("state", flat=True))
    assert {BookingState.BOOKED, BookingState.REFUSED} <= states
    assert nadia.requests.filter(state=RequestState.SENT).exists()
    assert Booking.objects.filter(household=nadia, date__lt=today, state=BookingState.BOOKED).exists()

    julien = household(accounts.JULIEN)
    assert julien.children.count() == 2
    assert not Enrolment.objects.filter(household=julien).exists()
    assert julien.guardians.get().user.is_active


def test_what_waits_is_of_every_kind_and_one_day_presses() -> None:
    prepared(paris(2026, 11, 23, 8, 58))
    waiting = RequestLine.objects.filter(state=LineState.PENDING, request__state=RequestState.SENT)
    acts = {Act.BOOK, Act.CANCEL, Act.ENROL, Act.JOIN, Act.ASK, Act.GIVE, Act.CHANGE}
    assert set(waiting.values_list("act", flat=True)) == acts
    assert waiting.filter(act=Act.BOOK, date__lte=date(2026, 11, 25)).exists()


def test_now_and_then_a_family_calls_and_an_agent_books_for_it() -> None:
    prepared()
    made = FamilyRequest.objects.filter(by_agent=True)
    assert made.exists()
    assert set(Booking.objects.filter(line__request__in=made).values_list("state", "booked_late")) >= {("booked", True)}


def test_a_period_is_not_open_yet_and_one_that_opened_was_told() -> None:
    at = paris(2026, 12, 15, 10)  # Cadours' second term opened on the 7th; its winter holidays open on the 26th
    prepared(at)
    nadia = household(accounts.NADIA)
    assert OpeningNotice.objects.filter(household=nadia, period__slug="trimestre-2-2027").exists()
    enrolled = {one.activity.service_id for one in nadia.enrolments.filter(state=EnrolmentState.ACCEPTED)}
    coming = [
        period.slug
        for service, period in periods_that_open(municipality())
        if service.pk in enrolled and (own_opening(period, nadia.audiences) or at) > at
    ]
    assert "trimestre-3-2027" in coming or "hiver-2027" in coming


def test_preparing_again_changes_nothing() -> None:
    prepared()
    before = everything()
    again = prepared()
    assert (again.deeds, everything()) == (0, before)


def test_a_history_played_in_two_parts_doubles_nothing() -> None:
    prepared(paris(2026, 11, 12, 9))
    prepared(NOVEMBER)
    assert DemoState.objects.get().played_until == NOVEMBER
    assert list(places_astray()) == []
    OpeningDay.objects.filter(pk=OpeningDay.objects.earliest("date").pk).update(taken=1)
    assert len(list(places_astray())) == 1  # it would have been seen
    sent = list(FamilyRequest.objects.order_by("id").values_list("household_id", "kind", "sent_at"))
    assert len(sent) == len(set(sent))


def test_days_later_the_missing_days_are_played() -> None:
    prepared(NOVEMBER)
    before = set(FamilyRequest.objects.values_list("id", flat=True))
    waited = set(FamilyRequest.objects.filter(state=RequestState.SENT).values_list("id", flat=True))
    later = prepared(NOVEMBER + timedelta(days=5))
    assert later.since == NOVEMBER and later.deeds > 0
    new = FamilyRequest.objects.exclude(id__in=before)
    assert new.exists() and not new.filter(sent_at__lte=NOVEMBER).exists()
    assert not FamilyRequest.objects.filter(id__in=waited, state=RequestState.SENT).exists()
    assert 6 <= later.waiting <= 18
    assert list(places_astray()) == []


def test_what_a_visitor_did_stays_as_it_is() -> None:
    prepared(NOVEMBER)
    nadia = household(accounts.NADIA)
    user = nadia.guardians.get().user
    town = municipality()

    def free(at: datetime) -> list[object]:
        mine = live_enrolments(town=town, household=nadia, states=("accepted",))
        today = at.astimezone(town.tz).date()
        days = load_days(town=town, enrolments=mine, at=at, first=today, last=today + timedelta(days=40))
        return [state for _key, state in sorted(days.states.items()) if isinstance(state.may_add(), Allowed)]

    at = NOVEMBER + timedelta(minutes=30)
    basket = add_days(user=user, household=nadia, states=free(at)[:2], at=at)
    mine = send_basket(town=town, user=user, household=nadia, send_key=basket.send_key, at=at).request
    add_days(user=user, household=nadia, states=free(at)[:1], at=at)
    chosen = list(BasketLine.objects.values_list())

    prepared(NOVEMBER + timedelta(days=6))
    mine.refresh_from_db()
    assert mine.state == RequestState.SENT
    assert list(BasketLine.objects.values_list()) == chosen


def test_only_mail_of_the_last_day_is_left_to_send() -> None:
    prepared(NOVEMBER)
    waiting = OutboxMail.objects.filter(state=MailState.WAITING)
    assert 0 < waiting.count() < 60
    assert not waiting.filter(at__lt=NOVEMBER - timedelta(days=1)).exists()
    assert not OutboxMail.objects.filter(state=MailState.SENT, sent_at__gt=datetime.now(UTC)).exists()
    letters = DeliveredMail.objects.filter(to_address=accounts.NADIA)
    assert letters.count() > 5
    assert letters.earliest("id").delivered_at < NOVEMBER - timedelta(days=30)


@pytest.mark.parametrize("town", sorted(path.stem for path in TOWNS.glob("*.toml") if path.stem != "cadours"))
def test_every_town_lives(town: str) -> None:
    played = prepared(town=town, families=6)
    assert played.families == 6
    assert FamilyRequest.objects.exists()
    assert Booking.objects.filter(state=BookingState.BOOKED).exists()
    assert list(places_astray()) == []


def test_another_town_s_database_is_not_touched() -> None:
    prepared()
    before = everything()
    with pytest.raises(OtherTown):
        prepared(town="tutos")
    assert everything() == before


def test_everybody_comes_in_with_the_password_on_the_screen(client: Client) -> None:
    prepared()
    malika = accounts.agent_address("Malika Roux", municipality())
    for address in (accounts.NADIA, accounts.JULIEN, malika):
        assert client.login(email=address, password=accounts.PASSWORD)
        assert address in accounts.welcome(municipality(), url="http://127.0.0.1:8000")


@pytest.mark.django_db(transaction=True)
def test_fresh_starts_from_zero(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["demo", "prepare", "--town", "cadours", "--families", "3", "--at", NOVEMBER.isoformat()]
    call_command(*words)
    first = Household.objects.count()
    Household.objects.create(name="Visiteur", created_at=NOVEMBER)
    call_command(*words, "--fresh")
    assert Household.objects.count() == first
    assert not Household.objects.filter(name="Visiteur").exists()
    assert accounts.PASSWORD in capsys.readouterr().out


class TestCover:
    town = townfile.read(TOWNS / "cadours.toml")

    def test_inside_the_calendar_the_clock_is_left_alone(self) -> None:
        assert covered(self.town, NOVEMBER) == NOVEMBER

    @pytest.mark.parametrize("at", [paris(2031, 3, 1, 12), paris(2028, 7, 20), paris(2019, 5, 5)])
    def test_beyond_it_starts_on_a_school_day_with_days_around_it(self, at: datetime) -> None:
        near = covered(self.town, at)
        calendar = self.town.school_calendar()
        assert calendar.is_school_day(calendar.local(near).date())
        assert calendar.local(near).hour == 8
        assert covered(self.town, near) == near

    @pytest.mark.parametrize("at", [paris(2031, 3, 1, 12), paris(2019, 5, 5)])
    def test_the_town_lives_there_too(self, at: datetime) -> None:
        played = prepared(covered(self.town, at))
        assert 6 <= played.waiting <= 18
