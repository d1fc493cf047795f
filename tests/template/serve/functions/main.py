"""What an entry point without a dot means."""


def main():
    return "main.main"


def other():
    return "main.other"
