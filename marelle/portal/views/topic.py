"""Sending one of the requests that the town's file names: its form, its check, its send. One address, `do` says."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from marelle.activities.models import SchoolYear
from marelle.activities.queries import municipality
from marelle.documents.queries import find_paper
from marelle.documents.services.asking import Given, ask_with_papers
from marelle.families.permissions import GuardianHttpRequest, guardian_required
from marelle.foundation.files.pages import FaultyPages, judge_pages
from marelle.foundation.files.verdicts import Faulty
from marelle.portal.asking.topics import PAGES
from marelle.portal.children import children_of
from marelle.portal.tabs import tab_required
from marelle.portal.topic_form import TopicForm
from marelle.requests.labels import answer_words
from marelle.requests.topics import find_topic, questions_of
from marelle.townfile.town import Paper, RequestType, Tab


@dataclass(slots=True, kw_only=True)
class PaperField:
    """A paper asked on the page that checks. `error` stands at its field."""

    paper: Paper
    error: str = ""

    @property
    def name(self) -> str:
        return f"p-{self.paper.slug}"


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@guardian_required
@tab_required(Tab.REQUESTS)
def ask(request: GuardianHttpRequest, slug: str) -> HttpResponse:
    """`enfant` chooses the child beforehand. A form that is wrong comes back as typed (422), and so does a file that
    cannot be taken, for which the file must be chosen again."""
    town = municipality()
    topic = find_topic(town, slug)
    if topic is None:
        raise Http404
    if topic.page is not None:
        return redirect(PAGES[topic.page])
    do = request.POST.get("do", "") if request.method == "POST" else ""
    form = TopicForm(
        request.POST if do in ("check", "send", "edit") else None,
        topic=topic,
        questions=questions_of(town, topic),
        children=children_of(request.household),
        chosen=request.GET.get("enfant", ""),
    )
    send_key = _send_key(request)
    around = {"municipality": town, "topic": topic, "send_key": send_key, "steps": _steps()}
    if do in ("check", "send") and form.is_valid():
        papers = [PaperField(paper=paper) for slug in topic.papers if (paper := find_paper(town, slug)) is not None]
        given = _given(papers, request.FILES) if do == "send" else []
        if do == "check" or any(field.error for field in papers):
            return _check(request, form, papers, around)
        sent = ask_with_papers(
            household=request.household,
            topic=topic,
            child=form.child(),
            answers=form.answers(),
            words=form.words(),
            papers=given,
            school_year=_year_of(request),
            send_key=send_key,
            by=request.user,
            at=request.at,
            tz=town.tz,
        )
        return redirect(f"{reverse('portal:request', args=[sent.number])}?envoyee=1")
    wrong = do in ("check", "send")
    answer = render(
        request,
        "portal/demarches/ask.html",
        around | {"form": form, "wrong": wrong},
        status=422 if wrong else 200,
    )
    return _unkept(answer, topic)


def _unkept(answer: HttpResponse, topic: RequestType) -> HttpResponse:
    """No browser keeps what tells of health."""
    if topic.health:
        answer["Cache-Control"] = "private, no-store"
    return answer


def _check(
    request: GuardianHttpRequest, form: TopicForm, papers: Sequence[PaperField], around: Mapping[str, object]
) -> HttpResponse:
    child = form.child()
    said = [(_("Enfant"), child.first_name)] if child is not None else []
    said += [(answer.label, answer_words(answer)) for answer in form.answers()]
    problems = [{"text": field.error, "href": f"#{field.name}"} for field in papers if field.error]
    context = {"form": form, "said": said, "words": form.words(), "papers": papers, "problems": problems}
    answer = render(request, "portal/demarches/ask_check.html", {**around, **context}, status=422 if problems else 200)
    return _unkept(answer, form.topic)


def _given(papers: Sequence[PaperField], files: "MultiValueDict[str, UploadedFile]") -> list[Given]:
    """What came for each paper; a paper without a file that can be taken says why."""
    given = []
    for field in papers:
        brought = files.getlist(field.name)
        if not brought:
            field.error = _("Joignez ce document : %(paper)s.") % {"paper": field.paper.name}
            continue
        judged = judge_pages(brought)
        if isinstance(judged, Faulty | FaultyPages):
            field.error = f"{field.paper.name} : {judged}"
        else:
            given.append(Given(paper=field.paper, judged=judged, name=brought[0].name or ""))
    return given


def _year_of(request: GuardianHttpRequest) -> str:
    """The label of the school year that a yearly paper is given for today: the one in course, else the next."""
    today = request.at.astimezone(municipality().tz).date()
    year = SchoolYear.objects.filter(archived_at=None, last_day__gte=today).order_by("first_day").first()
    return year.label if year is not None else ""


def _send_key(request: GuardianHttpRequest) -> uuid.UUID:
    if request.method != "POST":
        return uuid.uuid4()
    try:
        return uuid.UUID(request.POST.get("send_key", ""))
    except ValueError:
        raise Http404 from None


def _steps() -> list[str]:
    return [_("Remplir"), _("Vérifier"), _("Terminé")]
