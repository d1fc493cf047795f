#!/bin/sh
# Makes a new project from this one. Needs nothing but Python 3.11 or newer.
set -eu

usage() {
    cat <<'TEXT'
Usage: ./create-project.sh NAME DIR [--add EXAMPLE[,EXAMPLE...]] [--namespace NAMESPACE] [--executor PROFILE]

Makes the folder DIR, a copy of this project under the name NAME.

  NAME  lower-case letters, digits and hyphens, at most 48 characters, for example orders
  DIR   a folder that does not exist yet, outside of this one, for example ../orders

  --add        move examples into the service: crud, webhook, scheduler, quota, storage, users
  --namespace  the Kubernetes namespace in .fission/deployment.json
  --executor   how functions run that do not say it themselves: a profile of .fission/deployment.json,
               poolmgr or newdeploy

The environment variable PYTHON names the Python to use.

Examples:
  ./create-project.sh orders ../orders
  ./create-project.sh orders ../orders --add crud,quota --namespace shop --executor newdeploy
TEXT
}

for word; do
    case $word in
    -h | --help)
        usage
        exit 0
        ;;
    esac
done
if [ $# -lt 2 ]; then
    usage >&2
    exit 2
fi

# Sets `python` to the first one that is new enough; if PYTHON is set, to that or to nothing.
find_python() {
    if [ -n "${PYTHON:-}" ]; then
        set -- "$PYTHON"
    else
        set -- python3 python3.14 python3.13 python3.12 python3.11
    fi
    for python; do
        if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            return 0
        fi
    done
    return 1
}

if ! find_python; then
    echo "error: Python 3.11 or newer is needed${PYTHON:+, and PYTHON=$PYTHON is not}; set PYTHON to its path" >&2
    exit 1
fi
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
# -P: a folder called kit where the user stands must not be taken for ours.
PYTHONPATH=$here PYTHONDONTWRITEBYTECODE=1 exec "$python" -P -m kit.create "$here" "$@"
