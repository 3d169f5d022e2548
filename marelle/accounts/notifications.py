"""How the worker fills the door's e-mails."""

from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from marelle.accounts.addresses import is_taken, undo_link
from marelle.accounts.codes import address_token, digits_of, is_good
from marelle.accounts.links import link_to_choose_password
from marelle.accounts.models import AddressChange, CodePurpose, SentCode, User
from marelle.activities.queries import municipality, takes_new_accounts
from marelle.foundation.models import OutboxMail


def code(mail: OutboxMail) -> dict[str, Any]:
    """The one e-mail that follows the door's one page. `who` says what the portal knows of the address:

    "active", "known" (invited or not, no password yet), "new" (unknown, where families may ask for an account),
    "unknown" (and where they may not, or whose door is closed: whom to call). `digits` is "" for those, and for a code
    that is over before its e-mail leaves; `url` is the link that does the same.
    """
    sent = SentCode.objects.filter(pk=mail.context.get("code")).first()
    digits = digits_of(sent) if sent is not None and is_good(sent) else ""
    pretty = f"{digits[:3]} {digits[3:]}".strip()
    if sent is not None and sent.purpose == CodePurpose.PROOF:
        return {"who": "proof", "digits": pretty, "url": ""}
    if sent is not None and sent.purpose == CodePurpose.ADDRESS:
        taken = is_taken(mail.to_address)
        return {"who": "taken" if taken else "address", "digits": "" if taken else pretty, "url": ""}
    next_path = mail.context.get("next", "")
    user = User.objects.filter(email=mail.to_address).first()
    if user is not None and not user.is_closed:
        url = link_to_choose_password(user, next_path=next_path)
        return {"who": "active" if user.is_active else "known", "digits": pretty, "url": url}
    if user is None:
        known = import_string(settings.KNOWN_ADDRESS)(mail.to_address)
        if known or takes_new_accounts(municipality()):
            url = link_to_prove(mail.to_address, next_path)
            return {"who": "known" if known else "new", "digits": pretty, "url": url}
    return {"who": "unknown", "digits": "", "url": ""}


def link_to_prove(email: str, next_path: str) -> str:
    path = reverse("accounts:address_link", args=[address_token(email)])
    return settings.PUBLIC_URL + path + (f"?{urlencode({'next': next_path})}" if next_path else "")


def address_changed(mail: OutboxMail) -> dict[str, Any]:
    """To the address that was left. `url` is empty once it is too late, or put back."""
    change = AddressChange.objects.get(pk=mail.context["change"])
    return {"old": change.old, "new": change.new, "url": "" if change.undone_at else undo_link(change)}


NOTICES = {
    "password_changed": _("Votre mot de passe est changé"),
    "second_factor_added": _("La deuxième étape de connexion est activée"),
    "second_factor_removed": _("La deuxième étape de connexion est retirée"),
    "recovery_used": _("Un code de secours a servi pour entrer"),
}


def notice(mail: OutboxMail) -> dict[str, Any]:
    return {"what": NOTICES[mail.context["what"]], "url": settings.PUBLIC_URL + reverse("accounts:door")}


builders = {"code": code, "address_changed": address_changed, "notice": notice}
