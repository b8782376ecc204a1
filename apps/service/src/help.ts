/** The variables in short; README.md has all of each. */
export const HELP = `Usage: [VARIABLE=value …] node apps/service/src/main.ts

A service whose upstreams, latency and errors are configuration. README.md beside it has paths and variables in full.

  NAME, MESSAGE                who it says it is, and what it says (Service, Hello World)
  LISTEN_ADDR                  127.0.0.1:9090; :9090 is every interface
  SLOW_LISTEN_ADDR             a second listener, whose connections wait
  UPSTREAM_URIS                addresses with commas between; /checkout=http://pay/ is for that path
  UPSTREAM_WORKERS             upstreams asked at the same time (1)
  OUTBOUND_ADDR                where all of them are reached: the sidecar's outbound listener; none
  HTTP_CLIENT_REQUEST_TIMEOUT  of one call (30s)
  FORWARD                      headers passed on: all, request-id, none (all)
  FORWARD_DEADLINE             yes: what is left of the caller's time is passed on (no)
  TIMING_50_PERCENTILE, TIMING_90_PERCENTILE, TIMING_99_PERCENTILE, TIMING_VARIANCE
                               how long it works (0), per cent that this varies
  ERROR_RATE, ERROR_EVERY, ERROR_TYPE, ERROR_CODE, ERROR_DELAY
                               how often it fails, and how
  LOCK                         requests that may work at the same time (0: any number)
  SEED                         same seed, same chances (1)
  TRACING                      sdk: OpenTelemetry's; its OTEL_… variables then count (none)`
