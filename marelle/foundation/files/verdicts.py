"""What may be said of a file handed in."""

from dataclasses import dataclass
from enum import StrEnum

from django.utils.translation import gettext as _

#: The heaviest file accepted, in bytes.
MAX_BYTES = 10 * 1024 * 1024
#: The largest picture decoded: a telephone's is 12 to 50 million pixels.
MAX_PIXELS = 64_000_000
#: Pictures are kept no longer than this on their long side: a page stays readable at 250 dots per inch.
MAX_SIDE = 3000
MAX_PAGES = 60


class FileKind(StrEnum):
    PDF = "pdf"
    PICTURE = "picture"
    #: Lines and columns, read by `marelle.families.imports.sheets` and never by `judging`.
    SHEET = "sheet"

    @property
    def content_type(self) -> str:
        return {"pdf": "application/pdf", "picture": "image/jpeg", "sheet": "text/csv"}[self]

    @property
    def suffix(self) -> str:
        return {"pdf": ".pdf", "picture": ".jpg", "sheet": ".csv"}[self]


class FileFault(StrEnum):
    EMPTY = "empty"
    TOO_HEAVY = "too_heavy"
    UNKNOWN_KIND = "unknown_kind"
    BROKEN = "broken"
    TOO_MANY_PIXELS = "too_many_pixels"
    TOO_MANY_PAGES = "too_many_pages"
    LOCKED = "locked"
    ACTIVE = "active"
    HIDDEN = "hidden"
    TOO_LONG = "too_long"


@dataclass(frozen=True, slots=True)
class Faulty:
    """Why a file is not taken. `size`: its bytes."""

    fault: FileFault
    size: int = 0

    def __str__(self) -> str:
        return sentence(self)


@dataclass(frozen=True, slots=True)
class Judged:
    """A file that can be kept: `content` is what to keep, which for a picture is not what came in."""

    kind: FileKind
    content: bytes


def sentence(faulty: Faulty) -> str:
    """What happened and what to do, in one or two sentences."""
    match faulty.fault:
        case FileFault.EMPTY:
            return _("Ce fichier est vide. Choisissez-le à nouveau, ou reprenez la photo.")
        case FileFault.TOO_HEAVY:
            return _("Ce fichier pèse %(size)s. Le maximum est 10 Mo.") % {"size": size_words(faulty.size)}
        case FileFault.UNKNOWN_KIND:
            return _("Ce fichier n’est ni une photo ni un PDF. Envoyez une photo (JPG, PNG, HEIC) ou un PDF.")
        case FileFault.BROKEN:
            return _("Ce fichier est abîmé ou incomplet. Reprenez la photo, ou enregistrez le PDF à nouveau.")
        case FileFault.TOO_MANY_PIXELS:
            return _("Cette image est trop grande. Envoyez une photo de 64 millions de pixels au plus.")
        case FileFault.TOO_MANY_PAGES:
            return _("Ce PDF a trop de pages : 60 au plus. Envoyez seulement les pages utiles.")
        case FileFault.LOCKED:
            return _("Ce PDF est protégé par un mot de passe. Enregistrez-le sans mot de passe, puis renvoyez-le.")
        case FileFault.ACTIVE:
            return _("Ce PDF contient un programme ou un formulaire actif. Imprimez-le en PDF, puis renvoyez-le.")
        case FileFault.HIDDEN:
            return _("Ce PDF cache un autre fichier. Imprimez-le en PDF, puis renvoyez-le.")
        case FileFault.TOO_LONG:
            return _("Ce fichier est trop compliqué à lire. Prenez le document en photo, puis envoyez la photo.")


def size_words(size: int) -> str:
    """ "14 Mo", "1,2 Mo", "640 ko"; never "0 ko"."""
    if size < 1_000_000:
        return _("%(n)d ko") % {"n": max(1, round(size / 1024))}
    megabytes = size / (1024 * 1024)
    if megabytes >= 10:
        return _("%(n)d Mo") % {"n": -int(-megabytes // 1)}
    return _("%(n)s Mo") % {"n": f"{megabytes:.1f}".replace(".", ",").removesuffix(",0")}
