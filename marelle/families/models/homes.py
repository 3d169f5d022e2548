"""Homes, and who belongs to them."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from marelle.accounts.models import User
from marelle.activities.models import Site
from marelle.rules.eligibility import Audience


class Household(models.Model):
    """A home: adults and children at one address. A child of two homes belongs to two households."""

    name = models.CharField(max_length=120, help_text=_("Tel qu’on l’appelle : « Benali », « Benali-Moreau »."))
    address = models.CharField(max_length=200, blank=True)
    postcode = models.CharField(max_length=10, blank=True)
    city = models.CharField(max_length=80, blank=True)
    is_resident = models.BooleanField(default=True)
    insurer = models.CharField(_("Assureur"), max_length=80, blank=True)
    insurance_number = models.CharField(_("Numéro de contrat"), max_length=40, blank=True)
    priorities = models.JSONField(
        default=list, help_text=_("Ce qui lui ouvre des réservations plus tôt, hors le fait d’habiter la commune.")
    )
    created_at = models.DateTimeField()
    awaits_since = models.DateTimeField(
        null=True,
        help_text=_("Venue d’elle-même, elle attend depuis cet instant qu’un agent l’accepte."),
    )
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
    """An adult responsible for children; signs in through `user`, created inactive at the invitation.

    `address` and what follows it are theirs when they live elsewhere than the household, else empty. `unwanted`: the
    e-mails that they do not want, of those that may be refused (`labels.Topic`).
    """

    user = models.OneToOneField(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="guardian")
    first_name = models.CharField(_("Prénom"), max_length=80)
    last_name = models.CharField(_("Nom"), max_length=80)
    email = models.EmailField(_("Adresse e-mail"), blank=True)
    phone = models.CharField(_("Téléphone"), max_length=30, blank=True)
    other_phone = models.CharField(_("Autre téléphone"), max_length=30, blank=True)
    address = models.CharField(_("Adresse"), max_length=200, blank=True)
    postcode = models.CharField(_("Code postal"), max_length=10, blank=True)
    city = models.CharField(_("Commune"), max_length=80, blank=True)
    unwanted = models.JSONField(default=list)

    class Meta:
        ordering = ["last_name", "first_name"]

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name}"


class Guardianship(models.Model):
    """A guardian's place in a household: `link` is "mère", "tuteur"…; `gets_mail`: the household's e-mails go to them
    too, always to who has parental authority or may have it (`families.places`). `is_legal`: None until somebody of the
    town said it."""

    household = models.ForeignKey(Household, on_delete=models.CASCADE, related_name="guardianships")
    guardian = models.ForeignKey(Guardian, on_delete=models.CASCADE, related_name="guardianships")
    position = models.PositiveSmallIntegerField(default=0)
    link = models.CharField(_("Lien avec les enfants"), max_length=40, blank=True)
    is_legal = models.BooleanField(_("Exerce l’autorité parentale"), null=True, blank=True, default=None)
    gets_mail = models.BooleanField(_("Reçoit les e-mails du foyer"), default=True)
    gets_invoices = models.BooleanField(_("Reçoit les factures"), default=True)
    gets_reminders = models.BooleanField(_("Reçoit les rappels"), default=True)

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
    diet = models.CharField(
        _("Régime"), max_length=50, blank=True, help_text=_("Un des régimes du fichier de la commune ; vide : inconnu.")
    )
    declared_at = models.DateTimeField(
        null=True, help_text=_("Ajouté par sa famille à cet instant, et pas encore vérifié par un agent.")
    )

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


class FamilyQuotient(models.Model):
    """A household's quotient from `first_day` on, until `last_day` (None: until another one begins). The last recorded
    of those that hold on a day counts that day (`queries.quotient_on`)."""

    class Source(models.TextChoices):
        CAF = "caf", _("CAF")
        MSA = "msa", _("MSA")
        TAXES = "taxes", _("Avis d’imposition")
        TOWN = "town", _("Calcul du service")

    household = models.ForeignKey(Household, on_delete=models.CASCADE, related_name="quotients")
    value = models.PositiveIntegerField(_("Quotient familial"))
    source = models.CharField(max_length=10, choices=Source.choices, default=Source.CAF)
    first_day = models.DateField(_("À compter du"))
    last_day = models.DateField(_("Jusqu’au"), null=True, blank=True)
    recorded_at = models.DateTimeField()
    recorded_by = models.CharField(max_length=150)

    class Meta:
        ordering = ["-first_day", "-id"]
        indexes = [models.Index(fields=["household", "-first_day"], name="quotient_household")]
        constraints = [
            models.CheckConstraint(
                condition=Q(last_day=None) | Q(last_day__gte=models.F("first_day")), name="quotient_days_in_order"
            )
        ]

    def __str__(self) -> str:
        return f"{self.household_id}: {self.value} ({self.first_day})"
