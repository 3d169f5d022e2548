import uuid

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
    too."""

    household = models.ForeignKey(Household, on_delete=models.CASCADE, related_name="guardianships")
    guardian = models.ForeignKey(Guardian, on_delete=models.CASCADE, related_name="guardianships")
    position = models.PositiveSmallIntegerField(default=0)
    link = models.CharField(_("Lien avec les enfants"), max_length=40, blank=True)
    is_legal = models.BooleanField(_("Exerce l’autorité parentale"), default=True)
    gets_mail = models.BooleanField(_("Reçoit les e-mails du foyer"), default=True)
    gets_invoices = models.BooleanField(_("Reçoit les factures"), default=True)

    class Meta:
        ordering = ["position", "id"]
        constraints = [models.UniqueConstraint(fields=["household", "guardian"], name="one_guardianship")]

    def __str__(self) -> str:
        return f"{self.guardian_id} in {self.household_id}"


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


class HouseholdMerge(models.Model):
    """That a household, registered twice, was merged into `kept`. Its number stays, for the audit trail that names
    it."""

    kept = models.ForeignKey(Household, on_delete=models.CASCADE, related_name="merges")
    gone_id = models.BigIntegerField(unique=True)
    gone_name = models.CharField(max_length=120)
    merged_at = models.DateTimeField()
    merged_by = models.CharField(max_length=150)

    def __str__(self) -> str:
        return f"{self.gone_id} into {self.kept_id}"


class DistinctHouseholds(models.Model):
    """That two households which look alike are not the same, as an agent said: `one` has the smaller id."""

    one = models.ForeignKey(Household, on_delete=models.CASCADE, related_name="+")
    other = models.ForeignKey(Household, on_delete=models.CASCADE, related_name="+")
    said_at = models.DateTimeField()
    said_by = models.CharField(max_length=150)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["one", "other"], name="one_distinction")]

    def __str__(self) -> str:
        return f"{self.one_id} is not {self.other_id}"


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


class HealthFile(models.Model):
    """A child's health file: what is in it is sealed (`families.health.HealthContent`); `families.health_files` alone
    opens and writes it.

    A confirmation counts until `valid_until`, the end of `school_year`. `has_plan` and `plan_until` stand in clear, to
    be counted and to remind: only who may read the file sees them.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    child = models.OneToOneField(Child, on_delete=models.CASCADE, related_name="health_file")
    sealed = models.BinaryField()
    version = models.PositiveIntegerField(default=1, help_text=_("Change à chaque enregistrement."))
    changed_at = models.DateTimeField()
    confirmed_at = models.DateTimeField()
    confirmed_by_label = models.CharField(max_length=150)
    confirmed_by_household = models.BigIntegerField(null=True)
    school_year = models.CharField(max_length=9)
    valid_until = models.DateField()
    has_plan = models.BooleanField(default=False)
    plan_until = models.DateField(null=True)
    plan_reminded_for = models.DateField(null=True, help_text=_("L’échéance du PAI dont la famille a été prévenue."))

    class Meta:
        indexes = [
            models.Index(fields=["plan_until"], condition=Q(has_plan=True), name="health_plan_until"),
            models.Index(fields=["valid_until"], name="health_valid_until"),
        ]

    def __str__(self) -> str:
        return f"{self.child_id} ({self.school_year})"

    def bound_to(self) -> str:
        return f"families.HealthFile:{self.pk}"


class ReadingReason(models.TextChoices):
    """Why somebody opens what is sealed: a choice, never words of theirs, which could tell what they read."""

    OWN = "own", _("Consultation par la famille")
    EDIT = "edit", _("Mise à jour par la famille")
    DAY = "day", _("Accueil du jour")
    QUESTION = "question", _("Question de la famille")
    PLAN = "plan", _("Préparation ou suivi d’un PAI")
    EMERGENCY = "emergency", _("Urgence")


class HealthReading(models.Model):
    """One opening of what is sealed about a child: who, when, why. Never changed. It outlives whom it names."""

    class What(models.TextChoices):
        FILE = "file", _("Fiche santé")
        FORBIDDEN = "forbidden", _("Personnes interdites")
        REQUEST = "request", _("Demande")

    child = models.ForeignKey(Child, on_delete=models.CASCADE, related_name="health_readings")
    what = models.CharField(max_length=10, choices=What.choices, default=What.FILE)
    at = models.DateTimeField()
    reader_id = models.BigIntegerField()
    reader_label = models.CharField(max_length=150)
    by_agent = models.BooleanField(default=False)
    household_id = models.BigIntegerField(null=True, help_text=_("Le foyer de qui lit ; vide pour un agent."))
    why = models.CharField(max_length=10, choices=ReadingReason.choices)

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [models.Index(fields=["child", "-at"], name="health_reading_child")]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.reader_label} ({self.why})"


class EmergencyContact(models.Model):
    """Whom to call after the adults of the home, in order. It belongs to the home that gave it: the other never sees
    it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    household = models.ForeignKey(Household, on_delete=models.CASCADE, related_name="contacts")
    children = models.ManyToManyField(Child, related_name="contacts")
    name = models.CharField(_("Nom"), max_length=120)
    link = models.CharField(_("Lien avec l’enfant"), max_length=60)
    phone = models.CharField(_("Téléphone"), max_length=30)
    other_phone = models.CharField(_("Autre téléphone"), max_length=30, blank=True)
    position = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["position", "created_at", "id"]

    def __str__(self) -> str:
        return self.name


class AuthorisedPerson(models.Model):
    """Somebody whom a home lets fetch its children, from `first_day` to `last_day` (none: no bound). An agent says when
    they have seen the identity document. Removed ones stay a while, to be put back and to know who could come."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    household = models.ForeignKey(Household, on_delete=models.CASCADE, related_name="authorised")
    children = models.ManyToManyField(Child, related_name="authorised")
    name = models.CharField(_("Prénom et nom"), max_length=120)
    link = models.CharField(_("Lien avec l’enfant"), max_length=60)
    phone = models.CharField(_("Téléphone"), max_length=30)
    photo = models.ForeignKey(StoredFile, on_delete=models.SET_NULL, null=True, related_name="+")
    first_day = models.DateField(_("Du"), null=True, blank=True)
    last_day = models.DateField(_("Au"), null=True, blank=True)
    identity_checked_at = models.DateTimeField(null=True)
    identity_checked_by = models.CharField(max_length=150, blank=True)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=150)
    removed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["created_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(first_day=None) | Q(last_day=None) | Q(last_day__gte=models.F("first_day")),
                name="authorised_days_in_order",
            )
        ]
        indexes = [
            models.Index(fields=["last_day"], condition=Q(last_day__isnull=False), name="authorised_last_day"),
            models.Index(fields=["removed_at"], condition=Q(removed_at__isnull=False), name="authorised_removed"),
        ]

    def __str__(self) -> str:
        return self.name


class ForbiddenPerson(models.Model):
    """Somebody who may not fetch the child, as agents record it from a judgment: name and note are sealed, opened for
    agents who read health files, and never shown to families."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    child = models.ForeignKey(Child, on_delete=models.CASCADE, related_name="forbidden")
    sealed = models.BinaryField()
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=150)
    lifted_at = models.DateTimeField(null=True)
    lifted_by = models.CharField(max_length=150, blank=True)

    class Meta:
        ordering = ["created_at", "id"]

    def __str__(self) -> str:
        return f"{self.child_id} ({self.created_at:%Y-%m-%d})"

    def bound_to(self) -> str:
        return f"families.ForbiddenPerson:{self.pk}"


class PermissionAnswer(models.Model):
    """What a home answers for a school year to one of the town's permissions (`permission`: its slug). What counts for
    a child of two homes is `queries.permissions_of`."""

    child = models.ForeignKey(Child, on_delete=models.CASCADE, related_name="permission_answers")
    household = models.ForeignKey(Household, on_delete=models.CASCADE, related_name="permission_answers")
    permission = models.CharField(max_length=50)
    school_year = models.CharField(max_length=9)
    allowed = models.BooleanField()
    answered_at = models.DateTimeField()
    answered_by = models.CharField(max_length=150)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["child", "household", "permission", "school_year"], name="one_permission_answer"
            )
        ]

    def __str__(self) -> str:
        return f"{self.child_id} {self.permission} {self.school_year}"
