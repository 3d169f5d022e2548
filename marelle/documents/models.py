"""The papers that a home gives, and the town's rules that it accepts."""

import uuid

from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from marelle.accounts.models import User
from marelle.families.models import Child, Guardian, Household
from marelle.foundation.models import StoredFile
from marelle.foundation.sealed import SealedTextField
from marelle.requests.models import RequestLine
from marelle.rules.papers import DocumentState


class SupportingDocument(models.Model):
    """A document that one home handed in for one of the town's papers. It is that home's alone: the other home of a
    shared child never learns of it.

    `paper` is a slug of the town's document; `child` or `guardian` whom it is about, neither: the household.
    `issued_on` is the date that it bears, `valid_until` its last day as the family said it, then as the agent accepted
    it (None: for ever). `school_year` is the label of the year that a yearly paper was given for. `line`: the line of
    the request that it came with; a proof of absence bears its absence's. `review`: the line by which agents answer it,
    when it was handed in by itself. `file` is None once it is kept no longer.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    paper = models.SlugField()
    household = models.ForeignKey(Household, on_delete=models.PROTECT, related_name="documents")
    child = models.ForeignKey(Child, on_delete=models.PROTECT, null=True, related_name="+")
    guardian = models.ForeignKey(Guardian, on_delete=models.PROTECT, null=True, related_name="+")
    school_year = models.CharField(max_length=9, blank=True)
    file = models.OneToOneField(StoredFile, on_delete=models.PROTECT, null=True, related_name="+")
    state = models.CharField(
        max_length=10, choices=[(state, state) for state in DocumentState], default=DocumentState.TO_REVIEW
    )
    issued_on = models.DateField(null=True)
    valid_until = models.DateField(null=True)
    said_until = models.DateField(
        null=True, help_text=_("La fin que la famille avait dite, gardée quand un agent l’accepte.")
    )
    send_key = models.UUIDField(unique=True, default=uuid.uuid4)
    handed_at = models.DateTimeField()
    handed_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    handed_by_label = models.CharField(max_length=150)
    by_agent = models.BooleanField(default=False, help_text=_("Remis au guichet, envoyé par un agent."))
    line = models.ForeignKey(RequestLine, on_delete=models.PROTECT, null=True, related_name="documents")
    review = models.OneToOneField(RequestLine, on_delete=models.PROTECT, null=True, related_name="reviewed_document")
    reviewed_at = models.DateTimeField(null=True)
    reviewed_by_label = models.CharField(max_length=150, blank=True)
    reason = SealedTextField(_("Motif"))
    ended_at = models.DateTimeField(
        null=True, help_text=_("Refusé, remplacé ou retiré à cet instant : le fichier n’est gardé qu’un temps ensuite.")
    )
    told_end = models.DateField(null=True, help_text=_("La fin de validité déjà rappelée par e-mail."))
    told_refusal_at = models.DateTimeField(null=True, help_text=_("Le refus resté sans suite a été rappelé."))

    class Meta:
        ordering = ["-handed_at", "id"]
        constraints = [
            models.UniqueConstraint(
                F("household"),
                F("paper"),
                F("school_year"),
                Coalesce(F("child"), Value(0)),
                Coalesce(F("guardian"), Value(0)),
                Coalesce(F("line"), Value(0)),
                condition=Q(state=DocumentState.TO_REVIEW),
                name="one_document_to_review",
                violation_error_message=_("Ce document attend déjà d’être vérifié."),
            ),
        ]
        indexes = [
            models.Index(fields=["household", "paper"], name="document_household"),
            models.Index(fields=["handed_at"], condition=Q(state=DocumentState.TO_REVIEW), name="document_to_review"),
            models.Index(
                fields=["valid_until"],
                condition=Q(state=DocumentState.ACCEPTED, valid_until__isnull=False),
                name="document_end",
            ),
            models.Index(fields=["ended_at"], condition=Q(file__isnull=False), name="document_ended"),
        ]

    def __str__(self) -> str:
        return f"{self.paper} {self.household_id} ({self.state})"


class DocumentReading(models.Model):
    """One opening of a document that tells of health: who and when. Never changed; it outlives the document's file."""

    document = models.ForeignKey(SupportingDocument, on_delete=models.PROTECT, related_name="readings")
    at = models.DateTimeField()
    reader_id = models.BigIntegerField()
    reader_label = models.CharField(max_length=150)
    by_agent = models.BooleanField(default=False)

    class Meta:
        ordering = ["-at", "-id"]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.reader_label}"


class TermsAcceptance(models.Model):
    """That a household accepted a version of one of the town's regulations; a new version is accepted anew."""

    household = models.ForeignKey(Household, on_delete=models.PROTECT, related_name="terms_accepted")
    terms = models.SlugField()
    version = models.CharField(max_length=40)
    at = models.DateTimeField()
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    by_label = models.CharField(max_length=150)

    class Meta:
        ordering = ["-at"]
        constraints = [
            models.UniqueConstraint(fields=["household", "terms", "version"], name="one_acceptance_of_a_version")
        ]

    def __str__(self) -> str:
        return f"{self.household_id}: {self.terms} {self.version}"
