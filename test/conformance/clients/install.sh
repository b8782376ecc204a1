#!/usr/bin/env bash
# The clients of others that clients.test.ts lets write, into a folder:
#   bash test/conformance/clients/install.sh FOLDER     then HOPSCOPE_CLIENTS=FOLDER
# Needs python3 with venv, a JDK with Maven, Go. What is there already is left alone.
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

if [ ! -x "$folder/zipkin-go" ]; then
  (cd "$here/programs/go" && go build -o "$folder/zipkin-go" .)
fi
if [ ! -x "$folder/telemetrygen" ]; then
  GOBIN=$folder go install github.com/open-telemetry/opentelemetry-collector-contrib/cmd/telemetrygen@v0.161.0
fi
