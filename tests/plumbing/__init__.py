"""What the tests stand on: databases copied from a template, portals in processes of their own, browsers, races, kills.

`docs` for those who write tests: CONTRIBUTING.md, "Tests".
"""
