"""The runtime core of the service: what runs in the Fission pod beside the functions.

The files are flat, and every module is imported by its own name (``from helpers import get_secret``), because
Fission puts this folder at the end of ``sys.path``. Read them in this order: exceptions, settings, vault, logs,
database, handler, params, paging, models; ``helpers`` collects the names that functions use most.
"""
