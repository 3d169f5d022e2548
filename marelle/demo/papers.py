"""The demo's documents: what families have given lately, what agents answered, and what still waits for them.

Given and answered through the services, once, when the demo begins. The files are drawn here: nobody's papers.
"""

import io
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import NAMESPACE_URL, uuid5

import pikepdf
from django.db.models import Max
from PIL import Image, ImageDraw

from marelle.accounts.models import User
from marelle.bookings.queries.papers import HomePapers
from marelle.demo.almanac import Almanac
from marelle.documents.giving import Item
from marelle.documents.models import SupportingDocument
from marelle.documents.services import hand_in
from marelle.families.models import Child, Household
from marelle.foundation.files.verdicts import FileKind, Judged
from marelle.foundation.models import AuditLine
from marelle.requests.services import Verdict, answer

MISSING_PAGE = "Il manque la seconde page, avec la date."
#: How many families besides the visitor's have given something.
FAMILIES = 12


def give(almanac: Almanac, *, first: Household, homes: Sequence[Household], karim: User, at: datetime) -> int:
    """Let these families give documents over the last two days, and Karim answer most; how many there are. `first` is
    the visitor's own: some accepted, one refused, one that waits."""
    done = 0
    for number, household in enumerate([first, *homes[:FAMILIES]]):
        guardian = household.guardians.filter(user__isnull=False).order_by("guardianships__position").first()
        if guardian is None or guardian.user is None:
            continue
        # Nothing is told of a home before what it did last, nor among what it is about to send.
        did = AuditLine.objects.filter(household_id=household.pk).aggregate(last=Max("at"))["last"]
        given_at = max(at - timedelta(hours=44 - 3 * number), (did or at) + timedelta(minutes=5))
        if given_at > at - timedelta(hours=4):
            continue
        for rank, item in enumerate(_items(almanac, household, at=given_at)):
            if rank > 3 or (household != first and rank > 1):
                break
            document = hand_in(
                household=household,
                paper=item.paper,
                judged=_photograph() if (number + rank) % 2 else _scan(),
                name=f"{item.paper.slug}.jpg",
                by=guardian.user,
                at=given_at + timedelta(minutes=4 * rank),
                child=item.child,
                guardian=item.guardian,
                school_year=item.school_year,
                issued_on=almanac.local(given_at) - timedelta(days=20) if item.asks_its_date else None,
                valid_until=almanac.local(given_at) + timedelta(days=200) if item.asks_its_end else None,
                send_key=uuid5(NAMESPACE_URL, f"{household.pk}/{item.key}"),
            )
            done += 1
            _answer(document, household == first, number, rank, karim=karim, at=given_at + timedelta(hours=2))
    return done


def _answer(document: SupportingDocument, is_first: bool, number: int, rank: int, *, karim: User, at: datetime) -> None:
    line = document.review
    if line is None:
        return
    if is_first:
        waits, refused = rank == 2, rank == 1
    else:
        waits, refused = number == 2, number % 5 == 4 and rank == 1
    if waits:
        return
    verdict = Verdict(accept=not refused, reason=MISSING_PAGE if refused else "")
    answer(request_id=line.request_id, verdicts={line.pk: verdict}, by=karim, at=at + timedelta(minutes=rank))


def _items(almanac: Almanac, household: Household, *, at: datetime) -> list[Item]:
    """What the home's services require, then the town's other papers; nothing that tells of health, which no agent of
    the demo need read."""
    children = Child.objects.filter(residences__household=household).order_by("residences__id")
    home = HomePapers(town=almanac.town, household=household, children=[(child, None) for child in children], at=at)
    items = [item for item in home.asked() if not item.standing.is_given]
    known = {(item.paper.slug, item.child) for item in items}
    others = [item for item in home.others() if (item.paper.slug, item.child) not in known]
    return [item for item in items + others if not item.paper.health]


def _photograph() -> Judged:
    """A sheet of paper on a table."""
    picture = Image.new("RGB", (900, 1200), (139, 111, 83))
    draw = ImageDraw.Draw(picture)
    draw.polygon([(90, 70), (820, 100), (800, 1130), (70, 1100)], fill=(250, 249, 245))
    for line in range(16):
        width = 560 if line % 5 else 330
        draw.rectangle((150, 190 + line * 52, 150 + width, 204 + line * 52), fill=(120, 124, 140))
    draw.rectangle((150, 120, 420, 160), fill=(45, 58, 158))
    written = io.BytesIO()
    picture.save(written, "JPEG", quality=70)
    return Judged(FileKind.PICTURE, written.getvalue())


def _scan() -> Judged:
    """One page that says what it is not."""
    pdf = pikepdf.new()
    page = pdf.add_blank_page(page_size=(595, 842))
    page.contents_add(b"BT /F1 20 Tf 72 760 Td (Attestation de demonstration, sans valeur) Tj ET")
    font = pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica)
    page.obj.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=pdf.make_indirect(font)))
    written = io.BytesIO()
    pdf.save(written)
    return Judged(FileKind.PDF, written.getvalue())
