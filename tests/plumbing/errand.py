"""`python -m tests.plumbing.errand module:function '{"argument": …}' ANSWER_FILE`: one call, inside Django."""

import importlib
import json
import os
import sys

import django


def main(action: str, arguments: str, answer: str) -> None:
    django.setup()
    module, _, name = action.partition(":")
    said = getattr(importlib.import_module(module), name)(**json.loads(arguments))
    from django.db import connections

    connections.close_all()
    with open(answer, "w") as file:
        json.dump(said, file)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marelle.config.settings")
    main(*sys.argv[1:])
