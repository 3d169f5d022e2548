"""The first way through the house: invited, enrolled, reserved, answered. Played on the phone and on the desktop, with
JavaScript and without, as Cadours' guide tells it to families."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests import offer
from tests.e2e.people import box, lower_than, read_mail, send_enrolment, sign_in

pytestmark = [pytest.mark.e2e, pytest.mark.both]

JULIEN = "julien.moreau@famille.example"


def prepare() -> dict[str, str]:
    offer.cadours()
    return {"agent": offer.agent("Malika Roux", email="malika@cadours.example").email}


def register_family(page: Page) -> None:
    page.goto("/agents/familles/nouvelle/")
    page.get_by_label("Nom de la famille").fill("Moreau")
    page.get_by_role("button", name="Ajouter un enfant").click()
    for name, value in {
        "guardian-0-first_name": "Julien", "guardian-0-last_name": "Moreau", "guardian-0-email": JULIEN,
        "child-0-first_name": "Léo", "child-0-last_name": "Moreau", "child-0-birth_date": "12 03 2020",
        "child-1-first_name": "Emma", "child-1-last_name": "Moreau", "child-1-birth_date": "02/06/2022",
    }.items():  # fmt: skip
        page.locator(f"[name={name}]").fill(value)
    page.locator("[name=child-0-school]").select_option(label="École élémentaire de Cadours")
    page.locator("[name=child-0-level]").select_option("CP")
    page.locator("[name=child-1-school]").select_option(label="École maternelle de Cadours")
    page.locator("[name=child-1-level]").select_option("MS")
    page.get_by_role("button", name="Enregistrer la famille").click()
    expect(page.get_by_role("heading", name="Famille Moreau")).to_be_visible()


def answer(page: Page, *, refuse: str = "", reason: str = "") -> None:
    """Open the first request of the queue and answer it: whole, or with one line refused."""
    page.goto("/agents/demandes/")
    page.locator("main").get_by_role("link", name=re.compile("Famille Moreau")).first.click()
    accept = page.locator("button[name=do][value=accepter]")
    if not refuse:
        accept.click()
        return
    expect(accept).to_be_attached()  # what follows counts: the request's page must be there
    folded = page.locator("details.long summary")
    if folded.count():
        folded.click()
    line = page.get_by_role("group", name=re.compile(refuse))
    line.get_by_label("Refuser").check()
    page.get_by_label("Message à la famille").fill(reason)
    page.get_by_role("button", name="Envoyer ces réponses").click()


@pytest.mark.row("A1", "A2", "A3", "A4", "A7", "A8", "A9", "B1", "S1")
@pytest.mark.parametrize("javascript", [True, False], ids=["js", "nojs"])
@pytest.mark.parametrize("size", ["phone", "desktop"])
def test_a_family_reserves_the_canteen_and_an_agent_answers(live_portal, visit, size, javascript) -> None:  # type: ignore[no-untyped-def]
    portal = live_portal(prepare, at=offer.AT, worker=True)
    desk = visit(portal, size="desktop", javascript=javascript)
    home = visit(portal, size=size, javascript=javascript)

    # An agent invites a family; the guardian opens the e-mail's link and chooses a password.
    sign_in(desk, portal.facts["agent"])
    register_family(desk)
    text = read_mail(home, JULIEN, "espace|invit|portail")
    home.goto(re.search(r"http\S+/connexion/lien/\S+", text)[0])  # type: ignore[index]
    if home.get_by_label("Mot de passe").count() == 0:
        home.get_by_role("button").filter(has_text=re.compile("mot de passe|Continuer")).first.click()
    home.locator("input[type=password]").first.fill(offer.PASSWORD)
    home.get_by_role("button", name=re.compile("Enregistrer et entrer")).click()
    expect(home.get_by_role("heading", name="Bonjour Julien")).to_be_visible()

    # They ask for the enrolment of two children to the canteen of their school.
    home.goto("/demarches/inscription/")
    for child in ("Léo", "Emma"):
        home.get_by_role("checkbox", name=re.compile(f"Restauration scolaire.*{child}")).check()
    send_enrolment(home)
    expect(home.get_by_role("heading", level=1)).to_be_visible()
    assert re.search(r"/demandes/2026-\d{6}/", home.url)
    home.goto("/demarches/inscription/")
    waiting = home.locator("main .tile", has_text="En attente")
    expect(waiting).to_have_count(2)
    expect(waiting.first.locator("use[href$=i-circle-question-mark]")).to_have_count(1)
    assert "inscription" in read_mail(home, JULIEN, "Demande d’inscription n° .* envoyée")

    # The agent accepts one and refuses the other with a reason; each answer is an e-mail.
    answer(desk, refuse="Emma", reason="Emma n’a pas encore sa place en moyenne section.")
    text = read_mail(home, JULIEN, "Réponse à votre demande d’inscription")
    assert "Léo : Restauration scolaire" in text and "Il reste à réserver les jours" in text
    assert "Emma n’a pas encore sa place en moyenne section." in text

    # An accepted enrolment says what remains; the guardian asks again for the other, and it is accepted.
    home.goto("/")
    expect(home.get_by_text("Il reste à réserver les jours").first).to_be_visible()
    home.goto("/demarches/inscription/")
    expect(home.get_by_text("Emma n’a pas encore sa place en moyenne section.").first).to_be_visible()
    home.get_by_role("checkbox", name=re.compile("Restauration scolaire.*Emma")).check()
    send_enrolment(home)
    assert re.search(r"/demandes/2026-\d{6}/", home.url)
    answer(desk)
    read_mail(home, JULIEN, "Inscription acceptée : il reste à réserver les jours")

    # The month: past the limit a day is locked and says since when and whom to write to.
    home.goto("/planning/cantine/")
    expect(home.get_by_role("heading", name="Novembre 2026")).to_be_visible()
    lower_than(home)
    locked = home.locator("#jour-2026-11-10")
    expect(locked).to_contain_text("le délai était lundi 9 novembre, 9")
    expect(home.get_by_role("link", name="elementaire@mairie-cadours.example")).to_be_visible()
    assert box(home, "mardi 10 novembre").count() == 0

    # A typical week for both children at once.
    home.get_by_role("button", name="Semaine type").click()
    form = home.get_by_role("dialog") if javascript else home.locator("main")
    for child, weekday in (("Léo", "lundi"), ("Léo", "jeudi"), ("Emma", "lundi"), ("Emma", "jeudi")):
        form.get_by_role("checkbox", name=re.compile(f"{child}.*{weekday}")).check()
    for child, weekday in (("Léo", "mardi"), ("Léo", "vendredi"), ("Emma", "mardi"), ("Emma", "vendredi")):
        form.get_by_role("checkbox", name=re.compile(f"{child}.*{weekday}")).uncheck()
    form.get_by_role("button", name="Remplir le planning").click()
    expect(home.get_by_text(re.compile(r"\d+ jours ajoutés pour Léo et Emma"))).to_be_visible()
    expect(
        box(home, "lundi 16 novembre, Léo, À ajouter") if javascript else box(home, "lundi 16 novembre, Léo")
    ).to_be_checked()
    expect(box(home, "jeudi 19 novembre, Emma")).to_be_checked()

    # Single days, ticked and unticked; then check, then send.
    box(home, "vendredi 20 novembre, Emma").check()
    box(home, "jeudi 26 novembre, Léo").uncheck()
    home.get_by_role("button", name=re.compile("^Vérifier")).locator("visible=true").first.click()
    expect(home.get_by_role("heading", name="Vérifiez votre demande")).to_be_visible()
    lower_than(home)
    lines = home.locator(".basketline")
    expect(lines.filter(has_text="Ajouter vendredi 20 novembre")).to_have_count(1)
    expect(lines.filter(has_text="Ajouter jeudi 26 novembre")).to_have_count(1)
    expect(lines.filter(has_text="Ajouter jeudi 12 novembre").first).to_contain_text(
        re.compile(r"modifiable jusqu’au mercredi 11\s+novembre, 9")
    )
    count = lines.count()
    home.get_by_role("button", name="Envoyer ma demande").click()
    home.wait_for_url(re.compile(r"/demandes/2026-\d{6}/"))
    number = re.search(r"/demandes/(2026-\d{6})/", home.url)[1]  # type: ignore[index]
    expect(home.get_by_text(number).first).to_be_visible()
    lower_than(home)

    # Yellow days, and an e-mail that lists them.
    home.goto("/planning/cantine/?mois=2026-11")
    expect(box(home, "lundi 16 novembre, Léo, En cours")).to_be_checked()
    text = read_mail(home, JULIEN, f"Demande n° {number} envoyée")
    assert text.count("Ajout,") == count and "vendredi 20 novembre : En cours" in text

    # The agent accepts day by day; the days turn green; the e-mail goes.
    answer(desk, refuse="Emma, vendredi 20 novembre", reason="La classe d’Emma part en sortie.")
    home.goto("/planning/cantine/?mois=2026-11")
    expect(box(home, "lundi 16 novembre, Léo, Réservé")).to_be_checked()
    expect(box(home, "vendredi 20 novembre, Emma, Refusé")).not_to_be_checked()
    expect(home.locator("#jour-2026-11-20")).to_contain_text("La classe d’Emma part en sortie")
    text = read_mail(home, JULIEN, f"Demande n° {number} : réponse jour par jour")
    assert "vendredi 20 novembre : Refusé (La classe d’Emma part en sortie.)" in text
    assert "lundi 16 novembre : Réservé" in text

    # Every step stands in the family's history: who, what, when.
    home.goto("/famille/historique/")
    history = home.locator("main")
    for words in (
        f"Demande n° {number} envoyée",
        f"Demande n° {number} :",
        "Compte ouvert",
        "Famille Moreau enregistrée",
    ):
        expect(history).to_contain_text(words)
    expect(history).to_contain_text("Malika Roux")
    expect(history).to_contain_text("Julien Moreau")


@pytest.mark.row("A1")
def test_the_door_says_the_same_to_everybody(live_portal, phone) -> None:  # type: ignore[no-untyped-def]
    portal = live_portal(prepare, at=offer.AT, worker=True)
    page = phone(portal)
    seen = []
    for email in (portal.facts["agent"], "personne@famille.example"):
        page.goto("/connexion/")
        expect(page.get_by_role("link", name="cadours.scolaire@mairie-cadours.example").first).to_be_visible()
        page.get_by_label("Adresse e-mail").fill(email)
        page.get_by_role("button", name="Continuer").click()
        expect(page.get_by_role("button", name="Afficher le mot de passe")).to_be_visible()
        first = page.locator("main").inner_text().replace(email, "…")
        page.get_by_role("button", name="Recevoir un code").click()
        expect(page.get_by_role("heading", name="Regardez vos e-mails")).to_be_visible()
        page.wait_for_load_state()
        seen.append((first, page.locator("main").inner_text().replace(email, "…")))
    assert seen[0] == seen[1]
    text = read_mail(page, "personne@famille.example", "code à 6 chiffres")
    assert (
        "/connexion/lien/" not in text
        and "Nous ne connaissons pas encore cette adresse" in text
        and "cadours.scolaire@mairie-cadours.example" in text
    )
