"""What a family of the demo says of its children the day it joins: health files, who may fetch them, whom to call, what
it allows. Invented people; every choice comes from the dice."""

from datetime import date, datetime
from random import Random
from uuid import UUID

from marelle.accounts.models import User
from marelle.activities.models import Municipality
from marelle.activities.queries import rules_of
from marelle.demo.habits import Home
from marelle.families.circle.authorised import Said, authorise
from marelle.families.circle.contacts import save_contact
from marelle.families.circle.permission_answers import answer_permissions, asked_of
from marelle.families.health.content import HealthContent, Vaccination
from marelle.families.health.files import save_health
from marelle.families.models import HealthFile
from marelle.families.queries import year_of

PEOPLE = (("Samira", "grand-mère"), ("Odile", "grand-mère"), ("Marcel", "grand-père"), ("Karim", "voisin"),
          ("Lucie", "assistante maternelle"), ("Élodie", "tante"), ("Bruno", "oncle"))  # fmt: skip
NAMES = ("Fabre", "Costa", "Lefort", "Ndiaye", "Garnier", "Petit", "Rossi")
DOCTORS = ("Dr Claire Fabre", "Dr Hugo Lambert", "Dr Inaya Sow")
PLANS = (
    ("Asthme", "Inhalateur bleu, deux bouffées en cas de gêne. Appeler les parents.", "Infirmerie de l’école"),
    ("Allergie à l’arachide", "Antihistaminique, puis le 15 si le visage gonfle.", "Classe, armoire du haut"),
)


def tell(*, home: Home, user: User, town: Municipality, at: datetime, dice: Random) -> None:
    """What is already there, from the other home or before, stays."""
    household, rules = home.household, rules_of(town)
    today = at.astimezone(town.tz).date()
    year = year_of(town, today=today)
    known = set(HealthFile.objects.filter(child__in=home.children).values_list("child_id", flat=True))
    for child in home.children:
        if child.pk not in known:
            content, until = _health(dice, today)
            save_health(
                child=child,
                household=household,
                content=content,
                has_plan=until is not None,
                plan_until=until,
                version=0,
                by=user,
                at=at,
            )
        asked = asked_of(rules, child, on=today)
        if year is not None and dice.random() < 0.85:
            answer_permissions(
                child=child,
                household=household,
                answers={one.slug: dice.random() < (0.4 if one.min_age else 0.85) for one in asked},
                names={one.slug: one.name for one in asked},
                school_year=year,
                by=user,
                at=at,
            )
    for n in range(dice.choice((0, 1, 1, 2))):
        (first, link), last = dice.choice(PEOPLE), dice.choice(NAMES)
        phone = f"06 00 00 {home.said.number % 100:02d} {50 + n}"
        if n == 0:
            save_contact(
                id=UUID(int=dice.getrandbits(128)),
                household=household,
                children=home.children,
                name=f"{first} {last}",
                link=link,
                phone=phone,
                by=user,
                at=at,
            )
        authorise(
            id=UUID(int=dice.getrandbits(128)),
            household=household,
            said=Said(name=f"{first} {last}", link=link, phone=phone, children=home.children),
            by=user,
            at=at,
        )


def _health(dice: Random, today: date) -> tuple[HealthContent, date | None]:
    """A file, and until when its PAI holds if there is one."""
    plan = dice.choice(PLANS) if dice.random() < 0.12 else None
    content = HealthContent(
        allergies=plan[0] if plan is PLANS[1] else dice.choice(("", "", "", "", "Pollens, au printemps")),
        recommendations=dice.choice(("", "", "", "Porte des lunettes", "Appareil dentaire")),
        plan=plan[0] if plan else "",
        protocol=plan[1] if plan else "",
        kit=plan[2] if plan else "",
        doctor_name=dice.choice(DOCTORS),
        doctor_phone="02 00 00 00 05",
        vaccination=Vaccination.YES,
    )
    return content, date(today.year + (today.month > 8), 8, 31) if plan else None
