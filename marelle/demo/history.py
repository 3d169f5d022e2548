"""The demo's history: what the invented families and their agents did, played through the services in order of time.

`prepare` plays from 75 days before the portal's clock to now, the first time; later only what is missing since. Each
deed has its own instant and passes the same rules as a visitor's; what they refuse is not done. Every choice comes from
the seed, the family's number and the day, never from how often or when the demo was started.

What families do is in `marelle.demo.habits`, who they are in `marelle.demo.people`. The history lives beside visitors:
it leaves alone the baskets they filled, the requests they sent and the family that the story starts with. Prose:
docs/algorithms/demo.md.
"""

import hashlib
import heapq
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from uuid import UUID

from django.db import transaction
from django.db.models import F, QuerySet

from marelle.accounts.services import activate
from marelle.activities.models import Municipality, OpeningDay, SchoolYear, Site, Unit
from marelle.activities.queries import municipality, rules_of, years_to_enrol
from marelle.bookings.models import Booking, Enrolment, EnrolmentDraft
from marelle.bookings.queries.days import live_enrolments, load_days
from marelle.bookings.queries.openings import instants, periods_that_open
from marelle.bookings.queries.overrides import override
from marelle.bookings.services import openings
from marelle.bookings.services.answers import answer_request
from marelle.bookings.services.completing import ask_more, complete
from marelle.bookings.services.drafts import keep_draft
from marelle.bookings.services.overrides import Change, book_for_family
from marelle.communication.models import NewsPost
from marelle.demo import accounts, circle, files, news, papers, people, questions
from marelle.demo.almanac import ONE_DAY, Almanac
from marelle.demo.arrivals import arrive
from marelle.demo.cover import BEFORE
from marelle.demo.habits import Habits, Home
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
from marelle.requests.models import OF_SERVICES, Act, FamilyRequest, RequestKind, RequestLine
from marelle.requests.services import AlreadyAnswered, Unsettled, Verdict
from marelle.requests.services import answer as answer_any
from marelle.rules.lifecycles import EnrolmentState, LineState, RequestState
from marelle.townfile import Town, write
from marelle.towns.services import load_town

SEED = "marelle"
FAMILIES = 40

#: What waits for an agent, at every moment that a visitor may see.
FEWEST, MOST = 8, 13

#: The chance, on a day, that one more family moves to town; and how many live there at most.
NEWCOMER, CROWD = 0.03, 20

#: The chance, on a working day, that a family calls after the limit, and that an agent books the day for it.
CALLS = 0.15

# What agents write. Data like the names, not the portal's own words.
NO_INSURANCE = "Il manque l’attestation d’assurance scolaire. Déposez-la à l’accueil, puis refaites la demande."
OUTING = "Sortie scolaire ce jour-là : le pique-nique est fourni par l’école."
TOO_LATE = "La commande est déjà partie : ce jour reste réservé."
NO_PLACE = "Il n’y a plus de place ce jour-là."
MORE = "Merci d’indiquer le nom de la personne qui viendra chercher l’enfant les premiers jours."
DONE = "C’est sa grand-mère, Mme Martin : nous l’avons ajoutée aux personnes autorisées."
CALLED = "À la demande de la famille, par téléphone."


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
        if not NewsPost.objects.exists():
            news.tell(history.almanac, malika=history.malika, karim=history.karim, at=at)
        history.play()
        arrive(municipality(), malika=history.malika, at=at)
        history.answer_what_waited()
        history.give_papers()
        history.fill_the_queue()
        history.begin_enrolments()
        files.keep(history.homes, almanac=history.almanac, malika=history.malika, at=at)
        if not FamilyRequest.objects.filter(kind=RequestKind.QUESTION).exists():
            askers = [home for number, home in sorted(history.homes.items()) if number != people.JULIEN]
            questions.tell(history.almanac, askers, malika=history.malika, karim=history.karim, at=at)
        state.played_until = at
        state.save(update_fields=["families", "played_until"])
        settle_old_mail(at=at, begun=begun)
    return Played(
        since=since,
        until=max(at, since),
        deeds=history.deeds + history.habits.deeds,
        families=DemoFamily.objects.count(),
        waiting=FamilyRequest.objects.filter(state=RequestState.SENT).count(),
    )


def _start(at: datetime) -> datetime:
    town = municipality()
    first = SchoolYear.objects.earliest("first_day").first_day
    day = max((at - BEFORE).astimezone(town.tz).date(), first)
    return min(datetime.combine(day, time(7, 0), tzinfo=town.tz).astimezone(UTC), at - 10 * ONE_DAY)


class History:
    """One run, from `state.played_until` to `until`."""

    def __init__(self, state: DemoState, *, until: datetime) -> None:
        self.state, self.since, self.until = state, state.played_until, until
        self.town = municipality()
        self.almanac = Almanac(self.town, state.seed)
        self.habits = Habits(self.almanac, expect=self._expect_answer)
        self.malika, self.karim = accounts.agents(self.town, at=self.since)
        self.schools = self._schools()
        self.sites = {site.slug: site for site in Site.objects.all()}
        self.homes: dict[int, Home] = {}
        self.deeds = 0
        self._agenda: list[tuple[datetime, int, Callable[[datetime], None]]] = []
        self._order = 0
        self._load()

    # ── time ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def play(self) -> None:
        """Do everything that was to be done in (since, until], in order."""
        day = self.almanac.local(self.since)
        while day <= self.almanac.local(self.until):
            self._plan_day(day)
            self._run(until=min(self.until, self.almanac.instant(day + ONE_DAY, 0, 0)))
            day += ONE_DAY

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
        day = self.almanac.local(self.state.first_played_until + BEFORE)
        year = SchoolYear.objects.filter(first_day__lte=day).order_by("first_day").last()
        return year.first_day.year if year is not None else day.year

    def _load(self) -> None:
        for row in DemoFamily.objects.select_related("household").order_by("number"):
            self._plan_joining(self._welcome_home(row))
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
                for guardian in self._guardians(household)
                if guardian.user is not None and guardian.user.is_active
            ],
        )
        self.habits.refresh(home)
        self.homes[row.number] = home
        return home

    def imagined(self, number: int) -> people.Family:
        return people.family(
            number, seed=self.state.seed, schools=self.schools, school_year=self.school_year_of_levels()
        )

    # ── what happens on a day ───────────────────────────────────────────────────────────────────────────────────────

    def _plan_day(self, day: date) -> None:
        for number in self._arrivals(day):
            dice = self.almanac.dice(number, "arrival")
            self._at(
                self.almanac.instant(self.almanac.working_day(day), 9, dice.uniform(15, 150)), self._arrive(number)
            )
        for home in list(self.homes.values()):
            self._plan_evening(home, day)
        dice = self.almanac.dice("call", day)
        if self.almanac.is_working(day) and dice.random() < CALLS:
            self._at(self.almanac.instant(day, 8, dice.uniform(35, 55)), lambda at: self._call(at, dice))
        for _service, period in periods_that_open(self.town):
            for instant in instants(period):
                if self.almanac.local(instant) == day:
                    self._at(instant, self._tell_of_openings)

    def _tell_of_openings(self, at: datetime) -> None:
        openings.tick(at=at)

    def _arrivals(self, day: date) -> Iterator[int]:
        """The families that an agent registers on that day: most at the start, Julien's just before the first
        preparation ends, now and then one that moves to town."""
        begin = self.almanac.working_day(self.almanac.local(self.state.started_at))
        days = [begin, self.almanac.working_day(begin, after=1), self.almanac.working_day(begin, after=2)]
        count = self.state.families
        if day in days:
            late = {people.JULIEN, *self._late()}
            # A second home comes after the first one, which has the child.
            third = {n: 2 if n % people.EVERY == people.SECOND_HOME else n % 2 for n in range(1, count + 1)}
            yield from (n for n in third if n not in late and third[n] == days.index(day))
        first = self.almanac.local(self.state.first_played_until)
        back = [first - n * ONE_DAY for n in range(1, 15) if self.almanac.is_working(first - n * ONE_DAY)]
        if day == back[1] and count >= people.JULIEN:
            yield people.JULIEN
        for number, when in zip(self._late(), (back[3], back[2], back[0]), strict=False):
            if day == when:
                yield number
        dice = self.almanac.dice("newcomer", day)
        if day > first and self.almanac.is_working(day) and dice.random() < NEWCOMER:
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
        clerk = self.almanac.dice(said.number, "clerk").choice((self.malika, self.karim))
        try:
            with transaction.atomic():
                household = register_household(
                    name=said.name,
                    address=self._address(said),
                    guardians=[
                        NewGuardian(
                            first_name=adult.first_name,
                            last_name=adult.last_name,
                            email=adult.email,
                            phone=adult.phone,
                            is_legal=True,
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
        for n, (adult, guardian) in enumerate(zip(said.adults, self._guardians(household), strict=True)):
            if adult.email:
                invite_guardian(guardian=guardian, by=clerk.actor(as_agent=True), at=at + timedelta(minutes=2 + n))
        self._plan_joining(home)

    def _address(self, said: people.Family) -> Address:
        """Its street, in the town that the town hall's own address names."""
        postcode, _space, city = self.town.address.split(", ")[-1].partition(" ")
        if not (postcode.isdecimal() and city):
            return Address(street=said.street, city=self.town.short_name)
        return Address(street=said.street, postcode=postcode, city=city)

    def _guardians(self, household: Household) -> "QuerySet[Guardian]":
        return household.guardians.select_related("user").order_by("guardianships__position")

    def _plan_joining(self, home: Home) -> None:
        """The evening of their invitation, those who do choose a password."""
        invited = home.household.created_at
        # A visitor may have changed who belongs to it.
        for n, (adult, guardian) in enumerate(zip(home.said.adults, self._guardians(home.household), strict=False)):
            if adult.joins and guardian.email == adult.email:
                minutes = 30 + self.almanac.dice(home.said.number, "joins", n).uniform(0, 60)
                evening = self.almanac.instant(self.almanac.local(invited), 17 + n, minutes)
                self._at(max(evening, invited + timedelta(minutes=15)), self._join(home, guardian.pk))

    def _join(self, home: Home, guardian_id: int) -> Callable[[datetime], None]:
        def join(at: datetime) -> None:
            user = Guardian.objects.select_related("user").get(pk=guardian_id).user
            if user is None or user.activated_at is not None:
                return
            activate(user=user, password=accounts.PASSWORD, at=at)
            home.adults.append(user)
            if home.adults == [user] and home.said.number != people.JULIEN:
                dice = self.almanac.dice(home.said.number, "circle")
                circle.tell(home=home, user=user, town=self.town, at=at, dice=dice)
            self._plan_evening(home, self.almanac.local(at), least=at + timedelta(minutes=4))

        return join

    # ── evenings ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _plan_evening(self, home: Home, day: date, *, least: datetime | None = None) -> None:
        """Once a day, at its own time, a family may think of the portal."""
        if not home.adults or home.said.number == people.JULIEN:
            return
        dice = self.almanac.dice(home.said.number, day, least)
        hour = dice.choices((7, 12, 17, 19, 20, 21), (12, 15, 13, 20, 25, 15))[0]
        when = self.almanac.instant(day, hour, dice.uniform(5, 55))
        self._at(max(when, least) if least else when, lambda at: self._evening(home, at, dice))

    def _evening(self, home: Home, at: datetime, dice: Random) -> None:
        if (self.waiting() >= MOST and home.said.number != people.NADIA) or self.habits.has_a_visitor(home):
            return
        if self.habits.ask_enrolments(home, at, dice):
            return
        if not home.accepted:
            return
        if self.habits.reserve_the_month(home, at, dice):
            if dice.random() < 0.05:
                self._at(at + timedelta(minutes=dice.uniform(20, 60)), lambda then: self.habits.withdraw(home, then))
            return
        if dice.random() < home.said.fickle:
            if dice.random() < 0.55:
                self.habits.cancel_a_day(home, at, dice)
            else:
                self.habits.add_a_day(home, at, dice)

    def waiting(self) -> int:
        """How many of the history's own requests wait for an agent."""
        return DemoRequest.objects.filter(request__state=RequestState.SENT).count()

    # ── agents ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _expect_answer(self, note: DemoRequest) -> None:
        self._at(note.answer_at, lambda at: self._answer(note, at))

    def _answer(self, note: DemoRequest, at: datetime) -> None:
        request = FamilyRequest.objects.get(pk=note.request_id)
        lines = list(request.lines.filter(state=LineState.PENDING).order_by("position"))
        if not lines:
            return
        number = next((n for n, home in self.homes.items() if home.household.pk == request.household_id), 0)
        dice = self.almanac.dice("verdict", number, request.sent_at.isoformat())
        if self._asks_more(note, request, lines, number, at):
            return
        verdicts = {line.pk: Verdict(accept=True) for line in lines}
        for line, why in self._refusals(lines, number, dice):
            verdicts[line.pk] = Verdict(accept=False, reason=why)
        by = dice.choice((self.malika, self.malika, self.karim))
        try:
            answering = answer_request if request.kind in OF_SERVICES else answer_any
            answer = answering(request_id=request.pk, verdicts=verdicts, by=by, at=at)
            if answer.without_place:
                verdicts = {line.pk: Verdict(accept=False, reason=NO_PLACE) for line in answer.without_place}
                answer_request(request_id=request.pk, verdicts=verdicts, by=by, at=at)
        except AlreadyAnswered:
            return
        self.deeds += 1
        if number in self.homes and request.kind == RequestKind.ENROLMENT:
            self.habits.refresh(self.homes[number])
            # What the new enrolments allow is not reserved yet.
            home = self.homes[number]
            home.row.reserved_until = None
            home.row.save(update_fields=["reserved_until"])

    def _asks_more(
        self, note: DemoRequest, request: FamilyRequest, lines: Sequence[RequestLine], number: int, at: datetime
    ) -> bool:
        """Now and then an agent asks for more before answering an enrolment; the family says so in the evening, and is
        answered on the next working day."""
        fresh = [
            e for e in Enrolment.objects.filter(line__in=lines) if e.state == EnrolmentState.SUBMITTED and not e.reason
        ]
        dice = self.almanac.dice("more", number, request.sent_at.isoformat())
        if not fresh or number not in self.homes or number == people.JULIEN or dice.random() > 0.1:
            return False
        ask_more(request_id=request.pk, line_ids=[e.line_id for e in fresh], what=MORE, by=self.karim, at=at)
        self.deeds += 1
        home = self.homes[number]

        def say(then: datetime) -> None:
            if home.adults and Enrolment.objects.filter(line__in=lines, state=EnrolmentState.INCOMPLETE).exists():
                complete(request_id=request.pk, reply=DONE, by=home.adults[0], at=then)
                self.deeds += 1

        self._at(at + timedelta(hours=dice.uniform(4, 9)), say)
        day = self.almanac.working_day(self.almanac.local(at) + ONE_DAY)
        note.answer_at = self.almanac.instant(day, 9, dice.uniform(0, 120))
        note.save(update_fields=["answer_at"])
        self._expect_answer(note)
        return True

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

    def _call(self, at: datetime, dice: Random) -> None:
        """A family calls in the morning: one of its children stays today after all, though the limit is past."""
        today = self.almanac.local(at)
        homes = [home for home in self.homes.values() if home.accepted and home.said.number != people.NADIA]
        dice.shuffle(homes)
        for home in homes:
            mine = live_enrolments(town=self.town, household=home.household, states=(EnrolmentState.ACCEPTED,))
            days = load_days(town=self.town, enrolments=mine, at=at, dates=[today])
            free = [state for _key, state in sorted(days.states.items()) if state.booking is None]
            found = next((s for s in free if (read := override(s, days)).is_allowed and read.late), None)
            if found is None or self.habits.has_a_visitor(home):
                continue
            book_for_family(
                town=self.town,
                household=home.household,
                changes=[Change(found.enrolment.child_id, found.unit.pk, today, Act.BOOK)],
                reason=CALLED,
                by=self.malika,
                send_key=UUID(int=dice.getrandbits(128), version=4),
                at=at,
            )
            self.deeds += 1
            return

    # ── what waits for the visitor ──────────────────────────────────────────────────────────────────────────────────

    def begin_enrolments(self) -> None:
        """Two families have begun to enrol for a year and not sent it yet: what "Reprendre" is for."""
        years, _later = years_to_enrol(today=self.almanac.local(self.until), at=self.until)
        homes = [home for number, home in sorted(self.homes.items()) if number != people.JULIEN and home.adults]
        if not years or EnrolmentDraft.objects.exists():
            return
        year = years[-1]
        for home in homes[1:3]:
            offers = [
                (child, activity)
                for child in home.children
                for activity in self.habits.offer_of(child)
                if not Enrolment.objects.filter(child=child, activity=activity, school_year=year).exists()
            ]
            if offers:
                child, activity = offers[0]
                keep_draft(
                    user=home.adults[0],
                    household=home.household,
                    school_year=year,
                    says={"wanted": [f"{child.pk}.{activity.pk}"]},
                    step="services",
                    at=self.until - timedelta(hours=14),
                )
                self.deeds += 1

    def answer_what_waited(self) -> None:
        """Accept, days later, the documents and questions that waited when the demo began; what visitors send waits for
        them."""
        if self.until < self.state.first_played_until + 2 * ONE_DAY:
            return
        waited = FamilyRequest.objects.filter(
            kind__in=(RequestKind.PAPER, RequestKind.QUESTION),
            state=RequestState.SENT,
            sent_at__lte=self.state.first_played_until,
        )
        for request in waited.order_by("id"):
            lines = request.lines.filter(state=LineState.PENDING).values_list("id", flat=True)
            verdicts = {line: Verdict(accept=True) for line in lines}
            try:
                answer_any(request_id=request.pk, verdicts=verdicts, by=self.malika, at=self.until)
            except (AlreadyAnswered, Unsettled):
                continue  # a visitor was there
            self.deeds += 1

    def give_papers(self) -> None:
        """What families gave of their papers, once."""
        nadia = self.homes.get(people.NADIA)
        if nadia is None or FamilyRequest.objects.filter(kind=RequestKind.PAPER).exists():
            return
        others = [home.household for number, home in sorted(self.homes.items()) if number != people.NADIA]
        papers.give(self.almanac, first=nadia.household, homes=others, karim=self.karim, at=self.until)

    def fill_the_queue(self) -> None:
        """Let families send what the visitor should find waiting: a bit of everything, one day that presses, and
        something of Nadia's. What is there already is not sent again."""
        moments = self._last_moments(FEWEST + 2)
        if not moments:
            return
        dice = self.almanac.dice("queue", self.until.isoformat())
        waiting = RequestLine.objects.filter(state=LineState.PENDING, request__state=RequestState.SENT)
        first_open = next(
            (day for day in self.habits.open_dates if day > self.almanac.local(self.until)),
            self.almanac.local(self.until),
        )
        lacks: list[Callable[[Home, datetime], bool]] = []
        if not waiting.filter(act=Act.BOOK, date__lte=first_open + ONE_DAY).exists():
            lacks.append(lambda home, at: self.habits.add_a_day(home, at, dice, soonest=True))
        if not waiting.filter(act=Act.CANCEL).exists():
            lacks.append(lambda home, at: self.habits.cancel_a_day(home, at, dice))
        if not waiting.filter(act=Act.ENROL).exists():
            lacks.append(lambda home, at: self.habits.ask_one_more(home, at, dice))
        nadia = self.homes.get(people.NADIA)
        if nadia is not None and self.habits.may_still_send(nadia, self.until) and not self.habits.waits(nadia):
            at = moments.pop(0)
            if not self.habits.add_a_day(nadia, at, dice):
                self.habits.cancel_a_day(nadia, at, dice)
        for deed in lacks:
            if moments:
                self._let_somebody(deed, moments, dice)
        total = FamilyRequest.objects.filter(state=RequestState.SENT).count()
        usual: list[Callable[[Home, datetime], bool]] = [
            lambda home, at: self.habits.add_a_day(home, at, dice),
            lambda home, at: self.habits.cancel_a_day(home, at, dice),
            lambda home, at: self.habits.add_a_day(home, at, dice),
            lambda home, at: self.habits.ask_one_more(home, at, dice),
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
        dice = self.almanac.dice("moments", self.until.isoformat())
        at = self.until - timedelta(minutes=dice.uniform(2, 6))
        while len(moments) < count and at > self.since and at > self.until - ONE_DAY:
            if 6 <= at.astimezone(self.almanac.tz).hour < 23:
                moments.append(at)
                at -= timedelta(minutes=dice.uniform(4, 22))
            else:
                at -= timedelta(minutes=30)
        return moments[::-1]

    def _let_somebody(self, deed: Callable[[Home, datetime], bool], moments: list[datetime], dice: Random) -> bool:
        """Let the first family that can do it, in no special order. The moment is spent only then."""
        homes = [
            home
            for home in self.homes.values()
            if self.habits.may_still_send(home, self.until) and not self.habits.waits(home)
        ]
        dice.shuffle(homes)
        for home in homes:
            if home.said.number != people.NADIA and deed(home, moments[0]):
                moments.pop(0)
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
