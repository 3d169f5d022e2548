"""Writing, publishing and withdrawing news."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from marelle.accounts.models import User
from marelle.activities.models import Municipality
from marelle.communication.labels import PostState
from marelle.communication.models import NewsPost, NewsReading
from marelle.communication.queries import ALERT_LASTS
from marelle.foundation.audit import Actor, record


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What an agent writes. `sites` and `services` by id: for whom (`NewsPost`)."""

    title: str
    summary: str = ""
    body: str = ""
    author: str = ""
    sites: Collection[int] = ()
    services: Collection[int] = ()
    urgent: bool = False
    by_mail: bool = False
    unpublish_at: datetime | None = None


class ChangedMeanwhile(Exception):
    """Somebody else has changed the piece of news since its form was shown."""


@transaction.atomic
def write_post(*, key: UUID, content: Content, by: Actor, at: datetime) -> NewsPost:
    """A new draft. The same key is the same piece of news: what a form says the second time is left aside."""
    post, new = _begin(key, content, by=by, at=at)
    if new:
        _tell(post, "news.written", _("Actualité écrite : %(title)s."), by=by, at=at)
    return post


@transaction.atomic
def edit_post(*, post_id: int, edition: int, content: Content, by: Actor, at: datetime) -> NewsPost:
    """Change what a piece of news says, whatever its state. Raises ChangedMeanwhile, NewsPost.DoesNotExist."""
    post = _changed(post_id, edition, content, by=by, at=at)
    _tell(post, "news.changed", _("Actualité modifiée : %(title)s."), by=by, at=at)
    return post


@transaction.atomic
def publish_new_post(*, key: UUID, content: Content, published_at: datetime, by: Actor, at: datetime) -> NewsPost:
    """Write a piece of news and publish it, at once or at an instant to come. The same key is the same one."""
    post, new = _begin(key, content, by=by, at=at)
    if new:
        _publish(post, published_at=published_at, by=by, at=at)
    return post


@transaction.atomic
def publish_post(
    *, post_id: int, edition: int, content: Content, published_at: datetime, by: Actor, at: datetime
) -> NewsPost:
    """Change what a draft says, or one that waits for its date, and publish it. Of one that is online only what it says
    changes. Raises ChangedMeanwhile, NewsPost.DoesNotExist."""
    post = _changed(post_id, edition, content, by=by, at=at)
    if post.state_at(at) in (PostState.DRAFT, PostState.SCHEDULED):
        _publish(post, published_at=published_at, by=by, at=at)
    else:
        _tell(post, "news.changed", _("Actualité modifiée : %(title)s."), by=by, at=at)
    return post


@transaction.atomic
def withdraw_post(*, post_id: int, by: Actor, at: datetime) -> bool:
    """Take a piece of news off the families' pages, or off its date. False when it was not there."""
    post = _locked(post_id)
    if post.state_at(at) not in (PostState.SCHEDULED, PostState.ONLINE):
        return False
    post.withdrawn_at = at
    _touch(post, "withdrawn_at", by=by, at=at)
    _tell(post, "news.withdrawn", _("Actualité retirée : %(title)s."), by=by, at=at)
    return True


@transaction.atomic
def put_back_post(*, post_id: int, by: Actor, at: datetime) -> bool:
    """Undo a withdrawal; a date of withdrawal that is past goes. False when it is not withdrawn. Nobody is written to a
    second time."""
    post = _locked(post_id)
    if post.state_at(at) != PostState.WITHDRAWN:
        return False
    post.withdrawn_at = None
    if post.unpublish_at is not None and post.unpublish_at <= at:
        post.unpublish_at = None
    _touch(post, "withdrawn_at", "unpublish_at", by=by, at=at)
    _keep_alert(post)
    _tell(post, "news.put_back", _("Actualité remise en ligne : %(title)s."), by=by, at=at)
    return True


@transaction.atomic
def delete_draft(*, post_id: int, by: Actor, at: datetime) -> bool:
    """Only what no family has ever read. False when it is not a draft."""
    post = _locked(post_id)
    if post.state_at(at) != PostState.DRAFT:
        return False
    _tell(post, "news.deleted", _("Brouillon d’actualité supprimé : %(title)s."), by=by, at=at)
    post.delete()
    return True


def mark_read(*, post: NewsPost, user: User, at: datetime) -> None:
    """The banner leaves this user's pages. Not a deed of the family: no audit line."""
    NewsReading.objects.get_or_create(post=post, user=user, defaults={"read_at": at})


# ── what they share ─────────────────────────────────────────────────────────────────────────────────────────────────


def _locked(post_id: int) -> NewsPost:
    return NewsPost.objects.select_for_update(no_key=True).get(pk=post_id)


def _begin(key: UUID, content: Content, *, by: Actor, at: datetime) -> tuple[NewsPost, bool]:
    post, new = NewsPost.objects.get_or_create(
        key=key,
        defaults={
            "title": content.title,
            "summary": content.summary,
            "body": content.body,
            "author": content.author,
            "urgent": content.urgent,
            "by_mail": content.by_mail,
            "unpublish_at": content.unpublish_at,
            "created_at": at,
            "changed_at": at,
            "changed_by": by.label,
        },
    )
    if new:
        post.sites.set(content.sites)
        post.services.set(content.services)
    return post, new


def _changed(post_id: int, edition: int, content: Content, *, by: Actor, at: datetime) -> NewsPost:
    post = _locked(post_id)
    if post.edition != edition:
        raise ChangedMeanwhile(post)
    for name in ("title", "summary", "body", "author", "urgent", "by_mail", "unpublish_at"):
        setattr(post, name, getattr(content, name))
    _touch(post, "title", "summary", "body", "author", "urgent", "by_mail", "unpublish_at", by=by, at=at)
    post.sites.set(content.sites)
    post.services.set(content.services)
    _keep_alert(post)
    return post


def _publish(post: NewsPost, *, published_at: datetime, by: Actor, at: datetime) -> None:
    post.published_at = max(published_at, at)
    post.save(update_fields=["published_at"])
    _keep_alert(post)
    words = _("Actualité publiée : %(title)s.") if post.published_at <= at else _("Actualité programmée : %(title)s.")
    _tell(post, "news.published" if post.published_at <= at else "news.scheduled", words, by=by, at=at)


def _touch(post: NewsPost, *fields: str, by: Actor, at: datetime) -> None:
    post.edition += 1
    post.changed_at, post.changed_by = at, by.label
    post.save(update_fields=[*fields, "edition", "changed_at", "changed_by"])


def _keep_alert(post: NewsPost) -> None:
    """Say on the town until when an urgent piece of news may stand, so that pages ask for it only then. Never brought
    forward: asking in vain costs one query."""
    if not post.urgent or post.published_at is None:
        return
    ends = post.published_at + ALERT_LASTS
    town = Municipality.objects.select_for_update(no_key=True).only("alert_until").get(id=1)
    if town.alert_until is None or town.alert_until < ends:
        Municipality.objects.filter(id=1).update(alert_until=ends)


def _tell(post: NewsPost, action: str, words: str, *, by: Actor, at: datetime) -> None:
    record(at=at, by=by, action=action, subject=post, text=words % {"title": post.title})
