"""What families may ask for, as the town's file says it."""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from marelle.activities.models import Municipality
from marelle.activities.queries import rules_of
from marelle.townfile.town import Question, RequestType

#: Always among what may be asked, unless the town's file says it its own way.
WRITE = "ecrire"


def topics(town: Municipality) -> tuple[RequestType, ...]:
    """The town's request types, in the file's order; a plain message to the town comes first when the file names none
    so."""
    own = rules_of(town).requests
    if any(topic.slug == WRITE for topic in own):
        return own
    return (RequestType(slug=WRITE, name=_("Écrire à la mairie"), icon="mail"), *own)


def find_topic(town: Municipality, slug: str) -> RequestType | None:
    """None when the town's file does not (or no longer) say it."""
    return next((topic for topic in topics(town) if topic.slug == slug), None)


def questions_of(town: Municipality, topic: RequestType) -> Sequence[Question]:
    """What the topic's form asks, in its order."""
    known = {question.slug: question for question in rules_of(town).questions}
    return [known[slug] for slug in topic.fields if slug in known]
