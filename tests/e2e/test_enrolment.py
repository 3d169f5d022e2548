"""Enrolling, as the guides A, C and E tell it, each with its own town."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests import dossiers, guides, offer
from tests.e2e.people import lower_than, read_mail, send_enrolment, sign_in

pytestmark = pytest.mark.e2e

NADIA = "nadia@famille.example"


def onward(page: Page) -> None:
    page.get_by_role("button", name=re.compile("^Continuer")).click()


def heading(page: Page, words: str) -> None:
    expect(page.get_by_role("heading", level=1, name=re.compile(words))).to_be_visible()


def prepare_e() -> None:
    guides.load("tutos")
    offer.agent("Malika Roux", email="malika@saint-aubin-du-port.example")
    guides.household("Benali", {"Inès": "CE2"}, school="ecole-du-port", email=NADIA)


def make_healthy() -> None:
    from marelle.families.models import Child

    who = found()
    dossiers.healthy(who, children=Child.objects.filter(health_file=None))


def found() -> offer.Family:
    from marelle.families.models import Guardian

    guardian = Guardian.objects.select_related("user").get(email=NADIA)
    home = guardian.households.get()
    assert guardian.user is not None
    return offer.Family(home, guardian, guardian.user, list(home.children.order_by("residences__id")))


def accept_all() -> None:
    """An agent accepts what waits: documents, then enrolments."""
    from marelle.accounts.models import User
    from marelle.requests.models import OF_SERVICES, FamilyRequest
    from marelle.requests.services import Verdict, answer

    malika = User.objects.get(email="malika@saint-aubin-du-port.example")
    for request in FamilyRequest.objects.filter(state="sent"):
        if request.kind in OF_SERVICES:
            offer.accept(request, by=malika)
        else:
            lines = request.lines.filter(state="pending").values_list("id", flat=True)
            answer(request_id=request.pk, verdicts={id: Verdict(accept=True) for id in lines}, by=malika, at=offer.AT)


def give(page: Page, paper: str) -> None:
    """Choose a picture for this document; it leaves at once."""
    from marelle.demo.dossiers import picture

    expect(page.locator("li.doc", has_text=paper).locator("input[type=file]").last).to_be_attached()
    dated = page.locator("li.doc", has_text=paper).get_by_label("Date écrite sur le document")
    if dated.count():
        dated.fill("2026-11-02")
    page.locator("li.doc", has_text=paper).locator("input[type=file]").last.set_input_files(
        {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": picture(paper).content}
    )
    expect(page.locator("#donnes")).to_contain_text(paper)


@pytest.mark.row("E4", "E5", "E6", "E7")
def test_school_first_then_activities_then_the_planning(live_portal, any_size, axe) -> None:  # type: ignore[no-untyped-def]
    """Guide E, §4 to §6: the household first, a child added, the school; the health file before any service; papers and
    terms; an e-mail says that the dossier is validated, and the planning is open."""
    portal = live_portal(prepare_e, at=offer.AT, worker=True)
    page = any_size(portal)
    sign_in(page, NADIA)
    page.goto("/demarches/")
    page.get_by_role("link", name="Inscrire mon enfant à l’école").click()
    # « Astuce : mise à jour des informations foyer », « rajouter un enfant ».
    page.get_by_role("link", name="Ajouter un enfant").click()
    page.get_by_label("Prénom").fill("Zoé")
    page.get_by_label("Date de naissance").fill("2020-05-04")
    axe(page)
    page.get_by_role("button", name="Ajouter cet enfant").click()
    heading(page, "Quels enfants inscrire")
    expect(page.get_by_role("link", name="Mettre à jour les informations du foyer")).to_be_visible()
    axe(page)
    lower_than(page)
    onward(page)
    heading(page, "Quels services en 2026-2027")
    # « Je mets à jour les infos santé-enfant : indispensable pour accéder aux inscriptions » : refused, and led there.
    nursery = page.get_by_role("group", name="Cantine")
    expect(nursery).to_contain_text("La fiche santé de Inès n’est pas remplie")
    expect(nursery.get_by_role("checkbox")).to_have_count(0)
    expect(nursery.get_by_role("link", name=re.compile("Remplir|Confirmer"))).to_have_attribute(
        "href", re.compile("/sante/")
    )
    school = page.get_by_role("group", name="Inscription scolaire")
    school.get_by_role("checkbox", name=re.compile("Inès")).check()
    school.get_by_role("checkbox", name=re.compile("Zoé.*École du Phare")).check()
    axe(page)
    lower_than(page)
    onward(page)
    heading(page, "Quelques précisions")
    zoe = page.get_by_role("region", name=re.compile("Zoé"))
    zoe.get_by_label("École précédente").fill("École maternelle, Nîmes")
    axe(page)
    lower_than(page)
    onward(page)
    heading(page, "Quels documents manquent")
    axe(page)
    lower_than(page)
    onward(page)
    expect(page.get_by_role("alert")).to_contain_text("Il manque : Justificatif de domicile")
    # Saved at each step: one comes back another day, from the home page.
    page.goto("/")
    page.get_by_role("link", name=re.compile("Reprendre mon inscription")).click()
    heading(page, "Quels documents manquent")
    give(page, "Justificatif de domicile")
    onward(page)
    heading(page, "Vérifiez vos inscriptions")
    expect(page.get_by_role("list").filter(has_text="Zoé").first).to_contain_text("École du Phare")
    axe(page)
    lower_than(page)
    page.get_by_role("button", name="Envoyer ma demande d’inscription").click()
    heading(page, "Merci, c’est enregistré")
    assert "inscription" in read_mail(page, NADIA, "Demande d’inscription n° .* envoyée")
    page.goto("/demarches/")
    page.get_by_role("link", name="Dossier de Zoé").click()
    expect(page.locator("main")).to_contain_text("En attente de la mairie")
    axe(page)
    lower_than(page)

    portal.call(accept_all)
    assert "Le dossier scolaire est validé" in read_mail(page, NADIA, "Votre dossier est validé")
    portal.call(make_healthy)
    # « Cocher les activités », « télécharger les pièces », « accepter les CGU ».
    page.goto("/demarches/inscription/")
    onward(page)
    page.get_by_role("group", name="Cantine").get_by_role("checkbox", name=re.compile("Inès")).check()
    page.get_by_role("group", name="Périscolaire").get_by_role("checkbox", name=re.compile("Inès")).check()
    onward(page)
    heading(page, "Quels documents manquent")
    expect(page.locator("li.doc", has_text="Justificatif de domicile")).to_have_count(0)
    give(page, "Attestation d’assurance scolaire")
    give(page, "Attestation de quotient familial")
    onward(page)
    heading(page, "Acceptez-vous le règlement")
    axe(page)
    page.get_by_role("checkbox", name=re.compile("J’ai lu et j’accepte")).check()
    onward(page)
    send = page.get_by_role("button", name="Envoyer ma demande d’inscription")
    send.click()
    heading(page, "Merci, c’est enregistré")
    # Only then is the planning open.
    page.goto("/planning/cantine/")
    expect(page.locator("main")).to_contain_text("Inscription pour Inès : en attente")
    page.get_by_role("link", name="Voir le dossier de Inès").click()
    expect(page.locator("main")).to_contain_text("Le planning s’ouvre quand l’inscription est acceptée")
    portal.call(accept_all)
    read_mail(page, NADIA, "Inscription acceptée : il reste à réserver les jours")
    page.goto("/planning/cantine/?mois=2026-12")
    expect(page.locator(".grid input[type=checkbox]").first).to_be_enabled()


def prepare_c() -> None:
    guides.load("mon-compte-famille")
    offer.agent("Malika Roux", email="malika@valmontier.example")
    guides.household("Benali", {"Inès": "CE2", "Tom": "CP"}, school="ecole-prevert", email=NADIA)


@pytest.mark.row("C3", "C8")
def test_a_canteen_enrolment_is_filled_saved_seen_and_changed(live_portal, any_size, axe) -> None:  # type: ignore[no-untyped-def]
    """Guide C: choose the child, fill the fields, tick the usual days, save; then the list by child, the detail, a
    change, saved."""
    page = any_size(live_portal(prepare_c, at=offer.AT))
    sign_in(page, NADIA)
    page.goto("/demarches/inscription/")
    page.get_by_role("checkbox", name=re.compile("Restauration scolaire.*Inès")).check()
    days = page.get_by_role("group", name="Jours habituels pour Inès").first
    days.get_by_role("checkbox", name="lundi").check()
    days.get_by_role("checkbox", name="jeudi").check()
    page.get_by_role("checkbox", name=re.compile("Accueil périscolaire.*Tom")).check()
    onward(page)
    heading(page, "Quelques précisions")
    onward(page)
    expect(page.get_by_role("alert")).to_contain_text("Inès, Repas : choisissez une réponse.")
    page.get_by_role("group", name=re.compile("Repas")).get_by_role("radio", name="Végétarien").check()
    onward(page)
    heading(page, "Vérifiez vos inscriptions")
    expect(page.locator("main")).to_contain_text("Repas : Végétarien.")
    page.get_by_role("link", name="Modifier : services").click()
    expect(page.get_by_role("checkbox", name=re.compile("Accueil périscolaire.*Tom"))).to_be_checked()
    onward(page)
    onward(page)
    page.get_by_role("button", name="Envoyer ma demande d’inscription").click()
    heading(page, "Merci, c’est enregistré")

    page.goto("/demarches/")
    page.get_by_role("link", name="Mes inscriptions").click()
    axe(page)
    lower_than(page)
    ines = page.get_by_role("region", name=re.compile("Inès"))
    expect(ines).to_contain_text("Acceptée")
    expect(page.get_by_role("region", name=re.compile("Tom"))).to_contain_text("En attente")
    ines.get_by_role("link", name=re.compile("Restauration scolaire")).click()
    main = page.locator("main")
    for words in ("École Jacques-Prévert", "CE2", "Végétarien", "lundi et jeudi"):
        expect(main).to_contain_text(words)
    axe(page)
    lower_than(page)
    page.get_by_role("link", name="Modifier").click()
    axe(page)
    page.get_by_role("radio", name="Sans porc").check()
    page.get_by_role("checkbox", name="mardi").check()
    page.get_by_role("button", name="Enregistrer").click()
    heading(page, "Merci, c’est enregistré")
    page.goto("/demarches/inscriptions/")
    page.get_by_role("link", name=re.compile("Restauration scolaire")).click()
    expect(main).to_contain_text("Sans porc")
    expect(main).to_contain_text("lundi, mardi et jeudi")


def prepare_a() -> None:
    offer.cadours()
    offer.agent("Malika Roux", email="malika@cadours.example")
    offer.family(email=NADIA)


@pytest.mark.row("A2", "A6")
def test_a_garderie_takes_an_enrolment_and_no_day(live_portal, any_size) -> None:  # type: ignore[no-untyped-def]
    """Guide A: in two pages; what is enrolled without days has no grid, and says how it is billed."""
    page = any_size(live_portal(prepare_a, at=offer.AT))
    sign_in(page, NADIA)
    page.goto("/demarches/inscription/")
    garderie = page.get_by_role("group", name=re.compile("^Garderie"))
    expect(garderie).to_contain_text("aucun jour à réserver")
    expect(garderie.get_by_role("group", name=re.compile("Jours habituels"))).to_have_count(0)
    garderie.get_by_role("checkbox", name=re.compile("Inès")).check()
    send_enrolment(page)
    heading(page, "Merci, c’est enregistré")
    page.goto("/planning/garderie/")
    expect(page.locator("main")).to_contain_text("Inscription pour Inès : en attente")
    expect(page.locator("main input[type=checkbox]")).to_have_count(0)
    lower_than(page)
