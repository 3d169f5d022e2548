"""A town as its file says it: frozen dataclasses, one per table of the file (docs/town-file.md).

Slugs are identity. Instants are naive, on the town's own clock; `Town.calendar()` turns them into UTC.
"""

from __future__ import annotations

import dataclasses
from datetime import date, datetime, time
from enum import StrEnum

from marelle.rules import absences, eligibility, lateness, papers, prerequisites
from marelle.rules.calendars import (
    PUBLIC_HOLIDAY_AREAS,
    Closure,
    Period,
    PublicHoliday,
    SchoolCalendar,
    holidays_from_spans,
)
from marelle.rules.combinations import (
    Apart,
    Combination,
    Consecutive,
    DaysPer,
    FullWeek,
    Per,
    Together,
    apart_by_composition,
)
from marelle.rules.limits import Limit, Limits, Moment
from marelle.townfile.beside import FileName
from marelle.townfile.kinds import (
    Choice,
    Clock,
    Colour,
    Day,
    Email,
    Flag,
    Instant,
    Keyed,
    LimitSentence,
    Link,
    Mapped,
    Number,
    Reference,
    Several,
    SiblingReference,
    Slug,
    Table,
    Text,
    WeekdaySet,
    said,
    table,
)

LONG = Text(most=20_000, lines=True)
NAME = Text(most=120)
HELP = Text(most=1_000, lines=True)


class SiteKind(StrEnum):
    SCHOOL = "school"
    CENTRE = "centre"


class ServiceKind(StrEnum):
    """What law and statistics need to know of a service; never what it may do."""

    CANTEEN = "canteen"
    AFTER_SCHOOL = "after_school"
    WEDNESDAY = "wednesday"
    HOLIDAYS = "holidays"
    NURSERY = "nursery"
    SCHOOL = "school"
    OTHER = "other"


class Booking(StrEnum):
    DAYS = "days"
    ENROLMENT_ONLY = "enrolment_only"


class ValidationMode(StrEnum):
    ASKED = "asked"
    IMMEDIATE = "immediate"


class WaitingList(StrEnum):
    """Who offers a place that frees to those who wait: the portal, an agent, or nobody."""

    AUTOMATIC = "automatic"
    AGENT = "agent"
    NONE = "none"


class Billing(StrEnum):
    PREPAID = "prepaid"
    POSTPAID = "postpaid"
    ATTENDANCE = "attendance"
    FREE = "free"


class Opens(StrEnum):
    """On which days of the calendar a service opens, before weekdays are looked at."""

    SCHOOL_DAYS = "school_days"
    SCHOOL_WEEKS = "school_weeks"
    HOLIDAYS = "holidays"
    ALL_YEAR = "all_year"


class PeriodSource(StrEnum):
    YEAR = "year"
    TERMS = "terms"
    HOLIDAYS = "holidays"
    OWN = "own"


class PaperSubject(StrEnum):
    CHILD = "child"
    HOUSEHOLD = "household"
    GUARDIAN = "guardian"


class QuestionKind(StrEnum):
    TEXT = "text"
    CHOICE = "choice"
    SEVERAL = "several"
    YES_NO = "yes_no"
    DATE = "date"
    NUMBER = "number"


class RequestGroup(StrEnum):
    """Under which heading a request type stands."""

    SCHOOL = "school"
    CANTEEN = "canteen"
    HOLIDAYS = "holidays"
    CERTIFICATES = "certificates"
    OTHER = "other"


class RequestSubject(StrEnum):
    CHILD = "child"
    HOUSEHOLD = "household"


class RequestTo(StrEnum):
    """Who answers: the office, or the direction of the child's school."""

    OFFICE = "office"
    SITE = "site"


class PortalPage(StrEnum):
    """A page of the portal that already does what a request would ask for."""

    HOUSEHOLD = "household"
    DOCUMENTS = "documents"


class Conformity(StrEnum):
    """What the accessibility statement may say; without an audit in force, the law's word is "none"."""

    NONE = "none"
    PARTIAL = "partial"
    FULL = "full"


class Tab(StrEnum):
    """Parts of the families' portal that a town may switch off."""

    BOOKINGS = "bookings"
    INVOICES = "invoices"
    REQUESTS = "requests"
    NEWS = "news"


# The town


@table
class Texts:
    """What the town tells families in its own words; blank lines separate paragraphs."""

    welcome: str = said(LONG, "Shown on the home page and the sign-in page.", default="")
    no_account: str = said(LONG, "For a family without an account: what to do.", default="")
    help: str = said(LONG, "How to use the portal, in the town's words.", default="")
    help_video: str = said(Link(), "Address of the town's own video.", default="")
    help_video_file: str = said(
        FileName("webm", "mp4"), "The town's own video, a file beside this one; the portal shows it.", default=""
    )
    help_video_captions: str = said(FileName("vtt"), "The video's captions, a file beside this one.", default="")
    help_video_text: str = said(LONG, "What the video says and shows, for who cannot see or hear it.", default="")
    legal_notice: str = said(LONG, "Legal notice.", default="")
    terms_of_use: str = said(LONG, "Terms of use of the portal.", default="")
    accessibility_status: Conformity = said(
        Choice(Conformity), "What the last audit found; none without an audit in force.", default=Conformity.NONE
    )
    accessibility: str = said(LONG, "Who audited, when, with what result; what is not accessible yet.", default="")
    privacy: str = said(LONG, "What is done with personal data, and whom to write to.", default="")
    late: str = said(LONG, "What a family past a limit should do.", default="")


@table
class Municipality:
    """The town or the group of towns that the portal speaks for."""

    slug: str = said(Slug(), "Identity of the town.")
    name: str = said(NAME, "Full name.")
    short_name: str = said(Text(most=60), "Short name, in the header.", default="")
    department: str = said(NAME, "The office that answers families.", default="")
    colour: str = said(Colour(), "The town's colour; made readable automatically.", default="#2d3a9e")
    email: str = said(Email(), "Where families write.", default="")
    phone: str = said(Text(most=60), "Where families call.", default="")
    address: str = said(Text(most=250, lines=True), "Postal address.", default="")
    opening_hours: str = said(Text(most=250, lines=True), "When the office is open.", default="")
    website: str = said(Link(), "The town's web site.", default="")
    time_zone: str = said(Text(most=60), "IANA time zone of the town's clocks.", default="Europe/Paris")
    answer_working_days: int = said(Number(least=1, most=60), "Working days an answer takes.", default=2)
    new_accounts: bool = said(Flag(), "Unknown families may ask for an account.", default=True)
    public_news: bool = said(Flag(), "News for everybody is also read at the door, signed in or not.", default=False)
    tabs_off: tuple[Tab, ...] = said(Several(of=Choice(Tab)), "Parts of the portal that are off.", default=())
    texts: Texts = said(Table(of=Texts, header=True), "The town's texts.", default=Texts())


@table
class ClosedDays:
    """Days without any service, both ends included; one day when there is no last day."""

    name: str = said(NAME, "Why, as families read it.")
    first_day: date = said(Day(), "First closed day.")
    last_day: date | None = said(Day(), "Last closed day.", default=None)

    @property
    def end(self) -> date:
        return self.last_day or self.first_day

    def __contains__(self, day: date) -> bool:
        return self.first_day <= day <= self.end


@table
class OwnPublicHoliday:
    """A public holiday that the area's list does not know."""

    name: str = said(NAME, "Its name.")
    day: date = said(Day(), "The day.")


@table
class HolidaySpanFile:
    """School holidays, or a bridge ("Pont de l'Ascension"), both ends included."""

    name: str = said(NAME, "As the ministry names it: Vacances de Noël, Pont de l'Ascension…")
    first_day: date = said(Day(), "First day without school.")
    last_day: date = said(Day(), "Last day without school.")


@table
class Term:
    """A period of the town's own, of which each service that opens by term makes a period."""

    slug: str
    name: str = said(NAME, "As families read it.")
    first_day: date = said(Day(), "First day.")
    last_day: date = said(Day(), "Last day.")


@table
class CalendarFile:
    """The school calendar."""

    zone: str = said(Text(most=40), "A, B or C; else the zone's name in the official file.")
    official_file: str = said(
        Text(most=200), "The ministry's calendar (CSV), beside the town's file; for Corsica and overseas.", default=""
    )
    holidays: tuple[HolidaySpanFile, ...] = said(
        Several(of=Table(of=HolidaySpanFile)),
        "School holidays, in place of the packaged ones; an export writes here what the official file said.",
        default=(),
    )
    covered_until: date | None = said(
        Day(), "Last day that `holidays` covers; their last day by default.", default=None
    )
    public_holidays: str = said(
        Text(most=40), "Area of public holidays: " + ", ".join(PUBLIC_HOLIDAY_AREAS) + ".", default="metropole"
    )
    school_weekdays: tuple[int, ...] = said(WeekdaySet(least=1), "Days with school.", default=(0, 1, 3, 4))
    own_public_holidays: tuple[OwnPublicHoliday, ...] = said(
        Several(of=Table(of=OwnPublicHoliday)), "Public holidays of the town's own.", default=()
    )
    closures: tuple[ClosedDays, ...] = said(
        Several(of=Table(of=ClosedDays)), "Days on which everything is closed.", default=()
    )
    terms: tuple[Term, ...] = said(Keyed(of=Term), "The town's terms.", default=())


@table
class Year:
    """A school year that the portal offers, by its label."""

    slug: str
    enrolment_opens: datetime | None = said(Instant(), "From when families may ask for enrolments.", default=None)


@table
class SchoolClass:
    """A class of a school."""

    name: str = said(Text(most=60), "Its name.")
    levels: tuple[str, ...] = said(Several(of=Text(most=20)), "Its levels.", default=())


@table
class Site:
    """A school or a centre."""

    slug: str
    name: str = said(NAME, "As families read it.")
    kind: SiteKind = said(Choice(SiteKind), "School or centre.")
    address: str = said(Text(most=250, lines=True), "Address.", default="")
    phone: str = said(Text(most=60), "Phone.", default="")
    email: str = said(Email(), "The referent whom families of this site write to.", default="")
    referent: str = said(NAME, "Who answers for this site.", default="")
    levels: tuple[str, ...] = said(Several(of=Text(most=20)), "Levels taught, in order.", default=())
    classes: tuple[SchoolClass, ...] = said(Several(of=Table(of=SchoolClass)), "Classes.", default=())


# What is asked of families


@table
class Paper:
    """A document that families hand in. It holds for its school year, for so many months, until the end that it
    carries, or for ever."""

    slug: str
    name: str = said(NAME, "As families read it.")
    about: PaperSubject = said(
        Choice(PaperSubject), "Whose it is; guardian: one of each of the home's adults.", default=PaperSubject.CHILD
    )
    max_age_months: int | None = said(
        Number(least=1, most=120), "Oldest accepted when handed in, in months; its date is asked.", default=None
    )
    each_year: bool | None = said(
        Flag(), "Asked again each school year; by default, unless valid_months or own_end is said.", default=None
    )
    valid_months: int | None = said(
        Number(least=1, most=120), "Months that it is valid, from its date or from when it is handed in.", default=None
    )
    own_end: bool = said(Flag(), "It carries the day until which it is valid, which is asked.", default=False)
    remind_days: int = said(
        Number(least=0, most=180), "Days before its end when the family is told; 0: never.", default=papers.REMIND_DAYS
    )
    health: bool = said(Flag(), "It tells of health: only agents who may read health see it.", default=False)
    help: str = said(HELP, "Where to find it.", default="")

    def rule(self) -> papers.PaperRule:
        ends_by_itself = self.own_end or self.valid_months is not None
        return papers.PaperRule(
            each_year=self.each_year if self.each_year is not None else not ends_by_itself,
            max_age_months=self.max_age_months,
            valid_months=self.valid_months,
            own_end=self.own_end,
            remind_days=self.remind_days,
        )


@table
class Question:
    """Something asked with an enrolment."""

    slug: str
    label: str = said(NAME, "The question.")
    kind: QuestionKind = said(Choice(QuestionKind), "What the answer is.", default=QuestionKind.TEXT)
    choices: tuple[str, ...] = said(Several(of=NAME), "Possible answers.", default=())
    required: bool = said(Flag(), "An answer is needed.", default=True)
    help: str = said(HELP, "What it is for.", default="")


@table
class Terms:
    """A regulation that families accept."""

    slug: str
    name: str = said(NAME, "Its title.")
    version: str = said(Text(most=40), "A new version is accepted anew.", default="1")
    text: str = said(LONG, "Its text.", default="")
    link: str = said(Link(), "Where it is published.", default="")


@table
class Cause:
    """A cause of absence."""

    slug: str
    name: str = said(NAME, "As families read it.")
    always_free: bool = said(Flag(), "Never billed, for any service.", default=False)


@table
class Diet:
    """What a child eats, from which families choose: never why."""

    slug: str
    name: str = said(NAME, "As families and kitchens read it.")


@table
class Permission:
    """Something that a home allows its child, or not, each school year."""

    slug: str
    name: str = said(NAME, "As families read it.")
    help: str = said(HELP, "What saying yes means.", default="")
    min_age: int | None = said(Number(least=0, most=25), "Asked from this age, in completed years.", default=None)


@table
class RequestType:
    """Something that families may ask for, which an agent answers under a number."""

    slug: str
    name: str = said(NAME, "As families read it.")
    group: RequestGroup = said(
        Choice(RequestGroup), "school, canteen, holidays, certificates or other.", default=RequestGroup.OTHER
    )
    icon: str = said(Slug(), "A lucide icon.", default="message-square")
    help: str = said(HELP, "What it is for, and what happens next.", default="")
    about: RequestSubject = said(Choice(RequestSubject), "Whom it concerns.", default=RequestSubject.HOUSEHOLD)
    fields: tuple[str, ...] = said(Several(of=Reference(("questions",))), "What is asked in its form.", default=())
    papers: tuple[str, ...] = said(Several(of=Reference(("papers",))), "Documents given with it.", default=())
    to: RequestTo = said(Choice(RequestTo), "office, or site: the child's school.", default=RequestTo.OFFICE)
    answer_days: int | None = said(
        Number(least=1, most=60), "Working days an answer takes, if not the town's.", default=None
    )
    health: bool = said(Flag(), "Its answers are health data: only some agents read them.", default=False)
    page: PortalPage | None = said(
        Choice(PortalPage), "No form: it leads to this page (household or documents).", default=None
    )


# Services


@table
class OpenDays:
    """On which days a service opens."""

    on: Opens = said(Choice(Opens), "school_days, school_weeks, holidays or all_year.", default=Opens.SCHOOL_DAYS)
    weekdays: tuple[int, ...] = said(
        WeekdaySet(least=1), "Only these weekdays; by default Monday to Friday.", default=(0, 1, 2, 3, 4)
    )
    holidays: tuple[str, ...] = said(
        Several(of=Slug()), "Only these holidays: toussaint, noel, hiver, printemps, ete.", default=()
    )
    closed: tuple[ClosedDays, ...] = said(
        Several(of=Table(of=ClosedDays)), "Days on which this service alone is closed.", default=()
    )
    also: tuple[date, ...] = said(Several(of=Day()), "Open as well on these days.", default=())


@table
class Validation:
    """Whether an act counts at once or waits for an agent."""

    enrol: ValidationMode = said(Choice(ValidationMode), "Enrolments.", default=ValidationMode.ASKED)
    book: ValidationMode = said(Choice(ValidationMode), "Bookings.", default=ValidationMode.ASKED)
    cancel: ValidationMode = said(Choice(ValidationMode), "Cancellations.", default=ValidationMode.ASKED)


@table
class LimitPair:
    """Until when to book and to cancel; without `cancel`, the same."""

    book: Limit | None = said(LimitSentence(), "Until when a day may be booked.", default=None)
    cancel: Limit | None = said(LimitSentence(), "Until when a day may be cancelled.", default=None)


@table
class Requirements:
    """What must be there before days can be booked or an enrolment asked."""

    health_file: bool = said(Flag(), "The child's health file is up to date.", default=False)
    school_dossier: bool = said(Flag(), "The school dossier is accepted.", default=False)
    papers: tuple[str, ...] = said(Several(of=Reference(("papers",))), "Documents handed in.", default=())
    papers_may_wait: tuple[str, ...] = said(
        Several(of=Reference(("papers",))), "Those of `papers` that may come after the enrolment was asked.", default=()
    )
    papers_wait_days: int = said(
        Number(least=1, most=365),
        "How many days after; never before the school year begins.",
        default=prerequisites.WAIT_DAYS,
    )
    questions: tuple[str, ...] = said(Several(of=Reference(("questions",))), "Questions answered.", default=())
    terms: tuple[str, ...] = said(Several(of=Reference(("terms",))), "Regulations accepted.", default=())


@table
class Who:
    """Which children; ages are completed years on the day booked, both included."""

    min_age: int | None = said(Number(least=0, most=25), "Youngest.", default=None)
    max_age: int | None = said(Number(least=0, most=25), "Oldest.", default=None)
    levels: tuple[str, ...] = said(Several(of=Text(most=20)), "Levels.", default=())
    classes: tuple[str, ...] = said(Several(of=Text(most=60)), "Classes.", default=())
    schools: tuple[str, ...] = said(Several(of=Reference(("sites",))), "Children of these schools.", default=())
    residents_only: bool = said(Flag(), "Only children who live in the town.", default=False)

    def criteria(self) -> eligibility.Criteria:
        return eligibility.Criteria(
            min_age=self.min_age,
            max_age=self.max_age,
            levels=self.levels,
            classes=self.classes,
            schools=self.schools,
            residents_only=self.residents_only,
        )


@table
class Early:
    """An earlier opening for some families."""

    who: eligibility.Audience = said(Choice(eligibility.Audience), "For whom.")
    opens: Moment = said(LimitSentence(opening=True), "When, counted from the period's first day.")


@table
class OwnPeriod:
    """A period of this service alone."""

    slug: str
    name: str = said(NAME, "As families read it.")
    first_day: date = said(Day(), "First day.")
    last_day: date = said(Day(), "Last day.")
    opens_at: datetime | None = said(Instant(), "When its reservations open.", default=None)


@table
class Periods:
    """How a service's calendar is cut, and when each piece opens to reservation."""

    by: PeriodSource = said(Choice(PeriodSource), "year, terms, holidays or own.", default=PeriodSource.YEAR)
    opens: Moment | None = said(
        LimitSentence(opening=True), "When reservations open, counted from the period's first day.", default=None
    )
    early: tuple[Early, ...] = said(Several(of=Table(of=Early)), "Earlier for some.", default=())
    own: tuple[OwnPeriod, ...] = said(Keyed(of=OwnPeriod), "This service's own periods.", default=())


@table
class Unit:
    """A part of the day that is booked: a meal, a morning, a day."""

    slug: str
    name: str = said(Text(most=60), "As families read it.")
    starts_at: time | None = said(Clock(), "When it starts.", default=None)
    ends_at: time | None = said(Clock(), "When it ends.", default=None)
    meal: bool = said(Flag(), "With a meal.", default=False)
    parts: tuple[str, ...] = said(
        Several(of=SiblingReference(2, ("units",))), "Units whose places it takes.", default=()
    )
    weekdays: tuple[int, ...] = said(WeekdaySet(least=1), "Only these weekdays.", default=())
    limits: LimitPair = said(Table(of=LimitPair), "Its own limits.", default=LimitPair())


@table
class CapacityChange:
    """Another capacity on some days."""

    first_day: date = said(Day(), "First day.")
    last_day: date = said(Day(), "Last day.")
    capacity: int = said(Number(most=10_000), "Places on these days.")
    weekdays: tuple[int, ...] = said(WeekdaySet(), "Only these weekdays.", default=())


@table
class Group:
    """Children who share places: an age band, some levels, or everybody."""

    slug: str
    name: str = said(Text(most=60), "As families read it.")
    sites: tuple[str, ...] = said(
        Several(of=Reference(("sites",))), "Sites where it exists; all the service's by default.", default=()
    )
    who: Who = said(Table(of=Who), "Which children.", default=Who())
    capacity: int | None = said(Number(most=10_000), "Places; unlimited when absent.", default=None)
    margin: int = said(Number(most=1_000), "Places given beyond, since some never come.", default=0)
    by_unit: tuple[tuple[str, int], ...] = said(
        Mapped(key=SiblingReference(2, ("units",)), of=Number(most=10_000)), "Another capacity by unit.", default=()
    )
    changes: tuple[CapacityChange, ...] = said(
        Several(of=Table(of=CapacityChange)), "Another capacity on some days.", default=()
    )

    def capacity_on(self, day: date, unit: str) -> int | None:
        """Places of a component unit on a day: the last change that holds it, else the unit's, else the group's."""
        for change in reversed(self.changes):
            if change.first_day <= day <= change.last_day and (not change.weekdays or day.weekday() in change.weekdays):
                return change.capacity
        return dict(self.by_unit).get(unit, self.capacity)


class CombinationKind(StrEnum):
    FULL_WEEK = "full_week"
    CONSECUTIVE = "consecutive"
    DAYS = "days"
    TOGETHER = "together"
    APART = "apart"


@table
class CombinationRule:
    """Days or units that go together."""

    rule: CombinationKind = said(Choice(CombinationKind), "full_week, consecutive, days, together or apart.")
    units: tuple[str, ...] = said(Several(of=SiblingReference(2, ("units",)), least=1), "The units it speaks of.")
    days: int | None = said(Number(least=2, most=31), "consecutive: how many in a row.", default=None)
    least: int | None = said(Number(least=1, most=31), "days: at least so many.", default=None)
    most: int | None = said(Number(least=1, most=31), "days: at most so many.", default=None)
    per: Per = said(Choice(Per), "days: per week or period.", default=Per.WEEK)
    needs: tuple[str, ...] = said(
        Several(of=SiblingReference(2, ("units",))), "together: one of these as well.", default=()
    )

    def rule_of(self) -> Combination:
        match self.rule:
            case CombinationKind.FULL_WEEK:
                return FullWeek(units=self.units)
            case CombinationKind.CONSECUTIVE:
                return Consecutive(units=self.units, days=self.days or 2)
            case CombinationKind.DAYS:
                return DaysPer(units=self.units, per=self.per, least=self.least, most=self.most)
            case CombinationKind.TOGETHER:
                return Together(units=self.units, needs=self.needs)
            case CombinationKind.APART:
                return Apart(units=self.units)


@table
class SurchargeRule:
    """What is added to the price: one key only."""

    add_cents: int | None = said(Number(most=100_000), "Cents added.", default=None)
    add_percent: int | None = said(Number(least=1, most=1_000), "Per cent added.", default=None)
    times_hundredths: int | None = said(Number(least=1, most=10_000), "Price multiplied, 150 = 1.5.", default=None)
    price_cents: int | None = said(Number(most=100_000), "Another price, in cents.", default=None)

    def surcharge(self) -> lateness.Surcharge:
        return lateness.Surcharge(**dataclasses.asdict(self))


@table
class Late:
    """What holds past a limit."""

    mode: lateness.LateMode = said(Choice(lateness.LateMode), "blocked, agent or allowed.")
    until: Moment | None = said(LimitSentence(window=False), "allowed: the second limit.", default=None)
    surcharge: SurchargeRule | None = said(Table(of=SurchargeRule), "What is added to the price.", default=None)
    by_unit: tuple[tuple[str, SurchargeRule], ...] = said(
        Mapped(key=SiblingReference(2, ("units",)), of=Table(of=SurchargeRule)), "Where units differ.", default=()
    )
    from_nth: int = said(Number(least=1, most=50), "Only from the nth time.", default=1)
    counted_per: lateness.CountedPer = said(
        Choice(lateness.CountedPer), "Times counted per child or family.", default=lateness.CountedPer.CHILD
    )
    counted_over: lateness.CountedOver = said(
        Choice(lateness.CountedOver), "…in a month or school year.", default=lateness.CountedOver.SCHOOL_YEAR
    )
    still_due: int = said(Number(most=100), "cancel: part of the price still due, per cent.", default=100)

    def rule(self) -> lateness.LateRule:
        return lateness.LateRule(
            mode=self.mode,
            until=self.until,
            surcharge=self.surcharge.surcharge() if self.surcharge else None,
            by_unit=tuple((unit, surcharge.surcharge()) for unit, surcharge in self.by_unit),
            from_nth=self.from_nth,
            counted_per=self.counted_per,
            counted_over=self.counted_over,
            still_due=self.still_due,
        )


@table
class LatePair:
    """Late bookings, late cancellations, and days attended without a booking."""

    book: Late = said(Table(of=Late), "Late bookings.", default=Late(mode=lateness.LateMode.BLOCKED))
    cancel: Late = said(Table(of=Late), "Late cancellations.", default=Late(mode=lateness.LateMode.BLOCKED))
    unbooked: SurchargeRule | None = said(
        Table(of=SurchargeRule), "A day that the child attends without a booking.", default=None
    )


@table
class Proof:
    """A delay for a proof, and what then stays due."""

    within_hours: int | None = said(Number(least=1, most=2_000), "Hours after the absence starts.", default=None)
    within_days: int | None = said(Number(least=1, most=100), "Days after the first day of absence.", default=None)
    waiting_days: int = said(Number(most=30), "First days that stay due in full.", default=0)
    still_due: int = said(Number(most=100), "Part of the other days' price still due, per cent.", default=0)


@table
class AbsenceCause:
    """What a cause of absence changes for this service."""

    cause: str = said(Reference(("causes",)), "The cause.")
    proofs: tuple[Proof, ...] = said(Several(of=Table(of=Proof)), "Delays, from the shortest.", default=())
    paper: str | None = said(Reference(("papers",)), "The paper that proves it.", default=None)
    told_before: Moment | None = said(LimitSentence(window=False), "Free when told before this.", default=None)
    first_days_due: int = said(Number(most=30), "First days due all the same.", default=0)


@table
class Absences:
    """What stays due when a child does not come."""

    still_due: int = said(Number(most=100), "Part of the price due by default, per cent.", default=100)
    causes: tuple[AbsenceCause, ...] = said(Several(of=Table(of=AbsenceCause)), "Causes that change it.", default=())


@table
class Service:
    """What a family sees as one thing to use."""

    slug: str
    name: str = said(NAME, "As families read it.")
    short_name: str = said(Text(most=40), "On the planning.", default="")
    kind: ServiceKind = said(Choice(ServiceKind), "For law and statistics.", default=ServiceKind.OTHER)
    icon: str = said(Slug(), "A lucide icon.", default="sun")
    accent: int = said(Number(least=1, most=4), "A decorative colour, 1 to 4.", default=1)
    description: str = said(HELP, "What it is.", default="")
    noun: str = said(Text(most=40), "What is booked, in the singular.", default="jour")
    noun_plural: str = said(Text(most=40), "…in the plural.", default="jours")
    sites: tuple[str, ...] = said(Several(of=Reference(("sites",)), least=1), "Where.")
    booking: Booking = said(Choice(Booking), "By days, or enrolment only.", default=Booking.DAYS)
    billing: Billing = said(Choice(Billing), "When it is paid.", default=Billing.POSTPAID)
    billing_note: str = said(Text(most=200), "How it is billed, as families read it.", default="")
    email: str = said(Email(), "Whom families write to.", default="")
    phone: str = said(Text(most=60), "Whom families call.", default="")
    pending_holds_place: bool = said(Flag(), "A request that waits holds its place.", default=True)
    waiting_list: WaitingList = said(
        Choice(WaitingList, flags={True: WaitingList.AUTOMATIC, False: WaitingList.NONE}),
        "How a full day's waiting list is run; true is automatic, false is none.",
        default=WaitingList.AUTOMATIC,
    )
    who: Who = said(Table(of=Who), "Which children.", default=Who())
    open: OpenDays = said(Table(of=OpenDays), "On which days.", default=OpenDays())
    validation: Validation = said(Table(of=Validation), "At once, or asked.", default=Validation())
    limits: LimitPair = said(Table(of=LimitPair, header=True), "Until when.", default=LimitPair())
    periods: Periods = said(Table(of=Periods, header=True), "Periods and openings.", default=Periods())
    requires: Requirements = said(Table(of=Requirements), "What must be there first.", default=Requirements())
    late: LatePair = said(Table(of=LatePair, header=True), "Past a limit.", default=LatePair())
    absences: Absences = said(Table(of=Absences, header=True), "Absences.", default=Absences())
    combinations: tuple[CombinationRule, ...] = said(
        Several(of=Table(of=CombinationRule)), "Days that go together.", default=()
    )
    units: tuple[Unit, ...] = said(Keyed(of=Unit, least=1), "What is booked.")
    groups: tuple[Group, ...] = said(Keyed(of=Group, least=1), "Who shares places.")

    def unit(self, slug: str) -> Unit:
        """The unit of that slug; KeyError when there is none."""
        for unit in self.units:
            if unit.slug == slug:
                return unit
        raise KeyError(slug)

    def limits_of(self, unit: Unit) -> Limits | None:
        """The unit's limits, its own first; None when the service says none (enrolment only)."""
        book = unit.limits.book if unit.limits.book is not None else self.limits.book
        if book is None:
            return None
        if unit.limits.cancel is not None:
            return Limits(book=book, cancel=unit.limits.cancel)
        if unit.limits.book is not None:
            return Limits(book=book, cancel=book)
        return Limits(book=book, cancel=self.limits.cancel if self.limits.cancel is not None else book)

    def components(self, unit: Unit) -> tuple[str, ...]:
        """The slugs of the units whose places it takes: its parts, or itself."""
        return unit.parts or (unit.slug,)

    def groups_at(self, site: str) -> tuple[Group, ...]:
        """The groups that exist at a site, in the file's order."""
        return tuple(group for group in self.groups if not group.sites or site in group.sites)

    def combination_rules(self) -> tuple[Combination, ...]:
        """The town's rules of combination, and those that composed units carry by nature."""
        parts = {unit.slug: self.components(unit) for unit in self.units}
        own = tuple(rule.rule_of() for rule in self.combinations)
        return (*own, *apart_by_composition(parts))


@table
class Corrections:
    """What families may ask to have corrected by themselves, and what proves it."""

    identity: bool = said(Flag(), "Names and birth dates of their children too.", default=True)
    address_paper: str | None = said(
        Reference(("papers",)), "The household's paper that proves an address.", default=None
    )
    quotient_paper: str | None = said(
        Reference(("papers",)), "The household's paper that proves a quotient.", default=None
    )


@table
class Town:
    """The whole of a town's file."""

    format: int = said(Number(least=1, most=1), "Version of this grammar.", default=1)
    municipality: Municipality = said(Table(of=Municipality, header=True), "The town.")
    calendar: CalendarFile = said(Table(of=CalendarFile, header=True), "The school calendar.")
    years: tuple[Year, ...] = said(
        Keyed(of=Year, name=Text(most=9, pattern="[0-9]{4}(?:-[0-9]{4})?", example="2026-2027"), least=1),
        "School years.",
    )
    sites: tuple[Site, ...] = said(Keyed(of=Site, least=1), "Schools and centres.")
    papers: tuple[Paper, ...] = said(Keyed(of=Paper), "Documents asked for.", default=())
    questions: tuple[Question, ...] = said(Keyed(of=Question), "Questions asked.", default=())
    terms: tuple[Terms, ...] = said(Keyed(of=Terms), "Regulations to accept.", default=())
    causes: tuple[Cause, ...] = said(Keyed(of=Cause), "Causes of absence.", default=())
    diets: tuple[Diet, ...] = said(Keyed(of=Diet), "Diets that canteens serve.", default=())
    permissions: tuple[Permission, ...] = said(Keyed(of=Permission), "Permissions asked of each home.", default=())
    requests: tuple[RequestType, ...] = said(Keyed(of=RequestType), "What families may ask for.", default=())
    corrections: Corrections = said(
        Table(of=Corrections, header=True), "What families correct by themselves.", default=Corrections()
    )
    services: tuple[Service, ...] = said(Keyed(of=Service, least=1), "Services.")

    def needs_of(self, service: Service) -> prerequisites.Needs:
        """What the service requires, for the rule: of its questions, those that want an answer."""
        said_so = service.requires
        required = {question.slug for question in self.questions if question.required}
        return prerequisites.Needs(
            dossier=said_so.school_dossier,
            health=said_so.health_file,
            papers=said_so.papers,
            may_wait=frozenset(said_so.papers_may_wait),
            wait_days=said_so.papers_wait_days,
            questions=tuple(slug for slug in said_so.questions if slug in required),
            terms=said_so.terms,
        )

    def questions_of(self, service: Service) -> tuple[Question, ...]:
        """The questions asked with an enrolment in the service, in its order."""
        known = {question.slug: question for question in self.questions}
        return tuple(known[slug] for slug in service.requires.questions)

    def paper(self, slug: str) -> Paper:
        """The paper of that slug; KeyError when there is none."""
        for paper in self.papers:
            if paper.slug == slug:
                return paper
        raise KeyError(slug)

    def service(self, slug: str) -> Service:
        """The service of that slug; KeyError when there is none."""
        for service in self.services:
            if service.slug == slug:
                return service
        raise KeyError(slug)

    def request_type(self, slug: str) -> RequestType:
        """The request type of that slug; KeyError when there is none."""
        for kind in self.requests:
            if kind.slug == slug:
                return kind
        raise KeyError(slug)

    def site(self, slug: str) -> Site:
        """The site of that slug; KeyError when there is none."""
        for site in self.sites:
            if site.slug == slug:
                return site
        raise KeyError(slug)

    def school_calendar(self) -> SchoolCalendar:
        """The rules' calendar of this town. Make it once and keep it: it remembers what it worked out."""
        said_so = self.calendar
        holidays = None
        if said_so.holidays:
            spans = [(span.name, span.first_day, span.last_day) for span in said_so.holidays]
            holidays = holidays_from_spans(said_so.zone, spans, covered_until=said_so.covered_until)
        return SchoolCalendar.for_zone(
            said_so.zone,
            public_holidays=said_so.public_holidays,
            closures=[
                Closure(name=closed.name, first_day=closed.first_day, last_day=closed.end)
                for closed in said_so.closures
            ],
            school_weekdays=said_so.school_weekdays,
            tz=self.municipality.time_zone,
            terms=[
                Period(name=term.name, slug=term.slug, first_day=term.first_day, last_day=term.last_day)
                for term in said_so.terms
            ],
            own_public_holidays=[PublicHoliday(name=own.name, day=own.day) for own in said_so.own_public_holidays],
            holidays=holidays,
        )

    def absence_policy(self, service: Service) -> absences.AbsencePolicy:
        """The absence rules of a service: its own causes, and the town's that are always free."""
        free = {cause.slug for cause in self.causes if cause.always_free}
        rules = [absences.CauseRule(cause=slug, always_free=True) for slug in sorted(free)]
        rules += [
            absences.CauseRule(
                cause=own.cause,
                steps=tuple(
                    absences.ProofStep(
                        within_hours=proof.within_hours,
                        within_days=proof.within_days,
                        waiting_days=proof.waiting_days,
                        still_due=proof.still_due,
                    )
                    for proof in own.proofs
                ),
                told_before=own.told_before,
                first_days_due=own.first_days_due,
            )
            for own in service.absences.causes
            if own.cause not in free
        ]
        return absences.AbsencePolicy(causes=tuple(rules), still_due=service.absences.still_due)


TOWN = Table(of=Town, header=True)
