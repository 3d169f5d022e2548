"""Pieces of news, made through the services."""

import uuid
from collections.abc import Collection
from datetime import datetime

from marelle.accounts.models import User
from marelle.activities.models import Service, Site
from marelle.communication.models import NewsPost
from marelle.communication.services.posts import Content, publish_new_post, write_post
from tests.offer import AT


def content(
    title: str = "La cantine ferme vendredi",
    *,
    sites: Collection[str] = (),
    services: Collection[str] = (),
    **said: object,
) -> Content:
    """`sites` and `services` by slug."""
    return Content(
        title=title,
        sites=list(Site.objects.filter(slug__in=sites).values_list("pk", flat=True)),
        services=list(Service.objects.filter(slug__in=services).values_list("pk", flat=True)),
        **said,  # type: ignore[arg-type]
    )


def publish(
    title: str = "La cantine ferme vendredi",
    *,
    by: User,
    at: datetime = AT,
    published_at: datetime | None = None,
    sites: Collection[str] = (),
    services: Collection[str] = (),
    **said: object,
) -> NewsPost:
    return publish_new_post(
        key=uuid.uuid4(),
        content=content(title, sites=sites, services=services, **said),
        published_at=published_at or at,
        by=by.actor(as_agent=True),
        at=at,
    )


def draft(title: str = "À relire", *, by: User, at: datetime = AT, **said: object) -> NewsPost:
    return write_post(
        key=uuid.uuid4(),
        content=content(title, **said),
        by=by.actor(as_agent=True),
        at=at,  # type: ignore[arg-type]
    )
