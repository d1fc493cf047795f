"""The scripts behind the guide site: what pages include, and how every block on them is proved."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
