# ruff: noqa: E501
"""Sample data of the gallery: two children in November 2026, the same month as the reference drawings."""

from datetime import date, timedelta
from types import SimpleNamespace

from django import forms
from django.http import HttpRequest

from marelle.foundation.components.grid import (
    Column,
    ColumnGroup,
    Day,
    Grid,
    Mark,
    Menu,
    MenuItem,
    Tile,
    Week,
)
from marelle.foundation.components.kids import kids

INES, TOM = kids([("1", "Inès"), ("2", "Tom")])
STATES = {
    "free": Mark("Libre", "square", "free"),
    "booked": Mark("Réservé", "check", "booked"),
    "pending": Mark("En cours", "hourglass", "pending"),
    "queue": Mark("2ᵉ en attente", "list-ordered", "queue"),
    "cancelling": Mark("Annulation en cours", "calendar-x-2", "cancelling"),
    "refused": Mark("Refusé", "circle-x", "refused"),
    "locked": Mark("Réservé", "lock", "locked"),
    "late": Mark("Trop tard", "lock", "late"),
    "closed": Mark("Sortie scolaire", "bus", "closed"),
    "holiday": Mark("Férié", "ban", "closed"),
    "present": Mark("Présence", "user-check", "present"),
    "absent": Mark("Absence excusée", "user-x", "absent"),
    "elsewhere": Mark("Réservé par l’autre foyer", "lock", "elsewhere"),
}
LEGEND = [
    STATES["free"],
    STATES["booked"],
    Mark("Demande en cours", "hourglass", "pending"),
    Mark("Liste d’attente", "list-ordered", "queue"),
    STATES["cancelling"],
    STATES["refused"],
    Mark("Réservé, délai dépassé", "lock", "locked"),
    Mark("Trop tard pour réserver", "lock", "late"),
    Mark("Fermé", "ban", "closed"),
    Mark("À ajouter", "plus", "add"),
    Mark("À annuler", "minus", "remove"),
]
WEEKDAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi")
EDITABLE = {"free", "booked", "pending", "refused"}
BASE = {"booked", "pending"}
# one letter each for Inès and Tom; a capital is a tick changed
CODES = {
    "f": "free",
    "b": "booked",
    "p": "pending",
    "q": "queue",
    "c": "cancelling",
    "r": "refused",
    "l": "locked",
    "t": "late",
    "x": "closed",
    "n": "present",
    "a": "absent",
    "e": "elsewhere",
}
MONTH = {
    date(2026, 11, 9): "na", date(2026, 11, 10): "ll", date(2026, 11, 12): "bb", date(2026, 11, 13): "bx",
    date(2026, 11, 16): "bb", date(2026, 11, 17): "bf", date(2026, 11, 19): "bp", date(2026, 11, 20): "Bb",
    date(2026, 11, 23): "Ff", date(2026, 11, 24): "Ff", date(2026, 11, 26): "fF", date(2026, 11, 27): "cr",
    date(2026, 11, 30): "fe", date(2026, 12, 1): "ff", date(2026, 12, 3): "qf", date(2026, 12, 4): "tf",
}  # fmt: skip


def words(day: date) -> str:
    number = "1er" if day.day == 1 else str(day.day)
    return f"{WEEKDAYS[day.weekday()]} {number} {'novembre' if day.month == 11 else 'décembre'}"


def tile(
    kid, day: date, code: str, *, unit: str = "", unit_key: str = "7", reading: bool = False, note: str = "", ask=None
) -> Tile:
    css = CODES[code.lower()]
    changed, base = code.isupper(), css in BASE
    return Tile(
        key=f"{kid.key}.{unit_key}.{day.isoformat()}",
        day=words(day),
        state=Mark("Complet", "square", "free") if ask else STATES[css],
        kid=kid,
        unit=unit,
        base=base,
        ticked=base != changed,
        editable=css in EDITABLE and not reading,
        change=("remove" if base else "add") if reading and changed else "",
        cents=320,
        alone=css == "refused" or ask is not None,
        note=note,
        ask=ask,
        why="le délai était hier, 9 h" if css in ("late", "locked") else "",
        described_by=f"due-{day.isoformat()}" if day == date(2026, 11, 12) else "",
    )


def cell(day: date, codes: str, *, reading: bool = False) -> Day:
    return Day(
        date=day.isoformat(),
        number=str(day.day),
        title=words(day).split(" ", 2)[2] + " : détail du jour",
        href="" if reading else f"#jour-{day.isoformat()}",
        today=day == date(2026, 11, 10),
        due="9 h" if day == date(2026, 11, 12) else "",
        due_words="Modifiable jusqu’à aujourd’hui, 9 h",
        aside="Aujourd’hui" if day == date(2026, 11, 10) else "3,20 €",
        tiles=tuple(tile(kid, day, code, reading=reading) for kid, code in zip((INES, TOM), codes, strict=True)),
    )


def column(index: int) -> Column:
    name = WEEKDAYS[index]
    return Column(
        name=name.capitalize(),
        menu=Menu(
            label="Tous",
            hidden=f" les {name}s",
            items=(
                MenuItem(
                    title=f"Les {name}s affichés", value=f"col:{index}", label="Inès et Tom", icon="users", scope="col"
                ),
                MenuItem(value=f"col:{index}:1", label="Inès", kid=INES, scope="col"),
                MenuItem(value=f"col:{index}:2", label="Tom", kid=TOM, scope="col"),
                MenuItem(
                    title="Toute la période ouverte",
                    value=f"period:{index}",
                    label="Jusqu’au 18 décembre",
                    icon="calendar-days",
                ),
                MenuItem(
                    value=f"none:{index}", label=f"Annuler tous les {name}s", icon="minus", scope="col", sets="off"
                ),
            ),
        ),
    )


def month(*, reading: bool = False) -> Grid:
    weeks = [
        Week(
            label="S45",
            span="2–6 nov.",
            past=True,
            summary="Semaine passée : 7 repas, 1 absence",
            href="#s45",
            link="la semaine du 2 au 6 novembre",
        )
    ]
    for monday in (date(2026, 11, 9), date(2026, 11, 16), date(2026, 11, 23), date(2026, 11, 30)):
        days = [monday + timedelta(days=i) for i in (0, 1, 3, 4)]
        number = monday.isocalendar().week
        span = "30 nov.–4 déc." if monday.day == 30 else f"{monday.day}–{monday.day + 4} nov."
        weeks.append(
            Week(
                label=f"S{number}",
                span=span,
                days=tuple(cell(day, MONTH[day], reading=reading) for day in days),
                menu=Menu(
                    label="Semaine",
                    hidden=f" {number} : tout réserver ou tout annuler",
                    items=(
                        MenuItem(
                            title=f"Semaine {number}",
                            value=f"row:{number}",
                            label="Réserver toute la semaine",
                            icon="check-check",
                            scope="row",
                        ),
                        MenuItem(
                            value=f"rownone:{number}",
                            label="Annuler toute la semaine",
                            icon="minus",
                            scope="row",
                            sets="off",
                        ),
                    ),
                ),
            )
        )
    return Grid(
        caption="Cantine, novembre 2026. Une ligne par semaine, une colonne par jour. Une case cochée est un repas voulu. "
        "Les flèches du clavier passent d’une case à l’autre.",
        columns=tuple(column(i) if not reading else Column(name=WEEKDAYS[i].capitalize()) for i in (0, 1, 3, 4)),
        weeks=tuple(weeks if not reading else weeks[1:3]),
        reading=reading,
    )


def units() -> Grid:
    """Morning and evening in the same cell, a public holiday, a day outside the period."""
    rows = []
    for monday in (date(2026, 11, 9), date(2026, 11, 16)):
        days = []
        for i in range(5):
            day = monday + timedelta(days=i)
            if day == date(2026, 11, 11):
                days.append(
                    Day(date=day.isoformat(), number="11", title="novembre", closed=Mark("Armistice", "ban", "closed"))
                )
                continue
            tiles = tuple(
                tile(kid, day, code, unit=unit, unit_key=key)
                for unit, key, codes in (("Matin", "1", "bf"), ("Soir", "2", "Ff"))
                for kid, code in zip((INES, TOM), codes, strict=True)
            )
            days.append(Day(date=day.isoformat(), number=str(day.day), title="novembre", tiles=tiles, outside=False))
        rows.append(
            Week(label=f"S{monday.isocalendar().week}", span=f"{monday.day}–{monday.day + 4} nov.", days=tuple(days))
        )
    return Grid(
        caption="Matin et soir",
        columns=tuple(Column(name=d.capitalize(), short=d[:3].capitalize() + ".") for d in WEEKDAYS),
        weeks=tuple(rows),
        several_units=True,
    )


def week() -> Grid:
    names = (("Matin", "sunrise"), ("Repas", "utensils"), ("Après-midi", "sun"))
    columns = []
    for kid in (INES, TOM):
        for n, (name, icon) in enumerate(names):
            columns.append(
                Column(
                    name=name,
                    icon=icon,
                    starts=n == 0 and kid is TOM,
                    menu=Menu(
                        label="Tous",
                        hidden=f" : {name}, {kid.name}",
                        items=(
                            MenuItem(
                                value="x", label="Réserver tous les jours affichés", icon="check-check", scope="col"
                            ),
                        ),
                    ),
                )
            )
    codes = {21: "FFFFFf", 22: "bbbbbb", 23: "pppfff", 24: "ffxffx"}
    rows = []
    for number, letters in codes.items():
        day = date(2026, 12, number)
        cells = []
        for i, code in enumerate(letters):
            kid = INES if i < 3 else TOM
            ask = Mark("Liste d’attente", "list-ordered", "queue") if (number, i) == (23, 4) else None
            note = "2 places" if (number, i) == (23, 3) else ""
            cells.append(
                Day(tiles=(tile(kid, day, code, unit=names[i % 3][0], unit_key=str(i % 3), note=note, ask=ask),))
            )
        rows.append(Week(label=str(number), span=WEEKDAYS[day.weekday()].capitalize(), days=tuple(cells)))
    rows.append(Week(label="25", span="Vendredi", closed=Mark("Noël : fermé", "ban", "closed")))
    return Grid(
        caption="La Cabane, semaine du 21 au 25 décembre",
        columns=tuple(columns),
        groups=(ColumnGroup(kid=INES, span=3), ColumnGroup(kid=TOM, span=3)),
        weeks=tuple(rows),
    )


SERVICES = [
    {"label": "Cantine", "url": "/", "icon": "utensils", "accent": 1, "current": True},
    {"label": "Matin et soir", "url": "/units", "icon": "sunrise", "accent": 2},
    {"label": "Mercredis", "url": "#m", "icon": "sun", "accent": 3},
    {"label": "Vacances", "url": "/week", "icon": "tent-tree", "accent": 4},
]
CHANGES = [
    {"adds": False, "kid": INES, "day": "vendredi 20 novembre", "cents": -320},
    {"adds": True, "kid": INES, "day": "lundi 23 novembre", "cents": 320},
    {"adds": True, "kid": INES, "day": "mardi 24 novembre", "cents": 320},
    {"adds": True, "kid": TOM, "day": "jeudi 26 novembre", "cents": 320},
]


class Sample(forms.Form):
    email = forms.EmailField(
        label="Adresse e-mail", help_text="Celle que connaît la mairie, par exemple nom@exemple.fr"
    )
    phone = forms.CharField(label="Téléphone", required=False)
    reason = forms.ChoiceField(label="Motif", choices=[("", "Choisissez"), ("a", "Délai dépassé")])
    message = forms.CharField(label="Mon message", widget=forms.Textarea)
    extent = forms.ChoiceField(
        label="Appliquer",
        widget=forms.RadioSelect,
        choices=[("m", "Aux jours libres de novembre"), ("p", "Jusqu’à la fin de la période")],
    )
    read = forms.BooleanField(label="J’ai lu le règlement de la cantine")


FAMILY_NAV = [
    {"label": "Accueil", "url": "/", "icon": "house"},
    {"label": "Planning", "url": "/", "icon": "calendar-days", "current": True},
    {"label": "Démarches", "url": "#", "icon": "clipboard-list"},
    {"label": "Factures", "url": "#", "icon": "receipt-euro"},
    {"label": "Famille", "url": "#", "icon": "users"},
]
STAFF_NAV = [
    {"label": "Aujourd’hui", "url": "#", "icon": "layout-dashboard"},
    {"label": "Demandes", "url": "/staff", "icon": "inbox", "current": True, "count": 12},
    {"label": "Familles", "url": "#", "icon": "users-round"},
    {"label": "Capacités", "url": "#", "icon": "gauge"},
]


def surroundings(request: HttpRequest) -> dict:
    colour = request.GET.get("colour", "")
    staff = request.path.startswith("/staff")
    return {
        "municipality": SimpleNamespace(
            name="Ville de Clairval",
            short_name="Clairval",
            department_name="Service Enfance",
            phone="02 00 00 00 00",
            email="",
            opening_hours="du lundi au vendredi, de 8 h 30 à 17 h",
            colour=f"#{colour}" if colour else "",
            tz=None,
        ),
        "nav": STAFF_NAV if staff else FAMILY_NAV,
        "person": {
            "name": "Malika Roux" if staff else "Nadia Benali",
            "initial": "M" if staff else "N",
            "role": "Responsable enfance" if staff else "",
            "sign_out_url": "#",
            "theme": request.GET.get("theme", ""),
        },
        "unread": 2,
        "messages_url": "#",
        "help_url": "#",
        "footer_links": [
            {"label": "Accessibilité : partiellement conforme", "url": "#"},
            {"label": "Données personnelles", "url": "#"},
        ],
    }
