"""Answering from the queue: whole, line by line, several at once; refusals, clashes and what comes next."""

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from marelle.accounts.models import User
from marelle.activities.models import OpeningDay, Service
from marelle.bookings.models import Booking
from marelle.bookings.queries.days import load_days
from marelle.bookings.services.answers import withdraw_request
from marelle.bookings.services.baskets import add_days, basket_of
from marelle.foundation.models import AuditLine, OutboxMail
from marelle.requests.models import FamilyRequest
from tests import guides
from tests.offer import (
    AT,
    Family,
    accept,
    agent,
    ask,
    booked,
    enrolled,
    enrolments,
    family,
    municipality,
    paris,
    reread,
    send,
)
from tests.office.conftest import Page
from tests.spaces import plain_spaces

pytestmark = pytest.mark.django_db

FRIDAY = date(2026, 11, 13)
WEEK = [date(2026, 11, 16), date(2026, 11, 17), date(2026, 11, 19), date(2026, 11, 20)]


def form_of(desk: Client, request: FamilyRequest) -> dict[str, str]:
    """The answer form as the page gives it: what it had read, and its choices."""
    html = desk.get(reverse("office:request", args=[request.number])).content.decode()
    found = re.search(r'name="lues" value="([\d ]+)"', html)
    assert found, "nothing to answer on the page"
    choices = dict(re.findall(r'type="radio" name="(ligne-\d+)" value="([\w-]+)" checked', html))
    return {"lues": found[1], **choices}


def answer(desk: Client, request: FamilyRequest, do: str, **fields: str) -> HttpResponse:
    said = form_of(desk, request) | {"do": do} | {name.replace("_", "-"): value for name, value in fields.items()}
    response: HttpResponse = desk.post(reverse("office:request", args=[request.number]), said)
    return response


def text(response: HttpResponse) -> str:
    return plain_spaces(response.text)


def lines(request: FamilyRequest) -> dict[tuple[str, date | None], str]:
    return {(line.child.first_name, line.date): line.state for line in request.lines.select_related("child")}


def states(who: Family) -> set[str]:
    return set(Booking.objects.filter(household=who.household).values_list("state", flat=True))


@pytest.mark.row("A7")
def test_accepting_the_whole_request_books_its_days_and_goes_on_to_the_next(
    benali: Family, malika: User, desk: Client, page: Page
) -> None:
    first = booked(benali, [FRIDAY])
    other = family("Roux", [("Léo", "CE1")], at=AT - timedelta(days=20))
    enrolled(other, by=malika, at=AT - timedelta(days=19))
    second = booked(other, WEEK)
    mails = OutboxMail.objects.count()

    response = answer(desk, first, "accepter")

    assert response.status_code == 302
    assert response["Location"] == reverse("office:request", args=[second.number]) + "#detail"
    assert states(benali) == {"booked"}
    assert OutboxMail.objects.count() == mails + 1
    assert f"Famille Benali, n° {first.number} : demande acceptée. La famille est prévenue." in page(
        "request", second.number
    )
    line = AuditLine.objects.get(action="request.answered", subject_id=str(first.pk))
    assert line.actor_label == "Malika Roux" and line.by_agent and line.at - AT < timedelta(minutes=1)


@pytest.mark.row("A7")
def test_the_last_answer_leads_back_to_the_list_with_its_filters(benali: Family, desk: Client) -> None:
    request = booked(benali, [FRIDAY])
    address = reverse("office:request", args=[request.number]) + "?service=cantine"
    response = desk.post(address, form_of(desk, request) | {"do": "accepter"})

    assert response["Location"] == reverse("office:queue") + "?service=cantine"


@pytest.mark.row("A7")
def test_line_by_line_each_gets_its_answer_and_what_is_left_waits(benali: Family, desk: Client, page: Page) -> None:
    request = booked(benali, [FRIDAY, *WEEK[:1]])
    ids = {(line.child.first_name, line.date): line.pk for line in request.lines.select_related("child")}
    choices = {
        f"ligne-{ids['Inès', FRIDAY]}": "accepter",
        f"ligne-{ids['Tom', FRIDAY]}": "refuser",
        f"ligne-{ids['Inès', WEEK[0]]}": "refuser",
        f"motif-{ids['Inès', WEEK[0]]}": "Sortie scolaire ce jour-là.",
        f"ligne-{ids['Tom', WEEK[0]]}": "plus-tard",
    }
    said = form_of(desk, request) | choices | {"do": "lignes", "modele": "complet", "motif": "Désolés."}
    desk.post(reverse("office:request", args=[request.number]), said)

    assert lines(request) == {
        ("Inès", FRIDAY): "accepted",
        ("Tom", FRIDAY): "refused",
        ("Inès", WEEK[0]): "refused",
        ("Tom", WEEK[0]): "pending",
    }
    reasons = dict(request.lines.filter(state="refused").values_list("pk", "reason"))
    assert reasons == {
        ids["Tom", FRIDAY]: "Il n’y a plus de place ce jour-là. Désolés.",
        ids["Inès", WEEK[0]]: "Sortie scolaire ce jour-là.",
    }
    request.refresh_from_db()
    assert request.state == "sent"
    assert "1 ligne acceptée, 2 lignes refusées, 1 ligne à traiter" in page()


@pytest.mark.row("A7")
@pytest.mark.parametrize("do", ["refuser", "lignes"])
def test_a_refusal_without_a_reason_comes_back_with_all_that_was_typed(benali: Family, desk: Client, do: str) -> None:
    request = booked(benali, [FRIDAY])
    refused, later = request.lines.values_list("pk", flat=True)
    response = desk.post(
        reverse("office:request", args=[request.number]),
        form_of(desk, request)
        | {"do": do, f"ligne-{refused}": "refuser", f"ligne-{later}": "plus-tard", "motif": "  "},
    )
    html = text(response)

    assert response.status_code == 422
    assert "<title>Erreur :" in html and "Il y a un problème" in html
    assert 'href="#motif"' in html and 'aria-invalid="true"' in html
    assert f'name="ligne-{refused}" value="refuser" checked' in html
    assert set(lines(request).values()) == {"pending"} and states(benali) == {"pending"}


@pytest.mark.row("A7")
def test_choosing_nothing_is_said(benali: Family, desk: Client) -> None:
    request = booked(benali, [FRIDAY])
    later = {f"ligne-{id}": "plus-tard" for id in request.lines.values_list("pk", flat=True)}
    response = desk.post(
        reverse("office:request", args=[request.number]), form_of(desk, request) | later | {"do": "lignes"}
    )

    assert response.status_code == 422 and 'href="#lignes"' in text(response)


@pytest.mark.row("A7")
def test_refusing_the_whole_request_frees_its_places(benali: Family, desk: Client) -> None:
    request = booked(benali, [FRIDAY])
    answer(desk, request, "refuser", modele="ferme", motif="\x00")

    assert set(lines(request).values()) == {"refused"} and states(benali) == {"refused"}
    assert set(request.lines.values_list("reason", flat=True)) == {"Le service est fermé ce jour-là."}
    assert set(OpeningDay.objects.filter(date=FRIDAY).values_list("taken", flat=True)) == {0}


@pytest.mark.row("A7", "S1")
def test_two_agents_cannot_both_answer(
    benali: Family, malika: User, desk: Client, clock: Callable[[datetime], None]
) -> None:
    request = booked(benali, [FRIDAY])
    bruno = Client()
    bruno.force_login(agent("Bruno Petit"))
    said = form_of(bruno, request) | {"do": "refuser", "motif": "Trop tard."}
    accept(request, by=malika, at=paris(2026, 11, 10, 9, 0))
    clock(paris(2026, 11, 10, 9, 1))
    mails, trail = OutboxMail.objects.count(), AuditLine.objects.count()

    response = bruno.post(reverse("office:request", args=[request.number]), said)

    assert response.status_code == 409
    assert f"Malika Roux a déjà répondu à la demande n° {request.number}, le mardi 10 novembre, 9 h. " in re.sub(
        r"<[^>]+>", "", text(response)
    )
    assert states(benali) == {"booked"} and set(lines(request).values()) == {"accepted"}
    assert (OutboxMail.objects.count(), AuditLine.objects.count()) == (mails, trail)
    assert 'name="lues"' not in text(response).partition('id="detail"')[2], "nothing is left to answer"


@pytest.mark.row("A7")
def test_a_page_read_before_a_colleague_answered_one_line_does_nothing(
    benali: Family, malika: User, desk: Client
) -> None:
    request = booked(benali, [FRIDAY])
    said = form_of(desk, request) | {"do": "accepter"}
    first = request.lines.first()
    assert first is not None
    bruno = agent("Bruno Petit")
    colleague = Client()
    colleague.force_login(bruno)
    one = {f"ligne-{line.pk}": "refuser" if line == first else "plus-tard" for line in request.lines.all()}
    colleague.post(
        reverse("office:request", args=[request.number]),
        form_of(colleague, request) | one | {"do": "lignes", "motif": "Absent."},
    )

    response = desk.post(reverse("office:request", args=[request.number]), said)

    assert response.status_code == 409 and "Bruno Petit a déjà répondu" in text(response)
    assert sorted(lines(request).values()) == ["pending", "refused"]


@pytest.mark.row("A7")
def test_a_request_that_its_family_withdrew_meanwhile_is_not_answered(benali: Family, desk: Client) -> None:
    request = booked(benali, [FRIDAY])
    said = form_of(desk, request) | {"do": "accepter"}
    withdraw_request(request_id=request.pk, by=benali.user, at=AT)

    response = desk.post(reverse("office:request", args=[request.number]), said)

    assert response.status_code == 409 and states(benali) == {"withdrawn"}


@pytest.mark.row("A7")
def test_a_day_without_place_stays_to_answer_and_the_agent_stays_there(malika: User, desk: Client, page: Page) -> None:
    Service.objects.filter(slug="mercredi").update(pending_holds_place=False)
    reread()
    who = family("Martin", [("Zoé", "CE1")], at=AT - timedelta(days=20))
    enrolled(who, "mercredi", by=malika, at=AT - timedelta(days=19))
    request = booked(who, [date(2026, 11, 18), date(2026, 11, 25)], "mercredi")
    for day in OpeningDay.objects.filter(date=date(2026, 11, 18), unit__service__slug="mercredi"):
        OpeningDay.objects.filter(id=day.pk).update(taken=day.ceiling)

    response = answer(desk, request, "accepter")

    assert response["Location"].startswith(reverse("office:request", args=[request.number]))
    assert lines(request) == {("Zoé", date(2026, 11, 18)): "pending", ("Zoé", date(2026, 11, 25)): "accepted"}
    assert "plus de place : Zoé, mercredi 18 novembre" in page("request", request.number)


@pytest.mark.row("A3", "A4")
def test_enrolments_are_answered_child_by_child_in_the_same_place(malika: User, desk: Client, page: Page) -> None:
    who = family()
    request = ask(who)
    ines, tom = request.lines.order_by("position")
    said = form_of(desk, request) | {
        "do": "lignes",
        f"ligne-{ines.pk}": "accepter",
        f"ligne-{tom.pk}": "refuser",
        "modele": "dossier",
    }
    desk.post(reverse("office:request", args=[request.number]), said)

    found = dict(who.household.enrolments.values_list("child__first_name", "state"))
    assert found == {ines.child.first_name: "accepted", tom.child.first_name: "refused"}
    assert (
        plain_spaces(who.household.enrolments.get(state="refused").reason)
        == "Le dossier est incomplet : contactez le service."
    )
    assert OutboxMail.objects.filter(kind="bookings/enrolments_answered").count() == 1


@pytest.mark.row("A7")
def test_several_requests_are_accepted_at_once_and_what_could_not_is_told(
    benali: Family, malika: User, desk: Client, page: Page
) -> None:
    ticked = [booked(benali, [FRIDAY]), booked(benali, WEEK[:1]), ask(family("Roux", [("Léo", "CE1")]))]
    left = booked(benali, WEEK[1:2])
    accept(ticked[1], by=agent("Bruno Petit"))

    response = desk.post(reverse("office:accept_several"), {"d": [request.pk for request in ticked]})

    assert response["Location"] == reverse("office:queue")
    html = page()
    assert "2 demandes acceptées." in html
    assert f"Bruno Petit a déjà répondu à la demande n° {ticked[1].number}" in html
    assert set(lines(ticked[0]).values()) == set(lines(ticked[2]).values()) == {"accepted"}
    assert set(lines(left).values()) == {"pending"}


@pytest.mark.row("A7")
def test_accepting_several_without_ticking_any_says_so(benali: Family, desk: Client, page: Page) -> None:
    desk.post(reverse("office:accept_several"))
    assert "Cochez d’abord les demandes." in page()
    desk.post(reverse("office:accept_several"), {"d": ["99999", "abc", "9" * 40]})
    assert "acceptée" not in page()


@pytest.mark.row("A7")
def test_a_line_of_another_request_is_never_answered(benali: Family, desk: Client) -> None:
    mine, other = booked(benali, [FRIDAY]), booked(benali, WEEK)
    strange = other.lines.first()
    assert strange is not None
    said = form_of(desk, mine) | {"do": "lignes", f"ligne-{strange.pk}": "accepter"}
    desk.post(reverse("office:request", args=[mine.number]), said)

    assert set(lines(other).values()) == {"pending"} and set(lines(mine).values()) == {"accepted"}


def test_an_unknown_gesture_is_refused(benali: Family, desk: Client) -> None:
    request = booked(benali, [FRIDAY])
    assert desk.post(reverse("office:request", args=[request.number]), {"do": "tout"}).status_code == 400


@pytest.mark.row("A9")
def test_a_day_sent_in_time_is_accepted_after_its_limit(
    benali: Family, desk: Client, clock: Callable[[datetime], None]
) -> None:
    request = booked(benali, [date(2026, 11, 12)])
    clock(paris(2026, 11, 12, 11, 30))
    answer(desk, request, "accepter")

    assert states(benali) == {"booked"}


def morning_and_meal(who: Family) -> FamilyRequest:
    """Inès's morning and meal of a Wednesday, in a town where a meal wants its half-day, asked together."""
    Service.objects.filter(slug="mercredi").update(validation_book="asked")
    mine = [one for one in enrolments(who, "mercredi") if one.child.first_name == "Inès"]
    days = load_days(town=municipality(), enrolments=mine, at=AT, dates=[date(2026, 11, 25)])
    wanted = [state for state in days.states.values() if state.unit.slug in ("matin", "repas")]
    add_days(user=who.user, household=who.household, states=wanted, at=AT)
    request = send(who, basket_of(user=who.user, household=who.household, at=AT).send_key).request
    assert request is not None
    return request


@pytest.mark.row("A7", "B6")
def test_an_answer_that_leaves_a_meal_without_its_half_day_says_so_first(malika: User, desk: Client) -> None:
    who = guides.valmontier()
    request = morning_and_meal(who)
    morning, meal = (request.lines.get(unit__slug=slug) for slug in ("matin", "repas"))
    choices = {f"ligne_{morning.pk}": "refuser", f"ligne_{meal.pk}": "accepter", "motif": "Le groupe est complet."}

    told = answer(desk, request, "lignes", **choices)
    assert told.status_code == 422
    assert "Inès, mercredi 25 novembre, sans « Matin » : ce qui reste ne va pas seul. Se réserve avec" in text(told)
    assert "Le groupe est complet." in text(told) and states(who) == {"pending"}

    answer(desk, request, "lignes", **choices, malgre="oui")
    assert states(who) == {"refused", "booked"}


@pytest.mark.row("A7", "B6")
def test_refusing_what_goes_together_asks_nothing(malika: User, desk: Client) -> None:
    who = guides.valmontier()
    request = morning_and_meal(who)
    assert answer(desk, request, "refuser", motif="Le groupe est complet.").status_code == 302
    assert states(who) == {"refused"}
