"""The news as a family reads it: rows of a list, the urgent banner."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Q, QuerySet, prefetch_related_objects
from django.urls import reverse
from django.utils.translation import gettext as _

from marelle.accounts.models import User
from marelle.activities.models import Municipality
from marelle.activities.queries import municipality
from marelle.communication.models import NewsPost
from marelle.communication.queries import FOR_EVERYBODY, alerts_for, at_the_door, has_news, seen_from, whereabouts
from marelle.families.models import Household

ON_HOME = 3

#: What the list may be narrowed to, by its word in the address.
MINE, TOWN = "mes-ecoles", "ville"


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """For whom a piece of news is, in a word and its icon."""

    icon: str
    word: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsRow:
    """`day`: when it was published, on the town's clock."""

    post: NewsPost
    day: date
    audiences: tuple[Audience, ...]


def news_of(household: Household, *, town: Municipality, at: datetime) -> "QuerySet[NewsPost]":
    """What the town tells this household, the newest first; nothing when it tells no news."""
    if not has_news(town):
        return NewsPost.objects.none()
    return seen_from(whereabouts(household, today=at.astimezone(town.tz).date()), at=at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """An urgent piece of news above a page, and where "J’ai lu" is sent."""

    title: str
    summary: str
    url: str
    read_url: str


def alerts(household: Household, user: User, *, at: datetime) -> list[Alert]:
    """What this user has still to read, the newest first; nothing when the town tells no news."""
    town = municipality()
    if not has_news(town):
        return []
    found = alerts_for(household, user, today=at.astimezone(town.tz).date(), at=at)
    return [
        Alert(
            title=post.title,
            summary=post.summary,
            url=reverse("portal:news_post", args=[post.pk]),
            read_url=reverse("portal:read_news", args=[post.pk]),
        )
        for post in found
    ]


def door_news(*, at: datetime) -> list[NewsRow]:
    """The last pieces of news that a stranger reads; none before the town is there."""
    try:
        town = municipality()
    except Municipality.DoesNotExist:
        return []
    return rows_of(at_the_door(town, at=at)[:ON_HOME], town=town)


def narrowed(posts: "QuerySet[NewsPost]", *, to: str, words: str) -> "QuerySet[NewsPost]":
    """`to`: MINE, what is for the schools and services of the household's children; TOWN, what is for everybody;
    nothing, both. `words`: each must stand in it."""
    if to == MINE:
        posts = posts.exclude(FOR_EVERYBODY)
    elif to == TOWN:
        posts = posts.filter(FOR_EVERYBODY)
    for word in words.split()[:5]:
        posts = posts.filter(Q(title__icontains=word) | Q(summary__icontains=word) | Q(body__icontains=word))
    return posts


def rows_of(posts: Iterable[NewsPost], *, town: Municipality) -> list[NewsRow]:
    """Ready to be shown: two queries more, whatever their number."""
    found = list(posts)
    prefetch_related_objects(found, "sites", "services")
    return [row_of(post, town=town) for post in found]


def row_of(post: NewsPost, *, town: Municipality) -> NewsRow:
    said = post.published_at or post.changed_at
    return NewsRow(post=post, day=said.astimezone(town.tz).date(), audiences=audiences_of(post))


def audiences_of(post: NewsPost) -> tuple[Audience, ...]:
    """A post's sites, then its services; "Toutes les familles" when none is named. Reads both, prefetched or not."""
    named = [Audience(icon="school", word=site.name) for site in post.sites.all()]
    named += [Audience(icon=service.icon, word=service.short_name) for service in post.services.all()]
    return tuple(named) or (Audience(icon="users", word=_("Toutes les familles")),)
