"""What an agent answers, whole or day by day, once."""

from datetime import date

import pytest

from marelle.activities.models import OpeningDay, Service
from marelle.bookings.models import Booking, Enrolment
from marelle.bookings.services.answers import answer_request, withdraw_request
from marelle.foundation.models import AuditLine, OutboxMail
from marelle.requests.models import RequestLine
from marelle.requests.services import AlreadyAnswered, ReasonMissing, Verdict
from tests.offer import (
    AT,
    Family,
    accept,
    agent,
    ask,
    booked,
    cadours,
    choose,
    enrolled,
    enrolments,
    family,
    paris,
    refuse,
    reread,
    send,
)
from tests.spaces import plain_spaces

MONDAY, TUESDAY = date(2026, 11, 16), date(2026, 11, 17)


def taken(day: date) -> int:
    return sum(OpeningDay.objects.filter(date=day, unit__service__slug="cantine").values_list("taken", flat=True))


@pytest.fixture
def benali(db: None) -> Family:
    cadours()
    who = family()
    enrolled(who, by=agent())
    return who


@pytest.mark.row("A7", "S1")
def test_a_request_accepted_whole_turns_its_days_green_and_tells_the_family(benali: Family) -> None:
    request = booked(benali, [MONDAY, TUESDAY])
    OutboxMail.objects.all().delete()
    accept(request, by=agent("Malika Roux"))

    assert set(Booking.objects.values_list("state", flat=True)) == {"booked"}
    request.refresh_from_db()
    assert request.state == "answered"
    mail = OutboxMail.objects.get()
    assert mail.kind == "bookings/request_answered"
    assert [line["booking"] for line in mail.context["lines"]] == ["booked"] * 4
    line = AuditLine.objects.order_by("-id").first()
    assert line is not None
    assert (line.actor_label, line.by_agent, line.household_id) == ("Malika Roux", True, benali.household.pk)
    assert plain_spaces(line.text) == f"Demande n° {request.number} : 4 lignes acceptées."


@pytest.mark.row("S1")
def test_day_by_day_the_refused_ones_give_their_place_back_with_the_reason(benali: Family) -> None:
    request = booked(benali, [MONDAY, TUESDAY])
    malika = agent("Malika Roux")
    lines = {(line.child.first_name, line.date): line.pk for line in request.lines.select_related("child")}
    answer_request(
        request_id=request.pk,
        verdicts={
            lines["Inès", MONDAY]: Verdict(accept=True),
            lines["Tom", MONDAY]: Verdict(accept=False, reason="La classe de Tom part en sortie."),
        },
        by=malika,
        at=AT,
    )

    assert taken(MONDAY) == 1 and taken(TUESDAY) == 2
    states = {(b.child.first_name, b.date): (b.state, b.reason) for b in Booking.objects.select_related("child")}
    assert states["Inès", MONDAY] == ("booked", "")
    assert states["Tom", MONDAY] == ("refused", "La classe de Tom part en sortie.")
    assert states["Tom", TUESDAY] == ("pending", "")
    request.refresh_from_db()
    assert request.state == "sent"
    accept(request, by=malika)
    request.refresh_from_db()
    assert request.state == "answered"


@pytest.mark.row("S1")
def test_two_agents_cannot_both_answer(benali: Family) -> None:
    request = booked(benali, [MONDAY])
    lines = list(request.lines.values_list("id", flat=True))
    accept(request, by=agent("Malika Roux"))
    mails = OutboxMail.objects.count()

    with pytest.raises(AlreadyAnswered) as refusal:
        answer_request(
            request_id=request.pk,
            verdicts={line: Verdict(accept=False, reason="Trop tard") for line in lines},
            by=agent("Karim Haddad"),
            at=AT,
        )
    assert refusal.value.by == "Malika Roux"
    assert set(Booking.objects.values_list("state", flat=True)) == {"booked"}
    assert OutboxMail.objects.count() == mails


def test_a_refusal_needs_words(benali: Family) -> None:
    request = booked(benali, [MONDAY])
    lines = request.lines.values_list("id", flat=True)

    with pytest.raises(ReasonMissing):
        answer_request(
            request_id=request.pk,
            verdicts={line: Verdict(accept=False, reason="  ") for line in lines},
            by=agent(),
            at=AT,
        )
    assert set(RequestLine.objects.filter(request=request).values_list("state", flat=True)) == {"pending"}


def test_lines_of_another_request_are_nobodys(benali: Family) -> None:
    first, second = booked(benali, [MONDAY]), booked(benali, [TUESDAY])
    stranger = second.lines.values_list("id", flat=True)[0]

    with pytest.raises(RequestLine.DoesNotExist):
        answer_request(request_id=first.pk, verdicts={stranger: Verdict(accept=True)}, by=agent(), at=AT)


def test_a_pending_day_sent_in_time_is_answerable_after_its_limit(benali: Family) -> None:
    request = booked(benali, [MONDAY])
    accept(request, by=agent(), at=paris(2026, 11, 16, 8))

    assert set(Booking.objects.values_list("state", flat=True)) == {"booked"}


def test_a_refused_cancellation_leaves_the_day_booked(benali: Family) -> None:
    malika = agent()
    booked(benali, [MONDAY], by=malika)
    request = send(benali, choose(benali, [MONDAY], wanted=False)).request
    assert request is not None
    refuse(request, "Le repas est déjà commandé.", by=malika)

    assert set(Booking.objects.values_list("state", flat=True)) == {"booked"}
    assert taken(MONDAY) == 2


@pytest.mark.row("A2", "A3")
def test_enrolments_answered_child_by_child_then_asked_again(db: None) -> None:
    cadours()
    who, malika = family(), agent("Malika Roux")
    request = ask(who)
    by_child = {line.child.first_name: line.pk for line in request.lines.select_related("child")}
    OutboxMail.objects.all().delete()
    answer_request(
        request_id=request.pk,
        verdicts={
            by_child["Inès"]: Verdict(accept=True),
            by_child["Tom"]: Verdict(accept=False, reason="Il manque l'assurance scolaire."),
        },
        by=malika,
        at=AT,
    )

    mail = OutboxMail.objects.get()
    assert mail.kind == "bookings/enrolments_answered"
    assert [(e["child"], e["state"], e["days_remain"]) for e in mail.context["lines"]] == [
        ("Inès", "accepted", True),
        ("Tom", "refused", False),
    ]
    tom = next(child for child in who.children if child.first_name == "Tom")
    accept(ask(who, children=[tom]), by=malika)
    assert sorted(Enrolment.objects.filter(child=tom).values_list("state", flat=True)) == ["accepted", "refused"]
    assert {enrolment.child.first_name for enrolment in enrolments(who)} == {"Inès", "Tom"}


@pytest.mark.row("A6")
def test_the_garderie_takes_enrolments_and_no_day(db: None) -> None:
    cadours()
    who = family()
    OutboxMail.objects.all().delete()
    accept(ask(who, "garderie"), by=agent())

    mail = OutboxMail.objects.filter(kind="bookings/enrolments_answered").get()
    assert [line["days_remain"] for line in mail.context["lines"]] == [False, False]
    assert not OpeningDay.objects.filter(unit__service__slug="garderie").exists()


def test_a_child_too_young_is_refused_with_the_age(db: None) -> None:
    from marelle.activities.queries import municipality
    from marelle.bookings.services.enrolments import Wish, ask_enrolments
    from tests.offer import activity_for, school_year

    cadours()
    who = family(children=[("Lou", "PS")])
    lou = who.children[0]
    lou.birth_date = date(2025, 1, 5)
    lou.save()
    import uuid

    asked = ask_enrolments(
        town=municipality(), user=who.user, household=who.household, school_year=school_year(),
        wishes=[Wish(child=lou, activity=activity_for(lou, "mercredi"))], send_key=uuid.uuid4(), at=AT,
    )  # fmt: skip
    assert asked.request is None
    assert (asked.unmet[0].refusal.reason, dict(asked.unmet[0].refusal.facts)) == (
        "too_young",
        {"age": 1, "min_age": 3},
    )


def test_withdrawing_gives_the_places_back_and_leaves_cancellations_as_they_were(benali: Family) -> None:
    malika = agent()
    booked(benali, [MONDAY], by=malika)
    choose(benali, [MONDAY], wanted=False)
    request = send(benali, choose(benali, [TUESDAY])).request
    assert request is not None
    withdraw_request(request_id=request.pk, by=benali.user, at=AT)

    assert set(Booking.objects.filter(date=MONDAY).values_list("state", flat=True)) == {"booked"}
    assert set(Booking.objects.filter(date=TUESDAY).values_list("state", flat=True)) == {"withdrawn"}
    assert (taken(MONDAY), taken(TUESDAY)) == (2, 0)
    request.refresh_from_db()
    assert request.state == "withdrawn"
    with pytest.raises(AlreadyAnswered):
        withdraw_request(request_id=request.pk, by=benali.user, at=AT)


def test_a_service_that_holds_no_place_while_waiting_gives_it_on_acceptance(benali: Family) -> None:
    Service.objects.filter(slug="cantine").update(pending_holds_place=False)
    reread()
    request = booked(benali, [MONDAY, TUESDAY])
    assert taken(MONDAY) == 0
    OpeningDay.objects.filter(date=TUESDAY).update(capacity=0, ceiling=0)
    lines = list(request.lines.values_list("id", flat=True))
    answer = answer_request(
        request_id=request.pk, verdicts={line: Verdict(accept=True) for line in lines}, by=agent(), at=AT
    )

    assert {line.date for line in answer.without_place} == {TUESDAY}
    assert taken(MONDAY) == 2
    assert set(Booking.objects.filter(date=TUESDAY).values_list("state", flat=True)) == {"pending"}


@pytest.mark.race
def test_an_agent_and_a_family_who_decide_at_once_agree(race) -> None:  # type: ignore[no-untyped-def]
    """One accepts while the other withdraws: never a withdrawn day that is booked, nor a lost place."""
    cadours()
    malika = agent()
    families = []
    for number in range(16):
        who = family(f"Duo{number}")
        enrolled(who, by=malika)
        request = booked(who, [MONDAY])
        lines = list(request.lines.values_list("id", flat=True))
        key = choose(who, [MONDAY], wanted=False)
        families += [("agent", request.pk, lines, who, key), ("family", request.pk, lines, who, key)]

    def act(contender):  # type: ignore[no-untyped-def]
        side, request_id, lines, who, key = contender
        if side == "agent":
            return answer_request(
                request_id=request_id, verdicts={line: Verdict(accept=True) for line in lines}, by=malika, at=AT
            )
        return send(who, key, at=AT)

    outcomes = race(act, families, at_once=16)

    assert {type(outcome.error) for outcome in outcomes if outcome.error} <= {AlreadyAnswered}
    for booking in Booking.objects.select_related("line"):
        if booking.state == "withdrawn":
            assert not booking.holds_place and booking.line.act == "cancel"
        else:
            assert booking.state == "booked" and booking.holds_place
    assert taken(MONDAY) == Booking.objects.filter(holds_place=True).count()


@pytest.mark.race
def test_two_agents_at_once_give_one_answer(race) -> None:  # type: ignore[no-untyped-def]
    cadours()
    who, malika = family(), agent("Malika Roux")
    enrolled(who, by=malika)
    request = booked(who, [MONDAY])
    lines = list(request.lines.values_list("id", flat=True))
    agents = [agent(f"Agent{n} Test") for n in range(8)]

    outcomes = race(
        lambda by: answer_request(
            request_id=request.pk, verdicts={line: Verdict(accept=True) for line in lines}, by=by, at=AT
        ),
        agents,
        at_once=8,
    )

    assert sum(outcome.error is None for outcome in outcomes) == 1
    assert {type(outcome.error) for outcome in outcomes if outcome.error} == {AlreadyAnswered}
    assert OutboxMail.objects.filter(kind="bookings/request_answered").count() == 1
