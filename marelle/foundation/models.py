import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from marelle.foundation.sealed import SealedJSONField


class AuditLine(models.Model):
    """One thing that was done: who, what, when. Written in the transaction that did it, and never changed nor deleted:
    triggers refuse it, in both databases.

    It stands below every room and outlives what it tells of, so it holds names and numbers as text and no foreign key.
    `text` is the French sentence shown in the family's "historique"; no health datum may stand in it.
    """

    at = models.DateTimeField()
    actor_id = models.BigIntegerField(null=True)
    actor_label = models.CharField(max_length=150)
    by_agent = models.BooleanField(default=False)
    action = models.CharField(max_length=60)
    subject_type = models.CharField(max_length=60)
    subject_id = models.CharField(max_length=40)
    household_id = models.BigIntegerField(null=True)
    text = models.CharField(max_length=500)
    facts = models.JSONField(default=dict)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["household_id", "-id"], name="audit_household"),
            models.Index(fields=["subject_type", "subject_id"], name="audit_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.actor_label}: {self.text}"


class MailState(models.TextChoices):
    WAITING = "waiting", _("À envoyer")
    SENDING = "sending", _("Envoi en cours")
    SENT = "sent", _("Envoyé")
    FAILED = "failed", _("Non envoyé")
    UNCERTAIN = "uncertain", _("Envoi incertain")
    DROPPED = "dropped", _("Abandonné")


class OutboxMail(models.Model):
    """An e-mail to send, put here by the transaction that decided it, rendered and sent later by the worker.

    `kind` names its templates, `context` what they are filled with (ids and facts, never a token nor a health
    datum); it is sealed, for an answer's reason may be in it.
    A mail whose sending was cut off mid-way is `uncertain`: it may have left, so only a person sends it again.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=60)
    to_address = models.EmailField()
    to_name = models.CharField(max_length=150, blank=True)
    household_id = models.BigIntegerField(null=True)
    context = SealedJSONField(default=dict)
    at = models.DateTimeField(help_text=_("L’instant du portail auquel il a été décidé."))
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    state = models.CharField(max_length=12, choices=MailState.choices, default=MailState.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    claimed_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=500, blank=True)
    subject = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-created_at"]
        indexes = [
            models.Index(fields=["due_at"], condition=models.Q(state="waiting"), name="outbox_due"),
            models.Index(fields=["state", "-created_at"], name="outbox_state"),
            models.Index(fields=["household_id", "-created_at"], name="outbox_household"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} → {self.to_address} ({self.state})"


class StoredFile(models.Model):
    """A family's file, judged and kept sealed outside what the web server serves (`foundation.files.store`).

    `sealed_key` opens the file on disk: changing the portal's keys reseals this column and leaves the files alone.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=10)
    name = models.CharField(max_length=100, help_text=_("Le nom que la famille lui a donné, nettoyé."))
    size = models.PositiveIntegerField()
    created_at = models.DateTimeField()
    sealed_key = models.BinaryField()

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.id} ({self.kind}, {self.size})"

    def bound_to(self) -> str:
        return f"foundation.StoredFile:{self.pk}"
