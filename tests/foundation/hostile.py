"""Files as families send them, and forty as they should never come in: what each is, and why it is refused."""

import io
import random
import struct
import zipfile
import zlib
from collections.abc import Callable

import pikepdf
import pillow_heif
from PIL import Image, PngImagePlugin

from marelle.foundation.files.verdicts import FileFault

pillow_heif.register_heif_opener()


def photograph(form: str = "JPEG", size: tuple[int, int] = (640, 480), **options: object) -> bytes:
    picture = Image.effect_noise(size, 40).convert("RGB")
    written = io.BytesIO()
    picture.save(written, form, **options)
    return written.getvalue()


def document(change: Callable[[pikepdf.Pdf], None] = lambda _pdf: None, *, pages: int = 1, **options: object) -> bytes:
    pdf = pikepdf.new()
    for _page in range(pages):
        pdf.add_blank_page()
    change(pdf)
    written = io.BytesIO()
    pdf.save(written, **options)  # type: ignore[arg-type]
    return written.getvalue()


def archive(name: str = "a.txt", content: bytes = b"a") -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as folder:
        folder.writestr(name, content)
    return written.getvalue()


def noise(size: int) -> bytes:
    return random.Random(size).randbytes(size)


def _opens(action: pikepdf.Dictionary) -> Callable[[pikepdf.Pdf], None]:
    def change(pdf: pikepdf.Pdf) -> None:
        pdf.Root.OpenAction = pdf.make_indirect(action)

    return change


def _script() -> pikepdf.Dictionary:
    return pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="app.alert('!')")


def _named_script(pdf: pikepdf.Pdf) -> None:
    names = pikepdf.Dictionary(Names=pikepdf.Array([pikepdf.String("!"), pdf.make_indirect(_script())]))
    pdf.Root.Names = pikepdf.Dictionary(JavaScript=pdf.make_indirect(names))


def _page_action(pdf: pikepdf.Pdf) -> None:
    pdf.pages[0].obj.AA = pikepdf.Dictionary(O=_script())


def _annotation(**fields: object) -> Callable[[pikepdf.Pdf], None]:
    def change(pdf: pikepdf.Pdf) -> None:
        rect = pikepdf.Array([0, 0, 9, 9])
        note = pikepdf.Dictionary(Type=pikepdf.Name.Annot, Rect=rect, **fields)
        pdf.pages[0].obj.Annots = pikepdf.Array([pdf.make_indirect(note)])

    return change


def _form_with_script(pdf: pikepdf.Pdf) -> None:
    field = pikepdf.Dictionary(FT=pikepdf.Name.Tx, T="a", AA=pikepdf.Dictionary(K=_script()))
    pdf.Root.AcroForm = pikepdf.Dictionary(Fields=pikepdf.Array([pdf.make_indirect(field)]))


def _xfa(pdf: pikepdf.Pdf) -> None:
    pdf.Root.AcroForm = pikepdf.Dictionary(Fields=pikepdf.Array([]), XFA=pdf.make_stream(b"<xdp/>"))


def _attached(pdf: pikepdf.Pdf) -> None:
    pdf.attachments["facture.exe"] = b"MZ" + bytes(200)


def _remote(pdf: pikepdf.Pdf) -> None:
    pdf.pages[0].obj.AA = pikepdf.Dictionary(
        O=pikepdf.Dictionary(S=pikepdf.Name.SubmitForm, F=pikepdf.String("https://elsewhere.example/"))
    )


def _png_of(width: int, height: int) -> bytes:
    """A picture of any size in a few kilobytes: every line is the same."""
    lines = zlib.compressobj(9)
    packed = b"".join(lines.compress(bytes(1 + (width + 7) // 8)) for _row in range(height)) + lines.flush()

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def _lying_png() -> bytes:
    """Says 200 million pixels and holds none; its own checksum gives it away."""
    return _png_of(8, 8).replace(struct.pack(">II", 8, 8), struct.pack(">II", 20000, 10000))


def _stuffed_png() -> bytes:
    """A comment that unpacks to a hundred megabytes."""
    facts = PngImagePlugin.PngInfo()
    facts.add_text("Comment", "a" * 100_000_000, zip=True)
    return photograph("PNG", (64, 64), pnginfo=facts)


def _deep_pdf() -> bytes:
    return b"%PDF-1.7\n1 0 obj\n" + b"[" * 200_000 + b"]" * 200_000 + b"\nendobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


F = FileFault

#: name of the file as sent → (content, why it is refused)
HOSTILE: dict[str, tuple[Callable[[], bytes], FileFault]] = {
    "vide.pdf": (lambda: b"", F.EMPTY),
    "lourd.pdf": (lambda: document() + noise(14 * 1024 * 1024), F.TOO_HEAVY),
    "lourde.jpg": (lambda: photograph() + noise(11 * 1024 * 1024), F.TOO_HEAVY),
    "programme.pdf": (lambda: b"MZ\x90\x00" + noise(4000), F.UNKNOWN_KIND),
    "programme.jpg": (lambda: b"\x7fELF\x02\x01\x01" + noise(4000), F.UNKNOWN_KIND),
    "commande.png": (lambda: b"#!/bin/sh\nrm -rf ~\n", F.UNKNOWN_KIND),
    "page.jpg": (lambda: b"<!doctype html><script>alert(1)</script>", F.UNKNOWN_KIND),
    "dessin.svg": (lambda: b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', F.UNKNOWN_KIND),
    "dessin.png": (lambda: b'<?xml version="1.0"?><svg onload="alert(1)"/>', F.UNKNOWN_KIND),
    "bombe.zip": (lambda: archive("a", bytes(60_000_000)), F.UNKNOWN_KIND),
    "bombe.pdf": (lambda: archive("a.pdf", bytes(60_000_000)), F.UNKNOWN_KIND),
    "lettre.docx": (lambda: archive("word/document.xml", b"<w:document/>"), F.UNKNOWN_KIND),
    "macro.doc": (lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + noise(4000), F.UNKNOWN_KIND),
    "archive.rar": (lambda: b"Rar!\x1a\x07\x01\x00" + noise(4000), F.UNKNOWN_KIND),
    "film.heic": (lambda: b"\x00\x00\x00\x18ftypmp42" + noise(4000), F.UNKNOWN_KIND),
    "anime.gif": (lambda: photograph("GIF"), F.UNKNOWN_KIND),
    "plan.tiff": (lambda: photograph("TIFF"), F.UNKNOWN_KIND),
    "icone.bmp": (lambda: photograph("BMP"), F.UNKNOWN_KIND),
    "script.ps": (lambda: b"%!PS-Adobe-3.0\n(%stdin) (r) file\n", F.UNKNOWN_KIND),
    "bruit.jpg": (lambda: noise(9000), F.UNKNOWN_KIND),
    "coupee.heic": (lambda: photograph("HEIF")[:-4000], F.BROKEN),
    "entete.heic": (lambda: photograph("HEIF")[:60], F.BROKEN),
    "coupee.jpg": (lambda: photograph()[:-4000], F.BROKEN),
    "entete.jpg": (lambda: b"\xff\xd8\xff\xe0" + noise(4000), F.BROKEN),
    "coupee.png": (lambda: photograph("PNG")[:3000], F.BROKEN),
    "coupee.webp": (lambda: photograph("WEBP")[:-3000], F.BROKEN),
    "point.png": (lambda: _png_of(1, 1), F.BROKEN),
    "ligne.png": (lambda: _png_of(20000, 9), F.BROKEN),
    "geante.png": (lambda: _png_of(20000, 10000), F.TOO_MANY_PIXELS),
    "menteuse.png": (_lying_png, F.BROKEN),
    "bavarde.png": (_stuffed_png, F.BROKEN),
    "coupe.pdf": (lambda: document()[:200], F.BROKEN),
    "faux.pdf": (lambda: b"%PDF-1.7\n" + noise(4000), F.BROKEN),
    "profond.pdf": (_deep_pdf, F.BROKEN),
    "programme-ouvert.pdf": (lambda: document(_opens(_script())), F.ACTIVE),
    "programme-cache.pdf": (
        lambda: document(_opens(_script()), object_stream_mode=pikepdf.ObjectStreamMode.generate),
        F.ACTIVE,
    ),
    "programme-nomme.pdf": (lambda: document(_named_script), F.ACTIVE),
    "programme-de-page.pdf": (lambda: document(_page_action), F.ACTIVE),
    "programme-de-champ.pdf": (lambda: document(_form_with_script), F.ACTIVE),
    "lance.pdf": (
        lambda: document(_opens(pikepdf.Dictionary(S=pikepdf.Name.Launch, F=pikepdf.String("cmd.exe")))),
        F.ACTIVE,
    ),
    "envoie.pdf": (lambda: document(_remote), F.ACTIVE),
    "formulaire-xfa.pdf": (lambda: document(_xfa), F.ACTIVE),
    "film.pdf": (lambda: document(_annotation(Subtype=pikepdf.Name.RichMedia)), F.ACTIVE),
    "piece-jointe.pdf": (lambda: document(_attached), F.HIDDEN),
    "trombone.pdf": (lambda: document(_annotation(Subtype=pikepdf.Name.FileAttachment)), F.HIDDEN),
    "pdf-et-zip.pdf": (lambda: document() + archive(), F.HIDDEN),
    "pdf-et-page.pdf": (
        lambda: document().replace(b"\n", b"\n%<script>alert(1)</script>\n", 1),
        F.HIDDEN,
    ),
    "pdf-et-reste.pdf": (lambda: document() + noise(5000), F.HIDDEN),
    "ferme.pdf": (lambda: document(encryption=pikepdf.Encryption(owner="a", user="b")), F.LOCKED),
    "ferme-a-moitie.pdf": (lambda: document(encryption=pikepdf.Encryption(owner="a", user="")), F.LOCKED),
    "roman.pdf": (lambda: document(pages=61), F.TOO_MANY_PAGES),
}
