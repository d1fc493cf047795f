"""Fission specs from the docstrings of `main()` and `.fission/*.json`."""
