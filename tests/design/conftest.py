from collections.abc import Iterator

import pytest
from django.test import override_settings


@pytest.fixture(autouse=True)
def gallery_addresses() -> Iterator[None]:
    """The look stands alone: its tests know the foundation's addresses and the gallery's only."""
    with override_settings(ROOT_URLCONF="tests.design.gallery.urls"):
        yield
