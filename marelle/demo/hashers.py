"""Passwords of the demo, which everybody reads on the screen."""

from django.contrib.auth.hashers import PBKDF2PasswordHasher


class DemoHasher(PBKDF2PasswordHasher):
    """Django's own hash with few rounds: forty accounts must not take half a minute. Never used outside the demo."""

    iterations = 2_000
