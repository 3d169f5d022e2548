"""What the demo's families asked outside the planning when the demo begins, with what was written about it: one
request in each state, and attestations. Played through the services, before the visitor comes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import NAMESPACE_URL, uuid5

from marelle.accounts.models import User
from marelle.attestations.services import attest_enrolment
from marelle.bookings.models import Enrolment
from marelle.demo.almanac import ONE_DAY, Almanac
from marelle.demo.habits import Home
from marelle.foundation.models import AuditLine
from marelle.requests.asking import ask
from marelle.requests.closing import close_with
from marelle.requests.models import FamilyRequest
from marelle.requests.services import Verdict, answer, withdraw
from marelle.requests.thread import assign, mark_read, write
from marelle.requests.topics import WRITE, topics
from marelle.rules.lifecycles import EnrolmentState
from marelle.townfile.town import RequestSubject, RequestType


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """A family that asks: an adult, and the child it is about."""

    home: Home
    user: User


def tell(almanac: Almanac, homes: Sequence[Home], *, malika: User, karim: User, at: datetime) -> int:
    """Ask and answer what families could have asked lately; how many requests there are. `homes`: those
    that may ask, none with a basket of a visitor's."""
    askers = [Asker(home=home, user=home.adults[0]) for home in homes if home.adults and home.children]
    if not askers:
        return 0
    known = {topic.slug: topic for topic in topics(almanac.town)}
    own = [topic for topic in known.values() if topic.slug != WRITE and topic.page is None and not topic.papers]
    story = _Story(almanac, askers, at=at)
    story.thanked(known[WRITE], malika)
    story.waiting(known[WRITE], karim)
    story.taken_back(known[WRITE])
    for topic in own[:2]:
        story.refused(topic, malika)
    story.attested()
    return story.sent


class _Story:
    def __init__(self, almanac: Almanac, askers: Sequence[Asker], *, at: datetime) -> None:
        self.almanac, self.askers, self.at = almanac, askers, at
        self.sent = self.told = 0
        last = AuditLine.objects.filter(at__lte=at).order_by("-at").first()
        self.since = last.at if last is not None else at - ONE_DAY

    def _next(self) -> datetime:
        """The next instant between the last thing done in town and the visitor: each home's history stays in order."""
        self.told += 1
        return self.since + (self.at - self.since) * self.told / 50

    def _key(self, *what: object) -> str:
        return "/".join(map(str, (self.almanac.town.slug, self.almanac.seed, *what)))

    def _ask(self, topic: RequestType, words: str, *, at: datetime) -> tuple[Asker, FamilyRequest]:
        asker = self.askers[self.sent % len(self.askers)]
        self.sent += 1
        request, _line, _new = ask(
            household=asker.home.household,
            topic=topic,
            child=asker.home.children[0] if topic.about is RequestSubject.CHILD else None,
            answers=[],
            words=words,
            send_key=uuid5(NAMESPACE_URL, self._key(topic.slug, self.sent)),
            by=asker.user,
            at=at,
            tz=self.almanac.town.tz,
        )
        return asker, request

    def _say(self, request: FamilyRequest, text: str, *, by: User, at: datetime, as_agent: bool = False) -> None:
        key = uuid5(NAMESPACE_URL, self._key(request.send_key, text))
        write(request_id=request.pk, text=text, send_key=key, by=by, at=at, as_agent=as_agent)

    def thanked(self, topic: RequestType, agent: User) -> None:
        """Answered with a message that the family has not read yet."""
        _asker, request = self._ask(
            topic, "Bonjour, le gymnase est-il ouvert le mercredi pendant les travaux ?", at=self._next()
        )
        close_with(
            request_id=request.pk,
            text="Bonjour, oui, par la porte du parc jusqu’aux vacances.",
            send_key=uuid5(NAMESPACE_URL, self._key("thanked")),
            by=agent,
            at=self._next(),
        )

    def waiting(self, topic: RequestType, agent: User) -> None:
        """Followed by an agent; the family's last message waits for them."""
        asker, request = self._ask(topic, "Bonjour, ma fille a oublié son manteau au centre mercredi.", at=self._next())
        assign(request_id=request.pk, to=agent, by=agent, at=self._next())
        self._say(request, "Bonjour, de quelle couleur est-il ?", by=agent, at=self._next(), as_agent=True)
        mark_read(request_id=request.pk, by=asker.user)
        self._say(request, "Bleu, avec son prénom dans le col. Merci.", by=asker.user, at=self._next())

    def taken_back(self, topic: RequestType) -> None:
        asker, request = self._ask(topic, "Bonjour, à quelle heure ouvre l’accueil ?", at=self._next())
        withdraw(request_id=request.pk, by=asker.user, at=self._next())

    def refused(self, topic: RequestType, agent: User) -> None:
        """Of the town's own types: the first is refused with its reason, the others wait."""
        _asker, request = self._ask(topic, "Merci d’avance.", at=self._next())
        if request.is_health or topic.to == "site":
            return
        line = request.lines.get()
        answer(
            request_id=request.pk,
            verdicts={line.pk: Verdict(accept=False, reason="Cette demande ne relève pas de notre service.")},
            by=agent,
            at=self._next(),
        )

    def attested(self) -> None:
        """The first families asked for an attestation."""
        for asker in self.askers[:3]:
            found = Enrolment.objects.filter(household=asker.home.household, state=EnrolmentState.ACCEPTED).first()
            if found is not None:
                attest_enrolment(
                    town=self.almanac.town,
                    household=asker.home.household,
                    enrolment_id=found.pk,
                    by=asker.user,
                    at=self._next(),
                )
