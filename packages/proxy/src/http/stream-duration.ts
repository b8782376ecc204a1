import type { MaxStreamDuration, Milliseconds } from '@hopscope/envoy-config'
import type { RequestHeaders } from './headers.ts'

/**
 * How long a request may take from its first byte to the last of its response; 0 is no limit. The route beats the connection
 * manager; where it says so, the client's `grpc-timeout` beats both. (Envoy `refreshDurationTimeout`)
 */
export function streamDuration(
  managers: Milliseconds,
  route: MaxStreamDuration | undefined,
  headers: RequestHeaders,
): Milliseconds {
  if (route === undefined) return managers
  const { grpcTimeoutHeaderMax: most, grpcTimeoutHeaderOffset: offset } = route
  const asked = most === undefined ? undefined : parseGrpcTimeout(headers.get('grpc-timeout'))
  if (asked === undefined) return route.duration ?? managers
  const timeout = most === 0 ? asked : Math.min(asked, most!)
  // What is over before it began is over at once.
  return Math.max(1, timeout - offset)
}

const UNITS: Readonly<Record<string, Milliseconds>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 }

/** Milliseconds, rounded up; undefined when it is none. */
export function parseGrpcTimeout(value: string | undefined): Milliseconds | undefined {
  const match = value === undefined ? null : /^(\d{1,8})([HMSmun])$/.exec(value)
  return match === null ? undefined : Math.ceil(Number(match[1]) * UNITS[match[2]!]!)
}
