#!/bin/sh
# Runs a command with a Docker engine and a base image:
#   .ci/docker/with-engine.sh npm test -- docker
# Starts dockerd (as root) only where none answers, and ends only what it started. Where BASE is not set, builds the base
# image from Debian and npm packages, so that nothing has to be pulled from an image registry.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)

engine=
stop() { [ -z "$engine" ] || { kill "$engine" 2>/dev/null || :; wait "$engine" 2>/dev/null || :; }; }
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

if ! docker version >/dev/null 2>&1; then
  log=$(mktemp)
  dockerd >"$log" 2>&1 </dev/null &
  engine=$!
  tries=0
  until docker version >/dev/null 2>&1; do
    tries=$((tries + 1))
    if ! kill -0 "$engine" 2>/dev/null || [ $tries -ge 120 ]; then
      echo 'dockerd did not become ready; its last words:' >&2
      tail -20 "$log" >&2
      exit 1
    fi
    sleep 0.25
  done
fi

if [ -z "${BASE:-}" ]; then
  BASE=hopscope-base:local
  docker image inspect "$BASE" >/dev/null 2>&1 || "$here/base-image.sh" "$BASE"
  export BASE
fi

"$@"
