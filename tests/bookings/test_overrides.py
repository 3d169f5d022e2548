"""What an agent books and cancels for a family: past its limits, with a reason, once, told to the family."""

import uuid
from collections.abc import Sequence
from datetime import date

import pytest

from marelle.accounts.models import User
from marelle.activities.models import OpeningDay, Site
from marelle.bookings.models import Booking
from marelle.bookings.queries.days import load_days
from marelle.bookings.services.overrides import Change, Done, book_for_family, read_changes
from marelle.foundation.models import AuditLine, OutboxMail
from marelle.requests.models import Act, FamilyRequest
from marelle.requests.services import ReasonMissing
from marelle.rules.decisions import Reason
from tests.offer import (
    AT,
    Family,
    activity_for,
    agent,
    booked,
    cadours,
    choose,
    enrolled,
    enrolments,
    family,
    municipality,
    paris,
    send,
)
from tests.spaces import plain_spaces

LAST_FRIDAY, TODAY = date(2026, 11, 6), date(2026, 11, 10)
MONDAY, TUESDAY = date(2026, 11, 16), date(2026, 11, 17)
WHY = "Appel de la famille : hospitalisation"


@pytest.fixture
def malika(db: None) -> User:
    cadours()
    return agent("Malika Roux")


@pytest.fixture
def benali(malika: User) -> Family:
    who = family()
    enrolled(who, by=malika, at=paris(2026, 9, 1, 10))
    return who


def change(who: Family, day: date, act: Act = Act.BOOK, *, name: str = "Inès", was: str = "") -> Change:
    child = next(child for child in who.children if child.first_name == name)
    unit = activity_for(child).service.units.get()
    return Change(child.pk, unit.pk, day, act, was or ("free" if act == Act.BOOK else "booked"))


def act(who: Family, changes: Sequence[Change], by: User, *, reason: str = WHY, **more: object) -> Done:
    return book_for_family(
        town=municipality(),
        household=who.household,
        changes=changes,
        reason=reason,
        by=by,
        send_key=more.pop("send_key", None) or uuid.uuid4(),  # type: ignore[arg-type]
        at=more.pop("at", AT),  # type: ignore[arg-type]
        **more,  # type: ignore[arg-type]
    )


def place(day: date, group: str = "elementaire") -> OpeningDay:
    return OpeningDay.objects.get(date=day, unit__service__slug="cantine", group__slug=group)


@pytest.mark.row("D10", "S3")
def test_past_the_limit_an_agent_books_at_once_and_the_day_is_marked_late(benali: Family, malika: User) -> None:
    OutboxMail.objects.all().delete()
    done = act(benali, [change(benali, TODAY), change(benali, MONDAY)], malika)

    assert done.request is not None and done.undone == ()
    assert (done.request.state, done.request.by_agent, done.request.sent_by_label) == ("answered", True, "Malika Roux")
    late, in_time = done.request.lines.order_by("date")
    assert (late.late, late.reason, late.answered_by_label) == (True, WHY, "Malika Roux")
    assert not in_time.late
    today, monday = Booking.objects.order_by("date")
    assert (today.state, today.booked_late, today.holds_place) == ("booked", True, True)
    assert (monday.state, monday.booked_late) == ("booked", False)
    assert place(TODAY).taken == place(MONDAY).taken == 1
    line = AuditLine.objects.order_by("-id").first()
    assert line is not None and line.by_agent and line.actor_label == "Malika Roux"
    assert plain_spaces(line.text) == (
        f"Demande n° {done.request.number} faite pour la famille : 2 ajouts. 1 jour après la limite."
    )
    mail = OutboxMail.objects.get()
    assert (mail.kind, mail.to_address) == ("bookings/made_for_family", benali.email)


@pytest.mark.row("D10", "S3")
@pytest.mark.parametrize(("billed", "due"), [(True, 100), (False, 0)])
def test_a_day_cancelled_late_stays_due_unless_the_agent_says_not(
    benali: Family, malika: User, billed: bool, due: int
) -> None:
    booked(benali, [TODAY, MONDAY], by=malika, at=paris(2026, 11, 2, 10))
    done = act(benali, [change(benali, TODAY, Act.CANCEL), change(benali, MONDAY, Act.CANCEL)], malika, billed=billed)

    assert done.undone == ()
    today, monday = Booking.objects.filter(child=benali.children[0]).order_by("date")
    assert (today.state, today.still_due, today.holds_place) == ("cancelled", due, False)
    assert (monday.state, monday.still_due) == ("cancelled", None)
    assert place(TODAY).taken == place(MONDAY).taken == 0


@pytest.mark.row("D10")
def test_past_a_rule_nothing_is_done_without_a_reason(benali: Family, malika: User) -> None:
    with pytest.raises(ReasonMissing):
        act(benali, [change(benali, TODAY), change(benali, MONDAY)], malika, reason="  ")
    assert not Booking.objects.exists()

    assert act(benali, [change(benali, MONDAY)], malika, reason="").request is not None


@pytest.mark.row("S3")
def test_a_past_day_of_the_period_is_corrected_and_one_of_a_period_that_is_over_is_not(
    benali: Family, malika: User
) -> None:
    assert act(benali, [change(benali, LAST_FRIDAY)], malika).request is not None
    assert Booking.objects.get().booked_late

    next_year = act(benali, [change(benali, MONDAY)], malika, at=paris(2027, 9, 15, 9))
    assert [undone.refusal.reason for undone in next_year.undone] == [Reason.PAST_LIMIT]
    assert next_year.request is None


def test_the_margin_is_there_for_the_agent_and_nothing_beyond(benali: Family, malika: User) -> None:
    other = family("Moreau", [("Léo", "CE2")])
    enrolled(other, by=malika)
    OpeningDay.objects.filter(pk=place(MONDAY).pk).update(capacity=0, ceiling=1)

    done = act(benali, [change(benali, MONDAY), change(benali, TUESDAY)], malika)
    assert done.request is not None and done.undone == ()
    beyond = act(other, [change(other, MONDAY, name="Léo")], malika)
    assert [undone.refusal.reason for undone in beyond.undone] == [Reason.FULL]
    assert place(MONDAY).taken == 1


@pytest.mark.row("D10")
def test_two_children_of_one_act_count_for_each_other(malika: User) -> None:
    twins = family("Diallo", [("Awa", "CE2"), ("Issa", "CE1")])
    enrolled(twins, by=malika)
    OpeningDay.objects.filter(pk=place(MONDAY).pk).update(capacity=1, ceiling=2)
    both = [change(twins, MONDAY, name="Awa"), change(twins, MONDAY, name="Issa")]

    with pytest.raises(ReasonMissing):
        act(twins, both, malika, reason="")
    days = load_days(town=municipality(), enrolments=enrolments(twins), at=AT, dates={MONDAY})
    read = read_changes(both, days)
    assert [read[one.key].over for one in both] == [0, 1]
    assert act(twins, both, malika).undone == ()
    assert place(MONDAY).taken == 2

    OpeningDay.objects.filter(pk=place(TUESDAY).pk).update(capacity=1, ceiling=1)
    both = [change(twins, TUESDAY, name="Awa"), change(twins, TUESDAY, name="Issa")]
    read = read_changes(both, load_days(town=municipality(), enrolments=enrolments(twins), at=AT, dates={TUESDAY}))
    assert [read[one.key].is_allowed for one in both] == [True, False]
    done = act(twins, both, malika, reason="")
    assert [(undone.change.child_id, undone.refusal.reason) for undone in done.undone] == [
        (both[1].child_id, Reason.FULL)
    ]


def test_a_day_given_back_and_taken_in_one_act_needs_no_reason(benali: Family, malika: User) -> None:
    friends = family("Diallo", [("Awa", "CE2"), ("Issa", "CE1")])
    enrolled(friends, by=malika)
    act(friends, [change(friends, MONDAY, name="Awa")], malika)
    OpeningDay.objects.filter(pk=place(MONDAY).pk).update(capacity=1, ceiling=1)
    swap = [change(friends, MONDAY, Act.CANCEL, name="Awa"), change(friends, MONDAY, name="Issa")]
    assert act(friends, swap, malika, reason="").undone == ()
    assert place(MONDAY).taken == 1


@pytest.mark.parametrize(("day", "reason"), [(date(2026, 11, 11), Reason.CLOSED), (date(2026, 11, 15), Reason.CLOSED)])
def test_nobody_books_a_closed_day(benali: Family, malika: User, day: date, reason: Reason) -> None:
    done = act(benali, [change(benali, day), change(benali, MONDAY)], malika)
    assert [(undone.change.day, undone.refusal.reason) for undone in done.undone] == [(day, reason)]
    assert Booking.objects.get().date == MONDAY


def test_a_day_that_changed_since_the_page_is_left_and_told(benali: Family, malika: User) -> None:
    page = [change(benali, MONDAY), change(benali, TUESDAY)]
    booked(benali, [MONDAY], children=benali.children[:1])
    done = act(benali, page, malika)

    assert [(undone.change.day, undone.refusal.reason) for undone in done.undone] == [
        (MONDAY, Reason.CHANGED_MEANWHILE)
    ]
    assert set(Booking.objects.values_list("date", "state")) == {(MONDAY, "pending"), (TUESDAY, "booked")}


def test_a_day_that_a_request_asks_is_answered_there(benali: Family, malika: User) -> None:
    booked(benali, [MONDAY])
    done = act(benali, [change(benali, MONDAY, Act.CANCEL, was="pending")], malika)
    assert done.request is None and Booking.objects.filter(state="pending").count() == 2


@pytest.mark.row("S3")
def test_an_agent_of_a_site_books_nothing_elsewhere(benali: Family, malika: User) -> None:
    nursery = Site.objects.get(slug="ecole-maternelle")  # where Tom goes, not Inès
    changes = [change(benali, MONDAY), change(benali, MONDAY, name="Tom")]
    done = act(benali, changes, malika, sites=[nursery.pk])
    assert [undone.change.child_id for undone in done.undone] == [changes[0].child_id]
    assert Booking.objects.get().child.first_name == "Tom"


def test_the_same_form_sent_again_makes_nothing(benali: Family, malika: User) -> None:
    key = uuid.uuid4()
    first = act(benali, [change(benali, TODAY)], malika, send_key=key)
    again = act(benali, [change(benali, TODAY)], malika, send_key=key)
    assert again.repeated and again.request == first.request
    assert Booking.objects.count() == 1 == FamilyRequest.objects.filter(by_agent=True).count()


# ── races ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.race
def test_families_and_agents_at_once_neither_deadlock_nor_overbook(race) -> None:  # type: ignore[no-untyped-def]
    cadours()
    malika = agent("Malika Roux")
    week = [date(2026, 11, day) for day in (16, 17, 19, 20)]
    homes = []
    for number in range(16):
        who = family(f"Foyer{number}", children=[("Inès", "CE2"), ("Tom", "GS")])
        enrolled(who, by=malika)
        chosen = week[number % 4 :] + week[: number % 4]
        homes.append(
            (
                who,
                choose(who, chosen),
                [change(who, day, name=name) for day in chosen[::-1] for name in ("Tom", "Inès")],
            )
        )
    OpeningDay.objects.filter(date__in=week).update(capacity=7, ceiling=9)

    def contend(one):  # type: ignore[no-untyped-def]
        (who, key, changes), by_agent = one
        return act(who, changes, malika) if by_agent else send(who, key, at=AT)

    contenders = [(home, by_agent) for home in homes for by_agent in (True, False)]
    outcomes = race(contend, contenders, at_once=32)

    assert [outcome.error for outcome in outcomes if outcome.error] == []
    for day in OpeningDay.objects.filter(date__in=week, unit__service__slug="cantine"):
        assert day.taken == Booking.objects.filter(date=day.date, group=day.group_id, holds_place=True).count() == 9


@pytest.mark.race
def test_the_same_form_sent_at_once_from_everywhere_books_once(race) -> None:  # type: ignore[no-untyped-def]
    cadours()
    malika = agent()
    who = family()
    enrolled(who, by=malika)
    key = uuid.uuid4()
    outcomes = race(lambda _: act(who, [change(who, TODAY)], malika, send_key=key), range(12), at_once=12)

    assert [outcome.error for outcome in outcomes if outcome.error] == []
    assert len({outcome.answer.request.pk for outcome in outcomes}) == 1
    assert Booking.objects.count() == 1 and place(TODAY).taken == 1
