"""Inviting another adult into one's home."""

import uuid
from typing import Any

from allauth.core import ratelimit
from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from marelle.accounts.forms import AddressForm
from marelle.accounts.permissions import proof_required
from marelle.families.joining.adults import TooManyInvitations, cancel_invitation, invite_adult
from marelle.families.models import AdultInvitation
from marelle.families.permissions import GuardianHttpRequest, guardian_required


class AdultForm(AddressForm):
    first_name = forms.CharField(
        label=gettext_lazy("Son prénom"),
        max_length=80,
        error_messages={"required": gettext_lazy("Indiquez son prénom.")},
    )
    last_name = forms.CharField(
        label=gettext_lazy("Son nom"), max_length=80, error_messages={"required": gettext_lazy("Indiquez son nom.")}
    )
    field_order = ("first_name", "last_name", "email")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = gettext_lazy("Son adresse e-mail")
        self.fields["email"].widget.attrs["autocomplete"] = "off"
        self.fields["email"].error_messages["required"] = gettext_lazy("Indiquez son adresse e-mail.")


@require_http_methods(["GET", "HEAD", "POST"])
@guardian_required
@proof_required
def invite(request: GuardianHttpRequest) -> HttpResponse:
    """The same answer whoever has the address."""
    form = AdultForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        if not ratelimit.consume(request, action="adult_invited", key=str(request.household.pk)):
            form.add_error(None, _("Vous avez déjà envoyé plusieurs invitations. Réessayez demain."))
        else:
            try:
                said = form.cleaned_data
                invitation = invite_adult(household=request.household, **said, by=request.user, at=request.at)
            except TooManyInvitations:
                form.add_error(None, _("Cinq invitations attendent déjà. Annulez-en une d’abord."))
            else:
                messages.success(request, _("Invitation envoyée à %(name)s.") % {"name": invitation})
                return redirect("portal:family")
    context = {"form": form, "household": request.household}
    return render(request, "portal/family/invite.html", context, status=422 if form.errors else 200)


@require_POST
@guardian_required
def cancel(request: GuardianHttpRequest, invitation_id: uuid.UUID) -> HttpResponse:
    invitation = get_object_or_404(AdultInvitation, pk=invitation_id, household=request.household)
    if cancel_invitation(invitation=invitation, by=request.user, at=request.at):
        messages.success(request, _("L’invitation est annulée."))
    return redirect("portal:family")
