"""News: what a household sees, what becomes of a post, who is written to."""

import uuid
from datetime import timedelta

import pytest

from marelle.accounts.models import User
from marelle.activities.models import Municipality
from marelle.communication.labels import PostState
from marelle.communication.models import NewsNotice, NewsPost
from marelle.communication.queries import alerts_for, reach, seen_from, standing, whereabouts
from marelle.communication.services import notices
from marelle.communication.services.posts import (
    ChangedMeanwhile,
    delete_draft,
    edit_post,
    mark_read,
    publish_new_post,
    publish_post,
    put_back_post,
    withdraw_post,
)
from marelle.families.labels import Topic
from marelle.families.models import Guardianship, Household
from marelle.families.places import add_adult
from marelle.families.services import NewGuardian, set_unwanted
from marelle.foundation import postman
from marelle.foundation.models import AuditLine, OutboxMail
from marelle.townfile import read_text
from marelle.towns.services import load_town
from tests.communication.news import content, draft, publish
from tests.offer import AT, TOWNS, Family, agent, cadours, enrolled, family
from tests.security.world import other_home

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
TODAY = AT.date()


@pytest.fixture
def malika() -> User:
    cadours()
    return agent()


def seen(who: Family, at: object = AT) -> list[str]:
    found = seen_from(whereabouts(who.household, today=TODAY), at=at)  # type: ignore[arg-type]
    return [post.title for post in found]


@pytest.mark.row("D2")
def test_a_household_sees_what_is_for_a_child_of_its_own(malika: User) -> None:
    benali = family(children=[("Inès", "CE2"), ("Tom", "GS")])
    moreau = family("Moreau", [("Léo", "GS")], first_name="Julien")
    enrolled(moreau, "mercredi", by=malika)
    publish("Pour tous", by=malika)
    publish("Élémentaire", by=malika, sites=["ecole-elementaire"])
    publish("Maternelle", by=malika, sites=["ecole-maternelle"])
    publish("Mercredi", by=malika, services=["mercredi"])
    publish("Mercredi des grands", by=malika, services=["mercredi"], sites=["ecole-elementaire"])
    assert sorted(seen(benali)) == ["Maternelle", "Pour tous", "Élémentaire"]
    assert sorted(seen(moreau)) == ["Maternelle", "Mercredi", "Pour tous"]
    # Both named: it must be the same child who is there and enrolled.
    enrolled(benali, "mercredi", by=malika)
    assert "Mercredi des grands" in seen(benali)


def test_the_count_says_what_the_list_shows(malika: User) -> None:
    homes = [family(f"F{n}", [("Ana", level)]) for n, level in enumerate(["CE2", "GS", "CP"])]
    enrolled(homes[0], by=malika)
    other_home(homes[2])
    elementary, nursery = ["ecole-elementaire"], ["ecole-maternelle"]
    for sites, services in ((elementary, []), ([], ["cantine"]), ([], []), (nursery, ["cantine"])):
        said = content("Compte", sites=sites, services=services)
        post = publish("Compte", by=malika, sites=sites, services=services)
        counted = reach(sites=said.sites, services=said.services, today=TODAY).families
        shown = sum(post in seen_from(whereabouts(home, today=TODAY), at=AT) for home in Household.objects.all())
        assert counted == shown, (sites, services)


def test_another_homes_enrolment_is_not_ones_own(malika: User) -> None:
    benali = family(children=[("Inès", "CE2")])
    elsewhere = other_home(benali)
    enrolled(benali, "mercredi", by=malika)
    publish("Mercredi", by=malika, services=["mercredi"])
    assert seen(benali) == ["Mercredi"]
    assert seen(elsewhere) == []


def test_its_dates_say_where_it_stands(malika: User) -> None:
    begins, ends = AT + DAY, AT + 3 * DAY
    post = publish("Bientôt", by=malika, published_at=begins, unpublish_at=ends)
    for at, state in (
        (AT, PostState.SCHEDULED),
        (begins, PostState.ONLINE),
        (ends - timedelta(seconds=1), PostState.ONLINE),
        (ends, PostState.WITHDRAWN),
    ):
        assert post.state_at(at) == state
        assert [one for one in PostState if NewsPost.objects.filter(standing(one, at=at)).exists()] == [state]
    assert draft(by=malika).state_at(ends) == PostState.DRAFT


def test_withdrawn_and_put_back_and_each_act_is_told(malika: User) -> None:
    by = malika.actor(as_agent=True)
    post = publish(by=malika)
    assert withdraw_post(post_id=post.pk, by=by, at=AT)
    assert not withdraw_post(post_id=post.pk, by=by, at=AT)
    assert not NewsPost.objects.filter(standing(PostState.ONLINE, at=AT)).exists()
    assert put_back_post(post_id=post.pk, by=by, at=AT)
    assert not put_back_post(post_id=post.pk, by=by, at=AT)
    assert not delete_draft(post_id=post.pk, by=by, at=AT)
    gone = draft(by=malika)
    assert delete_draft(post_id=gone.pk, by=by, at=AT)
    told = AuditLine.objects.filter(action__startswith="news.").order_by("id").values_list("action", flat=True)
    assert list(told) == ["news.published", "news.withdrawn", "news.put_back", "news.written", "news.deleted"]


def test_a_form_sent_twice_is_one_post(malika: User) -> None:
    key, by = uuid.uuid4(), malika.actor(as_agent=True)
    first = publish_new_post(key=key, content=content("Une fois"), published_at=AT, by=by, at=AT)
    again = publish_new_post(key=key, content=content("Deux fois"), published_at=AT, by=by, at=AT + DAY)
    assert again.pk == first.pk and again.title == "Une fois"
    assert AuditLine.objects.filter(action="news.published").count() == 1


def test_nobody_writes_over_what_they_have_not_seen(malika: User) -> None:
    by = malika.actor(as_agent=True)
    post = draft(by=malika)
    edit_post(post_id=post.pk, edition=1, content=content("Revu"), by=by, at=AT)
    with pytest.raises(ChangedMeanwhile):
        publish_post(post_id=post.pk, edition=1, content=content("Écrasé"), published_at=AT, by=by, at=AT)
    post.refresh_from_db()
    assert (post.title, post.published_at) == ("Revu", None)


def test_an_alert_stands_until_it_is_read_by_each(malika: User) -> None:
    benali = family(children=[("Inès", "CE2")])
    elsewhere = other_home(benali)
    moreau = family("Moreau", [("Léo", "GS")], first_name="Julien")
    assert Municipality.objects.get().alert_until is None
    strike = publish("Grève", by=malika, sites=["ecole-elementaire"], urgent=True)
    publish("Tranquille", by=malika)

    def alerts(who: Family, at: object = AT) -> list[str]:
        return [one.title for one in alerts_for(who.household, who.user, today=TODAY, at=at)]  # type: ignore[arg-type]

    assert alerts(benali) == alerts(elsewhere) == ["Grève"]
    assert alerts(moreau) == []
    mark_read(post=strike, user=benali.user, at=AT)
    mark_read(post=strike, user=benali.user, at=AT)
    assert alerts(benali) == []
    assert alerts(elsewhere) == ["Grève"]
    until = Municipality.objects.get().alert_until
    assert until is not None and alerts(elsewhere, until + DAY) == []


def test_an_alert_is_shown_as_long_as_the_town_says(malika: User) -> None:
    publish("Grève", by=malika, urgent=True, published_at=AT + 5 * DAY)
    until = Municipality.objects.get().alert_until
    assert until is not None and until > AT + 30 * DAY


def test_each_adult_is_written_to_once(malika: User) -> None:
    benali = family(children=[("Inès", "CE2")])
    moreau = family("Moreau", [("Léo", "GS")], first_name="Julien")
    publish("Élémentaire", by=malika, sites=["ecole-elementaire"], by_mail=True, body="Lisez [ceci](/planning/).")
    publish("Plus tard", by=malika, by_mail=True, published_at=AT + DAY)
    publish("Sans e-mail", by=malika)
    mails = OutboxMail.objects.filter(kind="communication/news")
    assert mails.count() == 0
    assert notices.tick(at=AT) == 1
    assert notices.tick(at=AT) == 0
    assert [mail.to_address for mail in mails.all()] == [benali.email]
    assert notices.tick(at=AT + DAY) == 2
    assert {mail.to_address for mail in mails.all()} == {benali.email, moreau.email}
    assert NewsNotice.objects.count() == 3
    message = postman.compose(mails.get(to_address=benali.email, at=AT))
    assert message.subject == "Élémentaire"
    assert "http://127.0.0.1:8000/planning/" in str(message.alternatives[0][0])


@pytest.mark.row("C8")
def test_a_family_that_waits_to_be_accepted_is_told_nothing(malika: User) -> None:
    stranger = family(children=[("Inès", "CE2")])
    Household.objects.filter(pk=stranger.household.pk).update(awaits_since=AT)
    publish("Élémentaire", by=malika, sites=["ecole-elementaire"], by_mail=True, urgent=True)
    publish("Pour tous", by=malika, by_mail=True)
    assert notices.tick(at=AT) == 0
    assert reach(sites=(), services=(), today=TODAY).families == 0
    assert reach(sites=(), services=(), today=TODAY).children == 0


def test_who_wants_no_news_gets_only_what_is_urgent(malika: User) -> None:
    benali = family()
    set_unwanted(guardian=benali.guardian, unwanted=[Topic.NEWS], by=malika.actor(), at=AT)
    publish("Tranquille", by=malika, by_mail=True)
    assert notices.tick(at=AT) == 0
    publish("Grève", by=malika, by_mail=True, urgent=True)
    assert notices.tick(at=AT) == 1
    assert notices.tick(at=AT) == 0


def test_an_adult_who_gets_none_of_the_homes_e_mails_gets_no_news(malika: User) -> None:
    benali = family()
    uncle = add_adult(
        household=benali.household,
        adult=NewGuardian(first_name="Sami", last_name="Benali", email="sami@famille.example"),
        link="oncle",
        is_legal=False,
        by=malika.actor(),
        at=AT,
    )
    Guardianship.objects.filter(pk=uncle.pk).update(gets_mail=False)
    publish("Grève", by=malika, by_mail=True, urgent=True)
    assert notices.tick(at=AT) == 1
    told = OutboxMail.objects.filter(kind__startswith="communication/")
    assert set(told.values_list("to_address", flat=True)) == {benali.email}
    # Where nobody gets them, everybody does: a home is never left without news.
    Guardianship.objects.update(gets_mail=False)
    publish("Neige", by=malika, by_mail=True, urgent=True)
    assert notices.tick(at=AT) == 2


def test_many_adults_are_written_to_in_several_turns(malika: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notices, "AT_ONCE", 2)
    for n in range(5):
        family(f"F{n}", [("Ana", "CP")])
    post = publish("Tous", by=malika, by_mail=True)
    assert [notices.tick(at=AT) for _turn in range(4)] == [2, 2, 1, 0]
    post.refresh_from_db()
    assert post.told_at == AT
    assert len({mail.to_address for mail in OutboxMail.objects.filter(kind="communication/news")}) == 5


def test_what_was_withdrawn_before_its_e_mails_is_not_told(malika: User) -> None:
    family()
    post = publish(by=malika, by_mail=True)
    withdraw_post(post_id=post.pk, by=malika.actor(as_agent=True), at=AT)
    assert notices.tick(at=AT) == 0
    assert not OutboxMail.objects.filter(kind="communication/news").exists()


def test_a_town_without_news_tells_none(malika: User) -> None:
    family()
    publish(by=malika, by_mail=True)
    text = (TOWNS / "cadours.toml").read_text()
    load_town(read_text(text.replace("answer_working_days = 2", 'answer_working_days = 2\ntabs_off = ["news"]')), at=AT)
    assert notices.tick(at=AT) == 0
