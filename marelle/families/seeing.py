"""An agent looks at a family's own pages, as one of its adults sees them: read-only, for a while, and told in the
family's history (docs/decisions/0019-seeing-as-the-family.md). `families.permissions.guardian_required` does it for
every page; nothing else knows."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.contrib.sessions.backends.base import SessionBase
from django.db import transaction
from django.utils.translation import gettext as _

from marelle.accounts.models import User
from marelle.families.models import Guardian, Household
from marelle.foundation.audit import record

MARK = "seen"
LASTS = timedelta(minutes=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What the agent's session holds: whose pages, as which adult, since when (on the real clock, as sessions are)."""

    household: int
    guardian: int
    since: float

    @property
    def is_over(self) -> bool:
        age = datetime.now(UTC).timestamp() - self.since
        return not 0 <= age < LASTS.total_seconds()


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What `request.seen` is on a page that an agent looks at: the home, and the user of the adult who would see it."""

    household: Household
    user: User


def mark_in(session: SessionBase) -> Mark | None:
    found = session.get(MARK)
    return Mark(**found) if found else None


@transaction.atomic
def open_space(*, household: Household, guardian: Guardian, session: SessionBase, by: User, at: datetime) -> None:
    """Look at the family's pages from now on, in this session. Asked twice, it is opened once. Whether `by` may is the
    caller's to ask, and each page's again."""
    there = mark_in(session)
    if there is not None and not there.is_over and (there.household, there.guardian) == (household.pk, guardian.pk):
        return
    session[MARK] = {"household": household.pk, "guardian": guardian.pk, "since": datetime.now(UTC).timestamp()}
    record(
        at=at,
        by=by.actor(as_agent=True),
        action="household.seen",
        subject=household,
        household_id=household.pk,
        text=_("Espace de la famille ouvert en lecture seule, comme le voit %(name)s (30 minutes au plus).")
        % {"name": guardian},
        facts={"guardian": guardian.pk},
    )


@transaction.atomic
def leave_space(*, session: SessionBase, by: User, at: datetime) -> int | None:
    """Look no more. The household's id; None when nothing was open."""
    mark = mark_in(session)
    if mark is None:
        return None
    del session[MARK]
    household = Household.objects.filter(pk=mark.household).first()
    if household is None:
        return None
    record(
        at=at,
        by=by.actor(as_agent=True),
        action="household.seen_no_more",
        subject=household,
        household_id=household.pk,
        text=_("Espace de la famille refermé."),
        facts={"guardian": mark.guardian},
    )
    return household.pk
