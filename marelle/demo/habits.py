"""How the demo's families live with the portal: they enrol, reserve their usual days, change their minds.

Everything goes through the services, at an instant that is given, and each method says whether something was sent. What
the rules refuse is not done.
"""

import uuid
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from random import Random

from django.db.models import Q

from marelle.accounts.models import User
from marelle.activities.models import Activity, BookingMode, OpeningDay, SchoolYear, Service, Unit
from marelle.activities.queries import activities_for, open_weekdays, rules_of, years_to_enrol
from marelle.bookings.models import LIVE_ENROLMENTS, BasketLine, Booking, Enrolment
from marelle.bookings.queries.days import DayState, live_enrolments, load_days
from marelle.bookings.queries.prerequisites import school_services
from marelle.bookings.services.answers import withdraw_request
from marelle.bookings.services.baskets import Shown, add_days, basket_of, empty_basket, fill_basket
from marelle.bookings.services.enrolments import Wish, ask_enrolments
from marelle.bookings.services.sending import send_basket
from marelle.demo import people
from marelle.demo.almanac import ONE_DAY, Almanac, end_of_month
from marelle.demo.dossiers import answers_for, make_ready
from marelle.demo.models import DemoFamily, DemoRequest
from marelle.families.models import Child, Household
from marelle.requests.models import FamilyRequest
from marelle.rules.decisions import Allowed
from marelle.rules.lifecycles import BookingState, EnrolmentState, RequestState

#: How far ahead the newest school days may lie for a family to think of them at all, in summer for instance.
FAR = timedelta(days=40)


@dataclass(slots=True)
class Home:
    """One of the families as the history plays it. `adults` have an open account."""

    row: DemoFamily
    said: people.Family
    household: Household
    children: list[Child]
    adults: list[User]
    places: dict[tuple[int, int], str] = field(
        default_factory=dict
    )  # state of the place at school: by child, year (ids)
    first_asked: set[int] = field(default_factory=set)  # ids of the school years it asked an enrolment for
    refused: bool = False  # an enrolment was refused and not asked again yet
    accepted: int = 0  # enrolments in days' services
    last_sent: datetime | None = None


class Habits:
    """What any of the families may do. `expect` is told of every request that an agent will have to answer."""

    def __init__(self, almanac: Almanac, *, expect: Callable[[DemoRequest], None]) -> None:
        self.almanac, self.expect = almanac, expect
        self.deeds = 0
        self.weekdays: dict[tuple[int, int], list[int]] = {}
        self.offers: dict[int | None, list[Activity]] = {}
        self.units: dict[int, list[Unit]] = defaultdict(list)
        for unit in Unit.objects.filter(archived_at=None).prefetch_related("components"):
            self.units[unit.service_id].append(unit)
        self.open_dates = sorted(set(OpeningDay.objects.order_by().values_list("date", flat=True).distinct()))

    def refresh(self, home: Home) -> None:
        """Read again how its enrolments stand."""
        at_school = school_services(rules_of(self.almanac.town))
        rows = Enrolment.objects.filter(household=home.household)
        known = list(
            rows.exclude(activity__service__slug__in=at_school).values_list(
                "child", "activity", "school_year", "state", "activity__service__booking_mode"
            )
        )
        home.places = {
            (child, year): state
            for child, year, state in rows.filter(activity__service__slug__in=at_school)
            .order_by("id")
            .values_list("child", "school_year", "state")
        }
        home.first_asked = {year for _child, _activity, year, _state, _mode in known}
        home.accepted = sum(
            state == EnrolmentState.ACCEPTED and mode == BookingMode.DAYS for _c, _a, _y, state, mode in known
        )
        tries: dict[tuple[int, int, int], list[str]] = defaultdict(list)
        for child, activity, year, state, _mode in known:
            tries[child, activity, year].append(state)
        home.refused = any(states == [EnrolmentState.REFUSED] for states in tries.values())

    def has_a_visitor(self, home: Home) -> bool:
        """Somebody is choosing days for this family by hand: it is theirs until they send."""
        return BasketLine.objects.filter(basket__household=home.household).exists()

    def ask_enrolments(self, home: Home, at: datetime, dice: Random) -> bool:
        today = self.almanac.local(at)
        years, _later = years_to_enrol(today=today, at=at)
        for year in years:
            if not self._at_school(home, year):
                if dice.random() < self._haste(home, year, today) and self._ask_for_school(home, year, at, dice):
                    return True
                continue
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

    def _at_school(self, home: Home, year: SchoolYear) -> bool:
        """Whether nothing is to be asked of a school first: no such service, or every place is accepted."""
        if not school_services(rules_of(self.almanac.town)):
            return True
        return all(home.places.get((child.pk, year.pk)) == EnrolmentState.ACCEPTED for child in home.children)

    def _ask_for_school(self, home: Home, year: SchoolYear, at: datetime, dice: Random) -> bool:
        """A place at school for each child that has not asked for one."""
        at_school = school_services(rules_of(self.almanac.town))
        wishes = [
            self._wish(home, child, activity, year, dice)
            for child in home.children
            if (child.pk, year.pk) not in home.places
            for activity in self.offer_of(child)
            if activity.service.slug in at_school and activity.site_id == child.school_id
        ]
        return self._send_enrolments(home, year, wishes, at, dice)

    @staticmethod
    def _haste(home: Home, year: SchoolYear, today: date) -> float:
        """How likely it is to enrol today for a year that is open: soon when it has begun, calmly when it is far."""
        if home.said.number == people.NADIA:
            return 1
        return 0.8 if year.first_day <= today + 10 * ONE_DAY else 0.12

    def _wishes(self, home: Home, year: SchoolYear) -> list[Wish]:
        wishes = []
        for child in home.children:
            for activity in self.offer_of(child):
                if activity.service.slug in school_services(rules_of(self.almanac.town)):
                    continue
                dice = self.almanac.dice(home.said.number, child.pk, activity.pk)
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

    def offer_of(self, child: Child) -> list[Activity]:
        """What the child may ask for, in order."""
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
        town, user = self.almanac.town, dice.choice(home.adults)
        reviews = make_ready(
            town=town,
            household=home.household,
            children=list({wish.child.pk: wish.child for wish in wishes}.values()),
            year=year,
            services={wish.activity.service.slug for wish in wishes},
            user=user,
            at=at,
            dice=self.almanac.dice(home.said.number, year.label, "dossier"),
        )
        for review in sorted(reviews, key=lambda one: one.pk):
            self._sent(home, review, at)
        answering = self.almanac.dice(home.said.number, year.label, "answers")
        asked = ask_enrolments(
            town=town,
            user=user,
            household=home.household,
            school_year=year,
            wishes=[replace(wish, answers=answers_for(wish, town=town, year=year, dice=answering)) for wish in wishes],
            accepts=rules_of(town).terms,
            send_key=uuid.UUID(int=self.almanac.dice(home.said.number, year.label, at).getrandbits(128), version=4),
            at=at,
        )
        self._sent(home, asked.request, at)
        self.refresh(home)
        return asked.request is not None

    def _sent(self, home: Home, request: FamilyRequest | None, at: datetime) -> bool:
        """Note a request as the history's own, and when an agent will answer it."""
        if request is None:
            return False
        home.last_sent = at
        if DemoRequest.objects.filter(request=request).exists():  # documents given one after the other
            return True
        self.deeds += 1
        if request.state == RequestState.SENT:
            dice = self.almanac.dice("answer", home.said.number, at.isoformat())
            tomorrow = self.almanac.local(at) + ONE_DAY
            pressing = request.effect_date is not None and request.effect_date <= tomorrow + 3 * ONE_DAY
            day = self.almanac.working_day(tomorrow, after=1 if not pressing and dice.random() < 0.12 else 0)
            note = DemoRequest.objects.create(
                request=request, answer_at=self.almanac.instant(day, 8, 40 + dice.triangular(0, 190, 40))
            )
            self.expect(note)
        return True

    def reserve_the_month(self, home: Home, at: datetime, dice: Random) -> bool:
        """Ask for the usual days to come, up to the end of this month or, late in the month, of the next one."""
        today = self.almanac.local(at)
        goal = end_of_month(today)
        if today.day >= home.said.reserves_on:
            goal = end_of_month(goal + ONE_DAY)
        opened = next((day for day in self.open_dates if day > today), None)
        if opened is None:
            return False
        if opened > goal:
            # Nothing before September: some think of it early.
            if opened > today + FAR and dice.random() > 0.04:
                return False
            goal = end_of_month(opened)
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
        dice = self.almanac.dice("units", enrolment.child_id, service.slug)
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
            for enrolment in live_enrolments(
                town=self.almanac.town, household=home.household, states=(EnrolmentState.ACCEPTED,)
            )
            if enrolment.activity.service.booking_mode == BookingMode.DAYS
            and enrolment.school_year.first_day <= last
            and enrolment.school_year.last_day >= first
        ]
        if not enrolments:
            return []
        days = load_days(town=self.almanac.town, enrolments=enrolments, at=at, first=first, last=last)
        return sorted(days.states.values(), key=lambda state: (state.day, state.key))

    def _send_days(self, home: Home, states: Collection[DayState], at: datetime, dice: Random) -> bool:
        if not states:
            return False
        user = dice.choice(home.adults)
        basket = add_days(user=user, household=home.household, states=states, at=at)
        return self._send(home, user, basket.send_key, at)

    def _send(self, home: Home, user: User, key: uuid.UUID, at: datetime) -> bool:
        sending = send_basket(town=self.almanac.town, user=user, household=home.household, send_key=key, at=at)
        if sending.unsent:
            empty_basket(user=user, household=home.household, at=at)
        return self._sent(home, sending.request, at)

    def cancel_a_day(self, home: Home, at: datetime, dice: Random) -> bool:
        """Untick one booked day, sometimes two, while there is time."""
        today = self.almanac.local(at)
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
            town=self.almanac.town,
            enrolments=list({s.enrolment.pk: s.enrolment for s in gone}.values()),
            at=at,
            dates={day},
        )
        shown = {state.key: Shown(was=state.was, ticked=False) for state in gone}
        fill_basket(user=user, household=home.household, days=days, shown=shown, at=at)
        return self._send(home, user, basket_of(user=user, household=home.household, at=at).send_key, at)

    def add_a_day(self, home: Home, at: datetime, dice: Random, *, soonest: bool = False) -> bool:
        """Ask for one more day: any of the next two weeks, or the first that still can be asked for."""
        today = self.almanac.local(at)
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

    def withdraw(self, home: Home, at: datetime) -> None:
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

    def may_still_send(self, home: Home, until: datetime) -> bool:
        """Nobody of it sent anything in the hours before `until`, which would then stand out of order in its
        history."""
        recent = home.last_sent is not None and home.last_sent > until - timedelta(hours=6)
        return bool(home.adults) and home.said.number != people.JULIEN and not recent and not self.has_a_visitor(home)

    def waits(self, home: Home) -> bool:
        return FamilyRequest.objects.filter(household=home.household, state=RequestState.SENT).exists()

    def ask_one_more(self, home: Home, at: datetime, dice: Random) -> bool:
        """Ask for one service that no child of theirs asked for yet."""
        years, _later = years_to_enrol(today=self.almanac.local(at), at=at)
        for year in reversed(years):
            if (year.last_day - self.almanac.local(at)).days < 30:
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
                for activity in self.offer_of(child)
                if (child.pk, activity.pk) not in known
            ]
            dice.shuffle(options)
            for child, activity in options[:4]:
                if self._send_enrolments(home, year, [self._wish(home, child, activity, year, dice)], at, dice):
                    return True
        return False
