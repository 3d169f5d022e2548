"""How adults are asked in."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from marelle.families.models.homes import Guardian, Household


class AdultInvitation(models.Model):
    """That an adult of a home asked another one in: nobody of the home until they have come by the link of the e-mail.
    `joined_at`, `cancelled_at`: what became of it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    household = models.ForeignKey(Household, on_delete=models.CASCADE, related_name="adult_invitations")
    first_name = models.CharField(max_length=80)
    last_name = models.CharField(max_length=80)
    email = models.EmailField()
    invited_by_label = models.CharField(max_length=150)
    invited_at = models.DateTimeField()
    joined_at = models.DateTimeField(null=True)
    cancelled_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["invited_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["household", "email"],
                condition=Q(joined_at=None, cancelled_at=None),
                name="one_open_invitation",
            )
        ]

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name}"


class RoundState(models.TextChoices):
    SCHEDULED = "scheduled", _("Programmé")
    SENDING = "sending", _("Envoi en cours")
    SENT = "sent", _("Parti")
    CANCELLED = "cancelled", _("Annulé")


class InvitationRound(models.Model):
    """Invitations that leave together: at once, or at a date. Whom they go to is settled when they leave.

    `schools` and `classes` ([school id, class name]) narrow it, none of either: everybody; `again_of`: those of that
    round whose account is not open yet. `send_key` makes a form sent twice one round.
    """

    send_key = models.UUIDField(unique=True)
    state = models.CharField(max_length=10, choices=RoundState.choices, default=RoundState.SCHEDULED)
    schools = models.JSONField(default=list)
    classes = models.JSONField(default=list)
    again_of = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="reminders")
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=150)
    created_by_user = models.BigIntegerField(null=True)
    due_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["due_at"], condition=Q(state__in=["scheduled", "sending"]), name="round_due")]

    def __str__(self) -> str:
        return f"{self.due_at:%Y-%m-%d %H:%M} ({self.get_state_display()})"


class InvitationGuest(models.Model):
    """A guardian of a round. `after`: how many invitations had left to them when the round began; `mail`: the e-mail
    that left, None until then or when `refusal` says why none will."""

    round = models.ForeignKey(InvitationRound, on_delete=models.CASCADE, related_name="guests")
    guardian = models.ForeignKey(Guardian, on_delete=models.CASCADE, related_name="+")
    after = models.PositiveSmallIntegerField(default=0)
    done = models.BooleanField(default=False)
    mail = models.UUIDField(null=True)
    refusal = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["round", "guardian"], name="one_invitation_per_round")]

    def __str__(self) -> str:
        return f"{self.guardian_id} in {self.round_id}"
