"""Several pictures handed in as one document: recto and verso, the pages of a letter."""

import io
from collections.abc import Sequence
from dataclasses import dataclass

import pikepdf
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _
from PIL import Image

from marelle.foundation.files.judging import judge
from marelle.foundation.files.verdicts import MAX_BYTES, Faulty, FileKind, Judged, size_words

#: How many pictures make one document at most.
MOST = 12
#: The long side of a page, in points: a sheet's.
LONG_SIDE = 842


@dataclass(frozen=True, slots=True)
class FaultyPages:
    """Why these files are not taken together; `str()` names which one is at fault. `name`: its file."""

    sentence: str
    name: str = ""

    def __str__(self) -> str:
        return self.sentence


def judge_pages(files: Sequence[UploadedFile]) -> Judged | Faulty | FaultyPages:
    """What may be kept of these files, in their order, as one document. One alone is judged as `judge` does; several
    must all be pictures: each is judged and written anew, and together they become the pages of a PDF, which weighs no
    more than one file may."""
    if len(files) == 1:
        return judge(files[0])
    if len(files) > MOST:
        return FaultyPages(
            _("Un document tient en %(most)d photos au plus : vous en avez choisi %(n)d.")
            % {"most": MOST, "n": len(files)}
        )
    pages: list[bytes] = []
    for number, file in enumerate(files, start=1):
        name = (file.name or "")[:80]
        judged = judge(file)
        if isinstance(judged, Faulty):
            said = str(judged)
            words = _("Photo %(n)d (« %(name)s ») : %(fault)s")
            facts = {"n": number, "name": name, "fault": said[:1].lower() + said[1:]}
            return FaultyPages(words % facts, name)
        if judged.kind is not FileKind.PICTURE:
            words = _("« %(name)s » est un PDF. Choisissez-le seul, ou seulement des photos.")
            return FaultyPages(words % {"name": name}, name)
        pages.append(judged.content)
    weight = sum(map(len, pages))
    if weight > MAX_BYTES:
        words = _("Ces photos pèsent %(size)s ensemble. Le maximum est 10 Mo : envoyez moins de pages à la fois.")
        return FaultyPages(words % {"size": size_words(weight)})
    return Judged(FileKind.PDF, bound(pages))


def bound(pages: Sequence[bytes]) -> bytes:
    """A PDF of these JPEGs, one a page, as they are: no picture is written a second time. The same pages give the same
    bytes."""
    with pikepdf.new() as pdf:
        for content in pages:
            with Image.open(io.BytesIO(content), formats=("JPEG",)) as image:
                width, height = image.size
            scale = LONG_SIDE / max(width, height)
            picture = pdf.make_stream(
                content,
                Type=pikepdf.Name.XObject,
                Subtype=pikepdf.Name.Image,
                Width=width,
                Height=height,
                ColorSpace=pikepdf.Name.DeviceRGB,
                BitsPerComponent=8,
                Filter=pikepdf.Name.DCTDecode,
            )
            page = pdf.add_blank_page(page_size=(round(width * scale, 2), round(height * scale, 2)))
            page.add_resource(picture, pikepdf.Name.XObject, name=pikepdf.Name.Picture)
            drawn = f"q {width * scale:.2f} 0 0 {height * scale:.2f} 0 0 cm /Picture Do Q"
            page.Contents = pdf.make_stream(drawn.encode())
        written = io.BytesIO()
        pdf.save(written, deterministic_id=True)
    return written.getvalue()
