"""Gathering a file's adults and children into homes. Pure.

Adults who answer for a same child and live at one address are one home; a child whose adults live at several
addresses has as many homes. Neighbours of one building share no child: they stay apart. An adult whose line tells no
address lives where the child's line says, else with the child's first adult who has one.
"""

from dataclasses import dataclass, field

from marelle.families.imports.people import Home, People


@dataclass(slots=True)
class FoundHome:
    """`adults`, `children`: places in `People`, in the file's order."""

    home: Home
    adults: list[int] = field(default_factory=list)
    children: list[int] = field(default_factory=list)


def gathered(people: People) -> list[FoundHome]:
    settle(people)
    chief = list(range(len(people.adults)))

    def chief_of(index: int) -> int:
        while chief[index] != index:
            chief[index] = chief[chief[index]]
            index = chief[index]
        return index

    first_at: dict[tuple[int, str], int] = {}
    for index, adult in enumerate(people.adults):
        for child in adult.children:
            # Whose address nobody tells lives with the child's other adults of unknown address.
            other = first_at.setdefault((child, adult.home.place), index)
            one, two = sorted((chief_of(index), chief_of(other)))
            chief[two] = one
    homes: dict[int, FoundHome] = {}
    for index, adult in enumerate(people.adults):
        found = homes.setdefault(chief_of(index), FoundHome(adult.home))
        found.adults.append(index)
        found.children += [child for child in adult.children if child not in found.children]
    for found in homes.values():
        found.children.sort()
    return list(homes.values())


def settle(people: People) -> None:
    """Give an address to the adults whose line tells none."""
    beside: dict[int, Home] = {}
    for adult in people.adults:
        if adult.home.place:
            for child in adult.children:
                beside.setdefault(child, adult.home)
    for adult in people.adults:
        if not adult.home.place:
            for child in adult.children:
                homes = people.pupils[child].homes
                home = homes[0] if homes else beside.get(child)
                if home is not None:
                    adult.home = home
                    break
