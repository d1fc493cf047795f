"""The fixtures database_url, pod, client and user_headers come from the kit; add your own here.

It lies at the root because pytest loads plugins from there for every way to call it: all tests, one folder, one file.
"""

pytest_plugins = ["kit.testing"]
