"""Keeps something between requests."""

calls = 0


def main():
    global calls
    calls += 1
    return {"calls": calls}
