"""What a family does with the services, for its page at the agents': `office/families/_activity.html` shows it."""

from datetime import datetime, timedelta
from typing import Any

from marelle.activities.queries import municipality
from marelle.bookings.labels import ABSENT_LOOK, ENROLMENT_LOOKS, absence_look
from marelle.bookings.models import LIVE_ENROLMENTS, Enrolment
from marelle.bookings.queries.absences import absences_of
from marelle.families.models import Household
from marelle.foundation.sentences import day_words, moment_words
from marelle.office.queue import what_words
from marelle.requests.labels import request_look
from marelle.requests.models import RequestKind
from marelle.requests.queries import latest_of
from marelle.rules.lifecycles import EnrolmentState

REQUESTS = 6
RECENT = timedelta(days=14)


def activity(*, household: Household, at: datetime) -> dict[str, Any]:
    """`enrolments`: those of this school year and the next, newest first for each child, {child, service, site, year,
    state, reason}; `requests`: the last ones, {request, what, state}. `absences`: those announced for
    the days to come and the last two weeks, {child, service, day, number, proof, state}. Five queries."""
    town = municipality()
    today = at.astimezone(town.tz).date()
    enrolments = (
        Enrolment.objects.filter(household=household, school_year__last_day__gte=today)
        .select_related("child", "activity__service", "activity__site", "school_year")
        .order_by("child__birth_date", "child_id", "school_year__first_day", "activity__service__position", "-id")
    )
    latest: dict[tuple[int, int, int], Enrolment] = {}
    for enrolment in enrolments:
        latest.setdefault((enrolment.child_id, enrolment.activity_id, enrolment.school_year_id), enrolment)
    return {
        "absences": [
            {
                "child": absence.line.of_service.child.first_name,
                "service": absence.line.of_service.service.short_name,
                "day": day_words(absence.line.date),
                "number": absence.line.request.number,
                "proof": moment_words(absence.proof_until, town.tz)
                if absence.proof_until and absence.awaits_proof(at)
                else "",
                "state": ABSENT_LOOK,
            }
            for absence in absences_of(household, first=today - RECENT)
            if absence.line.date is not None
        ],
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
        ],
        "requests": [
            {
                "request": request,
                "what": what_words(list(request.lines.all())),
                "state": (absence_look if request.kind == RequestKind.ABSENCE else request_look)(
                    line.state for line in request.lines.all()
                ),
            }
            for request in latest_of(household, count=REQUESTS)
        ],
    }
