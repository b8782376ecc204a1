import type { ConfigOptions, Ports } from './config.ts'
import type { GrpcAnswer } from './grpc-collector.ts'
import type { Observation } from './observe.ts'
import type { Behaviour, NEVER_ACCEPTS } from './upstream.ts'

/** One comparison: the same file and the same bytes through the real Envoy and through Hopscope's sidecar. */
export interface Case {
  name: string
  /** The behaviour it is for, in a few words. */
  covers: string
  config?: ConfigOptions | ((ports: Ports) => ConfigOptions)
  /** By cluster name; without `app`, that cluster's port has no listener. Default: `{ app: ok() }`. */
  upstreams?: Record<string, Behaviour | typeof NEVER_ACCEPTS>
  /** On Unix sockets in place of ports, at `ports.sockets`. */
  sockets?: Record<string, Behaviour>
  /** A DNS server at `ports.names` that knows these. */
  names?: Record<string, string[]>
  /** What the collector at `ports.grpcCollector` says to reports over gRPC; `{ grpc: 0 }` by default. */
  grpcCollector?: GrpcAnswer
  /** The whole file as it is written, made of the one that `config` gives. */
  change?(file: Record<string, unknown>): Record<string, unknown>
  /** Other files, by their path below `ports.folder`. */
  files?: Readonly<Record<string, string>>
  /** What the client does, one after the other; parallel ones in an inner list. */
  steps: (Step | Step[])[]
  /** Spans to wait for. */
  spans?: number
  /** Access-log lines to wait for; default one for each `send`. */
  logLines?: number
  /** Lines of `ports.eventLog` to wait for. */
  events?: number
  /** Of both programs, beside this process's. */
  environment?: Readonly<Record<string, string>>
  /** Extra arguments of the program. */
  args?: string[]
  /**
   * Chosen differences of this case: drops from both observations what docs/differences.md names, saying why.
   * Not a place to hide a defect.
   */
  except?: { why: string; drop(observation: Observation): void }
  /**
   * The whole case is a chosen difference that docs/differences.md names, and shows it on both programs: `200 via_upstream`,
   * code and details of each request, in place of the comparison.
   */
  differs?: { why: string; envoy: string[]; hopscope: string[] }
  /** Bodies come compressed: what is in them is compared, not how well two libraries squeeze it. */
  compressed?: boolean
  /** What must hold of Envoy's own observation, so that a case cannot pass by comparing two failures. */
  sane?(observation: Observation): void
}

export type Step =
  | {
      /** Raw bytes, sent as one write (or several, `pause` ms apart). */
      send: string | string[]
      /** To a Unix socket of `ports.sockets`, in place of the listener's port. */
      to?: string
      /** Name of the connection; default a new one for this step. */
      on?: string
      /** Final answers to wait for. Default 1. */
      answers?: number
      /** How long to wait at most, ms: where no answer is to come. Default: until it comes. */
      patience?: number
      pause?: number
      after?: 'close' | 'half-close'
    }
  | { admin: string; method?: 'GET' | 'POST' }
  | { wait: number }
  /** Until the program's main thread has done what the answers so far gave it to do (Envoy ejects hosts there, a moment later). */
  | { settled: 'main thread' }
  /** Until nothing that is counted moves any more: connections are closed that had to be, copies answered. */
  | { settled: 'stats' }
  /** Until `/stats` has this line, or the page `of` this text; fails when it never has. */
  | { until: string; of?: string }
  /** The DNS server knows these from now on. */
  | { names: Record<string, string[]> }

/** `GET path` with a fixed Host. */
export function get(path: string, headers: Record<string, string> = {}): string {
  return request('GET', path, headers)
}

export function request(method: string, path: string, headers: Record<string, string> = {}, body = ''): string {
  const fields: Record<string, string> = { host: 'example.test', ...headers }
  if (body !== '' && fields['transfer-encoding'] === undefined) fields['content-length'] ??= String(body.length)
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`)
  return `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`
}
