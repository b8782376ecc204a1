import type { ResponseFlag } from './stream-info.ts'

/** What a request that fails here is answered with. Status, flag, details and body are Envoy's. */
export interface Failure {
  /** 0: by the case. */
  status: number
  flag?: ResponseFlag
  /** RESPONSE_CODE_DETAILS */
  details: string
  body: string
  /** A header that says `true`. */
  tells?: 'x-envoy-overloaded' | 'x-envoy-drop-overload' | 'x-envoy-unconditional-drop-overload'
  /** For a gRPC client, where its HTTP status does not say which. */
  grpcStatus?: number
  /** The connection closes after it, when the client has had time to read. */
  close?: boolean
}

const RESET = 'upstream connect error or disconnect/reset before headers. reset reason: '

export const FAILURES = {
  missing_host: { status: 400, details: 'missing_host_header', body: '', close: true },
  query_without_type: { status: 400, details: 'query_missing_content_type', body: '', close: true },
  bad_path: { status: 400, details: 'path_normalization_failed', body: '', close: true },
  normalised_path: { status: 307, details: 'path_normalization_failed', body: '' },
  unknown_origin: { status: 0, details: 'rejecting_because_detection_failed', body: '' },
  absolute_path: { status: 404, details: 'absolute_path_rejected', body: '' },
  upgrade: { status: 403, details: 'upgrade_failed', body: '', close: true },
  no_route: { status: 404, flag: 'NR', details: 'route_not_found', body: '' },
  no_cluster: { status: 503, flag: 'NC', details: 'cluster_not_found', body: '' },
  no_healthy_host: { status: 503, flag: 'UH', details: 'no_healthy_upstream', body: 'no healthy upstream' },
  maintenance: { status: 503, flag: 'UO', details: 'maintenance_mode', body: 'maintenance mode', tells: 'x-envoy-overloaded' }, // biome-ignore format: one line
  drop: { status: 503, flag: 'DO', details: 'drop_overload', body: 'drop overload', tells: 'x-envoy-drop-overload' },
  drop_all: {
    status: 503,
    flag: 'UDO',
    details: 'unconditional_drop_overload',
    body: 'unconditional drop overload',
    tells: 'x-envoy-unconditional-drop-overload',
  },
  request_timeout: { status: 408, details: 'request_overall_timeout', body: 'request timeout' },
  header_timeout: { status: 408, details: 'request_header_timeout', body: 'request header timeout' },
  idle_before_complete: { status: 408, flag: 'SI', details: 'stream_idle_timeout', body: 'stream timeout' },
  idle: { status: 504, flag: 'SI', details: 'stream_idle_timeout', body: 'stream timeout' },
  duration_before_complete: { status: 408, details: 'max_duration_timeout', body: 'downstream duration timeout' },
  duration: { status: 504, details: 'max_duration_timeout', body: 'downstream duration timeout' },
  response_timeout: { status: 504, flag: 'UT', details: 'response_timeout', body: 'upstream request timeout' },
  per_try_timeout: { status: 504, flag: 'UT', details: 'upstream_per_try_timeout', body: 'upstream request timeout' },
  request_too_large: { status: 413, details: 'request_payload_too_large', body: 'Payload Too Large', close: true },
  csrf: { status: 403, details: 'csrf_origin_mismatch', body: 'Invalid origin' },
  upstream_max_duration: {
    status: 504,
    flag: 'UMSDR',
    details: 'upstream_max_stream_duration_reached',
    body: 'upstream max stream duration reached',
  },
  per_try_idle_timeout: {
    status: 504,
    flag: 'UT',
    details: 'upstream_per_try_idle_timeout',
    body: 'upstream request timeout',
  },
  buffer_while_retrying: {
    status: 507,
    details: 'request_payload_exceeded_retry_buffer_limit',
    body: 'exceeded request buffer limit while retrying upstream',
  },
  overflow: reset(503, 'UO', 'overflow', 'x-envoy-overloaded'),
  'local connection failure': reset(503, 'UF', 'local connection failure'),
  'remote connection failure': reset(503, 'UF', 'remote connection failure'),
  'connection timeout': reset(503, 'UF', 'connection timeout'),
  'connection termination': reset(503, 'UC', 'connection termination'),
  'remote reset': reset(503, 'UR', 'remote reset'),
  'protocol error': reset(502, 'UPE', 'protocol error'),
  'local reset': reset(503, 'LR', 'local reset'),
} as const satisfies Record<string, Failure>

function reset(status: number, flag: ResponseFlag, reason: string, tells?: Failure['tells']): Failure {
  return {
    status,
    flag,
    details: `upstream_reset_before_response_started{${reason.replaceAll(' ', '_')}}`,
    body: RESET + reason,
    ...(tells === undefined ? {} : { tells }),
  }
}

/** Without the header that tells of it, as `suppress_envoy_headers` wants it. */
export function untold({ tells: _tells, ...failure }: Failure): Failure {
  return failure
}

/** A port that cannot be had, worded as Envoy words it. */
export class ListenError extends Error {
  override readonly name = 'ListenError'
}
