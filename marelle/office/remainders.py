"""What an agent's answer would leave of a child's days: a meal without its half-day, part of a full week."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.utils.translation import gettext as _

from marelle.activities.models import Municipality
from marelle.bookings.queries.combinations import Wanted, reach, refusals_together, rules_for
from marelle.bookings.queries.days import load_days
from marelle.foundation.sentences import day_words, sentence
from marelle.office.queue import LineFacts
from marelle.requests.models import Act
from marelle.requests.services import Verdict


def left_alone(
    facts: Sequence[LineFacts], verdicts: Mapping[int, Verdict], *, town: Municipality, at: datetime
) -> list[str]:
    """For each day that these verdicts take from a child and without which what stays breaks a rule of combination, a
    sentence that says so. At most six queries, and none where the services have no such rule."""
    taken = [
        fact.booking
        for fact in facts
        if fact.booking is not None
        and fact.line.id in verdicts
        and (fact.line.act == Act.BOOK) != verdicts[fact.line.id].accept
        and rules_for(town, fact.booking.enrolment.activity.service)
    ]
    if not taken:
        return []
    enrolments = {booking.enrolment_id: booking.enrolment for booking in taken}
    dates = {booking.date for booking in taken} | reach(town, ((one.enrolment, one.date) for one in taken))
    days = load_days(town=town, enrolments=list(enrolments.values()), at=at, dates=dates)
    by_key = {(booking.child_id, booking.unit_id, booking.date): booking for booking in taken}
    broken = refusals_together(days, [Wanted(key, adds=False, at_once=True) for key in by_key])
    return [
        _("%(name)s, %(day)s, sans « %(unit)s » : ce qui reste ne va pas seul. %(why)s.")
        % {
            "name": booking.enrolment.child.first_name,
            "day": day_words(booking.date),
            "unit": booking.unit.name,
            "why": sentence(broken[key], town.tz),
        }
        for key, booking in by_key.items()
        if key in broken
    ]
