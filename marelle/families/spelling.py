"""Names and addresses, made comparable or presentable. Pure."""

import re
import unicodedata

_WAYS = {
    "av": "avenue",
    "ave": "avenue",
    "bd": "boulevard",
    "bld": "boulevard",
    "boul": "boulevard",
    "r": "rue",
    "pl": "place",
    "ch": "chemin",
    "che": "chemin",
    "chem": "chemin",
    "imp": "impasse",
    "all": "allee",
    "rte": "route",
    "sq": "square",
    "res": "residence",
    "bat": "batiment",
    "appt": "appartement",
    "apt": "appartement",
    "st": "saint",
    "ste": "sainte",
    "lot": "lotissement",
    "fg": "faubourg",
    "qu": "quai",
}


def plain(text: str) -> str:
    """Text as it is searched: small letters, without accents, single spaces. "Inès  BENALI" → "ines benali"."""
    letters = unicodedata.normalize("NFKD", text.casefold().replace("œ", "oe").replace("æ", "ae"))
    return " ".join("".join(letter for letter in letters if not unicodedata.combining(letter)).split())


def words(text: str) -> str:
    """The letters and digits of a text, plain, single spaces: "Nom d’usage (élève)" → "nom d usage eleve"."""
    return " ".join(re.findall(r"[^\W_]+", plain(text)))


def place(street: str, postcode: str, city: str) -> str:
    """One address, however it is written: "12 bis, av. Jean-Jaurès" and "12bis avenue jean jaures" are the same. "" for
    no street: a town alone is nobody's home."""
    separate = re.sub(r"(\d+) ?(bis|ter|quater|[a-d])\b", r"\1 \2", words(street))
    said = [_WAYS.get(word, word) for word in separate.split()]
    if not said:
        return ""
    return " ".join([*said, words(postcode) or words(city)])


def named(text: str) -> str:
    """A name as one writes it: "MARTIN-DUPONT" → "Martin-Dupont"; what holds a small letter is left as it is."""
    single = " ".join(text.split())
    if single != single.upper():
        return single
    return re.sub(r"[^\W\d_]+", lambda word: word[0][0] + word[0][1:].lower(), single)
