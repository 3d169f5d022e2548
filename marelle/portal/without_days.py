"""A service that a child is enrolled in without reserving days."""

from django.utils.translation import gettext as _

from marelle.activities.models import Service


def without_days_words(service: Service) -> str:
    """ "facturée à la présence, aucun jour à réserver": how it is billed is the town's own note, if it has one."""
    note = service.billing_note
    if not note:
        return _("aucun jour à réserver")
    return _("%(billing)s, aucun jour à réserver") % {"billing": note[0].lower() + note[1:]}
