"""What the children do with the services: enrolments and absences announced."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from marelle.bookings.labels import ABSENT_LOOK, ENROLMENT_LOOKS
from marelle.bookings.models import LIVE_ENROLMENTS, Enrolment
from marelle.bookings.queries.absences import absences_of
from marelle.foundation.sentences import day_words, moment_words
from marelle.office.family.sight import Card, Mark, Sight
from marelle.rules.lifecycles import EnrolmentState

RECENT = timedelta(days=14)


def enrolments(sight: Sight) -> Card:
    """Those of this school year and the next, the last one for each child and activity. One query."""
    latest: dict[tuple[int, int, int], Enrolment] = {}
    for enrolment in (
        Enrolment.objects.filter(household=sight.household, school_year__last_day__gte=sight.today)
        .select_related("child", "activity__service", "activity__site", "school_year")
        .order_by("child__birth_date", "child_id", "school_year__first_day", "activity__service__position", "-id")
    ):
        latest.setdefault((enrolment.child_id, enrolment.activity_id, enrolment.school_year_id), enrolment)
    return Card(
        template="office/families/cards/_enrolments.html",
        facts={
            "enrolments": [
                {
                    "child": enrolment.child.first_name,
                    "service": enrolment.activity.service.name,
                    "site": enrolment.activity.site.name,
                    "year": enrolment.school_year.label,
                    "state": ENROLMENT_LOOKS[EnrolmentState(enrolment.state)],
                    "reason": enrolment.reason if enrolment.state not in LIVE_ENROLMENTS else "",
                }
                for enrolment in latest.values()
            ]
        },
    )


def service_marks(sight: Sight) -> Mapping[int, Sequence[Mark]]:
    """The services that each child may use today. One query."""
    marks: dict[int, list[Mark]] = {}
    for child_id, name, icon in (
        Enrolment.objects.filter(
            household=sight.household,
            state=EnrolmentState.ACCEPTED,
            school_year__first_day__lte=sight.today,
            school_year__last_day__gte=sight.today,
        )
        .order_by("activity__service__position", "activity__service_id")
        .values_list("child_id", "activity__service__short_name", "activity__service__icon")
        .distinct()
    ):
        marks.setdefault(child_id, []).append(Mark(word=name, icon=icon))
    return marks


def absences(sight: Sight) -> Card | None:
    """Those announced for the days to come and the last two weeks. One query."""
    found = [
        {
            "child": absence.line.of_service.child.first_name,
            "service": absence.line.of_service.service.short_name,
            "day": day_words(absence.line.date),
            "number": absence.line.request.number,
            "proof": moment_words(absence.proof_until, sight.town.tz)
            if absence.proof_until and absence.awaits_proof(sight.at)
            else "",
            "state": ABSENT_LOOK,
        }
        for absence in absences_of(sight.household, first=sight.today - RECENT)
        if absence.line.date is not None
    ]
    if not found:
        return None
    return Card(template="office/families/cards/_absences.html", facts={"absences": found})
