"""Accepting the town's regulations."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from marelle.accounts.models import User
from marelle.documents.models import TermsAcceptance
from marelle.families.models import Household
from marelle.foundation import audit
from marelle.townfile.town import Terms


@transaction.atomic
def accept_terms(*, household: Household, terms: Terms, by: User, at: datetime) -> bool:
    """Write that the household accepts a regulation in its version of today. Whether it had not yet."""
    acceptance, is_new = TermsAcceptance.objects.get_or_create(
        household=household,
        terms=terms.slug,
        version=terms.version,
        defaults={"at": at, "by": by, "by_label": str(by)},
    )
    if is_new:
        audit.record(
            at=at,
            by=by.actor(),
            action="terms.accepted",
            subject=acceptance,
            household_id=household.pk,
            text=_("Règlement accepté : %(name)s (version %(version)s).")
            % {"name": terms.name, "version": terms.version},
        )
    return is_new
