"""Three hundred families at the same second: nobody overbooked, nobody forgotten."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

import pytest

from marelle.accounts.models import User
from marelle.activities.models import OpeningDay
from marelle.bookings.models import BasketLine, Booking
from marelle.bookings.services import places
from marelle.bookings.services.answers import answer_request
from marelle.bookings.services.baskets import agree_to_wait
from marelle.bookings.services.waiting import tick
from marelle.requests.models import FamilyRequest, RequestLine
from marelle.requests.services import AlreadyAnswered, Verdict
from marelle.rules.decisions import Reason
from tests.offer import AT, Family, agent, booked, cadours, choose, enrolled, family, send
from tests.plumbing.races import Outcome

DAYS = [date(2026, 11, day) for day in (16, 17, 19, 20, 23, 24, 26, 27, 30)] + [date(2026, 12, 1)]
EARLIER, LATER = DAYS[:5], DAYS[5:]
PLACES = 40
CHILD_DAYS = 5

#: What stands in services/places.py, without the lock and without asking the locked row: room is read, then written
#: as it was read.
CARELESS = """
WITH wanted (id, n) AS (SELECT * FROM unnest(%s::bigint[], %s::int[])),
seen AS MATERIALIZED (
    SELECT day.id, wanted.n, day.taken, day.ceiling FROM activities_openingday AS day JOIN wanted ON wanted.id = day.id
)
UPDATE activities_openingday AS day SET taken = seen.taken + seen.n FROM seen
WHERE day.id = seen.id AND (seen.ceiling IS NULL OR seen.n <= 0 OR seen.taken + seen.n <= seen.ceiling)
RETURNING day.id
"""

Act = Callable[[], object]


@dataclass
class Crowd:
    """`acts`: what happens at once. `senders`: for each place among them that is a family's send, whose it is."""

    acts: list[Act] = field(default_factory=list)
    senders: dict[int, Family] = field(default_factory=dict)

    def sends(self, who: Family, key: UUID) -> None:
        self.senders[len(self.acts)] = who
        self.acts.append(lambda: send(who, key))

    def answers(self, request: FamilyRequest, *, by: User, refused: int = 0) -> None:
        lines = request.lines.order_by("position").values_list("id", flat=True)
        verdicts = {
            line: Verdict(accept=False, reason="Complet.") if rank < refused else Verdict(accept=True)
            for rank, line in enumerate(lines)
        }
        self.acts.append(lambda: answer_request(request_id=request.pk, verdicts=verdicts, by=by, at=AT))


def gather(families: int) -> Crowd:
    """Families of one group, each with five choices to send over the same ten days. Of ten, one takes back what an
    agent is about to accept, one asks for more while an agent answers what it asked before, one cancels what it has,
    and two would rather wait than leave a full day; the worker passes now and then."""
    cadours()
    agents = [agent(f"Agent{number} Roux") for number in range(4)]
    crowd = Crowd()
    for number in range(families):
        who = family(f"Famille{number}", [("Camille", "CE2")])
        by = agents[number % len(agents)]
        enrolled(who, by=by)
        match number % 10:
            case 0:
                request = booked(who, EARLIER)
                crowd.sends(who, choose(who, EARLIER, wanted=False))
                crowd.answers(request, by=by)
            case 1:
                crowd.answers(booked(who, EARLIER), by=by, refused=2)
                crowd.sends(who, choose(who, LATER))
            case 2:
                booked(who, EARLIER, by=by)
                crowd.sends(who, choose(who, EARLIER, wanted=False))
            case rest:
                # each asks for overlapping days in an order of its own
                turned = DAYS[number % 10 :] + DAYS[: number % 10]
                crowd.sends(who, choose(who, turned[:CHILD_DAYS]))
                if rest in (3, 4):
                    for line in BasketLine.objects.filter(basket__user=who.user):
                        agree_to_wait(user=who.user, household=who.household, line_id=line.pk, at=AT)
        if number % 50 == 25:
            crowd.acts.append(lambda: tick(at=AT))
    for day in opened():
        day.capacity = day.ceiling = max(PLACES * families // 300, day.taken)
        day.save(update_fields=["capacity", "ceiling"])
    return crowd


def opened() -> list[OpeningDay]:
    return list(OpeningDay.objects.filter(date__in=DAYS, group__slug="elementaire", unit__service__slug="cantine"))


def overbooked() -> list[date]:
    """The days on which more hold a place than there are, or than the count says."""
    held = Counter(Booking.objects.filter(holds_place=True).values_list("date", flat=True))
    return [day.date for day in opened() if not held[day.date] == day.taken <= (day.ceiling or 0)]


def run(crowd: Crowd, race: Callable[..., list[Outcome]]) -> list[Outcome]:
    return race(lambda act: act(), crowd.acts, at_once=32)


@pytest.mark.race
def test_without_the_lock_a_crowd_is_overbooked(race, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    crowd = gather(40)
    monkeypatch.setattr(places, "_POSTGRESQL", CARELESS)
    run(crowd, race)

    assert overbooked()


@pytest.mark.race
def test_three_hundred_families_at_once_all_get_their_answer(race) -> None:  # type: ignore[no-untyped-def]
    crowd = gather(300)
    outcomes = run(crowd, race)

    # An agent who comes after the family has taken its request back is told so; nothing else goes wrong.
    assert {type(outcome.error) for outcome in outcomes if outcome.error} <= {AlreadyAnswered}
    assert not any(outcomes[index].error for index in crowd.senders)
    assert overbooked() == []

    refused: Counter[str] = Counter()
    for index, who in crowd.senders.items():
        sending = outcomes[index].answer
        recorded = [] if sending.request is None else list(sending.request.lines.all())
        assert len(recorded) + len(sending.unsent) == CHILD_DAYS
        refused.update(unsent.refusal.reason for unsent in sending.unsent)
        # What could not be recorded stands in the basket as it was, and nothing else does.
        left = BasketLine.objects.filter(basket__user=who.user).values_list("id", flat=True)
        assert set(left) == {unsent.line.pk for unsent in sending.unsent}
    assert set(refused) <= {Reason.FULL, Reason.CHANGED_MEANWHILE}
    assert refused[Reason.FULL] > 100, "places were to be scarce"

    # Every day that a line asked for stands where the last word on it left it.
    stands = {
        ("book", "pending"): {"pending"},
        ("book", "accepted"): {"booked"},
        ("book", "refused"): {"refused"},
        ("book", "recorded at once"): {"queued", "offered"},
        ("cancel", "pending"): {"cancelling"},
        ("cancel", "accepted"): {"cancelled"},
        ("cancel", "recorded at once"): {"withdrawn", "cancelled"},
    }
    last: dict[tuple[int, date | None], RequestLine] = {
        (line.child_id, line.date): line for line in RequestLine.objects.exclude(act="enrol").order_by("id")
    }
    for booking in Booking.objects.all():
        line = last.pop((booking.child_id, booking.date))
        word = "recorded at once" if line.at_once else line.state
        assert booking.state in stands[line.act, word], (booking, line.act, word)
    assert not last, "a line without its day"

    # Once the worker has passed, a place is free only where nobody waits for it.
    while tick(at=AT):
        pass
    assert overbooked() == []
    waits = set(Booking.objects.filter(state="queued").values_list("date", flat=True))
    assert waits.isdisjoint(day.date for day in opened() if day.left)
