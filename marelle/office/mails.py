"""Which e-mails an agent may see."""

from datetime import datetime

from django.db.models import QuerySet

from marelle.accounts.models import AgentRole
from marelle.families.permissions import households_for
from marelle.foundation.models import OutboxMail
from marelle.office.queue import sites_of

Kind = AgentRole.Kind
#: The agents who write to families: they register, invite, and see to what could not be sent.
DESK = (Kind.ADMINISTRATOR, Kind.OFFICE)


def mails_for(role: AgentRole, *, at: datetime) -> "QuerySet[OutboxMail]":
    """All, or those to the households that the agent may see when some sites are named."""
    mails = OutboxMail.objects.all()
    return mails.filter(household_id__in=households_for(role, at=at).values("pk")) if sites_of(role) else mails
