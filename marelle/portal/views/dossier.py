"""What a child's dossier contains, adding a child, and completing what an agent asked for."""

from datetime import date

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from marelle.activities.models import SchoolYear
from marelle.activities.queries import municipality, rules_of, years_to_enrol
from marelle.bookings.models import Enrolment
from marelle.bookings.queries.prerequisites import school_services
from marelle.bookings.services.completing import complete as complete_enrolments
from marelle.families.permissions import GuardianHttpRequest, guardian_required
from marelle.families.services import declare_child
from marelle.foundation.typed import typed
from marelle.portal.children import children_of
from marelle.portal.enrolling.dossier import dossier_of
from marelle.portal.tabs import tab_required
from marelle.requests.models import FamilyRequest
from marelle.requests.queries import find_request
from marelle.requests.services import AlreadyAnswered
from marelle.rules.lifecycles import EnrolmentState
from marelle.townfile.town import Tab

REPLY_MOST = 500


@require_safe
@guardian_required
@tab_required(Tab.REQUESTS)
def dossier(request: GuardianHttpRequest, child_id: int) -> HttpResponse:
    """`annee` chooses among the school years that are not over and open; by default the first."""
    town = municipality()
    children = children_of(request.household)
    child = next((one for one in children if one.id == child_id), None)
    if child is None:
        raise Http404
    today = request.at.astimezone(town.tz).date()
    years, _later = years_to_enrol(today=today, at=request.at)
    if not years:
        years = list(SchoolYear.objects.filter(archived_at=None, last_day__gte=today).order_by("first_day")[:1])
    label = request.GET.get("annee")
    year = next((one for one in years if one.label == label), None) if label else next(iter(years), None)
    if year is None:
        raise Http404
    shown = dossier_of(town=town, user=request.user, household=request.household, child=child, year=year, at=request.at)
    return render(
        request,
        "portal/demarches/dossier.html",
        {"municipality": town, "dossier": shown, "children": children, "child": child, "year": year, "years": years},
    )


class ChildForm(forms.Form):
    first_name = forms.CharField(label=gettext_lazy("Prénom"), max_length=80)
    last_name = forms.CharField(label=gettext_lazy("Nom"), max_length=80)
    birth_date = forms.DateField(
        label=gettext_lazy("Date de naissance"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={
            "invalid": gettext_lazy("La date doit exister, par exemple 12/03/2019."),
            "required": gettext_lazy("Indiquez la date de naissance."),
        },
    )

    def __init__(self, *args: object, today: date, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.today = today
        self.fields["first_name"].error_messages["required"] = _("Indiquez le prénom.")
        self.fields["last_name"].error_messages["required"] = _("Indiquez le nom.")

    def clean_birth_date(self) -> date:
        born: date = self.cleaned_data["birth_date"]
        if born >= self.today:
            raise forms.ValidationError(_("La date de naissance doit être dans le passé."))
        if self.today.year - born.year > 20:
            raise forms.ValidationError(_("Vérifiez l’année : l’enfant aurait plus de 20 ans."))
        return born


@require_http_methods(["GET", "HEAD", "POST"])
@guardian_required
@tab_required(Tab.REQUESTS)
def add_child(request: GuardianHttpRequest) -> HttpResponse:
    """Where the town takes children in through the portal: it has a service that gives a place at a school."""
    town = municipality()
    if not school_services(rules_of(town)):
        raise Http404
    today = request.at.astimezone(town.tz).date()
    label = typed(request.POST if request.method == "POST" else request.GET, "annee", most=9)
    form = ChildForm(
        {name: typed(request.POST, name) for name in ("first_name", "last_name", "birth_date")}
        if request.method == "POST"
        else None,
        today=today,
        initial={"last_name": request.household.name},
    )
    if request.method == "POST" and form.is_valid():
        child = declare_child(
            household=request.household,
            first_name=form.cleaned_data["first_name"],
            last_name=form.cleaned_data["last_name"],
            birth_date=form.cleaned_data["birth_date"],
            by=request.user,
            at=request.at,
        )
        words = _("%(name)s est dans votre foyer. Le service le vérifie avec votre demande.")
        messages.success(request, words % {"name": child.first_name})
        query = f"?annee={label}" if SchoolYear.objects.filter(label=label).exists() else ""
        return redirect(f"{reverse('portal:enrol')}{query}")
    return render(
        request,
        "portal/demarches/add_child.html",
        {"municipality": town, "form": form, "label": label},
        status=422 if form.errors else 200,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@guardian_required
@tab_required(Tab.REQUESTS)
def complete(request: GuardianHttpRequest, number: str) -> HttpResponse:
    """What an agent asks for before answering; a word from the family sends it back."""
    found = find_request(number, household=request.household)
    if found is None:
        raise Http404
    if request.method == "POST":
        try:
            done = complete_enrolments(
                request_id=found.pk, reply=typed(request.POST, "reply", most=REPLY_MOST), by=request.user, at=request.at
            )
        except AlreadyAnswered:
            messages.info(request, _("Cette demande a déjà sa réponse."))
        else:
            if done:
                messages.success(request, _("Merci : le service reprend votre demande, elle garde sa date d’arrivée."))
        return redirect("portal:request", number=found.number)
    asked = _asked(found)
    if not asked:
        return redirect("portal:request", number=found.number)
    return render(
        request,
        "portal/demarches/complete.html",
        {
            "municipality": municipality(),
            "number": found.number,
            "asked": asked,
            "children": {one.id: one for one in children_of(request.household)},
            "reply_most": REPLY_MOST,
        },
    )


def _asked(found: FamilyRequest) -> list[Enrolment]:
    return list(
        Enrolment.objects.filter(line__request=found, state=EnrolmentState.INCOMPLETE)
        .select_related("child", "activity__service", "activity__site", "school_year")
        .order_by("line__position")
    )
