"""A module of the template."""


def greet(name: str) -> str:
    """Say hello."""
    return f"Hello, {name}!"
