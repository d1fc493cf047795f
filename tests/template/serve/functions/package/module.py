"""A module in a folder without __init__.py."""

import sys


def main():
    return {"name": __name__, "last": sys.path[-1].rpartition("/")[2], "package": __package__}
