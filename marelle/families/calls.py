"""Calls that agents note in a family's history. They are the agents' own words, for agents: a family's history leaves
them out."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from marelle.families.models import Household
from marelle.foundation.audit import Actor, record
from marelle.foundation.models import AuditLine

NOTED = "call.noted"


@transaction.atomic
def note_call(*, household: Household, who: str, words: str, by: Actor, at: datetime, key: UUID) -> bool:
    """Write a call down, once for each key. Whether it was not there yet."""
    household = Household.objects.select_for_update(no_key=True).get(pk=household.pk)
    if AuditLine.objects.filter(household_id=household.pk, action=NOTED, facts__key=str(key)).exists():
        return False
    record(
        at=at,
        by=by,
        action=NOTED,
        subject=household,
        household_id=household.pk,
        text=_("Appel de %(who)s : %(words)s") % {"who": who, "words": words}
        if who
        else _("Appel : %(words)s") % {"words": words},
        facts={"key": str(key)},
    )
    return True
