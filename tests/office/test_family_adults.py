"""The adults of a household: what each is there and gets, one more, one less; and families that look alike."""

import uuid

import pytest
from django.test import Client

from marelle.accounts.models import User
from marelle.families.doubles.pairs import say_distinct
from marelle.families.labels import Topic
from marelle.families.models import Guardian, Guardianship, Household
from marelle.families.queries import addressees, addressees_of
from marelle.foundation.models import AuditLine, OutboxMail
from marelle.foundation.postman import compose
from marelle.requests.corrections import Change, NotTheirs, ask_corrections
from marelle.requests.models import FamilyRequest
from tests.offer import AT, Family, family
from tests.people import queries
from tests.portal.visit import plain
from tests.security.world import moved

pytestmark = pytest.mark.django_db

PLACE = {"link": "mère", "is_legal": "oui", "gets_mail": "on", "gets_invoices": "on", "gets_reminders": "on"}


def url(who: Family, rest: str = "") -> str:
    return f"/agents/familles/{who.household.pk}/{rest}"


def place_of(who: Family) -> Guardianship:
    return Guardianship.objects.get(household=who.household, guardian=who.guardian)


def second(who: Family, **said: object) -> Guardianship:
    samir = Guardian.objects.create(first_name="Samir", last_name="Benali", email="samir@famille.example")
    return Guardianship.objects.create(household=who.household, guardian=samir, position=1, **said)


def key() -> dict[str, str]:
    return {"send_key": str(uuid.uuid4())}


def home_of(who: Family) -> Client:
    client = Client()
    client.force_login(who.user)
    return client


# ── their place ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_agent_says_what_an_adult_is_and_gets_and_the_family_reads_it(desk: Client, benali: Family) -> None:
    path = url(benali, f"corriger/?quoi=place-{benali.guardian.pk}")
    assert "Place de Nadia Benali dans le foyer" in plain(desk.get(path).text)
    said = PLACE | {"link": "tutrice"}
    del said["gets_invoices"]
    refused = desk.post(path, said | key())
    assert refused.status_code == 422 and "Indiquez le motif" in plain(refused.text)
    seen = plain(desk.post(path, said | key() | {"reason": "Jugement vu."}, follow=True).text)
    assert "Tutrice, autorité parentale" in seen and "Reçoit : informations, rappels" in seen
    line = AuditLine.objects.get(action="guardianship.corrected", text__startswith="Lien")
    assert plain(line.text) == "Lien avec les enfants de Nadia : tutrice (avant : rien)." and line.by_agent
    mail = OutboxMail.objects.get(kind="requests/answered")
    assert {one["reason"] for one in mail.context["lines"]} == {"Jugement vu."}
    seen = plain(home_of(benali).get("/famille/").text)
    assert "Lien avec les enfants tutrice Autorité parentale Oui Reçoit Informations, rappels" in seen


def test_what_is_said_to_who_has_parental_authority_is_not_turned_off(desk: Client, benali: Family) -> None:
    path = url(benali, f"corriger/?quoi=place-{benali.guardian.pk}")
    without = {name: value for name, value in PLACE.items() if name != "gets_mail"}
    refused = desk.post(path, without | key() | {"reason": "Demandé."})
    assert refused.status_code == 422 and place_of(benali).gets_mail
    assert "qui exerce l’autorité parentale reçoit les informations sur ses enfants" in plain(refused.text)
    unsaid = desk.post(path, without | key() | {"reason": "Demandé.", "is_legal": ""})
    assert unsaid.status_code == 422 and "Précisez d’abord si cet adulte" in plain(unsaid.text)
    desk.post(path, without | key() | {"reason": "Jugement vu.", "is_legal": "non"})
    assert (place_of(benali).is_legal, place_of(benali).gets_mail) == (False, False)


def test_a_family_asks_to_correct_its_link_and_nothing_of_the_rest(desk: Client, benali: Family) -> None:
    home = home_of(benali)
    seen = plain(home.post("/famille/moi/lien/", {"link": "belle-mère", **key()}, follow=True).text)
    assert "Vous demandez belle-mère" in seen
    assert place_of(benali).link == "", "an agent answers first"
    request = FamilyRequest.objects.get(kind="data")
    seen = plain(desk.get(f"/agents/demandes/{request.number}/").text)
    assert "Nadia Benali" in seen and "belle-mère" in seen
    for place, field, after in (
        (place_of(benali), "is_legal", False),
        (place_of(benali), "gets_mail", False),
        (second(benali), "link", "père"),
    ):
        change = Change(subject=place, field=field, after=after)
        with pytest.raises(NotTheirs):
            ask_corrections(household=benali.household, changes=[change], by=benali.user, at=AT, send_key=uuid.uuid4())


def test_reminders_go_to_who_gets_them(benali: Family, malika: User) -> None:
    other = family("Moreau", (), first_name="Julien")
    samir = second(benali, gets_reminders=False)
    homes = [benali.household, other.household]
    assert [link.guardian for link in addressees_of(homes)[benali.household.pk]] == [benali.guardian, samir.guardian]
    assert addressees(benali.household, Topic.REMINDERS) == [benali.guardian]
    Guardian.objects.filter(pk=other.guardian.pk).update(unwanted=[Topic.REMINDERS])
    assert other.household.pk not in addressees_of(homes, Topic.REMINDERS)
    assert queries(lambda: addressees_of(homes, Topic.REMINDERS)) == 1


# ── one more, one less ──────────────────────────────────────────────────────────────────────────────────────────────


def test_an_adult_is_added_once_known_or_new(desk: Client, benali: Family) -> None:
    julien = family("Moreau", (), first_name="Julien")
    page = plain(desk.get(url(benali, "adulte/"), {"q": "moreau"}).text)
    assert "Julien Moreau" in page and "foyer Moreau" in page
    done = desk.post(url(benali, "adulte/"), {"guardian": julien.guardian.pk}, follow=True)
    assert "Julien Moreau fait partie du foyer Benali." in plain(done.text)
    assert julien.guardian.households.count() == 2
    new = {"first_name": "Samir", "last_name": "Benali", "email": "Samir@famille.example", "phone": "", "link": "père"}
    for _twice in range(2):
        assert desk.post(url(benali, "adulte/"), new).status_code == 302
    samir = Guardianship.objects.get(guardian__email="samir@famille.example")
    assert (samir.link, samir.is_legal, samir.position) == ("père", None, 2)
    refused = desk.post(url(benali, "adulte/"), new | {"first_name": "Sami", "email": julien.email})
    assert refused.status_code == 422 and "déjà utilisée par Julien Moreau" in plain(refused.text)
    assert "Aucun adulte ne correspond" in plain(desk.get(url(benali, "adulte/"), {"q": "zzz"}).text)


def test_an_adult_leaves_the_household_and_sees_it_no_more(desk: Client, benali: Family) -> None:
    second(benali)
    request = moved(benali)
    home = home_of(benali)
    assert home.get("/famille/").status_code == 200
    path = url(benali, f"adultes/{benali.guardian.pk}/retirer/")
    for said in ({"reason": "Séparation."}, {"sure": "on"}):
        assert desk.post(path, said).status_code == 422 and place_of(benali)
    done = plain(desk.post(path, {"reason": "Séparation.", "sure": "on"}, follow=True).text)
    assert "Nadia Benali ne fait plus partie du foyer Benali." in done
    assert "Nadia Benali n’est plus dans ce foyer. Motif : Séparation." in done
    assert f"Demande n° {request.number}" in done, "what she asked for stays"
    assert home.get("/famille/").status_code == 404
    assert desk.post(path, {"reason": "Séparation.", "sure": "on"}).status_code == 404


def test_the_last_adult_stays(desk: Client, benali: Family) -> None:
    assert "Retirer du foyer" not in desk.get(url(benali)).text
    path = url(benali, f"adultes/{benali.guardian.pk}/retirer/")
    refused = desk.post(path, {"reason": "Séparation.", "sure": "on"})
    assert refused.status_code == 422 and "est le seul adulte du foyer" in plain(refused.text)
    assert place_of(benali)


# ── perhaps registered twice ────────────────────────────────────────────────────────────────────────────────────────


def alert(desk: Client, who: Family) -> bool:
    return "Peut-être la même famille que" in plain(desk.get(url(who)).text)


def test_a_family_that_looks_alike_is_said_until_an_agent_tells_them_apart(
    desk: Client, benali: Family, malika: User
) -> None:
    assert not alert(desk, benali)
    other = family("Benalli", [("Zoé", "CE2")], first_name="Nadja")
    Guardian.objects.filter(pk=other.guardian.pk).update(phone=benali.guardian.phone)
    for who in (benali, other):
        assert alert(desk, who)
        markup = desk.get(url(who)).text
        assert f"/agents/familles/doublons/{benali.household.pk}/{other.household.pk}/" in markup
    say_distinct(one=other.household, other=benali.household, by=malika.actor(as_agent=True), at=AT)
    assert not alert(desk, benali) and not alert(desk, other)


def test_two_homes_of_a_child_are_not_said_to_be_one(desk: Client, benali: Family) -> None:
    other = family("Benali", (), first_name="Nadia")
    other.household.residences.create(child=benali.children[0])
    Guardian.objects.filter(pk=other.guardian.pk).update(phone=benali.guardian.phone)
    assert not alert(desk, benali)


def test_many_that_look_alike_ask_no_more_queries(desk: Client, benali: Family) -> None:
    def one_more(rank: int) -> int:
        other = family(f"Double{rank}", (), first_name=f"Ana{rank}")
        Guardian.objects.filter(pk=other.guardian.pk).update(phone=benali.guardian.phone)
        desk.get(url(benali))
        return queries(lambda: desk.get(url(benali)))

    first = one_more(0)
    assert [one_more(1), one_more(2), one_more(3)] == [first] * 3


def test_parental_authority_is_not_said_until_somebody_says_it(desk: Client, benali: Family) -> None:
    assert place_of(benali).is_legal is None
    seen = plain(desk.get(url(benali)).text)
    assert "Responsabilité légale : non précisée" in seen and "autorité parentale" not in seen
    home = plain(home_of(benali).get("/famille/").text)
    assert "Autorité parentale Pas encore précisée" in home
    path = url(benali, f"corriger/?quoi=place-{benali.guardian.pk}")
    form = desk.get(path).text
    assert '<option value="" selected>' in form and "Non précisé" in form
    all_but = PLACE | {"is_legal": ""}
    desk.post(path, all_but | key() | {"reason": "Lien dit au guichet."})
    assert (place_of(benali).link, place_of(benali).is_legal) == ("mère", None), "not said is not a no"
    desk.post(path, PLACE | key() | {"reason": "Livret de famille vu."})
    assert place_of(benali).is_legal is True
    assert "Mère, autorité parentale" in plain(desk.get(url(benali)).text)
    line = AuditLine.objects.get(action="guardianship.corrected", text__startswith="Responsabilité")
    assert plain(line.text) == "Responsabilité légale de Nadia : oui (avant : non précisée)."
    assert '<option value="oui" selected>' in desk.get(path).text
    desk.post(path, PLACE | {"is_legal": ""} | key() | {"reason": "Saisi par erreur."})
    assert place_of(benali).is_legal is None


def test_who_is_added_or_leaves_is_told_and_so_is_who_stays(desk: Client, benali: Family) -> None:
    """By names alone: no address of another home, and no word of the agent's reason."""
    julien = family("Moreau", (), first_name="Julien")
    Household.objects.filter(pk=julien.household.pk).update(address="3 impasse Secrète")
    OutboxMail.objects.all().delete()
    for _twice in range(2):
        desk.post(url(benali, "adulte/"), {"guardian": julien.guardian.pk})
    mails = {mail.to_address: compose(mail) for mail in OutboxMail.objects.filter(kind="families/adult_added")}
    assert set(mails) == {julien.email, benali.email} and OutboxMail.objects.count() == 2
    assert "parmi les adultes du foyer Benali, pour Inès et Tom" in plain(str(mails[julien.email].body))
    assert "Votre compte ouvre ce foyer" in plain(str(mails[julien.email].body))
    assert "a ajouté Julien Moreau aux adultes de votre foyer" in plain(str(mails[benali.email].body))
    OutboxMail.objects.all().delete()
    said = {"reason": "Parti au 3 impasse Secrète.", "sure": "on"}
    desk.post(url(benali, f"adultes/{julien.guardian.pk}/retirer/"), said)
    left = {mail.to_address: compose(mail) for mail in OutboxMail.objects.filter(kind="families/adult_left")}
    assert set(left) == {julien.email, benali.email} and OutboxMail.objects.count() == 2
    assert "ne vous compte plus parmi les adultes du foyer Benali" in plain(str(left[julien.email].body))
    assert "a retiré Julien Moreau des adultes de votre foyer" in plain(str(left[benali.email].body))
    for mail in (*mails.values(), *left.values()):
        written = f"{mail.subject} {mail.body} {mail.alternatives}"
        other = benali.email if mail.to == [julien.email] else julien.email
        assert other not in written and "Secrète" not in written and "Marché" not in written


def test_who_has_no_address_is_not_written_to_and_who_is_new_is_told_without_a_link(
    desk: Client, benali: Family
) -> None:
    OutboxMail.objects.all().delete()
    new = {"first_name": "Samir", "last_name": "Benali", "email": "", "phone": "06 00 00 00 09", "link": "père"}
    desk.post(url(benali, "adulte/"), new)
    assert [mail.to_address for mail in OutboxMail.objects.all()] == [benali.email]
    OutboxMail.objects.all().delete()
    desk.post(url(benali, "adulte/"), new | {"first_name": "Zoé", "email": "zoe@famille.example"})
    told = OutboxMail.objects.get(to_address="zoe@famille.example")
    assert "/famille/" not in str(compose(told).body) and "vous invite à ouvrir votre compte" in str(compose(told).body)
