#!/usr/bin/env bash
# The clients of others that clients.test.ts lets write, into a folder:
#   bash test/conformance/clients/install.sh FOLDER     then HOPSCOPE_CLIENTS=FOLDER
# Needs python3 with venv, a JDK with Maven, and any Go: one that is too old fetches a newer one of itself, as a Go module.
# What is there already is left alone.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
folder=$(cd "$1" && pwd)

if [ ! -f "$folder/python/ready" ]; then
  python3 -m venv "$folder/python"
  "$folder/python/bin/pip" install --quiet --disable-pip-version-check \
    opentelemetry-sdk==1.45.2 opentelemetry-exporter-zipkin-json==1.45.1 \
    opentelemetry-exporter-otlp-proto-http==1.45.2 opentelemetry-exporter-otlp-proto-grpc==1.45.2
  touch "$folder/python/ready"
fi

if [ ! -f "$folder/java/ready" ]; then
  rm -rf "$folder/java"
  mvn --quiet --batch-mode --file "$here/programs/java/pom.xml" dependency:copy-dependencies -DoutputDirectory="$folder/java"
  javac -cp "$folder/java/*" -d "$folder/java" "$here/programs/java/Report.java"
  touch "$folder/java/ready"
fi

# What telemetrygen asks for, and the Go it is built with where the one here is older.
go_minor=26
go_module=golang.org/toolchain@v0.0.1-go1.26.8

# Prints the go to build with.
find_go() {
  local found
  found=$(GOTOOLCHAIN=local go env GOVERSION 2>/dev/null | sed -n 's/^go1\.\([0-9]*\).*/\1/p')
  if [ -z "$found" ]; then
    echo 'install.sh: no go; any version from 1.16 on does (Debian: golang-go)' >&2
    return 1
  fi
  if [ "$found" -ge "$go_minor" ]; then
    echo go
    return
  fi
  # From 1.21 on go does this by itself, unless it was told not to; before, it does not know how.
  local module dir
  module=$go_module.$(go env GOOS)-$(go env GOARCH)
  dir=$(GOTOOLCHAIN=local GOFLAGS='' go mod download -json "$module" | sed -n 's/^.*"Dir": "\(.*\)",*$/\1/p')
  if [ ! -f "$dir/bin/go" ]; then
    echo "install.sh: go 1.$found is too old for telemetrygen, and $module could not be fetched" >&2
    return 1
  fi
  # Modules carry no permissions.
  chmod -R u+w "$dir/bin" "$dir/pkg/tool"
  find "$dir/bin" "$dir/pkg/tool" -type f -exec chmod u+x {} +
  echo "$dir/bin/go"
}

if [ ! -x "$folder/zipkin-go" ] || [ ! -x "$folder/telemetrygen" ]; then
  go=$(find_go)
  unset GOROOT
  export GOTOOLCHAIN=local
fi
if [ ! -x "$folder/zipkin-go" ]; then
  (cd "$here/programs/go" && "$go" build -o "$folder/zipkin-go" .)
fi
if [ ! -x "$folder/telemetrygen" ]; then
  GOBIN=$folder "$go" install github.com/open-telemetry/opentelemetry-collector-contrib/cmd/telemetrygen@v0.161.0
fi
