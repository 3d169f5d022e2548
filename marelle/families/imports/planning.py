"""What a file would write: compared with what is here, and nothing written. docs/imports.md says by which signs a
child, an adult and a home are recognised.

Four queries, whatever the file's size. A plan is a pure value of the file and of the database: two plans are equal
if and only if nothing that matters changed between them.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any, Self

from marelle.activities.models import Site
from marelle.families.imports.homes import FoundHome, gathered
from marelle.families.imports.people import ONLY, Adult, People, Pupil, phone
from marelle.families.imports.remarks import Remark, Why
from marelle.families.models import Child, Guardianship, Residence
from marelle.families.spelling import place, plain, words


@dataclass(slots=True)
class Change:
    """`key` names it in `ImportRun.kept`: "child:12:level"."""

    key: str
    field: str
    old: str
    new: str


@dataclass(slots=True)
class PlannedChild:
    """`id`: the child's who is here already; None: a new one. `school`: a site's id."""

    id: int | None
    line: int
    last_name: str
    first_name: str
    birth_date: str
    ine: str
    school: int
    school_name: str
    level: str
    class_name: str
    changes: list[Change] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name}"


@dataclass(slots=True)
class PlannedAdult:
    id: int | None
    last_name: str
    first_name: str
    email: str
    phone: str
    changes: list[Change] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name}"


@dataclass(slots=True)
class PlannedHome:
    """`adults`, `children`: places in the plan's lists; of them, those to be joined to a home that is here already."""

    id: int | None
    name: str
    address: str
    postcode: str
    city: str
    adults: list[int]
    children: list[int]
    joining_adults: list[int] = field(default_factory=list)
    joining_children: list[int] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)


@dataclass(slots=True)
class Plan:
    """`absent`: the children of these schools of whom the file says nothing, [id, name]: they stay as they are."""

    homes: list[PlannedHome] = field(default_factory=list)
    adults: list[PlannedAdult] = field(default_factory=list)
    children: list[PlannedChild] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    absent: list[list[Any]] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        def changes(one: dict[str, Any]) -> dict[str, Any]:
            return {**one, "changes": [Change(**change) for change in one["changes"]]}

        return cls(
            homes=[PlannedHome(**changes(one)) for one in data["homes"]],
            adults=[PlannedAdult(**changes(one)) for one in data["adults"]],
            children=[PlannedChild(**changes(one)) for one in data["children"]],
            remarks=[Remark(**{**one, "why": Why(one["why"])}) for one in data["remarks"]],
            absent=data["absent"],
        )

    def homes_of(self) -> dict[int, list[int]]:
        """The places of each child's homes, by the child's place."""
        found: defaultdict[int, list[int]] = defaultdict(list)
        for index, home in enumerate(self.homes):
            for child in home.children:
                found[child].append(index)
        return found

    def counts(self) -> dict[str, int]:
        refused = {(remark.source, remark.line) for remark in self.remarks if remark.why.refuses}
        changed = changed_children(self)
        return {
            "homes": len(self.homes),
            "new_homes": sum(home.id is None for home in self.homes),
            "children": len(self.children),
            "new_children": sum(child.id is None for child in self.children),
            "two_homes": sum(len(homes) > 1 for homes in self.homes_of().values()),
            "changed": len(changed),
            "unchanged": sum(child.id is not None for child in self.children) - len(changed),
            "refused": len(refused),
            "remarks": sum(not remark.why.refuses for remark in self.remarks),
            "absent": len(self.absent),
        }


def changed_children(plan: Plan) -> dict[int, list[Change]]:
    """Of the children who are here already, those for whom something changes, by place; what changes of a home is told
    with its first child."""
    found: dict[int, list[Change]] = {}
    for index, child in enumerate(plan.children):
        if child.id is not None and child.changes:
            found[index] = list(child.changes)
    for home in plan.homes:
        told = [*home.changes, *(change for adult in home.adults for change in plan.adults[adult].changes)]
        joined = home.joining_children if home.id is not None else home.children
        for index in joined:
            if plan.children[index].id is not None:
                found.setdefault(index, []).append(Change("", "home", "", home.name))
        if home.id is not None:
            told += [Change("", "adult", "", str(plan.adults[adult])) for adult in home.joining_adults]
        known = next((index for index in home.children if plan.children[index].id is not None), None)
        if told and known is not None:
            found.setdefault(known, []).extend(change for change in told if change not in found.get(known, []))
    return found


def plan_import(people: People, *, school: Site | None, schools: Iterable[Site]) -> Plan:
    """Compare. `school`: of the children whose line tells none."""
    sites = list(schools)
    people, places = _schooled(people, school=school, sites=sites)
    here = _Here.read()
    plan = Plan(remarks=list(people.remarks))
    _plan_children(plan, people, places, here)
    homes = gathered(people)
    _plan_adults(plan, people, here)
    _plan_homes(plan, people, homes, here)
    seen = {child.id for child in plan.children}
    told = {site.pk for site in places}
    plan.absent = [
        [child.pk, str(child)] for child in here.children.values() if child.school_id in told and child.pk not in seen
    ]
    plan.remarks.sort(key=lambda remark: (remark.source, remark.line, remark.why))
    return plan


_LEVELS = {"TPS", "PS", "MS", "GS", "CP", "CE1", "CE2", "CM1", "CM2"}


def _schooled(people: People, *, school: Site | None, sites: list[Site]) -> tuple[People, list[Site]]:
    """The same people without the children of no school of ours, and each child's school."""
    named = {words(site.name): site for site in sites} | {words(site.slug): site for site in sites}
    kept: dict[int, int] = {}
    pupils: list[Pupil] = []
    places: list[Site] = []
    remarks = list(people.remarks)
    for index, pupil in enumerate(people.pupils):
        found = named.get(words(pupil.school)) if pupil.school else school
        why, facts = None, {}
        if found is None and pupil.school:
            why, facts = Why.UNKNOWN_SCHOOL, {"text": pupil.school}
        elif found is None:
            why = Why.NO_SCHOOL
        elif pupil.level in _LEVELS and found.levels and pupil.level not in found.levels:
            why, facts = Why.LEVEL_NOT_HERE, {"level": pupil.level, "school": found.name}
        if why is not None or found is None:
            remarks.append(Remark(ONLY, pupil.line, str(pupil), why or Why.NO_SCHOOL, facts))
            continue
        if found.levels and pupil.level not in found.levels:
            pupil.level = ""
        kept[index] = len(pupils)
        pupils.append(pupil)
        places.append(found)
    adults = []
    for adult in people.adults:
        adult.children = [kept[index] for index in adult.children if index in kept]
        if adult.children:
            adults.append(adult)
    return People(pupils=pupils, adults=adults, remarks=remarks), places


Mark = tuple[str, str]


@dataclass(slots=True)
class _Here:
    """All the families that are here, ready to be recognised. `known_by`: for each child, what an adult of its homes is
    recognised by, an e-mail address, or a name with the home's address."""

    children: dict[int, Child]
    by_ine: dict[str, Child]
    by_name: dict[tuple[str, date], list[Child]]
    links: list[Guardianship]
    homes_of_child: defaultdict[int, set[int]]
    children_of_home: defaultdict[int, set[int]]
    known_by: defaultdict[int, set[Mark]]

    @classmethod
    def read(cls) -> "_Here":
        children = {child.pk: child for child in Child.objects.select_related("school").order_by("id")}
        by_name: dict[tuple[str, date], list[Child]] = {}
        for child in children.values():
            by_name.setdefault((plain(str(child)), child.birth_date), []).append(child)
        links = list(Guardianship.objects.select_related("guardian__user", "household").order_by("id"))
        homes_of_child: defaultdict[int, set[int]] = defaultdict(set)
        children_of_home: defaultdict[int, set[int]] = defaultdict(set)
        for household, child_id in Residence.objects.values_list("household", "child"):
            homes_of_child[child_id].add(household)
            children_of_home[household].add(child_id)
        known_by: defaultdict[int, set[Mark]] = defaultdict(set)
        for link in links:
            where = place(link.household.address, link.household.postcode, link.household.city)
            marks = _marks(link.guardian.email, plain(str(link.guardian)), "" if _is_unverified(link) else where)
            for child_id in children_of_home[link.household_id]:
                known_by[child_id] |= marks
        return cls(
            children=children,
            by_ine={child.ine: child for child in children.values() if child.ine},
            by_name=by_name,
            links=links,
            homes_of_child=homes_of_child,
            children_of_home=children_of_home,
            known_by=known_by,
        )

    def may_be(self, child: Child, adults: set[Mark]) -> bool:
        """A child that nobody has verified is another family's word: it is the one of the file only when an adult of
        the file is an adult of its home. Who declares somebody else's child never becomes its other home."""
        return child.declared_at is None or bool(adults & self.known_by[child.pk])


def _marks(email: str, name: str, where: str) -> set[Mark]:
    found = {("", email.lower())} if email else set()
    return found | ({(name, where)} if where else set())


def _is_unverified(link: Guardianship) -> bool:
    """A family that came by itself and waits for an agent: all that it says of itself, but for the e-mail address that
    it proved, is its own word."""
    return link.household.awaits_since is not None


def _plan_children(plan: Plan, people: People, places: list[Site], here: _Here) -> None:
    taken: set[int] = set()
    adults: defaultdict[int, set[Mark]] = defaultdict(set)
    for adult in people.adults:
        for index in adult.children:
            adults[index] |= _marks(adult.email, adult.name, adult.home.place)
    found: list[Child | None] = []
    for pupil in people.pupils:
        child = here.by_ine.get(pupil.ine) if pupil.ine else None
        found.append(child)
        if child is not None:
            taken.add(child.pk)
    for index, pupil in enumerate(people.pupils):
        if found[index] is not None:
            continue
        alike = [
            child
            for child in here.by_name.get(pupil.key, [])
            if child.pk not in taken and here.may_be(child, adults[index])
        ]
        free = [child for child in alike if not (pupil.ine and child.ine)]
        if free:
            found[index] = free[0]
            taken.add(free[0].pk)
        elif alike:
            plan.remarks.append(Remark(ONLY, pupil.line, str(pupil), Why.OTHER_INE))
    for pupil, site, child in zip(people.pupils, places, found, strict=True):
        plan.children.append(_planned_child(pupil, site, child))


def _planned_child(pupil: Pupil, site: Site, child: Child | None) -> PlannedChild:
    planned = PlannedChild(
        id=child.pk if child else None,
        line=pupil.line,
        last_name=pupil.last_name,
        first_name=pupil.first_name,
        birth_date=pupil.born.isoformat(),
        ine=pupil.ine,
        school=site.pk,
        school_name=site.name,
        level=pupil.level,
        class_name=pupil.class_name,
    )
    if child is None:
        return planned

    def change(name: str, old: str, new: str, *, same: bool) -> None:
        if new and not same:
            planned.changes.append(Change(f"child:{child.pk}:{name}", name, old, new))

    for name, new in (("last_name", pupil.last_name), ("first_name", pupil.first_name)):
        old = getattr(child, name)
        change(name, old, new, same=plain(old) == plain(new) or pupil.key[0] == plain(str(child)))
    change("birth_date", child.birth_date.isoformat(), planned.birth_date, same=child.birth_date == pupil.born)
    change("ine", child.ine, pupil.ine, same=child.ine == pupil.ine)
    change("school", child.school.name if child.school else "", site.name, same=child.school_id == site.pk)
    change("level", child.level, pupil.level, same=child.level == pupil.level)
    change("class_name", child.class_name, pupil.class_name, same=child.class_name == pupil.class_name)
    return planned


def _plan_adults(plan: Plan, people: People, here: _Here) -> None:
    by_email = {link.guardian.email.lower(): link.guardian for link in here.links if link.guardian.email}
    by_child: dict[tuple[str, int], Any] = {}
    by_place: dict[tuple[str, str], Any] = {}
    for link in here.links:
        if _is_unverified(link):
            continue
        name = plain(str(link.guardian))
        for child in here.children_of_home[link.household_id]:
            by_child.setdefault((name, child), link.guardian)
        where = place(link.household.address, link.household.postcode, link.household.city)
        if where:
            by_place.setdefault((name, where), link.guardian)
    taken: set[int] = set()
    for adult in people.adults:
        email = adult.email
        holder = by_email.get(email) if email else None
        found = None
        if holder is not None and plain(holder.first_name) == plain(adult.first_name) and holder.pk not in taken:
            found = holder
        keys = [(adult.name, plan.children[index].id) for index in adult.children]
        candidates = [by_child.get((name, child)) for name, child in keys if child is not None]
        candidates.append(by_place.get((adult.name, adult.home.place)))
        for candidate in candidates:
            if found is None and candidate is not None and candidate.pk not in taken:
                found = candidate
        if holder is not None and (found is None or found.pk != holder.pk):
            facts = {"address": email, "name": str(holder)}
            plan.remarks.append(Remark(adult.source, adult.line, str(adult), Why.EMAIL_IN_USE, facts))
            email = ""
        if found is not None:
            taken.add(found.pk)
        plan.adults.append(_planned_adult(plan, adult, email, found))


def _planned_adult(plan: Plan, adult: Adult, email: str, found: Any) -> PlannedAdult:
    planned = PlannedAdult(
        id=found.pk if found else None,
        last_name=adult.last_name,
        first_name=adult.first_name,
        email=email,
        phone=adult.phone,
    )
    if found is None:
        return planned
    if plain(found.last_name) != plain(adult.last_name):
        planned.changes.append(Change(f"guardian:{found.pk}:last_name", "last_name", found.last_name, adult.last_name))
    if email and email != found.email.lower():
        if found.user_id is not None:
            # The address opens a door: only its holder changes it.
            facts = {"old": found.email, "new": email}
            plan.remarks.append(Remark(adult.source, adult.line, str(adult), Why.OPEN_ACCOUNT, facts))
        else:
            planned.changes.append(Change(f"guardian:{found.pk}:email", "email", found.email, email))
    if adult.phone and phone(found.phone) != adult.phone:
        planned.changes.append(Change(f"guardian:{found.pk}:phone", "phone", found.phone, adult.phone))
    return planned


def _plan_homes(plan: Plan, people: People, homes: list[FoundHome], here: _Here) -> None:
    households = {link.household_id: link.household for link in here.links}
    homes_of: defaultdict[int, set[int]] = defaultdict(set)
    adults_of: defaultdict[int, set[int]] = defaultdict(set)
    for link in here.links:
        homes_of[link.guardian_id].add(link.household_id)
        adults_of[link.household_id].add(link.guardian_id)

    def candidates(found: FoundHome) -> list[int]:
        mine = {home for index in found.adults if (id := plan.adults[index].id) for home in homes_of[id]}
        return sorted(mine)

    def where(household: int) -> str:
        home = households[household]
        return place(home.address, home.postcode, home.city)

    taken: set[int] = set()
    chosen: list[int | None] = [None] * len(homes)
    # Homes at the same address first: a parent who left does not carry the home away.
    for same_place in (True, False):
        for index, found in enumerate(homes):
            if chosen[index] is not None:
                continue
            children = {id for child in found.children if (id := plan.children[child].id)}
            fitting = [home for home in candidates(found) if home not in taken]
            if same_place:
                fitting = [home for home in fitting if where(home) == found.home.place]
            fitting.sort(key=lambda home: (-len(children & here.children_of_home[home]), home))
            if fitting:
                chosen[index] = fitting[0]
                taken.add(fitting[0])
    for found, id in zip(homes, chosen, strict=True):
        plan.homes.append(_planned_home(plan, found, households[id] if id else None, here, adults_of))
        for index in found.adults:
            adult_id, adult = plan.adults[index].id, people.adults[index]
            if adult_id is None:
                continue
            children = {child for place_of in adult.children if (child := plan.children[place_of].id)}
            for other in sorted(homes_of[adult_id] - {id}):
                if other in taken and children & here.children_of_home[other]:
                    facts = {"name": households[other].name}
                    plan.remarks.append(Remark(adult.source, adult.line, str(adult), Why.OTHER_HOME_TOO, facts))


def _planned_home(
    plan: Plan, found: FoundHome, household: Any, here: _Here, adults_of: defaultdict[int, set[int]]
) -> PlannedHome:
    names = list(dict.fromkeys(plan.adults[index].last_name for index in found.adults))
    home = PlannedHome(
        id=household.pk if household else None,
        name=household.name if household else "-".join(names[:2])[:120],
        address=found.home.street[:200],
        postcode=found.home.postcode[:10],
        city=found.home.city[:80],
        adults=list(found.adults),
        children=list(found.children),
    )
    if household is None:
        return home
    home.joining_adults = [index for index in found.adults if plan.adults[index].id not in adults_of[household.pk]]
    home.joining_children = [
        index for index in found.children if plan.children[index].id not in here.children_of_home[household.pk]
    ]
    if found.home.place and found.home.place != place(household.address, household.postcode, household.city):
        home.changes.append(
            Change(
                f"household:{household.pk}:address",
                "address",
                address_words(household.address, household.postcode, household.city),
                address_words(home.address, home.postcode, home.city),
            )
        )
    return home


def address_words(street: str, postcode: str, city: str) -> str:
    return ", ".join(part for part in (street, f"{postcode} {city}".strip()) if part)
