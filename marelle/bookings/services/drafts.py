"""What a family has begun to ask for, kept at each step until it is sent or dropped."""

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from marelle.accounts.models import User
from marelle.activities.models import Municipality, SchoolYear
from marelle.activities.queries import municipality
from marelle.bookings.models import EnrolmentDraft
from marelle.bookings.services.enrolments import Asked, Wish, ask_enrolments
from marelle.families.models import Household
from marelle.foundation import audit
from marelle.foundation.audit import PORTAL
from marelle.requests.models import FamilyRequest
from marelle.rules.decisions import Reason
from marelle.townfile.town import Terms

#: A draft that nobody touches for so long is dropped.
KEPT = timedelta(days=90)
AT_ONCE = 200

#: Why a wish stays in the draft after the send: the family can still do something about it.
_LACKS = (
    Reason.MISSING_PAPER,
    Reason.HEALTH_FILE_MISSING,
    Reason.TERMS_NOT_ACCEPTED,
    Reason.DOSSIER_NOT_ACCEPTED,
    Reason.ANSWER_MISSING,
)


@dataclass(slots=True, kw_only=True)
class Content:
    """What the steps have written: plain JSON. Keys of `days` and items of `wanted` are "child.activity", keys of
    `answers` a child. `children` is empty as long as nobody was asked. `terms`: the version accepted, by regulation."""

    children: list[int] = field(default_factory=list)
    wanted: list[str] = field(default_factory=list)
    days: dict[str, list[int]] = field(default_factory=dict)
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    terms: dict[str, str] = field(default_factory=dict)
    message: str = ""

    @classmethod
    def of(cls, draft: EnrolmentDraft | None) -> "Content":
        if draft is None:
            return cls()
        known = {one.name for one in fields(cls)}
        return cls(**{key: value for key, value in draft.content.items() if key in known})

    def plain(self) -> dict[str, Any]:
        return {one.name: getattr(self, one.name) for one in fields(self)}


def draft_of(*, user: User, household: Household, school_year: SchoolYear) -> EnrolmentDraft | None:
    return EnrolmentDraft.objects.filter(user=user, household=household, school_year=school_year).first()


@transaction.atomic
def keep_draft(
    *,
    user: User,
    household: Household,
    school_year: SchoolYear,
    says: Mapping[str, Any],
    step: str,
    at: datetime,
) -> EnrolmentDraft:
    """Keep what a step says (fields of `Content`), over what it said before; what the other steps said stays, whichever
    window said it. `step` is the one to take up again."""
    draft, is_new = EnrolmentDraft.objects.select_for_update().get_or_create(
        user=user,
        household=household,
        school_year=school_year,
        defaults={"content": replace(Content(), **says).plain(), "step": step, "changed_at": at},
    )
    if not is_new:
        draft.content = replace(Content.of(draft), **says).plain()
        draft.step, draft.changed_at = step, at
        draft.save(update_fields=["content", "step", "changed_at"])
    return draft


@transaction.atomic
def drop_draft(*, user: User, household: Household, school_year: SchoolYear, at: datetime) -> bool:
    """Forget what was begun. Whether there was something. Documents handed in meanwhile stay."""
    draft = EnrolmentDraft.objects.filter(user=user, household=household, school_year=school_year).first()
    if draft is None:
        return False
    _tell(draft, by=user.actor(), at=at, text=_("Inscription commencée pour %(year)s abandonnée."))
    draft.delete()
    return True


@transaction.atomic
def send_draft(
    *,
    town: Municipality,
    user: User,
    household: Household,
    school_year: SchoolYear,
    send_key: uuid.UUID,
    wishes: Sequence[Wish],
    accepts: Iterable[Terms],
    message: str,
    at: datetime,
) -> Asked:
    """Send what was begun as one numbered request; the same `send_key` never makes two, whichever window sends it.

    What lacks something that the family can still give stays begun; the rest of the draft is gone with the send.
    """
    draft = (
        EnrolmentDraft.objects.select_for_update()
        .filter(user=user, household=household, school_year=school_year)
        .first()
    )
    done = FamilyRequest.objects.filter(send_key=send_key, household=household).first()
    if done is not None:
        return Asked(request=done, repeated=True)
    asked = ask_enrolments(
        town=town,
        user=user,
        household=household,
        school_year=school_year,
        wishes=wishes,
        send_key=send_key,
        at=at,
        message=message,
        accepts=accepts,
    )
    if draft is not None and asked.request is not None:
        left = {f"{u.wish.child.pk}.{u.wish.activity.pk}" for u in asked.unmet if u.refusal.reason in _LACKS}
        _keep_only(draft, left, at=at)
    return asked


def _keep_only(draft: EnrolmentDraft, left: Collection[str], *, at: datetime) -> None:
    if not left:
        draft.delete()
        return
    content = Content.of(draft)
    content.wanted = [key for key in content.wanted if key in left]
    content.days = {key: days for key, days in content.days.items() if key in left}
    content.children = [child for child in content.children if any(key.startswith(f"{child}.") for key in left)]
    content.message = ""
    draft.content, draft.send_key, draft.step, draft.changed_at = content.plain(), uuid.uuid4(), "", at
    draft.save(update_fields=["content", "send_key", "step", "changed_at"])


def tick(*, at: datetime) -> int:
    """Drop the drafts that nobody touched for long, or whose school year is over; how many. May run in several workers
    at once, and as often as one likes."""
    town = municipality()
    today = at.astimezone(town.tz).date()
    old = EnrolmentDraft.objects.filter(changed_at__lte=at - KEPT)
    over = EnrolmentDraft.objects.filter(school_year__last_day__lt=today)
    done = 0
    for id in (old | over).order_by("id").values_list("id", flat=True)[:AT_ONCE]:
        with transaction.atomic():
            draft = EnrolmentDraft.objects.select_for_update(skip_locked=True).filter(pk=id).first()
            if draft is None:
                continue
            _tell(
                draft, by=PORTAL, at=at, text=_("Inscription commencée pour %(year)s effacée : rien depuis longtemps.")
            )
            draft.delete()
            done += 1
    return done


def _tell(draft: EnrolmentDraft, *, by: audit.Actor, at: datetime, text: str) -> None:
    audit.record(
        at=at,
        by=by,
        action="enrolment.draft_dropped",
        subject=draft,
        household_id=draft.household_id,
        text=text % {"year": draft.school_year.label},
    )
