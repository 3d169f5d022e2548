"""What the invented families' files hold when the demo begins: quotients, second phones, two changes that wait for an
agent, and a family registered twice.

Written through the services, once, beside what visitors change later.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from marelle.accounts.models import User
from marelle.demo.almanac import ONE_DAY, Almanac
from marelle.demo.habits import Home
from marelle.families.facts import Subject
from marelle.families.models import FamilyQuotient, Guardianship, Household
from marelle.families.services import Address, NewChild, NewGuardian, record_quotient, register_household
from marelle.requests.corrections import Change, answer_corrections, ask_corrections
from marelle.requests.models import FamilyRequest
from marelle.requests.services import AlreadyAnswered, Unsettled, Verdict
from marelle.rules.lifecycles import LineState, RequestState

# What agents and families write. Data like the names.
MOVED = "Nous avons déménagé le mois dernier."
STREET = "12 rue Neuve"


def keep(homes: Mapping[int, Home], *, almanac: Almanac, malika: User, at: datetime) -> None:
    """Fill the families' files the first time; later, answer what they asked then."""
    if FamilyQuotient.objects.exists():
        answer(homes, malika=malika, at=at)
    else:
        fill(homes, almanac=almanac, malika=malika, at=at)


def fill(homes: Mapping[int, Home], *, almanac: Almanac, malika: User, at: datetime) -> None:
    """Fill the files of these families: the last requests of the preparation."""
    settled = [home for _number, home in sorted(homes.items()) if home.children]
    for home in settled:
        _quotient(home, almanac=almanac, malika=malika, at=at)
    writing = [home for home in settled if home.adults and almanac.dice(home.said.number, "phone").random() < 0.4]
    for home in writing[:3]:
        _phone(home, almanac=almanac, at=at)
    moving = [home for home in settled[1:] if home.adults][-2:]
    if moving:
        _ask(moving[0], _address(moving[0]), message=MOVED, at=at)
    if len(moving) > 1:
        child = moving[1].children[0]
        _ask(moving[1], [(child, "last_name", f"{child.last_name}-Martin")], at=at)
    if len(settled) > 2:
        _register_again(settled[2], malika=malika, at=at - 2 * ONE_DAY)


def answer(homes: Mapping[int, Home], *, malika: User, at: datetime) -> None:
    """Accept what these families asked when the demo began, days later; what visitors ask waits for them."""
    keys = [_key(home, field) for home in homes.values() for field in ("address", "last_name")]
    for request in FamilyRequest.objects.filter(send_key__in=keys, state=RequestState.SENT).order_by("id"):
        lines = request.lines.filter(state=LineState.PENDING).values_list("id", flat=True)
        try:
            answer_corrections(
                request_id=request.pk, verdicts={line: Verdict(accept=True) for line in lines}, by=malika, at=at
            )
        except (AlreadyAnswered, Unsettled):
            continue  # a visitor was there


def _key(home: Home, field: str) -> UUID:
    return uuid5(NAMESPACE_URL, f"correction {home.said.number} {field}")


def _quotient(home: Home, *, almanac: Almanac, malika: User, at: datetime) -> None:
    """Two families in three have given theirs; some no longer holds."""
    dice = almanac.dice(home.said.number, "quotient")
    if dice.random() > 0.67:
        return
    today = almanac.local(at)
    first = today.replace(year=today.year if today.month > 1 else today.year - 1, month=1, day=1)
    last = first.replace(month=12, day=31) if dice.random() < 0.8 else today - 20 * ONE_DAY
    record_quotient(
        household=home.household,
        value=dice.randrange(240, 1900, 5),
        source=FamilyQuotient.Source.CAF,
        first_day=first,
        last_day=max(last, first),
        by=malika.actor(as_agent=True),
        at=max(at - 20 * ONE_DAY, home.household.created_at),
    )


def _phone(home: Home, *, almanac: Almanac, at: datetime) -> None:
    guardian = home.adults[0].guardian
    number = f"05 00 00 {home.said.number:02d} {almanac.dice(home.said.number, 'work').randrange(10, 99)}"
    _ask(home, [(guardian, "other_phone", number)], at=at)


def _address(home: Home) -> list[tuple[Subject, str, Any]]:
    household = home.household
    value = {"address": STREET, "postcode": household.postcode, "city": household.city}
    return [(household, "address", value)]


def _ask(home: Home, changes: Sequence[tuple[Subject, str, Any]], *, at: datetime, message: str = "") -> None:
    ask_corrections(
        household=home.household,
        changes=[Change(subject=subject, field=field, after=after) for subject, field, after in changes],
        by=home.adults[0],
        at=at,
        send_key=_key(home, changes[0][1]),
        message=message,
    )


def _register_again(home: Home, *, malika: User, at: datetime) -> Household:
    """At the counter, with a slip in the child's name, so that nothing recognised it."""
    links = Guardianship.objects.filter(household=home.household).select_related("guardian")
    adult = links[0].guardian
    child = home.children[0]
    return register_household(
        name=home.household.name,
        address=Address(street=home.household.address, postcode=home.household.postcode, city=home.household.city),
        guardians=[
            NewGuardian(first_name=adult.first_name, last_name=adult.last_name, phone=adult.phone, is_legal=True)
        ],
        children=[
            NewChild(
                first_name=f"{child.first_name}e",
                last_name=child.last_name,
                birth_date=child.birth_date,
                school=child.school,
                level=child.level,
            )
        ],
        by=malika.actor(as_agent=True),
        at=at,
    )
