"""Fission's pitfalls as rules: what to look for, why it hurts, what to do."""
