"""When a family is reminded of choices that it has not sent (docs/algorithms/baskets.md). All on the town's clock."""

from datetime import date, datetime, time, timedelta, tzinfo

MORNING, EVENING, NIGHT = time(7, 30), time(18), time(20)
#: A change this close to the morning is not "left behind since the day before".
LEFT_FOR = timedelta(hours=6)
BEFORE_LIMIT = timedelta(hours=3)
#: Who has just changed the basket is left alone for this long,
ALONE = timedelta(hours=1)
#: and a reminder that leaves less than this to send would only annoy.
LEAST = timedelta(minutes=30)

ONE_DAY = timedelta(days=1)


def morning_after(changed_at: datetime, tz: tzinfo) -> datetime:
    """The first morning that comes at least LEFT_FOR after the change."""
    left = (changed_at + LEFT_FOR).astimezone(tz)
    return _at(left, MORNING) if left.time() <= MORNING else _at(left + ONE_DAY, MORNING)


def next_morning(at: datetime, tz: tzinfo) -> datetime:
    """The first morning after `at`."""
    local = at.astimezone(tz)
    return _at(local, MORNING) if local.time() < MORNING else _at(local + ONE_DAY, MORNING)


def before_limit(limit: datetime, changed_at: datetime, tz: tzinfo) -> datetime | None:
    """When to tell that this limit comes; None when the last change came too late for that."""
    local = (limit - BEFORE_LIMIT).astimezone(tz)
    if local.time() < MORNING:
        moment = _at(local - ONE_DAY, EVENING)
    elif local.time() > NIGHT:
        moment = _at(local, EVENING)
    else:
        moment = local
    if moment >= changed_at + ALONE:
        return moment
    later = changed_at + ALONE
    return later if by_day(later, tz) and later + LEAST <= limit else None


def unanswered_told_at(day: date, *, begins: datetime, asked_at: datetime, tz: tzinfo) -> datetime:
    """When a family is told that its day has no answer: that morning, while there is time to take the request back; as
    the day begins when it was asked for since."""
    morning = datetime.combine(day, MORNING, tzinfo=tz)
    return morning if asked_at < morning else begins


def by_day(at: datetime, tz: tzinfo) -> bool:
    """Whether an e-mail may leave now."""
    return MORNING <= at.astimezone(tz).time() <= NIGHT


def _at(local: datetime, clock: time) -> datetime:
    return datetime.combine(local.date(), clock, tzinfo=local.tzinfo)
