"""Guide D: a family calls after the limit; the agent adds and cancels for it, and the family reads who and why."""

import re
from datetime import date
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests import guides, offer
from tests.e2e.people import lower_than, read_mail, sign_in

pytestmark = pytest.mark.e2e

FRIDAY = date(2026, 11, 13)


def prepare() -> dict[str, Any]:
    """Inès goes to the mornings and evenings; Friday 13 November was asked for and accepted in time."""
    from marelle.accounts.models import User

    who = guides.alsh(at=offer.paris(2026, 10, 20, 10))
    malika = User.objects.get(email="malika@rieux.example")
    offer.booked(who, [FRIDAY], "periscolaire", by=malika, at=offer.paris(2026, 11, 2, 10))
    return {"agent": malika.email, "family": who.email}


def recorded() -> list[list[Any]]:
    from marelle.bookings.models import Booking

    rows = Booking.objects.filter(date__lte=FRIDAY).order_by("date", "unit__position")
    return [[row.date.day, row.unit.slug, row.state, row.booked_late, row.still_due] for row in rows]


def day(page: Page, words: str, unit: str) -> Any:
    return page.get_by_role("checkbox", name=re.compile(rf"^{words} novembre.*{unit}", re.IGNORECASE))


@pytest.mark.row("D10", "S3")
def test_past_the_limit_an_agent_adds_with_the_surcharge_and_cancels_still_billed(  # type: ignore[no-untyped-def]
    live_portal, any_size, visit, axe
) -> None:
    portal = live_portal(prepare, at=offer.AT, worker=True)
    desk = any_size(portal)
    sign_in(desk, portal.facts["agent"])

    # The family on one page, found by its name; its planning is one tap away.
    desk.goto("/agents/familles/?q=benali")
    desk.get_by_role("link", name=re.compile("Benali")).first.click()
    desk.get_by_role("link", name="Planning de la famille").click()
    desk.get_by_role("link", name="Périscolaire").click()

    # Past their limit, the days are still there to tick; the keyboard does as well.
    day(desk, "jeudi 12", "Matin").check(force=True)
    day(desk, "jeudi 12", "Soir").focus()
    desk.keyboard.press("Space")
    expect(day(desk, "jeudi 12", "Soir")).to_be_checked()
    day(desk, "vendredi 13", "Matin").uncheck(force=True)
    lower_than(desk)
    axe(desk)
    desk.get_by_role("button", name="Vérifier").locator("visible=true").last.click()

    # Each line says what it goes past; without a reason nothing is done.
    main = desk.get_by_role("main")
    expect(main).to_contain_text("Ajouter jeudi 12 novembre")
    expect(main).to_contain_text(re.compile(r"Majoration\s: \+4,00\s€"))
    expect(main).to_contain_text(re.compile(r"Majoration\s: \+10,00\s€"))
    expect(desk.get_by_label(re.compile("Annulé, reste facturé"))).to_be_checked()
    desk.get_by_role("button", name="Enregistrer pour la famille").click()
    expect(desk.get_by_role("alert")).to_contain_text("Dites pourquoi vous passez outre")
    lower_than(desk)
    axe(desk)
    desk.get_by_label("Motif", exact=True).select_option(label="À la demande de la famille, par téléphone.")
    desk.get_by_role("button", name="Enregistrer pour la famille").click()
    expect(main).to_contain_text(re.compile(r"Demande n°\s.* enregistrée"))
    expect(day(desk, "jeudi 12", "Matin")).to_be_checked()
    assert portal.call(recorded) == [
        [12, "matin", "booked", True, None],
        [12, "soir", "booked", True, None],
        [13, "matin", "cancelled", False, 100],
        [13, "soir", "booked", False, None],
    ]

    # The family is told by e-mail, and reads who did it, when and why on the day's sheet and among its requests.
    home = visit(portal, size="phone")
    text = read_mail(home, portal.facts["family"], "Réservations changées par le service")
    assert "Malika Roux a fait pour vous la demande" in text and "après la limite, reste facturé" in text
    sign_in(home, portal.facts["family"])
    home.goto("/planning/periscolaire/jour/2026-11-12/")
    expect(home.get_by_role("main")).to_contain_text("Réservé par le service, après la limite.")
    expect(home.get_by_role("main")).to_contain_text("réservation faite par Malika Roux (après la limite)")
    expect(home.get_by_role("main")).to_contain_text("À la demande de la famille, par téléphone.")
    home.goto("/planning/periscolaire/jour/2026-11-13/")
    expect(home.get_by_role("main")).to_contain_text("après la limite, reste facturé")
    home.goto("/demarches/")
    expect(home.get_by_role("main")).to_contain_text("faite par le service")
    home.get_by_role("link", name=re.compile("Périscolaire, 3 changements")).first.click()
    expect(home.get_by_role("main")).to_contain_text("Faite par le service")
    lower_than(home)
    axe(home)


def with_health() -> dict[str, Any]:
    from marelle.accounts.models import AgentRole

    facts = prepare()
    AgentRole.objects.filter(user__email=facts["agent"]).update(reads_health=True)
    return facts


@pytest.mark.row("S3")
def test_an_agent_on_the_telephone_sees_what_the_family_sees_and_changes_nothing(  # type: ignore[no-untyped-def]
    live_portal, any_size, axe
) -> None:
    portal = live_portal(with_health, at=offer.AT)
    desk = any_size(portal)
    sign_in(desk, portal.facts["agent"])
    desk.goto("/agents/familles/?q=benali")
    desk.get_by_role("link", name=re.compile("Benali")).first.click()
    desk.get_by_role("button", name="Voir comme la famille").click()
    banner = desk.get_by_role("complementary", name="Espace vu par un agent")
    expect(banner).to_contain_text("Vous voyez l’espace de la famille Benali, comme Nadia Benali. Lecture seule.")
    axe(desk)

    # The banner follows; the keyboard reaches its button, and nothing stands behind it.
    desk.mouse.wheel(0, 900)
    expect(banner).to_be_in_viewport()
    desk.goto("/famille/")
    lower_than(desk)
    axe(desk)

    # Nothing is kept of what is ticked, neither by the server nor on the agent's device.
    desk.goto("/planning/")
    if not desk.locator("form[data-keep]").count():
        desk.get_by_role("main").get_by_role("link", name=re.compile("Périscolaire")).first.click()
    desk.locator(".tile > input[type=checkbox]:enabled:not(:checked)").first.check(force=True)
    desk.wait_for_timeout(1500)
    kept = desk.evaluate("Object.keys(localStorage).filter(key => key.startsWith('marelle.choix'))")
    assert kept == []

    # What would be sent is not, and the agent reads why.
    desk.goto("/famille/mes-e-mails/")
    desk.get_by_role("main").get_by_role("button").first.click()
    expect(desk.get_by_role("heading", level=1)).to_have_text("Rien n’est envoyé : vous regardez seulement")
    expect(banner).to_be_visible()
    axe(desk)

    banner.get_by_role("button", name="Quitter cet espace").press("Enter")
    expect(desk.get_by_role("main")).to_contain_text("Vous avez quitté l’espace de la famille.")
    expect(desk.get_by_role("heading", level=1)).to_contain_text("Benali")
