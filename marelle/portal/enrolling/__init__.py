"""Asking for the right to use services, one question per page (docs/decisions/0017-enrolling-step-by-step.md).

`wizard` knows the steps and what was said so far; `services` is the page of tiles, `details` what is asked of each
child, `papers` the documents, `check` the page that sends, `dossier` what a child's dossier contains; `words` says in
French what a service requires.
"""
