#!/bin/sh
# Fission's builder runs this in the source archive (deployment.json: "buildcmd": "./build.sh"). Plain POSIX sh, because
# the builder is Alpine or Debian. Input: SRC_PKG, the unpacked archive. Output: DEPLOY_PKG, which we have to create.
# The builder reads stderr only after stdout has ended and hangs when more than 64 KiB wait there: hence the next line.
exec 2>&1
set -eu
: "${SRC_PKG:?is not set; only the builder of Fission runs this script}" "${DEPLOY_PKG:?is not set}"

mkdir -p "$DEPLOY_PKG"
if [ -s "$SRC_PKG/requirements.txt" ]; then
    # Wheels only: the builder has no headers of PostgreSQL and the like, and compiling takes minutes. A package that
    # has none can be allowed with builder_envs in deployment.json, for example PIP_ONLY_BINARY=:none:
    PIP_ONLY_BINARY=${PIP_ONLY_BINARY:-:all:}
    export PIP_ONLY_BINARY
    python3 -m pip install --quiet --no-color --progress-bar off --disable-pip-version-check --no-cache-dir \
        --no-compile --requirement "$SRC_PKG/requirements.txt" --target "$DEPLOY_PKG"
    rm -rf "${DEPLOY_PKG:?}/bin"
fi

# The functions come last, so that nothing of a dependency replaces them; tests and caches stay behind.
cp -R "$SRC_PKG/." "$DEPLOY_PKG/"
rm -rf "$DEPLOY_PKG/test" "$DEPLOY_PKG/tests" "$DEPLOY_PKG/build.sh"
find "$DEPLOY_PKG" -type d -name __pycache__ -prune -exec rm -rf {} +

# Compiled once here instead of at every cold start; unchecked, because unpacking changes the times of files.
python3 -m compileall -qq --invalidation-mode unchecked-hash "$DEPLOY_PKG" ||
    echo "build.sh: some files cannot be compiled; see above if one is yours"
echo "build.sh: ready"
