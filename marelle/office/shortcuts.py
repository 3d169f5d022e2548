"""What a menu of a family's month does for an agent: many boxes at once, told, and taken back if need be.

Nothing is written: the changes travel in the form, as those of single boxes do.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from marelle.activities.queries import offer_of
from marelle.bookings.queries.combinations import apart_units
from marelle.bookings.queries.days import Days, DayState, load_days
from marelle.bookings.queries.menus import Order
from marelle.bookings.queries.months import Month
from marelle.bookings.queries.overrides import override
from marelle.bookings.services.overrides import Change
from marelle.foundation.sentences import day_words, list_words, midsentence, sentence
from marelle.office.family_planning import Family
from marelle.requests.models import Act
from marelle.rules.decisions import Reason, Refused

#: Days left out that are named; the others are counted.
NAMED = 3


@dataclass(frozen=True, slots=True)
class Report:
    """What a shortcut did, in sentences; `before`: the changes as they were, to take it back."""

    text: str
    before: tuple[Change, ...]


def carry_out(
    order: Order, family: Family, changes: Sequence[Change], *, month: Month, at: datetime
) -> tuple[list[Change], Report]:
    """The changes once the order is carried out, and what to tell. From today on: a past day is corrected by its own
    box. A day that no agent can book or cancel, or that another unit chosen excludes, is left out and told."""
    today = at.astimezone(family.town.tz).date()
    first, last = _span(order, family, month, today=today)
    days = load_days(town=family.town, enrolments=family.enrolments, at=at, first=first, last=last)
    apart = apart_units(family.town, family.service)
    found = {change.key: change for change in changes}
    done: list[DayState] = []
    left: list[tuple[DayState, Refused]] = []
    asked = [s for s in days.states.values() if s.day >= today and order.takes(s, first=first, last=last)]
    for state in sorted(asked, key=lambda one: (one.day, one.unit.position)):
        chosen = found.get(state.key)
        ticked = state.is_wanted if chosen is None else chosen.act == Act.BOOK
        if ticked == order.on:
            continue
        if chosen is not None:
            del found[state.key]  # back to what is recorded
        elif (refusal := _refusal(state, found, days, apart, on=order.on)) is not None:
            left.append((state, refusal))
            continue
        else:
            act = Act.BOOK if order.on else Act.CANCEL
            found[state.key] = Change(*state.key, act=act, was=state.was)
        done.append(state)
    return list(found.values()), Report(_words(done, left, family, on=order.on), tuple(changes))


def _span(order: Order, family: Family, month: Month, *, today: date) -> tuple[date, date]:
    """The month shown, or the period that it lies in from today on; the weeks shown reach beyond the month."""
    if order.span == "shown":
        return month.first_day, month.last_day
    if order.span != "period":
        return month.first, month.last
    day = max(month.first_day, min(today, month.last_day))
    periods = offer_of(family.town).periods.get(family.service.id, [])
    period = next((one for one in periods if one.first_day <= month.last_day and one.last_day >= day), None)
    if period is not None:
        return period.first_day, period.last_day
    years = [enrolment.school_year for enrolment in family.enrolments]
    return min(year.first_day for year in years), max(year.last_day for year in years)


def _refusal(
    state: DayState,
    changes: Mapping[tuple[int, int, date], Change],
    days: Days,
    apart: Mapping[int, frozenset[int]],
    *,
    on: bool,
) -> Refused | None:
    """Why the shortcut leaves the day as it is, None when it does not."""
    decision = override(state, days).decision
    if isinstance(decision, Refused) or not on:
        return decision if isinstance(decision, Refused) else None
    child, unit, day = state.key
    for other in sorted(apart.get(unit, ())):
        key = child, other, day
        change, beside = changes.get(key), days.states.get(key)
        if (beside is not None and beside.is_wanted) if change is None else change.act == Act.BOOK:
            names = tuple(one.name for one in days.units[state.unit.service_id] if one.id == other)
            return Refused(Reason.EXCLUDES_UNIT, {"units": names})
    return None


def _words(done: Sequence[DayState], left: Sequence[tuple[DayState, Refused]], family: Family, *, on: bool) -> str:
    n = len(done)
    if on:
        text = ngettext("%(n)d jour ajouté.", "%(n)d jours ajoutés.", n) % {"n": n}
    else:
        text = ngettext("%(n)d jour annulé.", "%(n)d jours annulés.", n) % {"n": n}
    if not n:
        text = _("Aucun jour à changer.")
    if left:
        named = [
            _("%(day)s, %(name)s (%(why)s)")
            % {
                "day": day_words(state.day),
                "name": state.enrolment.child.first_name,
                "why": midsentence(sentence(refusal, family.town.tz)),
            }
            for state, refusal in left[:NAMED]
        ]
        if len(left) > NAMED:
            more = len(left) - NAMED
            named.append(ngettext("%(n)d autre", "%(n)d autres", more) % {"n": more})
        told = ngettext("%(n)d laissé de côté : %(what)s.", "%(n)d laissés de côté : %(what)s.", len(left))
        text = f"{text} {told % {'n': len(left), 'what': list_words(named)}}"
    return text
