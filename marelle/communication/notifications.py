"""The e-mail that tells of a piece of news."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.urls import reverse

from marelle.communication.models import NewsPost
from marelle.families.models import Guardianship
from marelle.foundation import outbox, prose
from marelle.foundation.models import OutboxMail


def tell(*, post: NewsPost, adults: Iterable[Guardianship], at: datetime) -> None:
    """Write to these adults, each for their household. One statement."""
    outbox.post_each(
        kind="communication/news",
        at=at,
        letters=[
            outbox.Letter(
                to_address=link.guardian.email,
                to_name=str(link.guardian),
                household_id=link.household_id,
                context={"post": post.pk, "first_name": link.guardian.first_name},
            )
            for link in adults
        ],
    )


def _news(mail: OutboxMail) -> dict[str, Any]:
    """As it stands when the e-mail leaves: a mistake corrected meanwhile is not sent."""
    post = NewsPost.objects.get(pk=mail.context["post"])
    return {
        "title": post.title,
        "summary": post.summary,
        "body": prose.html(post.body, site=settings.PUBLIC_URL),
        "body_text": post.body,
        "author": post.author,
        "urgent": post.urgent,
        "news_path": reverse("portal:news_post", args=[post.pk]),
    }


builders = {"news": _news}
