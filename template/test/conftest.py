"""The fixtures database_url, pod, client and user_headers come from the kit; add your own here."""

pytest_plugins = ["kit.testing"]
