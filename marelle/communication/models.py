import uuid
from datetime import datetime

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from marelle.accounts.models import User
from marelle.activities.models import Service, Site
from marelle.communication.labels import PostState
from marelle.families.models import Guardian

TITLE_MOST, SUMMARY_MOST, BODY_MOST, AUTHOR_MOST = 90, 200, 10_000, 120


class NewsPost(models.Model):
    """A piece of news for families: a closure, a price, a rule.

    For whom: the households with a child of one of `sites` (its school, or where it is enrolled) who is enrolled in one
    of `services`; none named of either: no matter which. Its state follows from its dates (`state_at`): a draft has no
    `published_at`. `edition` grows with every change, so that nobody writes over what they have not seen.
    """

    key = models.UUIDField(
        unique=True, default=uuid.uuid4, help_text=_("Un formulaire envoyé deux fois écrit une fois.")
    )
    title = models.CharField(max_length=TITLE_MOST)
    summary = models.CharField(max_length=SUMMARY_MOST, blank=True)
    body = models.TextField(blank=True, help_text=_("En Markdown, réduit à ce que marelle.foundation.prose connaît."))
    author = models.CharField(max_length=AUTHOR_MOST, blank=True, help_text=_("Qui parle : un service, une école."))
    sites = models.ManyToManyField(Site, blank=True, related_name="+")
    services = models.ManyToManyField(Service, blank=True, related_name="+")
    urgent = models.BooleanField(default=False)
    by_mail = models.BooleanField(default=False)
    published_at = models.DateTimeField(null=True)
    unpublish_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)
    told_at = models.DateTimeField(null=True, help_text=_("Quand le dernier e-mail a été mis à l’envoi."))
    edition = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    changed_by = models.CharField(max_length=150)

    class Meta:
        ordering = ["-published_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(unpublish_at=None) | Q(published_at=None) | Q(unpublish_at__gt=F("published_at")),
                name="news_ends_after_it_begins",
                violation_error_message=_("Une actualité se retire après sa publication."),
            )
        ]
        indexes = [
            models.Index(fields=["-published_at", "-id"], name="news_published"),
            models.Index(fields=["published_at"], condition=Q(by_mail=True, told_at=None), name="news_to_tell"),
        ]

    def __str__(self) -> str:
        return self.title

    def state_at(self, at: datetime) -> PostState:
        if self.withdrawn_at is not None:
            return PostState.WITHDRAWN
        if self.published_at is None:
            return PostState.DRAFT
        if self.published_at > at:
            return PostState.SCHEDULED
        if self.unpublish_at is not None and self.unpublish_at <= at:
            return PostState.WITHDRAWN
        return PostState.ONLINE


class NewsReading(models.Model):
    """That somebody has said "J’ai lu" of an urgent piece of news: its banner leaves their pages."""

    post = models.ForeignKey(NewsPost, on_delete=models.CASCADE, related_name="readings")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    read_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["post", "user"], name="one_reading")]

    def __str__(self) -> str:
        return f"{self.user_id} read {self.post_id}"


class NewsNotice(models.Model):
    """That an adult was written to about a piece of news: each once, in however many households they are."""

    post = models.ForeignKey(NewsPost, on_delete=models.CASCADE, related_name="notices")
    guardian = models.ForeignKey(Guardian, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["post", "guardian"], name="one_news_notice")]

    def __str__(self) -> str:
        return f"{self.guardian_id} told of {self.post_id}"
