from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from marelle.accounts.models import User
from marelle.activities.models import Site
from marelle.foundation.models import StoredFile
from marelle.rules.eligibility import Audience


class Household(models.Model):
    """A home: adults and children at one address. A child of two homes belongs to two households."""

    name = models.CharField(max_length=120, help_text=_("Tel qu’on l’appelle : « Benali », « Benali-Moreau »."))
    address = models.CharField(max_length=200, blank=True)
    postcode = models.CharField(max_length=10, blank=True)
    city = models.CharField(max_length=80, blank=True)
    is_resident = models.BooleanField(default=True)
    priorities = models.JSONField(
        default=list, help_text=_("Ce qui lui ouvre des réservations plus tôt, hors le fait d’habiter la commune.")
    )
    created_at = models.DateTimeField()
    search_text = models.TextField(
        blank=True, help_text=_("Les noms et adresses e-mail du foyer, sans accents : ce que l’on cherche.")
    )
    guardians: "models.ManyToManyField[Guardian, Guardianship]" = models.ManyToManyField(
        "Guardian", through="Guardianship", related_name="households"
    )
    children: "models.ManyToManyField[Child, Residence]" = models.ManyToManyField(
        "Child", through="Residence", related_name="households"
    )

    class Meta:
        ordering = ["name", "id"]
        indexes = [models.Index(fields=["name"], name="household_name")]

    def __str__(self) -> str:
        return self.name

    @property
    def audiences(self) -> frozenset[Audience]:
        """To which early openings the household has a right."""
        said = frozenset(Audience(one) for one in self.priorities)
        return said | {Audience.RESIDENTS} if self.is_resident else said


class Guardian(models.Model):
    """An adult responsible for children; signs in through `user`, created inactive at the invitation."""

    user = models.OneToOneField(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="guardian")
    first_name = models.CharField(_("Prénom"), max_length=80)
    last_name = models.CharField(_("Nom"), max_length=80)
    email = models.EmailField(_("Adresse e-mail"), blank=True)
    phone = models.CharField(_("Téléphone"), max_length=30, blank=True)

    class Meta:
        ordering = ["last_name", "first_name"]

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name}"


class Guardianship(models.Model):
    """A guardian's place in a household."""

    household = models.ForeignKey(Household, on_delete=models.CASCADE, related_name="guardianships")
    guardian = models.ForeignKey(Guardian, on_delete=models.CASCADE, related_name="guardianships")
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "id"]
        constraints = [models.UniqueConstraint(fields=["household", "guardian"], name="one_guardianship")]

    def __str__(self) -> str:
        return f"{self.guardian_id} in {self.household_id}"


class Child(models.Model):
    """A child, known once whatever the number of homes. Identity: INE, else names and birth date."""

    first_name = models.CharField(_("Prénom"), max_length=80)
    last_name = models.CharField(_("Nom"), max_length=80)
    birth_date = models.DateField(_("Date de naissance"))
    ine = models.CharField(max_length=11, blank=True)
    school = models.ForeignKey(Site, on_delete=models.PROTECT, null=True, blank=True, related_name="pupils")
    level = models.CharField(_("Niveau"), max_length=10, blank=True, help_text=_("PS, MS, GS, CP, CE1, CE2, CM1, CM2"))
    class_name = models.CharField(_("Classe"), max_length=60, blank=True)

    class Meta:
        ordering = ["birth_date", "id"]
        verbose_name_plural = "children"
        constraints = [
            models.UniqueConstraint(
                fields=["ine"],
                condition=~Q(ine=""),
                name="one_child_per_ine",
                violation_error_message=_("Un enfant porte déjà cet identifiant national."),
            )
        ]
        indexes = [models.Index(fields=["last_name", "first_name", "birth_date"], name="child_identity")]

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name}"


class Residence(models.Model):
    """A child's belonging to a household: one home, or two."""

    household = models.ForeignKey(Household, on_delete=models.CASCADE, related_name="residences")
    child = models.ForeignKey(Child, on_delete=models.CASCADE, related_name="residences")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["household", "child"], name="one_residence")]

    def __str__(self) -> str:
        return f"{self.child_id} at {self.household_id}"


class ImportState(models.TextChoices):
    MATCHING = "matching", _("Colonnes à associer")
    READING = "reading", _("Lecture en cours")
    READY = "ready", _("À vérifier")
    SAVING = "saving", _("Enregistrement en cours")
    SAVED = "saved", _("Enregistré")
    UNDONE = "undone", _("Annulé")
    DROPPED = "dropped", _("Abandonné")


class ImportRun(models.Model):
    """One bringing in of families from a file: its sealed file(s), what it would write, and what it wrote.

    `plan` is what was shown (`imports.planning.Plan`), `journal` what undoing needs; with the files, they go after a
    month and `counts` stays. `kept`: the changes ("child:12:level") that the agent leaves aside.
    """

    class Kind(models.TextChoices):
        ONDE = "onde", _("Export ONDE")
        SPREADSHEET = "spreadsheet", _("Tableau")

    kind = models.CharField(max_length=12, choices=Kind.choices)
    state = models.CharField(max_length=10, choices=ImportState.choices)
    name = models.CharField(max_length=220)
    lines = models.PositiveIntegerField(default=0)
    school = models.ForeignKey(Site, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    file = models.ForeignKey(StoredFile, on_delete=models.SET_NULL, null=True, related_name="+")
    second_file = models.ForeignKey(StoredFile, on_delete=models.SET_NULL, null=True, related_name="+")
    matching = models.JSONField(default=dict)
    plan = models.JSONField(null=True)
    kept = models.JSONField(default=list)
    journal = models.JSONField(null=True)
    counts = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=150)
    saved_at = models.DateTimeField(null=True)
    saved_by = models.CharField(max_length=150, blank=True)
    saved_by_user = models.BigIntegerField(null=True)
    undone_at = models.DateTimeField(null=True)
    undone_by = models.CharField(max_length=150, blank=True)
    claimed_at = models.DateTimeField(null=True, help_text=_("Quand un processus a commencé le travail en cours."))

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.name} ({self.get_state_display()})"


class ColumnMatch(models.Model):
    """What an agent said of the columns of a spreadsheet, for the next one with the same header."""

    signature = models.CharField(max_length=64, unique=True)
    matching = models.JSONField()
    updated_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.signature[:12]


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
