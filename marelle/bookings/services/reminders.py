"""Baskets left behind: told by e-mail the morning after and before a limit falls, and cleaned of the days gone by.

Prose: docs/algorithms/baskets.md. One transaction for each basket; the basket is the only row locked.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from marelle.activities.models import Municipality
from marelle.activities.queries import municipality
from marelle.bookings import notifications
from marelle.bookings.models import Basket, BasketLine
from marelle.bookings.queries.baskets import GONE_BY, basket_lines
from marelle.bookings.services.sending import judge_lines, load_basket_days
from marelle.foundation import audit
from marelle.foundation.sentences import day_words
from marelle.requests.models import Act
from marelle.rules.decisions import Allowed, Decision
from marelle.rules.reminders import before_limit, by_day, morning_after, next_morning

#: How many baskets are looked at in one tick; the next one takes the rest.
AT_ONCE = 200
#: The most e-mails about a basket that nobody touches.
MOST = 3
#: An e-mail that leaves tells of all the limits of the time to come.
TELLS = timedelta(hours=24)
#: How many days one audit line names.
NAMED = 8


@dataclass(frozen=True, slots=True)
class Left:
    """A line left in a basket, and whether it could be sent now."""

    line: BasketLine
    verdict: Decision

    @property
    def limit(self) -> datetime | None:
        return self.verdict.until if isinstance(self.verdict, Allowed) else None

    @property
    def told(self) -> bool:
        return self.line.told_limit is not None and self.line.told_limit == self.limit


def tick(*, at: datetime) -> int:
    """Look at the baskets whose time has come; how many were written of or cleaned.

    May run in several workers at once, and as often as one likes.
    """
    due = Basket.objects.filter(look_at__lte=at).order_by("look_at", "id").values_list("id", flat=True)
    baskets = list(due[:AT_ONCE])
    if not baskets:
        return 0
    town = municipality()
    return sum(look(id, town=town, at=at) for id in baskets)


@transaction.atomic
def look(basket_id: int, *, town: Municipality, at: datetime) -> bool:
    """Look at one basket: take out the days gone by, remind of the rest if it is time, and say when to look again.
    Whether anything was done. One that another worker has just looked at is left alone."""
    basket = Basket.objects.select_for_update(no_key=True).filter(id=basket_id, look_at__lte=at).first()
    if basket is None:
        return False
    lines = basket_lines(user=basket.user, household=basket.household)
    today = at.astimezone(town.tz).date()
    gone = [line for line in lines if line.date < today]
    if gone:
        _take_out(basket, gone, at=at)
    left = _left([line for line in lines if line.date >= today], town=town, at=at)
    reminded = bool(left) and _is_time(basket, left, town=town, at=at)
    if reminded:
        _remind(basket, left, town=town, at=at)
    basket.look_at = _next_look(basket, left, town=town, at=at)
    basket.save(update_fields=["look_at", "told_change", "reminders"])
    return reminded or bool(gone)


def _left(lines: Sequence[BasketLine], *, town: Municipality, at: datetime) -> list[Left]:
    verdicts = judge_lines(lines, load_basket_days(lines, town=town, at=at))
    return [Left(line, verdicts[line.id]) for line in lines]


def _moments(basket: Basket, left: Iterable[Left], town: Municipality) -> Iterable[datetime]:
    """When there is something to say of this basket, past or to come."""
    if basket.told_change != basket.changed_at:
        yield morning_after(basket.changed_at, town.tz)
    if basket.reminders >= MOST:
        return
    for one in left:
        if one.limit is not None and not one.told:
            moment = before_limit(one.limit, basket.changed_at, town.tz)
            if moment is not None:
                yield moment


def _is_time(basket: Basket, left: Sequence[Left], *, town: Municipality, at: datetime) -> bool:
    return by_day(at, town.tz) and any(moment <= at for moment in _moments(basket, left, town))


def _next_look(basket: Basket, left: Sequence[Left], *, town: Municipality, at: datetime) -> datetime | None:
    """The next time when there is something to say, the next morning at the latest; None for an empty basket."""
    if not left:
        return None
    coming = [moment for moment in _moments(basket, left, town) if moment > at]
    return min([next_morning(at, town.tz), *coming])


def _remind(basket: Basket, left: Sequence[Left], *, town: Municipality, at: datetime) -> None:
    told = [one for one in left if one.limit is not None and one.limit <= at + TELLS]
    for one in told:
        one.line.told_limit = one.limit
    BasketLine.objects.bulk_update([one.line for one in told], ["told_limit"])
    basket.told_change = basket.changed_at
    basket.reminders += 1
    notifications.basket_left(
        basket=basket,
        lines=[(one.line, one.verdict) for one in left],
        last=basket.reminders >= MOST,
        tz=town.tz,
        at=at,
    )


def _take_out(basket: Basket, gone: Sequence[BasketLine], *, at: datetime) -> None:
    BasketLine.objects.filter(id__in=[line.id for line in gone]).delete()
    named = ", ".join(
        _("%(name)s %(day)s (%(service)s)")
        % {
            "name": line.child.first_name,
            "day": day_words(line.date),
            "service": line.enrolment.activity.service.short_name,
        }
        for line in gone[:NAMED]
    )
    more = _(" et %(n)d autres") % {"n": len(gone) - NAMED} if len(gone) > NAMED else ""
    audit.record(
        at=at,
        by=audit.PORTAL,
        action=GONE_BY,
        subject=basket,
        household_id=basket.household_id,
        text=_("Choix jamais envoyés, retirés car leur jour est passé : %(days)s.") % {"days": named + more},
        facts={
            "user": basket.user_id,
            "lines": [
                {"child": line.child_id, "unit": line.unit_id, "date": line.date.isoformat(), "act": str(Act(line.act))}
                for line in gone
            ],
        },
    )
