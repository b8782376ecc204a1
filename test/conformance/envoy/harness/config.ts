/** Ports that a case's configuration refers to. */
export interface Ports {
  listener: number
  admin: number
  collector: number
  /** Takes spans over gRPC. */
  grpcCollector?: number
  /** By upstream name. A port of `dead` has no listener. */
  upstream: Record<string, number>
  dead: number
  /** Where event logs may be written. */
  eventLog?: string
  /** Where the files of a case are. */
  folder?: string
  /** Paths of Unix sockets, by name; that of `dead` has no listener. */
  sockets?: Record<string, string>
  /** Of the DNS server, if there is one. */
  names?: number
}

type Fields = Record<string, unknown>

/** What differs from the smallest mesh: one listener, one route `/` to the cluster `app`. */
export interface ConfigOptions {
  routes?: Fields[]
  virtualHosts?: Fields[]
  routeConfig?: Fields
  hcm?: Fields
  router?: Fields
  /** Before the router. */
  filters?: Fields[]
  listener?: Fields
  /** In place of the one filter chain, whose connection manager `hcm` and the others change. */
  filterChains?: Fields[]
  /** Merged into the cluster `app`. */
  app?: Fields
  clusters?: Fields[]
  /** Adds Zipkin tracing, or with `otlp` OpenTelemetry's; HCM.tracing fields beside the tracer's own. */
  tracing?: Fields & { zipkin?: Fields; otlp?: Fields }
  runtime?: Fields
  /** Of the runtime, between the harness's own: a static and an admin one. */
  layers?: Fields[]
  node?: Fields
  /** Beside the address of the admin port. */
  admin?: Fields
  /** Other fields of the bootstrap. */
  bootstrap?: Fields
  accessLogFormat?: Fields
  accessLog?: string
  accessLogFilter?: Fields
}

/** `%DURATION%` and `%START_TIME%` are left out: they are compared in cases of their own, masked. */
const ACCESS_LOG =
  '%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL% code=%RESPONSE_CODE% flags=%RESPONSE_FLAGS% details=%RESPONSE_CODE_DETAILS% ' +
  'rx=%BYTES_RECEIVED% tx=%BYTES_SENT% cluster=%UPSTREAM_CLUSTER% host=%UPSTREAM_HOST% attempts=%UPSTREAM_REQUEST_ATTEMPT_COUNT% ' +
  'route=%ROUTE_NAME% authority=%REQ(:AUTHORITY)% failure=%UPSTREAM_TRANSPORT_FAILURE_REASON%\n'

export function cluster(name: string, port: number, fields: Fields = {}): Fields {
  return {
    name,
    type: 'STATIC',
    connect_timeout: '0.5s',
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [endpoint(port)] }] },
    ...fields,
  }
}

export function endpoint(port: number, address = '127.0.0.1'): Fields {
  return { endpoint: { address: { socket_address: { address, port_value: port } } } }
}

export function bootstrap(options: ConfigOptions, ports: Ports, logFile: string): Fields {
  const { zipkin, otlp, ...tracing } = options.tracing ?? {}
  const clusters = [
    cluster('app', ports.upstream.app ?? ports.dead, options.app),
    ...Object.entries(ports.upstream)
      .filter(([name]) => name !== 'app')
      .map(([name, port]) => cluster(name, port)),
    ...(options.clusters ?? []),
    ...(options.tracing === undefined ? [] : [cluster('zipkin', ports.collector)]),
  ]
  const last = new Map(clusters.map(item => [item.name, item]))
  return {
    ...options.bootstrap,
    node: { id: 'node-1', cluster: 'service-1', ...options.node },
    admin: { address: { socket_address: { address: '127.0.0.1', port_value: ports.admin } }, ...options.admin },
    layered_runtime: {
      layers: [
        {
          name: 'static',
          static_layer: {
            tracing: { zipkin: FLUSH_AT_ONCE, opentelemetry: FLUSH_AT_ONCE },
            ...options.runtime,
          },
        },
        ...(options.layers ?? []),
        { name: 'admin', admin_layer: {} },
      ],
    },
    static_resources: {
      listeners: [
        {
          name: 'listener',
          address: { socket_address: { address: '127.0.0.1', port_value: ports.listener } },
          ...options.listener,
          filter_chains: options.filterChains ?? [
            {
              filters: [
                {
                  name: 'envoy.filters.network.http_connection_manager',
                  typed_config: {
                    '@type':
                      'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
                    stat_prefix: 'in',
                    delayed_close_timeout: '0.05s',
                    access_log: [
                      {
                        name: 'file',
                        ...(options.accessLogFilter === undefined ? {} : { filter: options.accessLogFilter }),
                        typed_config: {
                          '@type': 'type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog',
                          path: logFile,
                          log_format: options.accessLogFormat ?? {
                            text_format_source: { inline_string: options.accessLog ?? ACCESS_LOG },
                          },
                        },
                      },
                    ],
                    route_config: {
                      name: 'routes',
                      virtual_hosts: options.virtualHosts ?? [
                        {
                          name: 'any',
                          domains: ['*'],
                          routes: options.routes ?? [{ match: { prefix: '/' }, route: { cluster: 'app' } }],
                        },
                      ],
                      ...options.routeConfig,
                    },
                    http_filters: [
                      ...(options.filters ?? []),
                      {
                        name: 'envoy.filters.http.router',
                        typed_config: {
                          '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router',
                          ...options.router,
                        },
                      },
                    ],
                    ...(options.tracing === undefined
                      ? {}
                      : {
                          tracing: {
                            ...tracing,
                            provider: otlp === undefined ? zipkinTracer(zipkin) : otlpTracer(otlp, ports),
                          },
                        }),
                    ...options.hcm,
                  },
                },
              ],
            },
          ],
        },
      ],
      clusters: [...last.values()],
    },
  }
}

const FLUSH_AT_ONCE = { min_flush_spans: 1, flush_interval_ms: 50 }

function zipkinTracer(fields: Fields = {}): Fields {
  return {
    name: 'envoy.tracers.zipkin',
    typed_config: {
      '@type': 'type.googleapis.com/envoy.config.trace.v3.ZipkinConfig',
      collector_cluster: 'zipkin',
      collector_endpoint: '/api/v2/spans',
      collector_endpoint_version: 'HTTP_JSON',
      ...fields,
    },
  }
}

function otlpTracer(fields: Fields, ports: Ports): Fields {
  return {
    name: 'envoy.tracers.opentelemetry',
    typed_config: {
      '@type': 'type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig',
      http_service: {
        http_uri: { uri: `http://127.0.0.1:${ports.collector}/v1/traces`, cluster: 'zipkin', timeout: '1s' },
      },
      service_name: 'service-1',
      ...fields,
    },
  }
}
