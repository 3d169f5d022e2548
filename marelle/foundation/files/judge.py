"""Looks into one file; run in a process of its own (`judging.judge`), because what it opens may be hostile.

    python -I …/judge.py SOURCE TARGET

Prints the verdict's code: a FileKind's value when TARGET now holds what to keep, a FileFault's otherwise. Knows nothing
of Django nor of the portal, and has no key, no database and little memory.
"""

import contextlib
import io
import re
import resource
import sys
import warnings
import zipfile
from pathlib import Path

MEMORY = 900 * 1024 * 1024
SECONDS = 20
WRITTEN = 64 * 1024 * 1024
QUALITY = 85

PICTURES = ("JPEG", "PNG", "WEBP", "HEIF")
#: What a PDF must not hold, wherever it stands: code, launches, other files, forms that run.
ACTIVE = {"/JavaScript", "/JS", "/Launch", "/SubmitForm", "/ImportData", "/RichMedia", "/XFA", "/GoToE", "/Movie",
          "/Sound", "/Rendition", "/3D"}  # fmt: skip
HIDDEN = {"/EmbeddedFile", "/EmbeddedFiles", "/Filespec", "/FileAttachment", "/EF"}


class Fault(Exception):
    pass


def judge(source: Path, target: Path, *, max_pixels: int, max_side: int, max_pages: int) -> str:
    with source.open("rb") as file:
        head = file.read(1024)
    if not head:
        raise Fault("empty")
    if head.startswith(b"%PDF-"):
        target.write_bytes(judged_pdf(source, max_pages=max_pages))
        return "pdf"
    target.write_bytes(judged_picture(source, max_pixels=max_pixels, max_side=max_side))
    return "picture"


def judged_picture(source: Path, *, max_pixels: int, max_side: int) -> bytes:
    """The picture alone, upright, as a JPEG: no place, no date, no camera, no trailing bytes."""
    from PIL import Image, ImageOps, UnidentifiedImageError
    from pillow_heif import register_heif_opener

    register_heif_opener(thumbnails=False)
    Image.MAX_IMAGE_PIXELS = max_pixels
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    try:
        image = Image.open(source, formats=PICTURES)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise Fault("too_many_pixels") from None
    except UnidentifiedImageError:
        raise Fault("broken" if looks_like_a_picture(source) else "unknown_kind") from None
    except Exception:
        raise Fault("broken") from None
    if image.width * image.height > max_pixels:
        raise Fault("too_many_pixels")
    if min(image.size) < 8 or max(image.size) > 40 * min(image.size):
        raise Fault("broken")
    try:
        if image.format == "JPEG":
            image.draft("RGB", (max_side, max_side))  # decodes a large photograph at a fraction of its size
        image.load()
        upright = ImageOps.exif_transpose(image)
        upright.thumbnail((max_side, max_side))
        if upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info:
            over = upright.convert("RGBA")
            upright = Image.new("RGB", over.size, "white")
            upright.paste(over, mask=over.getchannel("A"))
        clean = Image.new("RGB", upright.size)
        clean.paste(upright.convert("RGB"))
        written = io.BytesIO()
        clean.save(written, "JPEG", quality=QUALITY, optimize=True)
        return written.getvalue()
    except MemoryError:
        raise Fault("too_many_pixels") from None
    except Exception:
        raise Fault("broken") from None


def looks_like_a_picture(source: Path) -> bool:
    with source.open("rb") as file:
        head = file.read(32)
    return (
        head.startswith((b"\xff\xd8\xff", b"\x89PNG"))
        or (head[:4] == b"RIFF" and head[8:12] == b"WEBP")
        or (head[4:8] == b"ftyp" and head[8:12] in {b"heic", b"heix", b"mif1", b"hevc", b"heim", b"heis", b"msf1"})
    )


def judged_pdf(source: Path, *, max_pages: int) -> bytes:
    """The PDF as it came, once nothing in it acts and nothing hides in it: its signature, if any, stays valid."""
    import pikepdf

    content = source.read_bytes()
    end = content.rfind(b"%%EOF")
    if end < 0:
        raise Fault("broken")
    if len(content) - end > 1024 or zipfile.is_zipfile(source):
        raise Fault("hidden")
    # Something may be written between two pieces of a PDF that no reader of PDFs looks at, and others run.
    if re.search(rb"<script|<html|<svg|<\?php", content[:1024], re.IGNORECASE):
        raise Fault("hidden")
    try:
        with pikepdf.open(source) as pdf:
            if pdf.is_encrypted:
                raise Fault("locked")
            if len(pdf.pages) == 0:
                raise Fault("broken")
            if len(pdf.pages) > max_pages:
                raise Fault("too_many_pages")
            if pdf.attachments:
                raise Fault("hidden")
            for thing in pdf.objects:
                look_into(thing)
            look_into(pdf.trailer)
    except pikepdf.PasswordError:
        raise Fault("locked") from None
    except Fault:
        raise
    except MemoryError:
        raise Fault("too_long") from None
    except Exception:
        raise Fault("broken") from None
    return content


def look_into(thing: object, depth: int = 0) -> None:
    """Follow what is written in place; what is pointed at is an object of its own and is looked into as such."""
    import pikepdf

    if depth > 60:
        raise Fault("broken")
    if isinstance(thing, pikepdf.Stream):
        thing = thing.stream_dict
    if isinstance(thing, pikepdf.Dictionary):
        for key, value in thing.items():
            if key in ACTIVE:
                raise Fault("active")
            if key in HIDDEN:
                raise Fault("hidden")
            if key == "/AA":
                raise Fault("active")
            if isinstance(value, pikepdf.Name):
                name = str(value)
                if key in {"/S", "/Subtype", "/Type"} and name in ACTIVE:
                    raise Fault("active")
                if key in {"/S", "/Subtype", "/Type"} and name in HIDDEN:
                    raise Fault("hidden")
            elif isinstance(value, pikepdf.Dictionary | pikepdf.Array) and not value.is_indirect:
                look_into(value, depth + 1)
    elif isinstance(thing, pikepdf.Array):
        for value in thing:
            if isinstance(value, pikepdf.Dictionary | pikepdf.Array) and not value.is_indirect:
                look_into(value, depth + 1)


def main() -> int:
    source, target, max_pixels, max_side, max_pages = sys.argv[1:6]
    for limit, most in ((resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_CPU, SECONDS), (resource.RLIMIT_FSIZE, WRITTEN)):
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(limit, (most, most))
    try:
        code = judge(
            Path(source), Path(target), max_pixels=int(max_pixels), max_side=int(max_side), max_pages=int(max_pages)
        )
    except Fault as fault:
        code = str(fault)
    except MemoryError:
        code = "too_long"
    sys.stdout.write(code)
    return 0


if __name__ == "__main__":
    sys.exit(main())
