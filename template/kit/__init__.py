"""Development tools of this project: `python -m kit --help`. Nothing in here is shipped to a pod."""

__version__ = "0.1.0"  # of the template that this project was made from
