from django.db import models

from marelle.families.models import Household
from marelle.requests.models import FamilyRequest


class DeliveredMail(models.Model):
    """An e-mail that would have left, kept in the demo's own mailbox."""

    message_id = models.CharField(max_length=200)
    from_address = models.CharField(max_length=320)
    to_address = models.EmailField()
    subject = models.CharField(max_length=300)
    text = models.TextField()
    html = models.TextField(blank=True)
    delivered_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["to_address", "-id"], name="mailbox_address")]

    def __str__(self) -> str:
        return f"{self.to_address}: {self.subject}"


class DemoState(models.Model):
    """How far the demo's history was played: one row, whose id is always 1. A restart plays on from there."""

    town = models.SlugField()
    seed = models.CharField(max_length=40)
    families = models.PositiveSmallIntegerField()
    started_at = models.DateTimeField()
    first_played_until = models.DateTimeField()
    played_until = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="one_demo_state")]

    def __str__(self) -> str:
        return f"{self.town}, until {self.played_until}"


class DemoFamily(models.Model):
    """A household that the history plays; `number` says which of the invented families it is."""

    household = models.OneToOneField(Household, on_delete=models.CASCADE, related_name="+")
    number = models.PositiveSmallIntegerField(unique=True)
    reserved_until = models.DateField(null=True)

    class Meta:
        verbose_name_plural = "demo families"

    def __str__(self) -> str:
        return f"{self.number}: {self.household_id}"


class DemoRequest(models.Model):
    """A request that the history sent, and when its agents answer it. They leave alone what a visitor sends."""

    request = models.OneToOneField(FamilyRequest, on_delete=models.CASCADE, related_name="+")
    answer_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["answer_at"], name="demo_answer")]

    def __str__(self) -> str:
        return f"{self.request_id} at {self.answer_at}"
