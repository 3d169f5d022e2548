"""What the portal attests at once."""

from collections.abc import Iterable

from django.urls import reverse
from django.utils.translation import gettext as _

from marelle.portal.asking.ask import Ask, Occasion
from marelle.rules.lifecycles import EnrolmentState
from marelle.townfile.town import RequestGroup


def certificates(occasion: Occasion) -> Iterable[tuple[RequestGroup, Ask]]:
    """No query."""
    accepted = any(EnrolmentState.ACCEPTED in held for held in occasion.states.values())
    here = reverse("portal:certificates")
    for title, anchor in ((_("Attestation d’inscription"), "inscription"), (_("Attestation de présence"), "presence")):
        if accepted:
            ask = Ask(title=title, text=_("Prête tout de suite, en PDF"), url=f"{here}#{anchor}")
        else:
            ask = Ask(title=title, text=_("Dès qu’une inscription est acceptée"))
        yield RequestGroup.CERTIFICATES, ask
