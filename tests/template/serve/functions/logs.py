"""What becomes of what functions write."""

import logging
import sys
import warnings

import flask

log = logging.getLogger(__name__)


def levels():
    log.debug("debug")
    log.info("info")
    log.warning("warning %s", 1)
    log.error("error")
    return "logged"


def exception():
    try:
        raise ValueError("caught")
    except ValueError:
        log.exception("it failed")
    return "logged"


def app_logger():
    flask.current_app.logger.info("app info")
    flask.current_app.logger.warning("app warning")
    return "logged"


def root():
    logging.getLogger().error("root error")
    return "logged"


def prints():
    print("to stdout")
    print("to stderr", file=sys.stderr)
    return "printed"


def levels_are():
    names = ["", "server", "werkzeug", __name__]
    return {name or "root": logging.getLogger(name).getEffectiveLevel() for name in names} | {
        "root handlers": [type(handler).__name__ for handler in logging.getLogger().handlers],
        "server handlers": len(logging.getLogger("server").handlers),
    }


def warns():
    warnings.warn("a warning", stacklevel=1)
    return "warned"
