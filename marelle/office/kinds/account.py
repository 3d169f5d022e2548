"""A family that came by itself: who they are, the proof that they gave, and the families here that look like them."""

from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from marelle.documents.models import SupportingDocument
from marelle.documents.permissions import documents_for
from marelle.families.doubles.duplicates import Likeness, Sign, near_duplicates
from marelle.families.models import Child, Guardian, Household
from marelle.families.permissions import households_for
from marelle.foundation.look import Look
from marelle.foundation.sentences import list_words
from marelle.office.kinds.kind import Kind, Seen
from marelle.office.kinds.papers import shown
from marelle.requests.models import FamilyRequest, RequestLine


@dataclass(frozen=True, slots=True)
class Near:
    """`url`, and `compare_url` (both side by side), are empty for an agent who may not see that family."""

    name: str
    url: str
    reasons: tuple[str, ...]
    compare_url: str = ""


def pane(seen: Seen) -> dict[str, Any]:
    household = seen.request.household
    documents = list(
        documents_for(seen.agent, town=seen.town, at=seen.at)
        .filter(line__in=[line.pk for line in seen.lines])
        .select_related("child", "guardian", "file", "line")
        .order_by("-handed_at")
    )
    near = near_duplicates(household) if seen.pending else []
    visible = set(
        households_for(seen.agent, at=seen.at)
        .filter(pk__in=[one.household.pk for one in near])
        .values_list("pk", flat=True)
    )
    return {
        "household": household,
        "adults": list(Guardian.objects.filter(guardianships__household=household).order_by("guardianships__position")),
        "children": list(Child.objects.filter(households=household).select_related("school")),
        "documents": [shown(_line_of(document, seen), document, {}, seen) for document in documents],
        "near": [_near(one, visible, household) for one in near],
    }


def _line_of(document: SupportingDocument, seen: Seen) -> RequestLine:
    return next(line for line in seen.lines if line.pk == document.line_id)


def _near(one: Likeness, visible: set[int], newcomer: Household) -> Near:
    words = {
        Sign.CHILD: lambda names: ngettext("même enfant : %(who)s", "mêmes enfants : %(who)s", len(names)),
        Sign.PHONE: lambda names: _("même téléphone que %(who)s"),
        Sign.ADULT: lambda names: _("à la même adresse, un nom proche : %(who)s"),
    }
    reasons = tuple(words[sign](names) % {"who": list_words(names)} for sign, names in one.signs.items())
    if one.household.pk not in visible:
        return Near(one.household.name, "", reasons)
    return Near(
        one.household.name,
        reverse("office:family", args=[one.household.pk]),
        reasons,
        reverse("office:merge", args=[one.household.pk, newcomer.pk]),
    )


def tag(request: FamilyRequest, pending: list[RequestLine]) -> Look:
    return Look(gettext_lazy("Nouvelle famille"), "user-plus", "wait")


KIND = Kind(template="office/kinds/_account.html", pane=pane, tag=tag, may_accept_several=False)  # type: ignore[arg-type]
