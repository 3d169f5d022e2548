"""Bringing in families from a file: hand it in, match its columns, look, save, undo."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from marelle.accounts.permissions import AgentHttpRequest, agent_required
from marelle.activities.models import Site
from marelle.families.imports import labels
from marelle.families.imports.columns import FIELDS, REQUIRED
from marelle.families.imports.planning import Plan
from marelle.families.imports.saving import (
    NoLongerUndone,
    TooManyFiles,
    TwoFilesNeeded,
    advance,
    ask_to_save,
    begin_import,
    digest,
    drop_import,
    keep_ours,
    match_columns,
    sheets_of,
    undo_import,
    undo_until,
)
from marelle.families.imports.sheets import MAX_BYTES, Unreadable
from marelle.families.models import ImportRun, ImportState
from marelle.foundation.typed import typed
from marelle.office.household_form import schools_offered
from marelle.office.imports import VIEWS, found, may_import, refused_csv, view_of
from marelle.office.mails import DESK

PAGE = 25
RUNS = 10
AGAIN = "3"  # seconds before the page of a work in hand is asked for again


def town_wide(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """For agents of the desk who answer for every site; another agent is refused (403)."""

    @wraps(view)
    @agent_required(*DESK)
    def guarded(request: AgentHttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not may_import(request.agent):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return guarded


class ImportForm(forms.Form):
    file = forms.FileField(
        label=gettext_lazy("Fichier"),
        help_text=gettext_lazy("Les élèves exportés d’ONDE, ou un tableau enregistré au format CSV. 10 Mo au plus."),
        error_messages={
            "required": gettext_lazy("Choisissez un fichier."),
            "empty": gettext_lazy("Ce fichier est vide."),
        },
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,text/csv,text/plain"}),
    )
    second = forms.FileField(
        label=gettext_lazy("Second fichier d’ONDE"),
        help_text=gettext_lazy("Les responsables légaux. Laissez vide pour un tableau."),
        required=False,
        error_messages={"empty": gettext_lazy("Ce fichier est vide.")},
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,text/csv,text/plain"}),
    )
    school: "forms.ModelChoiceField[Site]" = forms.ModelChoiceField(
        label=gettext_lazy("École"),
        help_text=gettext_lazy("Celle des enfants dont le fichier ne dit pas l’école."),
        queryset=Site.objects.none(),
        required=False,
        empty_label=gettext_lazy("Le fichier la dit"),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        schools: Any = self.fields["school"]
        schools.queryset = schools_offered()


@require_http_methods(["GET", "HEAD", "POST"])
@town_wide
def index(request: AgentHttpRequest) -> HttpResponse:
    form = ImportForm(request.POST or None, request.FILES or None)
    if request.method == "POST":
        form = ImportForm(request.POST, request.FILES)
        if form.is_valid() and (run := begun(request, form)):
            return redirect("office:import", run.pk)
    return render(request, "office/imports/index.html", {"form": form, "runs": ImportRun.objects.all()[:RUNS]})


def begun(request: AgentHttpRequest, form: ImportForm) -> ImportRun | None:
    """The run; None, and why in the form, when the files are not what is brought in."""
    files = [form.cleaned_data[name] for name in ("file", "second") if form.cleaned_data[name]]
    try:
        run = begin_import(
            files=[(file.name, file.read(MAX_BYTES + 1)) for file in files],
            school=form.cleaned_data["school"],
            by=request.user.actor(as_agent=True),
            at=request.at,
        )
    except Unreadable as refusal:
        form.add_error("file", labels.file_words(refusal))
    except TwoFilesNeeded as refusal:
        form.add_error(
            "second",
            _("Ajoutez le fichier des responsables : ONDE en donne deux.")
            if refusal.missing == "guardians"
            else _("Ajoutez le fichier des élèves : ONDE en donne deux."),
        )
    except TooManyFiles:
        form.add_error("second", _("Un tableau se dépose seul. Ces deux fichiers ne sont pas ceux d’ONDE."))
    else:
        return advance(run, at=request.at)
    return None


@require_safe
@town_wide
def detail(request: AgentHttpRequest, run_id: int) -> HttpResponse:
    run = get_object_or_404(ImportRun.objects.select_related("school"), pk=run_id)
    if run.state == ImportState.MATCHING:
        return redirect("office:import_columns", run.pk)
    if run.state in (ImportState.READING, ImportState.SAVING):
        answer = render(request, "office/imports/working.html", {"run": run})
        answer["Refresh"] = AGAIN
        return answer
    if run.state == ImportState.READY:
        return preview(request, run)
    return render(
        request,
        "office/imports/result.html",
        {"run": run, "until": undo_until(run), "may_undo": (until := undo_until(run)) and request.at < until},
    )


def preview(request: AgentHttpRequest, run: ImportRun) -> HttpResponse:
    assert run.plan is not None
    plan = Plan.from_json(run.plan)
    view = view_of(request.GET.get("voir", ""), run)
    words = typed(request.GET, "q", most=100)
    page = Paginator(found(view.rows(plan, run), words), PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "office/imports/preview.html",
        {
            "run": run,
            "counts": run.counts | {"known": run.counts["children"] - run.counts["new_children"]},
            "views": [{"view": one, "count": run.counts.get(one.count, 0)} for one in VIEWS],
            "view": view,
            "page": page,
            "q": words,
            "digest": digest(run),
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
@town_wide
def columns(request: AgentHttpRequest, run_id: int) -> HttpResponse:
    run = get_object_or_404(ImportRun.objects.select_related("file", "second_file"), pk=run_id)
    if run.kind != ImportRun.Kind.SPREADSHEET or run.state not in (ImportState.MATCHING, ImportState.READY):
        return redirect("office:import", run.pk)
    sheet = sheets_of(run)[0]
    matching: dict[str, int] = dict(run.matching)
    problems: list[dict[str, str]] = []
    if request.method == "POST":
        matching = {
            name: int(said) for name in FIELDS if (said := request.POST.get(name, "")).isdecimal() and len(said) < 4
        }
        twice = [name for name, index in matching.items() if list(matching.values()).count(index) > 1]
        problems = [
            {"text": _("Choisissez la colonne : %(name)s.") % {"name": labels.FIELDS[name]}, "href": f"#c-{slug(name)}"}
            for name in REQUIRED
            if name not in matching
        ] + [
            {
                "text": _("Une colonne sert deux fois : %(name)s.") % {"name": labels.FIELDS[name]},
                "href": f"#c-{slug(name)}",
            }
            for name in twice[1:]
        ]
        if not problems:
            try:
                run = match_columns(run=run, matching=matching, at=request.at)
            except ValueError:
                raise Http404 from None
            advance(run, at=request.at)
            return redirect("office:import", run.pk)
    samples = [next((row.cells[n] for row in sheet.rows if row.cells[n]), "") for n in range(len(sheet.header))]
    choices = [(index, f"{name or _('Colonne %(n)d') % {'n': index + 1}}") for index, name in enumerate(sheet.header)]
    fields: list[dict[str, Any]] = [
        {
            "name": name,
            "id": f"c-{slug(name)}",
            "label": labels.FIELDS[name],
            "required": name in REQUIRED,
            "index": matching.get(name),
            "sample": samples[place] if (place := matching.get(name)) is not None and place < len(samples) else "",
        }
        for name in FIELDS
    ]
    return render(
        request,
        "office/imports/columns.html",
        {
            "run": run,
            "groups": [
                (_("L’enfant"), fields[:7]),
                (_("Le premier responsable"), fields[7:14]),
                (_("Le second responsable"), fields[14:]),
            ],
            "choices": choices,
            "problems": problems,
        },
    )


def slug(name: str) -> str:
    return name.replace(".", "-").replace("_", "-")


@require_POST
@town_wide
def keep(request: AgentHttpRequest, run_id: int) -> HttpResponse:
    """Of the changes shown, which are left aside."""
    run = get_object_or_404(ImportRun, pk=run_id)
    keep_ours(run=run, shown=request.POST.getlist("vu"), kept=request.POST.getlist("garder"))
    page = request.POST.get("page", "")
    query = "?voir=changements" + (f"&page={int(page)}" if page.isdecimal() and len(page) < 6 else "")
    messages.success(request, _("Vos choix sont retenus."))
    answer = redirect("office:import", run.pk)
    answer["Location"] += query
    return answer


@require_POST
@town_wide
def decide(request: AgentHttpRequest, run_id: int) -> HttpResponse:
    """Save, give up or undo. What was done already is not done again."""
    run = get_object_or_404(ImportRun, pk=run_id)
    by = request.user.actor(as_agent=True)
    match request.POST.get("do", ""):
        case "save":
            if not ask_to_save(run=run, shown=request.POST.get("shown", ""), by=by, at=request.at):
                messages.warning(request, _("L’aperçu a changé depuis cette page. Vérifiez, puis enregistrez."))
                return redirect("office:import", run.pk)
            run = advance(run, at=request.at)
            if run.state == ImportState.READY:
                messages.warning(
                    request, _("Des familles ont changé depuis l’aperçu : le voici à jour. Rien n’est enregistré.")
                )
        case "drop":
            drop_import(run=run)
            messages.info(request, _("Import abandonné. Rien n’a été enregistré."))
            return redirect("office:imports")
        case "undo":
            try:
                undo_import(run=run, by=by, at=request.at)
            except NoLongerUndone as refusal:
                messages.error(request, too_late(refusal))
            else:
                messages.success(request, _("Import annulé : tout est comme avant."))
        case _other:
            raise Http404
    return redirect("office:import", run.pk)


def too_late(refusal: NoLongerUndone) -> str:
    if not refusal.touched:
        return _("Le délai d’un jour est passé : cet import ne s’annule plus.")
    named = ", ".join(refusal.touched[:10])
    more = len(refusal.touched) - 10
    named += _(" et %(n)d autres") % {"n": more} if more > 0 else ""
    return _("Rien n’est annulé : ces familles ont changé depuis l’import. %(names)s.") % {"names": named}


@require_safe
@town_wide
def refusals(request: AgentHttpRequest, run_id: int) -> HttpResponse:
    run = get_object_or_404(ImportRun, pk=run_id)
    if run.plan is None:
        raise Http404
    answer = HttpResponse(refused_csv(run), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="lignes-refusees-{run.pk}.csv"'
    answer["Cache-Control"] = "private, no-store"
    answer["X-Content-Type-Options"] = "nosniff"
    return answer
