"""A loaded town with families in it, made through the services. Import what a test needs: every builder works on the
database at hand, in this process or in another one (`live_portal(prepare=…)`)."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import count
from pathlib import Path
from zoneinfo import ZoneInfo

from marelle.accounts.models import AgentRole, User
from marelle.accounts.services import activate, register_agent
from marelle.activities.models import Activity, Municipality, SchoolYear, Service, Site
from marelle.activities.queries import municipality, rules_of
from marelle.bookings.models import Booking, Enrolment
from marelle.bookings.queries.days import live_enrolments, load_days
from marelle.bookings.services.absences import announce_absence
from marelle.bookings.services.answers import answer_request
from marelle.bookings.services.baskets import Shown, basket_of, fill_basket
from marelle.bookings.services.enrolments import Wish, ask_enrolments
from marelle.bookings.services.sending import Sending, send_basket
from marelle.families.circle.permission_answers import answer_permissions, asked_of
from marelle.families.health.content import HealthContent, Vaccination
from marelle.families.health.files import save_health
from marelle.families.models import Child, Guardian, Household
from marelle.families.services import Address, NewChild, NewGuardian, invite_guardian, register_household
from marelle.foundation.audit import PORTAL
from marelle.requests.models import FamilyRequest
from marelle.requests.services import Verdict
from marelle.rules.lifecycles import EnrolmentState
from marelle.townfile import read
from marelle.towns.services import load_town

TOWNS = Path(__file__).resolve().parent.parent / "marelle" / "demo" / "towns"
PARIS = ZoneInfo("Europe/Paris")
PASSWORD = "une marelle à cloche-pied"

#: Tuesday 10 November 2026, 8:52 in Cadours; Wednesday 11 is a public holiday.
AT = datetime(2026, 11, 10, 8, 52, tzinfo=PARIS).astimezone(UTC)

SCHOOLS = {"PS": "ecole-maternelle", "MS": "ecole-maternelle", "GS": "ecole-maternelle"}
AGES = {"PS": 3, "MS": 4, "GS": 5, "CP": 6, "CE1": 7, "CE2": 8, "CM1": 9, "CM2": 10}

numbers = count(1)


def paris(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0) -> datetime:
    """An instant said on the town's clock, in UTC."""
    return datetime(year, month, day, hour, minute, second, tzinfo=PARIS).astimezone(UTC)


def cadours(at: datetime = AT) -> Municipality:
    """Cadours as its file says it."""
    load_town(read(TOWNS / "cadours.toml"), at=at)
    return municipality()


@dataclass(frozen=True, slots=True)
class Family:
    household: Household
    guardian: Guardian
    user: User
    children: list[Child]

    @property
    def email(self) -> str:
        return self.user.email


def family(
    name: str = "Benali",
    children: Sequence[tuple[str, str]] = (("Inès", "CE2"), ("Tom", "GS")),
    *,
    first_name: str = "Nadia",
    email: str = "",
    at: datetime = AT,
) -> Family:
    """A household with one guardian who can sign in with `PASSWORD`. `children`: first name and level, which gives the
    school and the age."""
    email = email or f"{first_name.lower()}.{name.lower()}.{next(numbers)}@famille.example"
    household = register_household(
        name=name,
        address=Address(street="12 rue du Marché", postcode="31480", city="Cadours"),
        guardians=[NewGuardian(first_name=first_name, last_name=name, email=email, phone="06 00 00 00 01")],
        children=[
            NewChild(
                first_name=first,
                last_name=name,
                birth_date=date(at.year - AGES[level], 1 + position % 9, 1 + next(numbers) % 27),
                school=Site.objects.get(slug=SCHOOLS.get(level, "ecole-elementaire")),
                level=level,
            )
            for position, (first, level) in enumerate(children)
        ],
        by=PORTAL,
        at=at,
    )
    guardian = household.guardians.get()
    invite_guardian(guardian=guardian, by=PORTAL, at=at)
    guardian.refresh_from_db()
    assert guardian.user is not None
    activate(user=guardian.user, password=PASSWORD, at=at)
    return Family(household, guardian, guardian.user, list(household.children.order_by("residences__id")))


def agent(name: str = "Malika Roux", *, email: str = "", at: datetime = AT) -> User:
    """An agent of the town's office, who can sign in with `PASSWORD`."""
    email = email or f"{name.split()[0].lower()}.{next(numbers)}@cadours.example"
    user = register_agent(
        name=name, email=email, kind=AgentRole.Kind.OFFICE, job_title="Responsable enfance", by=PORTAL, at=at
    )
    activate(user=user, password=PASSWORD, at=at)
    return user


def school_year(at: datetime = AT) -> SchoolYear:
    day = at.astimezone(PARIS).date()
    return SchoolYear.objects.get(first_day__lte=day, last_day__gte=day)


def activity_for(child: Child, service: str = "cantine") -> Activity:
    """The service at the child's school, else where it is given."""
    activities = Activity.objects.filter(service__slug=service).select_related("service", "site")
    return activities.filter(site=child.school).first() or activities.get()


def ask(
    who: Family,
    service: str = "cantine",
    *,
    children: Sequence[Child] | None = None,
    usual: tuple[int, ...] = (0, 1, 3, 4),
    at: datetime = AT,
) -> FamilyRequest:
    """Ask for the enrolment of the family's children, as the page does; the numbered request."""
    asked = ask_enrolments(
        town=municipality(),
        user=who.user,
        household=who.household,
        school_year=school_year(at),
        wishes=[
            Wish(child=child, activity=activity_for(child, service), usual_weekdays=usual)
            for child in (children if children is not None else who.children)
        ],
        send_key=uuid.uuid4(),
        at=at,
        accepts=rules_of(municipality()).terms,
    )
    assert asked.request is not None, asked.unmet
    return asked.request


def accept(request: FamilyRequest, *, by: User, at: datetime = AT) -> None:
    """Accept every pending line of a request, as the queue does."""
    lines = request.lines.filter(state="pending").values_list("id", flat=True)
    answer_request(request_id=request.pk, verdicts={line: Verdict(accept=True) for line in lines}, by=by, at=at)


def refuse(request: FamilyRequest, reason: str, *, by: User, at: datetime = AT) -> None:
    lines = request.lines.filter(state="pending").values_list("id", flat=True)
    verdicts = {line: Verdict(accept=False, reason=reason) for line in lines}
    answer_request(request_id=request.pk, verdicts=verdicts, by=by, at=at)


def enrolled(who: Family, service: str = "cantine", *, by: User, at: datetime = AT) -> list[Enrolment]:
    """The family's children enrolled and accepted, ready to reserve days."""
    accept(ask(who, service, at=at), by=by, at=at)
    return enrolments(who, service)


def enrolments(who: Family, service: str = "cantine") -> list[Enrolment]:
    found = live_enrolments(town=municipality(), household=who.household, states=(EnrolmentState.ACCEPTED,))
    return [enrolment for enrolment in found if enrolment.activity.service.slug == service]


def choose(
    who: Family,
    days: Collection[date],
    service: str = "cantine",
    *,
    wanted: bool = True,
    children: Sequence[Child] | None = None,
    at: datetime = AT,
) -> uuid.UUID:
    """Tick (or untick) these days for the family's children, as the grid does; the key that the next send carries."""
    mine = enrolments(who, service)
    town = municipality()
    states = load_days(town=town, enrolments=mine, at=at, dates=days)
    children = children if children is not None else who.children
    shown = {
        key: Shown(was=state.was, ticked=wanted)
        for key, state in states.states.items()
        if state.enrolment.child_id in {child.pk for child in children}
    }
    fill_basket(user=who.user, household=who.household, days=states, shown=shown, at=at)
    return basket_of(user=who.user, household=who.household, at=at).send_key


def send(who: Family, key: uuid.UUID, *, at: datetime = AT) -> Sending:
    return send_basket(town=municipality(), user=who.user, household=who.household, send_key=key, at=at)


def booked(
    who: Family,
    days: Collection[date],
    service: str = "cantine",
    *,
    by: User | None = None,
    children: Sequence[Child] | None = None,
    at: datetime = AT,
) -> FamilyRequest:
    """Days asked for in one request; accepted when an agent is given."""
    sending = send(who, choose(who, days, service, children=children, at=at), at=at)
    assert sending.request is not None and not sending.unsent, sending
    if by is not None:
        accept(sending.request, by=by, at=at)
    return sending.request


def absent(
    who: Family,
    day: date,
    service: str = "cantine",
    *,
    cause: str = "",
    note: str = "",
    children: Sequence[Child] | None = None,
    at: datetime,
) -> FamilyRequest:
    """The family announces that its children will not come that day, already booked and too late to cancel at `at`."""
    booked_days = Booking.objects.filter(
        date=day, unit__service__slug=service, child__in=who.children if children is None else children
    )
    announced = announce_absence(
        town=municipality(),
        user=who.user,
        household=who.household,
        keys=[(booking.child_id, booking.unit_id, booking.date) for booking in booked_days],
        cause=cause,
        note=note,
        send_key=uuid.uuid4(),
        at=at,
    )
    assert announced.request is not None and not announced.unmet, announced
    return announced.request


def permitted(who: Family, *, allowed: bool = True, at: datetime = AT) -> None:
    """The home answers all that the town asks of its children for the school year."""
    rules = rules_of(municipality())
    for child in who.children:
        asked = asked_of(rules, child, on=at.astimezone(PARIS).date())
        answer_permissions(
            child=child,
            household=who.household,
            answers={one.slug: allowed for one in asked},
            names={one.slug: one.name for one in asked},
            school_year=school_year(at),
            by=who.user,
            at=at,
        )


def healthy(who: Family, *, at: datetime = AT) -> None:
    """Each child of the home with a health file up to date that has nothing to report."""
    for child in who.children:
        save_health(
            child=child,
            household=who.household,
            content=HealthContent(vaccination=Vaccination.YES),
            has_plan=False,
            plan_until=None,
            version=0,
            by=who.user,
            at=at,
        )


def reread() -> None:
    """Say that the offer changed, after a test has changed its rows by hand."""
    Municipality.objects.update(loaded_key=uuid.uuid4())


def service(slug: str = "cantine") -> Service:
    return Service.objects.get(slug=slug)
