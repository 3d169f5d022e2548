"""All that was done in this household, filtered and page by page; calls are noted there."""

from django.core.paginator import Paginator
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from marelle.families.queries import history as history_of
from marelle.office.family.sight import Card, Sight

PAGE = 20

FILTERS = {
    "demandes": (_("Demandes"), Q(action__startswith="request") | Q(action__startswith="correction")),
    "appels": (_("Appels"), Q(action="call.noted")),
    "dossier": (
        _("Dossier"),
        Q(action__startswith="household")
        | Q(action__startswith="guardian")
        | Q(action__startswith="child")
        | Q(action__startswith="document"),
    ),
    "agents": (_("Par un agent"), Q(by_agent=True)),
}
ICONS = {
    "request": "inbox",
    "corrections": "inbox",
    "call": "phone",
    "guardian": "user",
    "child": "user",
    "household": "house",
    "document": "file-text",
    "enrolment": "clipboard-list",
    "absence": "user-x",
}


def history(sight: Sight) -> Card:
    """Three queries: the users of the household, the lines counted, the lines read."""
    chosen = sight.query.get("voir", "")
    lines = history_of(sight.household)
    if chosen in FILTERS:
        lines = lines.filter(FILTERS[chosen][1])
    page = Paginator(lines, PAGE).get_page(sight.query.get("page"))
    return Card(
        template="office/families/cards/_history.html",
        facts={
            "page": page,
            "lines": [(line, ICONS.get(line.action.partition(".")[0], "clock")) for line in page],
            "chosen": chosen,
            "filters": [(slug, words) for slug, (words, _condition) in FILTERS.items()],
        },
    )
