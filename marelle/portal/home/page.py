"""The home page: today in a sentence, what is to do, the week, what closes soon, the last requests, the news, and the
blocks that lead to everything else."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from marelle.accounts.models import User
from marelle.activities.models import Municipality
from marelle.communication.queries import has_news
from marelle.families.models import Household
from marelle.foundation.sentences import day_words
from marelle.portal.children import HouseholdChild
from marelle.portal.home.blocks import Block, blocks
from marelle.portal.home.glance import glance as glance_of
from marelle.portal.home.providers import PROVIDERS
from marelle.portal.home.shortcuts import Shortcut, shortcuts
from marelle.portal.home.today import Attendance, attendances_today, no_attendance
from marelle.portal.home.todo import FIRST, Todo, what_to_do
from marelle.portal.home.week import Deadline, WeekStrip, deadlines, week
from marelle.portal.news import ON_HOME, NewsRow
from marelle.portal.news import rows_of as news_rows
from marelle.portal.tracking import RequestRow, requests_of, rows_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    today: str
    first_name: str
    attendances: tuple[Attendance, ...]
    rest: str
    todo: tuple[Todo, ...]
    todo_more: tuple[Todo, ...]
    shortcuts: tuple[Shortcut, ...]
    week: WeekStrip | None
    deadlines: tuple[Deadline, ...]
    requests: tuple[RequestRow, ...]
    news: tuple[NewsRow, ...]
    has_news: bool
    blocks: tuple[Block, ...]
    has_children: bool
    has_enrolments: bool

    @property
    def todo_count(self) -> int:
        return len(self.todo) + len(self.todo_more)


def home(
    *, town: Municipality, user: User, household: Household, children: Sequence[HouseholdChild], at: datetime
) -> Home:
    """Everything the home page says, in a number of queries that neither children nor requests change."""
    glance = glance_of(town=town, user=user, household=household, children=children, at=at)
    attendances = attendances_today(glance)
    todo = what_to_do(glance, PROVIDERS)
    tells_news = has_news(town)
    requests = tuple(rows_of(requests_of(household)[:3], town=town, at=at))
    return Home(
        today=day_words(glance.today),
        first_name=_first_name(user),
        attendances=attendances,
        rest="" if attendances or not glance.bookable else no_attendance(glance),
        todo=todo[:FIRST],
        todo_more=todo[FIRST:],
        shortcuts=shortcuts(glance, has_requests=bool(requests)),
        week=week(glance) if glance.bookable else None,
        deadlines=deadlines(glance),
        requests=requests,
        news=tuple(news_rows(glance.news()[:ON_HOME], town=town)) if tells_news else (),
        has_news=tells_news,
        blocks=blocks(glance),
        has_children=bool(children),
        has_enrolments=bool(glance.enrolments),
    )


def _first_name(user: User) -> str:
    guardian = getattr(user, "guardian", None)
    return guardian.first_name if guardian is not None else str(user)
