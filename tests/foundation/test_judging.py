"""What may be handed in, and what may not."""

import io
import tempfile

import pytest
from PIL import Image

from marelle.foundation.files.judging import judge
from marelle.foundation.files.verdicts import Faulty, FileFault, FileKind, Judged, sentence, size_words
from tests.foundation.hostile import HOSTILE, document, photograph


def test_there_are_forty_hostile_files_and_more() -> None:
    assert len(HOSTILE) >= 40


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_with_its_reason_and_leaves_nothing(name, tmp_path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    make, fault = HOSTILE[name]
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    verdict = judge(io.BytesIO(make()))
    assert isinstance(verdict, Faulty) and verdict.fault == fault
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("fault", FileFault)
def test_each_reason_says_what_happened_and_what_to_do(fault) -> None:  # type: ignore[no-untyped-def]
    said = sentence(Faulty(fault, 14 * 1024 * 1024)).replace("\N{NO-BREAK SPACE}", " ")
    what, _stop, what_to_do = said.partition(".")
    assert what.startswith(("Ce fichier", "Ce PDF", "Cette image")) and what_to_do
    if fault is FileFault.TOO_HEAVY:
        assert said == "Ce fichier pèse 14 Mo. Le maximum est 10 Mo."


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "HEIF"])
def test_a_photograph_is_kept_as_a_jpeg(form) -> None:  # type: ignore[no-untyped-def]
    verdict = judge(io.BytesIO(photograph(form)))
    assert isinstance(verdict, Judged) and verdict.kind == FileKind.PICTURE
    with Image.open(io.BytesIO(verdict.content)) as kept:
        assert (kept.format, kept.size) == ("JPEG", (640, 480))


def test_a_photograph_loses_its_place_and_stands_upright() -> None:
    facts = Image.Exif()
    facts[0x0112] = 6  # turned a quarter
    facts[0x010F] = "Téléphone de Nadia"
    facts.get_ifd(0x8825)[2] = (43.0, 33.0, 21.0)  # where it was taken
    verdict = judge(io.BytesIO(photograph(exif=facts, comment=b"a la maison")))
    assert isinstance(verdict, Judged)
    with Image.open(io.BytesIO(verdict.content)) as kept:
        assert kept.size == (480, 640)
        assert not kept.getexif() and "comment" not in kept.info
    assert b"phone" not in verdict.content and b"maison" not in verdict.content


def test_what_follows_a_photograph_is_left_behind() -> None:
    verdict = judge(io.BytesIO(photograph() + b"<script>alert(1)</script>PK\x03\x04"))
    assert isinstance(verdict, Judged)
    assert b"<script" not in verdict.content and b"PK\x03\x04" not in verdict.content


def test_a_telephones_photograph_comes_back_readable_and_smaller() -> None:
    verdict = judge(io.BytesIO(photograph(size=(4000, 3000), quality=60)))
    assert isinstance(verdict, Judged)
    with Image.open(io.BytesIO(verdict.content)) as kept:
        assert kept.size == (3000, 2250)


def test_a_transparent_drawing_is_laid_on_white() -> None:
    drawing = io.BytesIO()
    Image.new("RGBA", (100, 100), (0, 0, 0, 0)).save(drawing, "PNG")
    verdict = judge(io.BytesIO(drawing.getvalue()))
    assert isinstance(verdict, Judged)
    with Image.open(io.BytesIO(verdict.content)) as kept:
        assert kept.getpixel((50, 50)) == (255, 255, 255)


@pytest.mark.parametrize("pages", [1, 60])
def test_a_plain_pdf_is_kept_as_it_came(pages) -> None:  # type: ignore[no-untyped-def]
    content = document(pages=pages)
    assert judge(io.BytesIO(content)) == Judged(FileKind.PDF, content)


def test_a_pdf_with_a_form_to_fill_and_links_is_kept() -> None:
    import pikepdf

    def change(pdf: pikepdf.Pdf) -> None:
        field = pikepdf.Dictionary(FT=pikepdf.Name.Tx, T="nom", V="Moreau")
        pdf.Root.AcroForm = pikepdf.Dictionary(Fields=pikepdf.Array([pdf.make_indirect(field)]))
        link = pikepdf.Dictionary(S=pikepdf.Name.URI, URI=pikepdf.String("https://caf.example/"))
        note = pikepdf.Dictionary(Subtype=pikepdf.Name.Link, Rect=pikepdf.Array([0, 0, 9, 9]), A=link)
        pdf.pages[0].obj.Annots = pikepdf.Array([pdf.make_indirect(note)])

    assert isinstance(judge(io.BytesIO(document(change))), Judged)


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (1, "1 ko"),
        (640 * 1024, "640 ko"),
        (1_258_291, "1,2 Mo"),
        (14_000_000, "14 Mo"),
        (10 * 1024 * 1024 + 1, "11 Mo"),
    ],
)
def test_a_size_in_words(size, words) -> None:  # type: ignore[no-untyped-def]
    assert size_words(size).replace("\N{NO-BREAK SPACE}", " ") == words
