"""How the worker fills the door's e-mails."""

from typing import Any

from marelle.accounts.links import link_to_choose_password
from marelle.accounts.models import User
from marelle.foundation.models import OutboxMail


def link(mail: OutboxMail) -> dict[str, Any]:
    """`url` is empty when nobody may come in with this address: the same e-mail then says that it is not known."""
    user = User.objects.filter(email=mail.to_address).first()
    if user is None or user.is_closed:
        return {"url": "", "active": False}
    return {"url": link_to_choose_password(user, next_path=mail.context["next"]), "active": user.is_active}


builders = {"link": link}
