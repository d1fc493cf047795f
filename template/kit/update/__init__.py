"""Bring a newer template into a project that was made from an older one."""
