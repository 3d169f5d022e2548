from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import ImproperlyConfigured


class FoundationConfig(AppConfig):
    name = "marelle.foundation"
    label = "foundation"

    def ready(self) -> None:
        register(data_keys_are_there, deploy=True)


def data_keys_are_there(**_context: Any) -> list[CheckMessage]:
    from marelle.foundation.sealing import Keyring

    try:
        Keyring.parse(settings.DATA_KEYS)
    except ImproperlyConfigured as fault:
        return [Error(str(fault), id="marelle.E001")]
    return []
