"""`marelle-admin agent create|link|list`: the first agents of a portal, who come in by a link as everybody does."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from marelle.accounts.links import link_to_choose_password
from marelle.accounts.models import AgentRole, User
from marelle.accounts.second_factor import remove_second_factor
from marelle.accounts.services import AlreadyAgent, register_agent, send_link
from marelle.activities.models import Site
from marelle.foundation import clock
from marelle.foundation.audit import PORTAL
from marelle.foundation.french import spaced


class Command(BaseCommand):
    help = "Les agents : en créer, leur donner un lien pour entrer, les lister."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        create = verbs.add_parser("create", help="Faire de quelqu’un un agent, et lui envoyer un lien pour entrer.")
        create.add_argument("email")
        create.add_argument("--name", required=True, help="prénom et nom")
        create.add_argument("--kind", choices=AgentRole.Kind.values, default=AgentRole.Kind.ADMINISTRATOR.value)
        create.add_argument("--job", default="", help="la fonction, que les familles lisent")
        create.add_argument(
            "--site", action="append", default=[], help="un site, par son nom court dans le fichier ; tous sans elle"
        )
        create.add_argument(
            "--health", action="store_true", help="peut ouvrir les fiches santé ; chaque lecture est inscrite"
        )
        link = verbs.add_parser("link", help="Donner un nouveau lien à un agent.")
        link.add_argument("email")
        for verb in (create, link):
            verb.add_argument(
                "--print", action="store_true", dest="printed", help="l’afficher ici au lieu de l’envoyer par e-mail"
            )
        verbs.add_parser("list", help="Qui est agent.")
        forget = verbs.add_parser(
            "forget-second-step", help="Ne plus demander de deuxième étape à quelqu’un, agent ou famille."
        )
        forget.add_argument("email")

    def handle(self, *args: Any, **options: Any) -> None:
        if options.get("printed") and not settings.PUBLIC_URL:
            raise CommandError(_("Un lien commence par l’adresse du portail : MARELLE_PUBLIC_URL."))
        getattr(self, f"_{options['verb'].replace('-', '_')}")(options)

    def _create(self, options: dict[str, Any]) -> None:
        email, at = options["email"].strip().lower(), clock.now()
        try:
            validate_email(email)
        except ValidationError:
            raise CommandError(_("%(email)s n’est pas une adresse e-mail.") % {"email": email}) from None
        name = " ".join(options["name"].split())
        if not name:
            raise CommandError(_('Un agent a un nom : --name "Prénom Nom".'))
        try:
            user = register_agent(
                name=name,
                email=email,
                kind=AgentRole.Kind(options["kind"]),
                job_title=options["job"],
                sites=self._sites(options["site"]),
                reads_health=options["health"],
                by=PORTAL,
                at=at,
            )
        except AlreadyAgent as already:
            raise CommandError(
                _("%(name)s est déjà agent. Pour lui donner un lien : marelle-admin agent link %(email)s")
                % {"name": already.user, "email": email}
            ) from None
        self.stdout.write(
            _("%(name)s est agent (%(kind)s).") % {"name": user, "kind": user.agent_role.get_kind_display()}
        )
        self._give_link(user, options)

    def _sites(self, slugs: list[str]) -> list[Site]:
        known = {site.slug: site for site in Site.objects.filter(archived_at=None)}
        for slug in slugs:
            if slug not in known:
                raise CommandError(
                    spaced(_("Site inconnu : %(slug)s. Sites : %(known)s") % {"slug": slug, "known": ", ".join(known)})
                )
        return [known[slug] for slug in slugs]

    def _link(self, options: dict[str, Any]) -> None:
        email = options["email"].strip().lower()
        user = User.objects.filter(email=email, agent_role__isnull=False).first()
        if user is None:
            raise CommandError(_("Aucun agent n’a l’adresse %(email)s.") % {"email": email})
        if user.is_closed:
            raise CommandError(_("Le compte de %(name)s est fermé.") % {"name": user})
        self._give_link(user, options)

    def _give_link(self, user: User, options: dict[str, Any]) -> None:
        if options["printed"]:
            self.stdout.write(_("Pour choisir son mot de passe, une fois, dans les sept jours :"))
            self.stdout.write(link_to_choose_password(user))
        else:
            send_link(email=user.email, at=clock.now())
            self.stdout.write(_("Un lien part vers %(email)s (par « marelle-admin worker »).") % {"email": user.email})

    def _forget_second_step(self, options: dict[str, Any]) -> None:
        email = options["email"].strip().lower()
        user = User.objects.filter(email=email).first()
        if user is None or not remove_second_factor(user=user, by=PORTAL, at=clock.now()):
            raise CommandError(_("Aucune deuxième étape pour %(email)s.") % {"email": email})
        self.stdout.write(_("%(name)s entre avec son mot de passe seul.") % {"name": user})

    def _list(self, options: dict[str, Any]) -> None:
        roles = AgentRole.objects.select_related("user").prefetch_related("sites").order_by("user__email")
        for role in roles:
            sites = ", ".join(site.slug for site in role.sites.all())
            state = "" if role.user.activated_at else _("n’est pas encore entré")
            health = _("lit les fiches santé") if role.reads_health else ""
            words = [role.user.email, str(role.user), role.get_kind_display(), sites, health, state]
            self.stdout.write("  ".join(word for word in words if word))
        if not roles:
            self.stdout.write(_("Aucun agent."))
