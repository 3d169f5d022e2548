import uuid
from typing import Any

import pytest
from django.test import Client

from marelle.accounts.models import AgentRole, User
from marelle.activities.models import Site
from marelle.families.models import Child, Guardian, Household
from marelle.families.services import invite_guardian
from marelle.foundation.audit import PORTAL
from marelle.foundation.models import AuditLine, OutboxMail
from tests.people import AT, agent, family, guardian_with_account, queries, school, signed_in, town
from tests.spaces import plain_spaces

pytestmark = pytest.mark.django_db

LIST = "/agents/familles/"
NEW = "/agents/familles/nouvelle/"
ALL = "/agents/familles/inviter/"
RAIL = 2  # what the rail counts on every page
CARDS = 19


@pytest.fixture(autouse=True)
def _town() -> None:
    town()


@pytest.fixture
def site() -> Site:
    return school()


@pytest.fixture
def desk() -> Client:
    return signed_in(agent())


def typed(site: Site | None = None, **more: Any) -> dict[str, Any]:
    return {
        "guardians": "1",
        "children": "1",
        "name": "Benali",
        "address": "4 rue Haute",
        "postcode": "31480",
        "city": "Cadours",
        "is_resident": "on",
        "invite": "on",
        "guardian-0-first_name": "Nadia",
        "guardian-0-last_name": "Benali",
        "guardian-0-email": "Nadia@example.org",
        "guardian-0-phone": "06 00 00 00 01",
        "child-0-first_name": "Inès",
        "child-0-last_name": "Benali",
        "child-0-birth_date": "12 03 2018",
        "child-0-school": site.pk if site else "",
        "child-0-level": "CE1" if site else "",
        "child-0-class_name": "Mme Vidal",
        "do": "save",
    } | more


# ── who may ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", [LIST, NEW, ALL, "/agents/e-mails/", "/agents/"])
def test_strangers_go_to_the_door_and_families_find_nothing(path: str) -> None:
    assert Client().get(path)["Location"].startswith("/connexion/?next=")
    guardian = guardian_with_account(family())
    assert guardian.user is not None
    assert signed_in(guardian.user).get(path).status_code == 404


def test_families_find_no_page_of_a_family_not_even_their_own() -> None:
    household = family()
    guardian = guardian_with_account(household)
    assert guardian.user is not None
    client = signed_in(guardian.user)
    assert client.get(f"{LIST}{household.pk}/").status_code == 404
    assert client.post(f"{LIST}{household.pk}/inviter/{guardian.pk}/").status_code == 404


def test_a_site_s_director_reads_the_families_of_that_site_and_registers_none(site: Site) -> None:
    here, elsewhere = family(site=site), family("Moreau", email="julien@example.org")
    client = signed_in(agent(kind=AgentRole.Kind.SITE, sites=(site,)))
    page = client.get(LIST).text
    assert "Benali" in page and "Moreau" not in page and "Nouvelle famille" not in page
    assert client.get(f"{LIST}{here.pk}/").status_code == 200
    assert client.get(f"{LIST}{elsewhere.pk}/").status_code == 404
    assert client.get(NEW).status_code == 403
    assert client.get(ALL).status_code == 403
    assert client.get("/agents/e-mails/").status_code == 403
    assert client.post(f"{LIST}{here.pk}/inviter/{here.guardians.get().pk}/").status_code == 403


def test_a_closed_account_is_out_at_once(desk: Client) -> None:
    User.objects.update(is_active=False)
    assert desk.get(LIST).status_code == 302


# ── the list ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_empty_portal_says_what_to_do(desk: Client) -> None:
    page = desk.get(LIST).text
    assert "Aucune famille pour l’instant" in page and NEW in page


@pytest.mark.parametrize("words", ["benali", "ines", "nadia@example", "Inès Benali"])
def test_a_family_is_found_by_its_name_a_child_or_an_address(desk: Client, words: str) -> None:
    family()
    family("Moreau", email="julien@example.org")
    page = desk.get(LIST, {"q": words if "benali" in words.lower() or "@" in words else f"{words} benali"}).text
    assert "1 famille" in page and "Benali" in page and "julien" not in page.lower()


def test_a_search_that_finds_nothing_leads_back(desk: Client) -> None:
    family()
    page = desk.get(LIST, {"q": "zzz"}).text
    assert "Aucune famille ne correspond" in page and "Voir toutes les familles" in page


def test_families_come_by_name_or_newest_first_page_by_page(desk: Client) -> None:
    for number in range(30):
        family(f"Famille{number:02}", email=f"f{number}@example.org")
    first = desk.get(LIST).text
    assert "30 familles" in first and "Famille00" in first and "Famille29" not in first
    assert "Famille29" in desk.get(LIST, {"page": "2"}).text
    newest = desk.get(LIST, {"tri": "recentes"}).text
    assert "Famille29" in newest and "Famille00" not in newest
    assert desk.get(LIST, {"page": "x", "tri": "x", "voir": "x"}).status_code == 200


def test_the_list_costs_the_same_for_one_family_and_for_twenty(desk: Client) -> None:
    family("Premiere", email="p@example.org")
    one = queries(lambda: desk.get(LIST))
    for number in range(20):
        family(f"Famille{number:02}", email=f"f{number}@example.org", site=school(f"ecole-{number}"))
    assert queries(lambda: desk.get(LIST)) == one
    # session, user, role, its sites, households counted and read, adults, children (with schools), town; and the rail
    assert one <= 9 + RAIL


def test_those_to_invite_and_those_who_have_not_come_are_told_apart(desk: Client) -> None:
    family("Avant", email="avant@example.org")
    family("Sans", email="")
    invite_guardian(guardian=family("Pendant", email="pendant@example.org").guardians.get(), by=PORTAL, at=AT)
    guardian_with_account(family("Apres", email="apres@example.org"))
    names = ("Avant", "Sans", "Pendant", "Apres")

    def shown(what: str) -> list[str]:
        page = desk.get(LIST, {"voir": what}).text
        return [name for name in names if f"<strong>{name}</strong>" in page]

    assert shown("") == list(names)
    assert shown("a-inviter") == ["Avant"]
    assert shown("sans-reponse") == ["Pendant"]


# ── a new family ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.row("B1")
def test_an_agent_registers_a_family_and_invites_it(desk: Client, site: Site) -> None:
    response = desk.post(NEW, typed(site))
    household = Household.objects.get()
    assert response["Location"] == f"{LIST}{household.pk}/"
    child = household.children.get()
    assert (child.first_name, child.birth_date.isoformat(), child.school, child.level, child.class_name) == (
        "Inès", "2018-03-12", site, "CE1", "Mme Vidal",
    )  # fmt: skip
    assert OutboxMail.objects.get().to_address == "nadia@example.org"
    page = desk.get(response["Location"]).text
    assert "Famille Benali enregistrée. Invitation envoyée à nadia@example.org." in page
    assert "Invitation envoyée" in page and "Renvoyer l’invitation" in page
    assert "Malika Roux (agent)" in page
    line = AuditLine.objects.get(action="household.registered")
    assert (line.actor_label, line.by_agent, line.household_id) == ("Malika Roux", True, household.pk)


def test_without_the_box_nobody_is_invited(desk: Client) -> None:
    desk.post(NEW, {name: value for name, value in typed().items() if name != "invite"})
    assert Household.objects.count() == 1 and not OutboxMail.objects.exists()


def test_all_that_is_wrong_is_said_at_once_and_all_that_was_typed_is_kept(desk: Client, site: Site) -> None:
    family("Moreau", email="julien@example.org")
    wrong = typed(
        site,
        name="",
        **{
            "guardian-0-email": "julien@example.org",
            "child-0-birth_date": "31 02 2018",
            "child-0-level": "CP",
            "child-0-last_name": "",
        },
    )
    page = plain_spaces(desk.post(NEW, wrong).text)
    assert "<title>Erreur :" in page and "Il y a un problème" in page
    for sentence in (
        "Indiquez le nom de la famille.",
        "Cette adresse est déjà utilisée par Nadia Moreau.",
        "La date doit exister, par exemple 12 03 2019.",
        "Indiquez le nom de l’enfant.",
    ):
        assert page.count(sentence) == 2, sentence
    for kept in (
        'value="4 rue Haute"',
        'value="31 02 2018"',
        'value="Nadia"',
        'value="Mme Vidal"',
        f'value="{site.pk}" selected',
    ):
        assert kept in page
    assert Household.objects.count() == 1


def test_dates_to_come_and_levels_of_another_school_are_refused(desk: Client, site: Site) -> None:
    page = desk.post(NEW, typed(site, **{"child-0-birth_date": "12/03/2027"})).text
    assert "La date de naissance doit être dans le passé." in page
    Site.objects.create(slug="mat", name="Maternelle", kind=Site.Kind.SCHOOL, levels=["PS"])
    page = desk.post(NEW, typed(site, **{"child-0-level": "PS"})).text
    assert "Il n’y a pas de PS à École des Tilleuls." in page.replace("&#x27;", "'")


def test_rows_come_and_go_without_javascript_and_nothing_typed_is_lost(desk: Client) -> None:
    page = desk.post(NEW, typed(do="add-child")).text
    assert 'name="child-1-first_name"' in page and 'name="children" value="2"' in page
    assert 'value="Nadia"' in page and 'value="12 03 2018"' in page and "Il y a un problème" not in page
    two = typed(children="2", **{"child-1-first_name": "Tom", "child-1-birth_date": "x"})
    page = desk.post(NEW, two | {"do": "remove-child-0"}).text
    assert 'value="Tom"' in page and 'value="x"' in page and 'value="Inès"' not in page
    assert 'name="child-1-first_name"' not in page
    page = desk.post(NEW, typed(do="add-guardian")).text
    assert 'name="guardian-1-email"' in page and "Ajouter un responsable" not in page
    for odd in ("remove-child-9", "remove-guardian-0", "add-", "add-dog", "remove-child-", "x"):
        assert desk.post(NEW, typed(do=odd)).status_code == 200
    assert desk.post(NEW, typed(do="add-child", children="9999")).status_code == 200
    assert not Household.objects.exists()


def test_an_empty_row_is_left_out_and_a_half_typed_one_is_not(desk: Client) -> None:
    page = desk.post(NEW, typed(children="2", **{"child-1-last_name": "Benali"})).text
    assert "Indiquez le prénom de l’enfant." in page
    desk.post(NEW, typed(children="2", guardians="2"))
    assert Child.objects.count() == 1 and Guardian.objects.count() == 1


def test_a_couple_s_shared_address_is_refused_at_its_field(desk: Client) -> None:
    couple = {
        "guardian-1-first_name": "Julien",
        "guardian-1-last_name": "Moreau",
        "guardian-1-email": "nadia@example.org",
    }
    page = desk.post(NEW, typed(guardians="2", **couple)).text
    assert "Chaque responsable a sa propre adresse." in page
    assert not Household.objects.exists()


def test_a_child_of_two_homes_is_not_registered_twice(desk: Client) -> None:
    family("Moreau-Benali", email="julien@example.org")
    Child.objects.update(last_name="Benali")
    page = desk.post(NEW, typed()).text
    assert "famille Moreau-Benali" in page and "C’est le même enfant" in page
    desk.post(NEW, typed(**{"child-0-same_child": "on"}))
    assert Child.objects.count() == 1
    assert Child.objects.get().households.count() == 2


# ── a family's page ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_history_is_read_page_by_page(desk: Client) -> None:
    household = family()
    for number in range(25):
        AuditLine.objects.create(
            at=AT, actor_label="Nadia Benali", action="x", subject_type="x", subject_id="1",
            household_id=household.pk, text=f"Ligne {number:02}.",
        )  # fmt: skip
    first, second = (desk.get(f"{LIST}{household.pk}/", {"page": page}).text for page in ("1", "2"))
    assert "Ligne 24." in first and "Ligne 00." not in first
    assert "Ligne 00." in second and "Famille Benali enregistrée." in second
    assert "mardi 10\xa0novembre, 9\xa0h" in second


def test_the_page_costs_the_same_for_one_child_and_for_ten(desk: Client) -> None:
    household = family()
    url = f"{LIST}{household.pk}/"
    desk.get(url)  # the offer is read once per process
    one = queries(lambda: desk.get(url))
    for number in range(9):
        child = Child.objects.create(
            first_name=f"Enfant{number}", last_name="Benali", birth_date="2019-01-01", school=school(f"e{number}")
        )
        household.residences.create(child=child)
    assert queries(lambda: desk.get(url)) == one
    # session, user, role, its sites, household, adults, children, town; quotient; what each card reads; and the rail
    assert one <= 9 + CARDS + RAIL


@pytest.mark.row("B1")
def test_an_invitation_is_sent_and_sent_again(desk: Client) -> None:
    household = family()
    guardian = household.guardians.get()
    url = f"{LIST}{household.pk}/"
    assert "À inviter" in desk.get(url).text
    assert "Invitation envoyée à nadia@example.org." in desk.post(f"{url}inviter/{guardian.pk}/", follow=True).text
    page = desk.post(f"{url}inviter/{guardian.pk}/", follow=True).text
    assert "2 fois, la dernière le" in page
    assert OutboxMail.objects.count() == 2
    guardian_with = Guardian.objects.get(pk=guardian.pk)
    User.objects.filter(pk=guardian_with.user_id).update(is_active=True, activated_at=AT)
    page = desk.post(f"{url}inviter/{guardian.pk}/", follow=True).text
    assert "Nadia Benali a déjà un compte ouvert." in page
    assert "Renvoyer l’invitation" not in page
    assert OutboxMail.objects.count() == 2


def test_a_guardian_is_invited_from_their_own_family_s_page_only(desk: Client) -> None:
    household, other = family(), family("Moreau", email="julien@example.org")
    assert desk.post(f"{LIST}{household.pk}/inviter/{other.guardians.get().pk}/").status_code == 404
    assert desk.get(f"{LIST}{household.pk}/inviter/{household.guardians.get().pk}/").status_code == 405
    assert not OutboxMail.objects.exists()


@pytest.mark.row("B1")
def test_all_who_were_never_invited_are_invited_at_once(desk: Client) -> None:
    family("Avant", email="avant@example.org")
    family("Autre", email="autre@example.org")
    family("Sans", email="")
    invite_guardian(guardian=family("Deja", email="deja@example.org").guardians.get(), by=PORTAL, at=AT)
    page = desk.get(ALL).text
    assert "Envoyer 2 invitations" in page
    assert OutboxMail.objects.count() == 1
    key = str(uuid.uuid4())
    for _twice in range(2):
        page = desk.post(ALL, {"quand": "now", "send_key": key}, follow=True).text
        assert "Envoi d’invitations" in page and "deja@example.org" not in page
    assert sorted(OutboxMail.objects.values_list("to_address", flat=True)) == [
        "autre@example.org", "avant@example.org", "deja@example.org",
    ]  # fmt: skip
    assert "Tout le monde est invité" in desk.get(ALL).text


def test_an_agent_says_which_priorities_a_family_has(desk: Client) -> None:
    household = family()
    page = f"/agents/familles/{household.pk}/"
    shown = desk.get(page).content.decode()
    assert 'value="residents" checked' in shown and 'value="siblings" checked' not in shown

    for told in ("Priorités de la famille", "Rien n’a changé."):
        html = desk.post(f"{page}priorites/", {"a": ["siblings", "nobody"]}, follow=True).content.decode()
        assert told in html
    assert "hors commune" in html and 'value="siblings" checked' in html
    assert "Priorités aux ouvertures : Frère ou sœur déjà dans le service." in plain_spaces(html)
    assert AuditLine.objects.filter(action="household.audiences").count() == 1
