"""Checking an attestation, for whoever was shown one: an employer, a fund. Open to everybody, and says the least."""

import re

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from marelle.activities.queries import municipality
from marelle.attestations.models import Attestation
from marelle.foundation.typed import typed


@require_safe
def verify(request: HttpRequest, code: str = "") -> HttpResponse:
    """`code` in the address, or typed (`?code=`), with or without its hyphens. An unknown one answers 404."""
    asked = typed(request.GET, "code", most=40)
    if asked and not code:
        letters = re.sub(r"[^A-Z0-9]", "", asked.upper())[:12]
        return redirect("attestations:verify", code="-".join(re.findall(r".{1,4}", letters)) or "-")
    found = Attestation.objects.select_related("child", "service").filter(code=code).first() if code else None
    context = {"municipality": municipality(), "code": code, "attestation": found, "initials": _initials(found)}
    return render(request, "attestations/verify.html", context, status=404 if code and found is None else 200)


def _initials(attestation: Attestation | None) -> str:
    """ "T. B.": enough to see that it is the one in hand, and no more."""
    if attestation is None:
        return ""
    child = attestation.child
    return f"{child.first_name[:1]}. {child.last_name[:1]}."
