"""The demo's history: what the invented families and their agents did, played through the services in order of time.

`prepare` plays from 75 days before the portal's clock to now, the first time; later only what is missing since. Each
deed has its own instant and passes the same rules as a visitor's; what they refuse is not done. Every choice comes from
the seed, the family's number and the day, never from how often or when the demo was started.

The history lives beside visitors: it leaves alone the baskets they filled, the requests they sent and the family that
the story starts with. Prose: docs/algorithms/demo.md.
"""

import hashlib
import heapq
import uuid
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from random import Random

from django.db import transaction
from django.db.models import F, Q

from marelle.accounts.models import User
from marelle.accounts.services import activate
from marelle.activities.models import Activity, BookingMode, Municipality, OpeningDay, SchoolYear, Service, Site, Unit
from marelle.activities.queries import (
    activities_for,
    calendar_of,
    municipality,
    open_weekdays,
    rules_of,
    years_to_enrol,
)
from marelle.bookings.models import LIVE_ENROLMENTS, BasketLine, Booking, Enrolment
from marelle.bookings.queries.days import DayState, live_enrolments, load_days
from marelle.bookings.services.answers import Verdict, answer_request, withdraw_request
from marelle.bookings.services.baskets import Shown, add_days, basket_of, empty_basket, fill_basket
from marelle.bookings.services.enrolments import Wish, ask_enrolments
from marelle.bookings.services.sending import send_basket
from marelle.demo import accounts, people
from marelle.demo.cover import BEFORE
from marelle.demo.models import DeliveredMail, DemoFamily, DemoRequest, DemoState
from marelle.families.models import Child, Guardian, Household
from marelle.families.services import (
    Address,
    AddressInUse,
    ChildAlreadyKnown,
    NewChild,
    NewGuardian,
    invite_guardian,
    register_household,
)
from marelle.foundation import postman
from marelle.foundation.models import MailState, OutboxMail
from marelle.requests.models import Act, FamilyRequest, RequestKind, RequestLine
from marelle.requests.services import AlreadyAnswered
from marelle.rules.decisions import Allowed
from marelle.rules.lifecycles import BookingState, EnrolmentState, LineState, RequestState
from marelle.townfile import Town, write
from marelle.towns.services import load_town

SEED = "marelle"
FAMILIES = 40

#: What waits for an agent, at every moment that a visitor may see.
FEWEST, MOST = 8, 13

ONE_DAY = timedelta(days=1)
#: How far ahead the newest school days may lie for a family to think of them at all, in summer for instance.
FAR = timedelta(days=40)
#: The chance, on a day, that one more family moves to town; and how many live there at most.
NEWCOMER, CROWD = 0.03, 20

# What agents write. Data like the names, not the portal's own words.
NO_INSURANCE = "Il manque l’attestation d’assurance scolaire. Déposez-la à l’accueil, puis refaites la demande."
OUTING = "Sortie scolaire ce jour-là : le pique-nique est fourni par l’école."
TOO_LATE = "La commande est déjà partie : ce jour reste réservé."
NO_PLACE = "Il n’y a plus de place ce jour-là."


@dataclass(frozen=True, slots=True)
class Played:
    """What a preparation did: from when to when, how many deeds, and what waits for an agent now."""

    since: datetime
    until: datetime
    deeds: int
    families: int
    waiting: int


class OtherTown(Exception):
    """The database holds the demo of another town."""


@transaction.atomic
def prepare(town: Town, *, at: datetime, families: int = FAMILIES, seed: str = SEED) -> Played:
    """Bring the town's file in, and its demo to `at`: all of it, or nothing. The same `at` again changes nothing.

    `families` counts only the first time. Raises OtherTown.
    """
    state = DemoState.objects.select_for_update().filter(id=1).first()
    if state is not None and state.town != town.municipality.slug:
        raise OtherTown(state.town)
    row = Municipality.objects.filter(id=1).first()
    if row is None or row.document_hash != hashlib.sha256(write(town).encode()).hexdigest():
        load_town(town, at=at if state is not None else at - BEFORE)
    if state is None:
        start = _start(at)
        state = DemoState.objects.create(
            id=1,
            town=town.municipality.slug,
            seed=seed,
            families=families,
            started_at=start,
            first_played_until=at,
            played_until=start,
        )
    begun = datetime.now(UTC)
    history = History(state, until=at)
    since = state.played_until
    if at > since:
        history.play()
        history.fill_the_queue()
        state.played_until = at
        state.save(update_fields=["families", "played_until"])
        settle_old_mail(at=at, begun=begun)
    return Played(
        since=since,
        until=max(at, since),
        deeds=history.deeds,
        families=DemoFamily.objects.count(),
        waiting=FamilyRequest.objects.filter(state=RequestState.SENT).count(),
    )


def _start(at: datetime) -> datetime:
    town = municipality()
    first = SchoolYear.objects.earliest("first_day").first_day
    day = max((at - BEFORE).astimezone(town.tz).date(), first)
    return min(datetime.combine(day, time(7, 0), tzinfo=town.tz).astimezone(UTC), at - 10 * ONE_DAY)


@dataclass(slots=True)
class Home:
    """One of the families as the history plays it. `adults` have an open account."""

    row: DemoFamily
    said: people.Family
    household: Household
    children: list[Child]
    adults: list[User]
    first_asked: set[int] = field(default_factory=set)  # ids of the school years it asked an enrolment for
    refused: bool = False  # an enrolment was refused and not asked again yet
    accepted: int = 0  # enrolments in days' services
    last_sent: datetime | None = None


class History:
    """One run, from `state.played_until` to `until`."""

    def __init__(self, state: DemoState, *, until: datetime) -> None:
        self.state, self.since, self.until = state, state.played_until, until
        self.town = municipality()
        self.tz = self.town.tz
        self.calendar = calendar_of(self.town)
        self.malika, self.karim = accounts.agents(self.town, at=self.since)
        self.schools = self._schools()
        self.sites = {site.slug: site for site in Site.objects.all()}
        self.homes: dict[int, Home] = {}
        self.deeds = 0
        self.weekdays: dict[tuple[int, int], list[int]] = {}
        self.offers: dict[int | None, list[Activity]] = {}
        self.units: dict[int, list[Unit]] = defaultdict(list)
        for unit in Unit.objects.filter(archived_at=None).prefetch_related("components"):
            self.units[unit.service_id].append(unit)
        self.open_dates = sorted(set(OpeningDay.objects.order_by().values_list("date", flat=True).distinct()))
        self._agenda: list[tuple[datetime, int, Callable[[datetime], None]]] = []
        self._order = 0
        self._load()

    # ── time ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def play(self) -> None:
        """Do everything that was to be done in (since, until], in order."""
        day = self.local(self.since)
        while day <= self.local(self.until):
            self._plan_day(day)
            self._run(until=min(self.until, self.instant(day + ONE_DAY, 0, 0)))
            day += ONE_DAY

    def local(self, at: datetime) -> date:
        return at.astimezone(self.tz).date()

    def instant(self, day: date, hour: int, minute: float) -> datetime:
        midnight = datetime.combine(day, time(hour), tzinfo=self.tz).astimezone(UTC)
        return midnight + timedelta(minutes=minute)

    def is_working(self, day: date) -> bool:
        return self.calendar.is_working_day(day) and self.calendar.closure(day) is None

    def working_day(self, day: date, *, after: int = 0) -> date:
        """The first working day from `day` on, or the n-th after that one."""
        while not self.is_working(day):
            day += ONE_DAY
        for _n in range(after):
            day += ONE_DAY
            while not self.is_working(day):
                day += ONE_DAY
        return day

    def dice(self, *what: object) -> Random:
        return Random("/".join(map(str, (self.state.seed, *what))))

    def _at(self, when: datetime, deed: Callable[[datetime], None]) -> None:
        if self.since < when <= self.until:
            self._order += 1
            heapq.heappush(self._agenda, (when, self._order, deed))

    def _run(self, *, until: datetime) -> None:
        while self._agenda and self._agenda[0][0] <= until:
            when, _order, deed = heapq.heappop(self._agenda)
            deed(when)

    # ── who there is ────────────────────────────────────────────────────────────────────────────────────────────────

    def _schools(self) -> list[people.School]:
        return [
            people.School(
                slug=site.slug,
                levels=site.levels,
                classes=tuple((one.name, one.levels) for one in site.classes),
            )
            for site in rules_of(self.town).sites
            if site.kind == Site.Kind.SCHOOL
        ]

    def school_year_of_levels(self) -> int:
        """The school year in which children have the level they are registered with: the one that is near all of the
        history, so that nobody needs to move up in the middle of it."""
        day = self.local(self.state.first_played_until + BEFORE)
        year = SchoolYear.objects.filter(first_day__lte=day).order_by("first_day").last()
        return year.first_day.year if year is not None else day.year

    def _load(self) -> None:
        for row in DemoFamily.objects.select_related("household").order_by("number"):
            self._welcome_home(row)
        for request in DemoRequest.objects.filter(answer_at__gt=self.since, request__state=RequestState.SENT):
            self._expect_answer(request)

    def _welcome_home(self, row: DemoFamily) -> Home:
        household = row.household
        home = Home(
            row=row,
            said=self.imagined(row.number),
            household=household,
            children=list(household.children.select_related("school").order_by("residences__id")),
            adults=[
                guardian.user
                for guardian in household.guardians.select_related("user").order_by("guardianships__position")
                if guardian.user is not None and guardian.user.is_active
            ],
        )
        self._refresh(home)
        self.homes[row.number] = home
        return home

    def _refresh(self, home: Home) -> None:
        """Read again how its enrolments stand."""
        known = list(
            Enrolment.objects.filter(household=home.household).values_list(
                "child", "activity", "school_year", "state", "activity__service__booking_mode"
            )
        )
        home.first_asked = {year for _child, _activity, year, _state, _mode in known}
        home.accepted = sum(
            state == EnrolmentState.ACCEPTED and mode == BookingMode.DAYS for _c, _a, _y, state, mode in known
        )
        tries: dict[tuple[int, int, int], list[str]] = defaultdict(list)
        for child, activity, year, state, _mode in known:
            tries[child, activity, year].append(state)
        home.refused = any(states == [EnrolmentState.REFUSED] for states in tries.values())

    def imagined(self, number: int) -> people.Family:
        return people.family(
            number, seed=self.state.seed, schools=self.schools, school_year=self.school_year_of_levels()
        )

    # ── what happens on a day ───────────────────────────────────────────────────────────────────────────────────────

    def _plan_day(self, day: date) -> None:
        for number in self._arrivals(day):
            dice = self.dice(number, "arrival")
            self._at(self.instant(self.working_day(day), 9, dice.uniform(15, 150)), self._arrive(number))
        for home in list(self.homes.values()):
            self._plan_evening(home, day)

    def _arrivals(self, day: date) -> Iterator[int]:
        """The families that an agent registers on that day: most at the start, Julien's just before the first
        preparation ends, now and then one that moves to town."""
        begin = self.working_day(self.local(self.state.started_at))
        days = [begin, self.working_day(begin, after=1), self.working_day(begin, after=2)]
        count = self.state.families
        if day in days:
            late = {people.JULIEN, *self._late()}
            # A second home comes after the first one, which has the child.
            third = {n: 2 if n % people.EVERY == people.SECOND_HOME else n % 2 for n in range(1, count + 1)}
            yield from (n for n in third if n not in late and third[n] == days.index(day))
        first = self.local(self.state.first_played_until)
        back = [first - n * ONE_DAY for n in range(1, 15) if self.is_working(first - n * ONE_DAY)]
        if day == back[1] and count >= people.JULIEN:
            yield people.JULIEN
        for number, when in zip(self._late(), (back[3], back[2], back[0]), strict=False):
            if day == when:
                yield number
        dice = self.dice("newcomer", day)
        if day > first and self.is_working(day) and dice.random() < NEWCOMER:
            settled = max(self.homes, default=0)
            if settled < count + CROWD:
                yield max(settled, count) + 1

    def _late(self) -> list[int]:
        """Three of the first families arrive in the last days, so that somebody is always asking for enrolments."""
        settled = (people.SECOND_HOME, people.SECOND_HOME - 1)
        return [n for n in range(self.state.families, 4, -1) if n % people.EVERY not in settled][:3]

    def _arrive(self, number: int) -> Callable[[datetime], None]:
        return lambda at: self._register(self.imagined(number), at)

    def _register(self, said: people.Family, at: datetime) -> None:
        if said.number in self.homes:
            return
        children: list[NewChild | Child] = [
            NewChild(
                first_name=kid.first_name,
                last_name=kid.last_name,
                birth_date=kid.birth_date,
                school=self.sites.get(kid.school),
                level=kid.level,
                class_name=kid.class_name,
            )
            for kid in said.kids
        ]
        if said.second_home_of is not None:
            if (first_home := self.homes.get(said.second_home_of)) is None:
                return
            children = [first_home.children[0]]
        clerk = self.dice(said.number, "clerk").choice((self.malika, self.karim))
        office = [site for site in self.sites.values() if site.address]
        postcode, _space, city = office[0].address.split(", ")[-1].partition(" ") if office else ("", "", "")
        try:
            with transaction.atomic():
                household = register_household(
                    name=said.name,
                    address=Address(street=said.street, postcode=postcode, city=city or self.town.short_name),
                    guardians=[
                        NewGuardian(
                            first_name=adult.first_name,
                            last_name=adult.last_name,
                            email=adult.email,
                            phone=adult.phone,
                        )
                        for adult in said.adults
                    ],
                    children=children,
                    by=clerk.actor(as_agent=True),
                    at=at,
                )
        except (AddressInUse, ChildAlreadyKnown):
            return  # a visitor was faster
        self.deeds += 1
        home = self._welcome_home(DemoFamily.objects.create(household=household, number=said.number))
        for n, (adult, guardian) in enumerate(
            zip(said.adults, household.guardians.order_by("guardianships__position"), strict=True)
        ):
            if not adult.email:
                continue
            invite_guardian(guardian=guardian, by=clerk.actor(as_agent=True), at=at + timedelta(minutes=2 + n))
            if adult.joins:
                evening = self.dice(said.number, "joins", n)
                when = max(
                    at + timedelta(minutes=15), self.instant(self.local(at), 17 + n, 30 + evening.uniform(0, 60))
                )
                self._at(when, self._join(home, guardian.pk))

    def _join(self, home: Home, guardian_id: int) -> Callable[[datetime], None]:
        def join(at: datetime) -> None:
            user = Guardian.objects.select_related("user").get(pk=guardian_id).user
            if user is None or user.activated_at is not None:
                return
            activate(user=user, password=accounts.PASSWORD, at=at)
            home.adults.append(user)
            self._plan_evening(home, self.local(at), least=at + timedelta(minutes=4))

        return join

    # ── families ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _plan_evening(self, home: Home, day: date, *, least: datetime | None = None) -> None:
        """Once a day, at its own time, a family may think of the portal."""
        if not home.adults or home.said.number == people.JULIEN:
            return
        dice = self.dice(home.said.number, day, least)
        hour = dice.choices((7, 12, 17, 19, 20, 21), (12, 15, 13, 20, 25, 15))[0]
        when = self.instant(day, hour, dice.uniform(5, 55))
        self._at(max(when, least) if least else when, lambda at: self._evening(home, at, dice))

    def _evening(self, home: Home, at: datetime, dice: Random) -> None:
        if (self.waiting() >= MOST and home.said.number != people.NADIA) or self._has_a_visitor(home):
            return
        if self._ask_enrolments(home, at, dice):
            return
        if not home.accepted:
            return
        if self._reserve_the_month(home, at, dice):
            if dice.random() < 0.05:
                self._at(at + timedelta(minutes=dice.uniform(20, 60)), lambda then: self._withdraw(home, then))
            return
        if dice.random() < home.said.fickle:
            if dice.random() < 0.55:
                self._cancel_a_day(home, at, dice)
            else:
                self._add_a_day(home, at, dice)

    def waiting(self) -> int:
        """How many of the history's own requests wait for an agent."""
        return DemoRequest.objects.filter(request__state=RequestState.SENT).count()

    def _has_a_visitor(self, home: Home) -> bool:
        """Somebody is choosing days for this family by hand: it is theirs until they send."""
        return BasketLine.objects.filter(basket__household=home.household).exists()

    def _ask_enrolments(self, home: Home, at: datetime, dice: Random) -> bool:
        today = self.local(at)
        years, _later = years_to_enrol(today=today, at=at)
        for year in years:
            if year.id not in home.first_asked:
                if (year.last_day - today).days < 60 or dice.random() > self._haste(home, year, today):
                    continue
                wishes = self._wishes(home, year)
                home.first_asked.add(year.id)
            elif home.refused and dice.random() < 0.6:
                wishes = self._refused_wishes(home, year)
            else:
                continue
            if self._send_enrolments(home, year, wishes, at, dice):
                return True
        return False

    @staticmethod
    def _haste(home: Home, year: SchoolYear, today: date) -> float:
        """How likely it is to enrol today for a year that is open: soon when it has begun, calmly when it is far."""
        if home.said.number == people.NADIA:
            return 1
        return 0.8 if year.first_day <= today + 10 * ONE_DAY else 0.12

    def _wishes(self, home: Home, year: SchoolYear) -> list[Wish]:
        wishes = []
        for child in home.children:
            for activity in self._offer(child):
                dice = self.dice(home.said.number, child.pk, activity.pk)
                at_school = activity.site_id == child.school_id
                days = activity.service.booking_mode == BookingMode.DAYS
                chance = 0.9 if at_school and days else 0.5 if at_school else 0.45
                if dice.random() < chance or home.said.number == people.NADIA:
                    wishes.append(self._wish(home, child, activity, year, dice))
        return wishes

    def _wish(self, home: Home, child: Child, activity: Activity, year: SchoolYear, dice: Random) -> Wish:
        weekdays = self._weekdays(activity, year)
        if len(weekdays) > 1 and home.said.number != people.NADIA:
            weekdays = sorted(dice.sample(weekdays, min(len(weekdays), dice.choice((7, 7, 3, 2)))))
        return Wish(child=child, activity=activity, usual_weekdays=tuple(weekdays))

    def _refused_wishes(self, home: Home, year: SchoolYear) -> list[Wish]:
        """What was refused once for that year, to be asked again as it was."""
        seen: dict[tuple[int, int], list[Enrolment]] = defaultdict(list)
        for enrolment in Enrolment.objects.filter(household=home.household, school_year=year).select_related(
            "child__school", "activity__service", "activity__site"
        ):
            seen[enrolment.child_id, enrolment.activity_id].append(enrolment)
        return [
            Wish(child=row.child, activity=row.activity, usual_weekdays=tuple(row.usual_weekdays))
            for rows in seen.values()
            for row in rows
            if len(rows) == 1 and row.state == EnrolmentState.REFUSED
        ]

    def _offer(self, child: Child) -> list[Activity]:
        if child.school_id not in self.offers:
            self.offers[child.school_id] = activities_for(schools=[child.school_id] if child.school_id else [])
        return self.offers[child.school_id]

    def _weekdays(self, activity: Activity, year: SchoolYear) -> list[int]:
        key = (activity.pk, year.pk)
        if key not in self.weekdays:
            groups = [group.pk for group in activity.groups.all()]
            found = open_weekdays(groups=groups, first=year.first_day, last=year.last_day)
            self.weekdays[key] = sorted({weekday for weekdays in found.values() for weekday in weekdays})
        return self.weekdays[key]

    def _send_enrolments(
        self, home: Home, year: SchoolYear, wishes: Sequence[Wish], at: datetime, dice: Random
    ) -> bool:
        if not wishes:
            return False
        asked = ask_enrolments(
            town=self.town,
            user=dice.choice(home.adults),
            household=home.household,
            school_year=year,
            wishes=wishes,
            send_key=uuid.UUID(int=self.dice(home.said.number, year.label, at).getrandbits(128), version=4),
            at=at,
        )
        self._sent(home, asked.request, at)
        self._refresh(home)
        return asked.request is not None

    def _sent(self, home: Home, request: FamilyRequest | None, at: datetime) -> bool:
        """Note a request as the history's own, and when an agent will answer it."""
        if request is None:
            return False
        home.last_sent = at
        self.deeds += 1
        if request.state == RequestState.SENT:
            dice = self.dice("answer", home.said.number, at.isoformat())
            tomorrow = self.local(at) + ONE_DAY
            pressing = request.effect_date is not None and request.effect_date <= tomorrow + 3 * ONE_DAY
            day = self.working_day(tomorrow, after=1 if not pressing and dice.random() < 0.12 else 0)
            note = DemoRequest.objects.create(
                request=request, answer_at=self.instant(day, 8, 40 + dice.triangular(0, 190, 40))
            )
            self._expect_answer(note)
        return True

    def _reserve_the_month(self, home: Home, at: datetime, dice: Random) -> bool:
        """Ask for the usual days to come, up to the end of this month or, late in the month, of the next one."""
        today = self.local(at)
        goal = _end_of_month(today)
        if today.day >= home.said.reserves_on:
            goal = _end_of_month(goal + ONE_DAY)
        opened = next((day for day in self.open_dates if day > today), None)
        if opened is None:
            return False
        if opened > goal:
            # Nothing before September: some think of it early.
            if opened > today + FAR and dice.random() > 0.04:
                return False
            goal = _end_of_month(opened)
        done = home.row.reserved_until
        if done is not None and done >= goal:
            return False
        if done is None and dice.random() < 0.3 and home.said.number != people.NADIA:
            return False
        wanted = self._usual_days(home, at, today, goal, dice)
        sent = self._send_days(home, wanted, at, dice)
        if sent or done is not None:
            home.row.reserved_until = goal
            home.row.save(update_fields=["reserved_until"])
        return sent

    def _usual_days(self, home: Home, at: datetime, first: date, last: date, dice: Random) -> list[DayState]:
        touched = set(
            Booking.objects.filter(child__in=home.children, date__range=(first, last))
            .exclude(state=BookingState.WITHDRAWN)
            .values_list("child", "unit", "date")
        )
        return [
            state
            for state in self._days(home, at, first, last)
            if state.day.weekday() in state.enrolment.usual_weekdays
            and state.key not in touched
            and state.unit.id in self._usual_units(state.enrolment)
            and home.said.weeks in (None, state.day.isocalendar().week % 2)
            and isinstance(state.may_add(), Allowed)
            and dice.random() > 0.04
        ]

    def _usual_units(self, enrolment: Enrolment) -> list[int]:
        """The parts of the day that this child comes for: one whole, or one or two that do not overlap."""
        service: Service = enrolment.activity.service
        units = self.units[service.pk]
        dice = self.dice("units", enrolment.child_id, service.slug)
        composed = [unit for unit in units if unit.component_ids != (unit.id,)]
        if composed and dice.random() < 0.7:
            return [max(composed, key=lambda unit: len(unit.component_ids)).id]
        # A meal on its own, where there are other units, goes with one of them.
        plain = [unit for unit in units if unit not in composed and not (unit.with_meal and len(units) > 1)] or units
        first = dice.choice(plain)
        apart = [
            unit
            for unit in plain
            if unit.starts_at and first.starts_at and unit.ends_at and first.ends_at
            if unit.starts_at >= first.ends_at or first.starts_at >= unit.ends_at
        ]
        return [first.id, apart[0].id] if apart and dice.random() < 0.4 else [first.id]

    def _days(self, home: Home, at: datetime, first: date, last: date) -> list[DayState]:
        """The days of its accepted enrolments, in order."""
        enrolments = [
            enrolment
            for enrolment in live_enrolments(household=home.household, states=(EnrolmentState.ACCEPTED,))
            if enrolment.activity.service.booking_mode == BookingMode.DAYS
            and enrolment.school_year.first_day <= last
            and enrolment.school_year.last_day >= first
        ]
        if not enrolments:
            return []
        days = load_days(town=self.town, enrolments=enrolments, at=at, first=first, last=last)
        return sorted(days.states.values(), key=lambda state: (state.day, state.key))

    def _send_days(self, home: Home, states: Collection[DayState], at: datetime, dice: Random) -> bool:
        if not states:
            return False
        user = dice.choice(home.adults)
        basket = add_days(user=user, household=home.household, states=states, at=at)
        return self._send(home, user, basket.send_key, at)

    def _send(self, home: Home, user: User, key: uuid.UUID, at: datetime) -> bool:
        sending = send_basket(town=self.town, user=user, household=home.household, send_key=key, at=at)
        if sending.unsent:
            empty_basket(user=user, household=home.household)
        return self._sent(home, sending.request, at)

    def _cancel_a_day(self, home: Home, at: datetime, dice: Random) -> bool:
        """Untick one booked day, sometimes two, while there is time."""
        today = self.local(at)
        booked = [
            state
            for state in self._days(home, at, today, today + 30 * ONE_DAY)
            if state.was == BookingState.BOOKED and isinstance(state.may_remove(), Allowed)
        ]
        if not booked:
            return False
        day = dice.choice(booked).day
        gone = [state for state in booked if state.day == day and state.day.weekday() == day.weekday()]
        gone = gone if dice.random() < 0.5 else gone[:1]
        user = dice.choice(home.adults)
        days = load_days(
            town=self.town, enrolments=list({s.enrolment.pk: s.enrolment for s in gone}.values()), at=at, dates={day}
        )
        shown = {state.key: Shown(was=state.was, ticked=False) for state in gone}
        fill_basket(user=user, household=home.household, days=days, shown=shown, at=at)
        return self._send(home, user, basket_of(user=user, household=home.household, at=at).send_key, at)

    def _add_a_day(self, home: Home, at: datetime, dice: Random, *, soonest: bool = False) -> bool:
        """Ask for one more day: any of the next two weeks, or the first that still can be asked for."""
        today = self.local(at)
        last = today + 14 * ONE_DAY
        if (opened := next((day for day in self.open_dates if day > today), None)) is not None and opened > last:
            last = opened + 7 * ONE_DAY
        free = [
            state
            for state in self._days(home, at, today, last)
            if isinstance(state.may_add(), Allowed) and state.unit.id in self._usual_units(state.enrolment)
        ]
        if not free:
            return False
        chosen = free[0] if soonest else dice.choice(free)
        both = [s for s in free if s.day == chosen.day and s.enrolment.activity_id == chosen.enrolment.activity_id]
        return self._send_days(home, both if dice.random() < 0.5 else [chosen], at, dice)

    def _withdraw(self, home: Home, at: datetime) -> None:
        """Take back what it sent last, if nobody answered yet."""
        note = (
            DemoRequest.objects.filter(request__household=home.household, request__state=RequestState.SENT)
            .select_related("request__sent_by")
            .order_by("-request_id")
            .first()
        )
        if note is not None and note.request.sent_by is not None and home.said.number != people.NADIA:
            withdraw_request(request_id=note.request_id, by=note.request.sent_by, at=at)
            self.deeds += 1
            # It thinks again another day.
            home.row.reserved_until = None
            home.row.save(update_fields=["reserved_until"])

    # ── agents ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _expect_answer(self, note: DemoRequest) -> None:
        self._at(note.answer_at, lambda at: self._answer(note, at))

    def _answer(self, note: DemoRequest, at: datetime) -> None:
        request = FamilyRequest.objects.get(pk=note.request_id)
        lines = list(request.lines.filter(state=LineState.PENDING).order_by("position"))
        if not lines:
            return
        number = next((n for n, home in self.homes.items() if home.household.pk == request.household_id), 0)
        dice = self.dice("verdict", number, request.sent_at.isoformat())
        verdicts = {line.pk: Verdict(accept=True) for line in lines}
        for line, why in self._refusals(lines, number, dice):
            verdicts[line.pk] = Verdict(accept=False, reason=why)
        by = dice.choice((self.malika, self.malika, self.karim))
        try:
            answer = answer_request(request_id=request.pk, verdicts=verdicts, by=by, at=at)
            if answer.without_place:
                verdicts = {line.pk: Verdict(accept=False, reason=NO_PLACE) for line in answer.without_place}
                answer_request(request_id=request.pk, verdicts=verdicts, by=by, at=at)
        except AlreadyAnswered:
            return
        self.deeds += 1
        if number in self.homes and request.kind == RequestKind.ENROLMENT:
            self._refresh(self.homes[number])
            # What the new enrolments allow is not reserved yet.
            home = self.homes[number]
            home.row.reserved_until = None
            home.row.save(update_fields=["reserved_until"])

    def _refusals(self, lines: Sequence[RequestLine], number: int, dice: Random) -> list[tuple[RequestLine, str]]:
        """The few lines that are refused, and why. Nadia's always shows one day among many."""
        if lines[0].act == Act.ENROL:
            again = Enrolment.objects.filter(
                child__in=[line.child_id for line in lines], state=EnrolmentState.REFUSED
            ).exists()
            unlucky = dice.random() < 0.1 and not again and number != people.NADIA
            return [(dice.choice(lines), NO_INSURANCE)] if unlucky else []
        booked = [line for line in lines if line.act == Act.BOOK]
        if len(booked) >= 4 and (number == people.NADIA or dice.random() < 0.12):
            return [(booked[len(booked) * 2 // 3], OUTING)]
        cancelled = [line for line in lines if line.act == Act.CANCEL]
        if cancelled and dice.random() < 0.06:
            return [(line, TOO_LATE) for line in cancelled]
        return []

    # ── what waits for the visitor ──────────────────────────────────────────────────────────────────────────────────

    def fill_the_queue(self) -> None:
        """Let families send what the visitor should find waiting: a bit of everything, one day that presses, and
        something of Nadia's. What is there already is not sent again."""
        moments = self._last_moments(FEWEST + 2)
        if not moments:
            return
        dice = self.dice("queue", self.until.isoformat())
        waiting = RequestLine.objects.filter(state=LineState.PENDING, request__state=RequestState.SENT)
        first_open = next((day for day in self.open_dates if day > self.local(self.until)), self.local(self.until))
        lacks: list[Callable[[Home, datetime], bool]] = []
        if not waiting.filter(act=Act.BOOK, date__lte=first_open + ONE_DAY).exists():
            lacks.append(lambda home, at: self._add_a_day(home, at, dice, soonest=True))
        if not waiting.filter(act=Act.CANCEL).exists():
            lacks.append(lambda home, at: self._cancel_a_day(home, at, dice))
        if not waiting.filter(act=Act.ENROL).exists():
            lacks.append(lambda home, at: self._ask_one_more(home, at, dice))
        nadia = self.homes.get(people.NADIA)
        if nadia is not None and self._may_still_send(nadia) and not self._waits(nadia):
            at = moments.pop(0)
            if not self._add_a_day(nadia, at, dice):
                self._cancel_a_day(nadia, at, dice)
        for deed in lacks:
            if moments:
                self._let_somebody(deed, moments, dice)
        total = FamilyRequest.objects.filter(state=RequestState.SENT).count()
        usual: list[Callable[[Home, datetime], bool]] = [
            lambda home, at: self._add_a_day(home, at, dice),
            lambda home, at: self._cancel_a_day(home, at, dice),
            lambda home, at: self._add_a_day(home, at, dice),
            lambda home, at: self._ask_one_more(home, at, dice),
        ]
        n, vain = 0, 0
        while moments and total < FEWEST and vain < len(usual):
            if self._let_somebody(usual[n % len(usual)], moments, dice):
                vain = 0
            else:
                vain += 1
            n += 1
            total = FamilyRequest.objects.filter(state=RequestState.SENT).count()

    def _last_moments(self, count: int) -> list[datetime]:
        """Some minutes before `until`, in order, none before `since` nor in the middle of the night."""
        moments: list[datetime] = []
        dice = self.dice("moments", self.until.isoformat())
        at = self.until - timedelta(minutes=dice.uniform(2, 6))
        while len(moments) < count and at > self.since and at > self.until - ONE_DAY:
            if 6 <= at.astimezone(self.tz).hour < 23:
                moments.append(at)
                at -= timedelta(minutes=dice.uniform(4, 22))
            else:
                at -= timedelta(minutes=30)
        return moments[::-1]

    def _let_somebody(self, deed: Callable[[Home, datetime], bool], moments: list[datetime], dice: Random) -> bool:
        """Let the first family that can do it, in no special order. The moment is spent only then."""
        homes = [home for home in self.homes.values() if self._may_still_send(home) and not self._waits(home)]
        dice.shuffle(homes)
        for home in homes:
            if home.said.number != people.NADIA and deed(home, moments[0]):
                moments.pop(0)
                return True
        return False

    def _may_still_send(self, home: Home) -> bool:
        """Nobody of it sent anything in the last hours, which would then stand out of order in its history."""
        recent = home.last_sent is not None and home.last_sent > self.until - 6 * timedelta(hours=1)
        return bool(home.adults) and home.said.number != people.JULIEN and not recent and not self._has_a_visitor(home)

    def _waits(self, home: Home) -> bool:
        return FamilyRequest.objects.filter(household=home.household, state=RequestState.SENT).exists()

    def _ask_one_more(self, home: Home, at: datetime, dice: Random) -> bool:
        """Ask for one service that no child of theirs asked for yet."""
        years, _later = years_to_enrol(today=self.local(at), at=at)
        for year in reversed(years):
            if (year.last_day - self.local(at)).days < 30:
                continue
            known = set(
                Enrolment.objects.filter(
                    Q(state__in=LIVE_ENROLMENTS) | Q(state=EnrolmentState.REFUSED),
                    household=home.household,
                    school_year=year,
                ).values_list("child", "activity")
            )
            options = [
                (child, activity)
                for child in home.children
                for activity in self._offer(child)
                if (child.pk, activity.pk) not in known
            ]
            dice.shuffle(options)
            for child, activity in options[:4]:
                if self._send_enrolments(home, year, [self._wish(home, child, activity, year, dice)], at, dice):
                    return True
        return False


def settle_old_mail(*, at: datetime, begun: datetime) -> None:
    """The mail of the past left long ago: of what was queued since `begun` (real clock), only what is younger than a
    day is the worker's. What the demo's own two families got is in the mailbox, dated as it was; the rest is only
    marked."""
    old = OutboxMail.objects.filter(state=MailState.WAITING, created_at__gte=begun, at__lt=at - ONE_DAY)
    letters, unwritten = [], []
    for mail in old.filter(to_address__in=accounts.FAMILY_ADDRESSES).order_by("at"):
        try:
            message = postman.compose(mail)
        except Exception:
            unwritten.append(mail.pk)  # the worker will stumble over it too, and say so where agents look
            continue
        html = next((part[0] for part in message.alternatives if part[1] == "text/html"), "")
        letters.append(
            DeliveredMail(
                message_id=message.extra_headers["Message-ID"],
                from_address=message.from_email,
                to_address=mail.to_address,
                subject=str(message.subject)[:300],
                text=str(message.body),
                html=str(html),
                delivered_at=mail.at,
            )
        )
    DeliveredMail.objects.bulk_create(letters)
    # The outbox runs on the real clock: what happened n days ago for the portal was sent n days ago.
    shift = datetime.now(UTC) - at
    old.exclude(pk__in=unwritten).update(
        state=MailState.SENT, attempts=1, created_at=F("at") + shift, due_at=F("at") + shift, sent_at=F("at") + shift
    )


def _end_of_month(day: date) -> date:
    return (day.replace(day=1) + 32 * ONE_DAY).replace(day=1) - ONE_DAY


def places_astray() -> Iterator[tuple[int, int]]:
    """For each opening day whose count differs from its bookings: (taken, bookings). Empty when all is well."""
    parts: dict[int, tuple[int, ...]] = {
        unit.pk: unit.component_ids for unit in Unit.objects.prefetch_related("components")
    }
    held: dict[tuple[int, int, date], int] = defaultdict(int)
    for unit, group, day in Booking.objects.filter(holds_place=True).values_list("unit", "group", "date"):
        for part in parts[unit]:
            held[part, group, day] += 1
    for row in OpeningDay.objects.all():
        if row.taken != held[row.unit_id, row.group_id, row.date]:
            yield row.taken, held[row.unit_id, row.group_id, row.date]
