"""What no page of ours ever sends: every address answers it, none falls over it."""

from datetime import date, timedelta
from urllib.parse import quote, urlencode

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pytest_django import Settings

from marelle.activities.models import Municipality
from marelle.families.models import Household
from marelle.requests.models import FamilyRequest
from tests.security.test_matrix import READ, SENT, TABLE, Line
from tests.security.world import World, world

pytestmark = pytest.mark.django_db

NASTY = [
    "", "\x00", "a\x00b", "²", "٣", "-1", "0", "9" * 19, "9" * 5000, "é" * 3000, "2026-13", "9999-12", "0001-01",
    "0000-00", "2026-W47", "2026-02-30", "12-31-9999", "<script>alert(1)</script>", "' OR 1=1 --", "%", "_", "\\",
    "../..", "nan", "1e400", "\u202e\u200b", "\U0001f600" * 200, "[", "http://[", "//evil.example/", "none", "true",
]  # fmt: skip
QUERY = (
    "mois", "jour", "page", "q", "etat", "annee", "voir", "service", "site", "vue", "tri", "next", "envoyee", "tout",
    "fin", "a",
)  # fmt: skip
FIELDS = (
    "do", "mois", "want", "seen", "day", "span", "send_key", "shown", "annee", "message", "days-1.1", "household",
    "email", "password", "next", "expired", "d", "lues", "motif", "modele", "ligne-1", "motif-1", "retour", "actifs",
    "after", "guardians", "children", "name", "postcode", "guardian-0-email", "guardian-0-first_name",
    "number", "garde", "avant", "malgre",
    "guardian-0-last_name", "child-0-first_name", "child-0-last_name", "child-0-birth_date", "child-0-school",
    "child-0-level", "child-0-same_child", "is_resident", "invite",
)  # fmt: skip
PRESSED = [
    "col", "row", "all", "colour-on", "col-9-on", "col-1-on-²", "col-1-on-" + "1" * 5000, "row-2026-99-99-on",
    "row-x-on", "tab:", "tab:nulle-part", "tab:a b", "go:", "go:9999-12", "go:0001-01", "check", "keep", "template",
    "on:shown:d0", "off:period", "on:9999-99-99", "on:0001-01-01", "on:shown:d" + "9" * 5000, "on:²", "back",
    "undo", "remove-child-" + "1" * 5000, "remove-guardian-²", "add-", "accepter", "lignes", "refuser", "drop",
]  # fmt: skip


@pytest.fixture
def there(settings: Settings) -> World:
    return world(settings)


def visitor(at: World, name: str) -> Client:
    """Who the page is made for."""
    return at.client({"office": "agent", "accounts": "anonymous"}.get(name.partition(":")[0], "family"))


AT_ONCE = 10  # addresses of one test: each is asked for as often as there are values
READ_TOGETHER = [READ[first : first + AT_ONCE] for first in range(0, len(READ), AT_ONCE)]


@pytest.mark.parametrize("lines", READ_TOGETHER, ids=lambda lines: lines[0].name)
def test_no_address_falls_over_a_query_it_does_not_expect(there: World, lines: list[Line]) -> None:
    faults = []
    for line in lines:
        client, url = visitor(there, line.name), reverse(line.name, args=line.args(there))
        for value in NASTY:
            answer = client.get(f"{url}?{urlencode(dict.fromkeys(QUERY, value))}")
            if answer.status_code >= 500:
                faults.append(f"{url} {value[:20]!r}: {answer.status_code}")
    assert faults == []


@pytest.mark.parametrize(
    "line", [line for line in SENT if line.name != "accounts:sign_out"], ids=lambda line: line.name
)
def test_no_form_falls_over_what_it_does_not_expect(there: World, line: Line) -> None:
    before = Household.objects.count(), FamilyRequest.objects.count()
    client, url = visitor(there, line.name), reverse(line.name, args=line.args(there))
    bodies = [dict.fromkeys(FIELDS, value) | ({"do": "save"} if n % 2 else {}) for n, value in enumerate(NASTY)]
    bodies += [{"do": value, "mois": "2026-11"} for value in PRESSED]
    faults = [body for body in bodies if client.post(url, body).status_code >= 500]
    assert faults == []
    assert (Household.objects.count(), FamilyRequest.objects.count()) == before


def test_the_door_s_links_take_anything(there: World) -> None:
    client = there.client("anonymous")
    for value in NASTY:
        piece = quote(value[:900], safe="")
        assert client.get(f"/connexion/lien/{piece}/{piece}/", follow=True).status_code in {404, 410}, value[:20]


KEYS = {
    "family": [
        "/planning/{}/", "/planning/{}/semaine-type/", "/planning/retirer/{}/", "/demandes/{}/",
        "/demandes/{}/retirer/", "/demandes/{}/agenda.ics", "/boite-aux-lettres/{}/", "/boite-aux-lettres/{}/html/",
        "/icones-{}.svg", "/theme-{}-0.css",
    ],
    "agent": [
        "/agents/demandes/{}/", "/agents/demandes/{}/ouvrir/", "/agents/familles/{}/", "/agents/familles/{}/inviter/1/",
        "/agents/familles/1/inviter/{}/", "/agents/e-mails/{}/",
    ],
}  # fmt: skip


@pytest.mark.parametrize(("who", "path"), [(who, path) for who, paths in KEYS.items() for path in paths])
def test_a_key_that_is_not_one_is_not_found(there: World, who: str, path: str) -> None:
    client = there.client(who)
    for value in [*NASTY, "2026-999999", "9999-000001", "2026-000001 ", str(2**63), str(2**31), str(2**63 - 1)]:
        for act in (client.get, client.post):
            answer = act(path.format(quote(value[:900], safe="")))
            assert answer.status_code < 500, (value[:20], answer.status_code)


def test_a_form_of_ten_thousand_fields_is_refused(there: World) -> None:
    answer = there.client("family").post("/planning/cantine/", {"want": ["1.1.2026-11-16"] * 7000})
    assert answer.status_code == 400


def test_a_grid_of_thirty_thousand_days_changes_nothing(there: World) -> None:
    child, unit = there.benali.children[0].pk, there.line.unit_id
    first = date(1700, 1, 1)
    seen = " ".join(f"{child}.{unit}.{first + timedelta(days=n)}=free" for n in range(30_000))
    answer = there.client("family").post("/planning/cantine/", {"seen": seen, "mois": "2026-11"})
    assert answer.status_code in {302, 404}
    assert type(there.line).objects.count() == 1


text = st.text(max_size=40)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seen=st.lists(st.tuples(text, text), max_size=4),
    want=st.lists(text, max_size=4),
    do=st.sampled_from(PRESSED) | text,
    month=text | st.sampled_from(["2026-11", "2027-08"]),
)
@example(seen=[("1.1.2026-11-16", "free")], want=["1.1.2026-11-16"], do="save", month="2026-11")
def test_any_grid_is_answered(there: World, seen: list[tuple[str, str]], want: list[str], do: str, month: str) -> None:
    body = {"seen": [f"{key}={state}" for key, state in seen], "want": want, "do": do, "mois": month}
    assert there.client("family").post("/planning/cantine/", body).status_code < 500


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    days=st.lists(text | st.from_regex(r"\d{1,3}\.\d{1,3}\.\d{1,2}", fullmatch=True), max_size=4),
    span=text | st.sampled_from(["year", "month"]),
    shown=text | st.from_regex(r"\d{1,3}\.\d{1,3}\.\d{4}-\d\d-\d\d\.(book|cancel)", fullmatch=True),
)
def test_any_typical_week_and_any_check_are_answered(there: World, days: list[str], span: str, shown: str) -> None:
    client = there.client("family")
    body = {"day": days, "span": span, "mois": "2026-11"}
    assert client.post("/planning/cantine/semaine-type/", body).status_code < 500
    body = {"send_key": "00000000-0000-4000-8000-000000000000", "shown": shown}
    assert client.post("/planning/envoyer/", body).status_code < 500


def test_a_portal_without_its_town_says_so_clearly(there: World) -> None:
    """A database just migrated, or one whose town is not loaded yet: a page in words, never a fault."""
    Municipality.objects.all().delete()
    unready = set()
    for line in TABLE:
        if line.name.startswith(("foundation", "demo")):
            continue
        answer = getattr(visitor(there, line.name), line.method)(
            reverse(line.name, args=line.args(there)), line.data(there)
        )
        assert answer.status_code in {200, 302, 400, 404, 410, 422, 503}, (line.name, answer.status_code)
        if answer.status_code == 503:
            assert "Le portail n’est pas encore ouvert" in answer.text
            unready.add(line.name)
    assert {"portal:home", "portal:planning", "office:home", "office:queue"} <= unready
