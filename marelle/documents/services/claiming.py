"""An agent asks a home for papers that it has not given."""

import uuid
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from marelle.accounts.models import User
from marelle.documents import notifications
from marelle.documents.services.handing_in import lock_papers_of
from marelle.families.models import Household
from marelle.families.queries import addressees
from marelle.foundation import audit
from marelle.foundation.models import AuditLine


@transaction.atomic
def ask_papers(
    *, household: Household, what: Sequence[tuple[str, str]], send_key: uuid.UUID, by: User, at: datetime
) -> int:
    """Write to every adult of the home: these papers (name, and whom it is about) are awaited. How many e-mails left;
    the same `send_key` writes once. Papers that tell of health come with their guarded name."""
    lock_papers_of(household)
    key = str(send_key)
    if AuditLine.objects.filter(action="document.asked", household_id=household.pk, facts__send_key=key).exists():
        return 0
    adults = addressees(household)
    if not adults or not what:
        return 0
    notifications.asked(household=household, what=what, at=at)
    told = ", ".join(f"{name} ({who})" for name, who in what)
    audit.record(
        at=at,
        by=by.actor(as_agent=True),
        action="document.asked",
        subject=household,
        household_id=household.pk,
        text=_("Documents demandés par e-mail : %(what)s.") % {"what": told},
        facts={"send_key": key},
    )
    return len(adults)
