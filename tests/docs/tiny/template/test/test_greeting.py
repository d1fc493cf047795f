from greeting import greet


def test_a_name_is_greeted() -> None:
    assert greet("Ada") == "Hello, Ada!"
