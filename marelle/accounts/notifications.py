"""How the worker fills the door's e-mails."""

from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.module_loading import import_string

from marelle.accounts.codes import address_token, digits_of, is_good
from marelle.accounts.links import link_to_choose_password
from marelle.accounts.models import CodePurpose, SentCode, User
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
    next_path = mail.context.get("next", "")
    user = User.objects.filter(email=mail.to_address).first()
    if user is not None and not user.is_closed:
        url = link_to_choose_password(user, next_path=next_path)
        return {"who": "active" if user.is_active else "known", "digits": pretty, "url": url}
    if user is None:
        known = import_string(settings.KNOWN_ADDRESS)(mail.to_address)
        if known or (settings.NEW_ACCOUNT and takes_new_accounts(municipality())):
            url = link_to_prove(mail.to_address, next_path)
            return {"who": "known" if known else "new", "digits": pretty, "url": url}
    return {"who": "unknown", "digits": "", "url": ""}


def link_to_prove(email: str, next_path: str) -> str:
    path = reverse("accounts:address_link", args=[address_token(email)])
    return settings.PUBLIC_URL + path + (f"?{urlencode({'next': next_path})}" if next_path else "")


builders = {"code": code}
