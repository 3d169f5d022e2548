"""Writing to the families of a piece of news: to each adult once, in the transaction that notes it. Who wants no news
by e-mail gets only what is urgent."""

from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _

from marelle.activities.models import Municipality
from marelle.activities.queries import municipality
from marelle.communication import notifications
from marelle.communication.labels import PostState
from marelle.communication.models import NewsNotice, NewsPost
from marelle.communication.queries import has_news, households_reached, standing
from marelle.families.labels import Topic
from marelle.families.models import Guardianship
from marelle.foundation.audit import PORTAL, record

#: How many adults one transaction writes to; the rest at the next turn of the worker.
AT_ONCE = 200
#: Who gets the e-mails of a home; where nobody does, all who have an address (`families.queries.addressees_of`).
_INFORMED = Guardianship.objects.filter(gets_mail=True).exclude(guardian__email="")


def tick(*, at: datetime) -> int:
    """Put in the outbox the e-mails of what has just been published; how many. May run in several workers at once."""
    try:
        town = municipality()
    except Municipality.DoesNotExist:
        return 0
    due = NewsPost.objects.filter(standing(PostState.ONLINE, at=at), by_mail=True, told_at=None)
    posts = list(due.order_by("published_at", "id").values_list("pk", flat=True))
    if not posts or not has_news(town):
        return 0
    return sum(_tell_some(pk, town, at=at) for pk in posts)


@transaction.atomic
def _tell_some(post_id: int, town: Municipality, *, at: datetime) -> int:
    """The post's row is held meanwhile, so one worker at a time writes about it."""
    post = NewsPost.objects.select_for_update(no_key=True).get(pk=post_id)
    if post.told_at is not None or post.state_at(at) != PostState.ONLINE:
        return 0
    households = households_reached(
        sites=post.sites.values_list("pk", flat=True),
        services=post.services.values_list("pk", flat=True),
        today=at.astimezone(town.tz).date(),
    )
    told = NewsNotice.objects.filter(post=post, guardian=OuterRef("guardian"))
    links = (
        Guardianship.objects.filter(
            ~Exists(told),
            Q(gets_mail=True) | ~Exists(_INFORMED.filter(household=OuterRef("household"))),
            household__in=households,
        )
        .exclude(guardian__email="")
        .select_related("guardian")
        .order_by("guardian_id", "household_id")
    )
    adults: dict[int, Guardianship] = {}
    for link in links.iterator(chunk_size=500):
        if Topic.NEWS in link.guardian.unwanted and not post.urgent:
            continue
        if len(adults) == AT_ONCE and link.guardian_id not in adults:
            break
        adults.setdefault(link.guardian_id, link)
    NewsNotice.objects.bulk_create(NewsNotice(post=post, guardian_id=guardian) for guardian in adults)
    notifications.tell(post=post, adults=adults.values(), at=at)
    if len(adults) < AT_ONCE:
        post.told_at = at
        post.save(update_fields=["told_at"])
        record(
            at=at,
            by=PORTAL,
            action="news.told",
            subject=post,
            text=_("Actualité envoyée par e-mail à %(n)d personnes : %(title)s.")
            % {"n": post.notices.count(), "title": post.title},
        )
    return len(adults)
