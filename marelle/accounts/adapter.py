from allauth.account.adapter import DefaultAccountAdapter


class AccountAdapter(DefaultAccountAdapter):
    """Marelle's door: nobody signs up by themselves, and every e-mail goes through the outbox."""

    def is_open_for_signup(self, request: object) -> bool:
        return False
