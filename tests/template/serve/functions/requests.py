"""Hidden by the environment's own package of this name, because the user's folder comes last on sys.path."""


def main():
    return "the user's"
