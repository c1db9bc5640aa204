# shellcheck shell=bash
# Sourced by every tool: strict mode, where things lie, how they speak. Nothing here installs or builds.
set -euo pipefail
export LC_ALL=C.UTF-8

# shellcheck disable=SC2034  # for those who source this file
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
cache=${PNCP_CACHE:-${XDG_CACHE_HOME:-${HOME:?is not set}/.cache}/pncp-details}
case $cache in /*) ;; *) cache=$PWD/$cache ;; esac
tool_name=$(basename -- "$0")

say() {
    printf '%s\n' "$*"
}

die() {
    printf 'dev %s: %s\n' "$tool_name" "$*" >&2
    exit 1
}

usage_error() {
    printf 'dev %s: %s\n' "$tool_name" "$*" >&2
    exit 2
}

hash_of() {
    cat -- "$@" | sha256sum | cut -c1-12
}

# A yyjson of the system is taken where it is new enough; Debian 12 has none.
system_has_yyjson() {
    pkg-config --atleast-version=0.10 yyjson 2>/dev/null
}

# Where the pinned libraries are installed: another recipe, another folder.
deps_prefix() {
    local name
    name=deps-$(hash_of "$root/tools/deps")
    system_has_yyjson || name+=-yyjson
    printf '%s\n' "$cache/$name"
}

# The S3 servers of the tests, minio and versitygw.
servers_dir() {
    printf '%s\n' "$cache/servers-$(hash_of "$root/tools/servers" "$root/tests/requirements-go.txt")"
}

# The Python of the tests: other requirements, another folder.
venv_dir() {
    printf '%s\n' "$cache/venv-$(hash_of "$root/tests/requirements.txt")"
}

# Airflow of the tests, version 3 or 2: a venv of its own.
airflow_dir() {
    printf '%s\n' "$cache/airflow-$1-$(hash_of "$root/tests/airflow/requirements-$1.txt" "$root/tests/requirements.txt")"
}

# Exists once PySpark is in that venv.
spark_mark() {
    printf '%s\n' "$(venv_dir)/.spark-$(hash_of "$root/tests/requirements-spark.txt")"
}

python() {
    "$(venv_dir)/bin/python" "$@"
}

cpus() {
    nproc 2>/dev/null || echo 2
}

# Every C file of ours, one a line.
c_files() {
    local dir
    for dir in src sim tests bench; do
        [ ! -d "$root/$dir" ] || find "$root/$dir" -name '*.[ch]'
    done | sort
}

# Build a profile, and show what was said only when it failed.
build_quietly() {
    local log=$root/build/$1.log
    mkdir -p "$root/build"
    "$root/tools/build" "$1" >"$log" 2>&1 || {
        cat "$log" >&2
        return 1
    }
}

# What a test run finds in its environment: the binaries under test, the S3 servers and how sanitizers speak. Their exit
# status is one that the program never uses, so that no test takes a finding for an expected failure. An allocation that
# cannot be gives NULL, as it does without them: out of memory is an ordinary error here, and tested. Tests may preload a library.
test_environment() {
    local profile=$1 strict=halt_on_error=1:exitcode=86:allocator_may_return_null=1
    export PYTHONDONTWRITEBYTECODE=1
    export PNCP_BUILD="$root/build/$profile"
    export PNCP_DETAILS="$PNCP_BUILD/pncp-details" PNCP_SIM="$PNCP_BUILD/pncp-sim"
    PNCP_SERVERS=$(servers_dir)
    export PNCP_SERVERS
    export ASAN_OPTIONS="$strict:detect_leaks=1:detect_stack_use_after_return=1:verify_asan_link_order=0" LSAN_OPTIONS="exitcode=86"
    export UBSAN_OPTIONS="$strict:print_stacktrace=1" TSAN_OPTIONS="$strict:second_deadlock_stack=1"
}
