import { type Case, get } from '../harness/case.ts'
import { ok } from '../harness/upstream.ts'

const slow =
  (ms: number) =>
  (request: Parameters<ReturnType<typeof ok>>[0], socket: Parameters<ReturnType<typeof ok>>[1], index: number) =>
    void setTimeout(() => ok('slow')(request, socket, index), ms)
const breakers = (thresholds: Record<string, unknown>) => ({ circuit_breakers: { thresholds: [thresholds] } })

export const poolCases: Case[] = [
  {
    name: 'one connection is used again',
    covers: 'keep-alive pool: one upstream connection for three requests',
    steps: [{ send: get('/1') }, { send: get('/2') }, { send: get('/3') }],
  },
  {
    name: 'the upstream asks to close',
    covers: 'connection: close of an answer ends that connection',
    upstreams: { app: ok('bye', 'connection: close\r\n') },
    steps: [{ send: get('/1') }, { wait: 50 }, { send: get('/2') }],
  },
  {
    name: 'parallel requests',
    covers: 'a connection each, pending counted',
    upstreams: { app: slow(80) },
    steps: [[{ send: get('/1') }, { send: get('/1') }, { send: get('/1') }]],
  },
  {
    name: 'warm, one connection, one pending, five at once',
    covers: '2 x 200, 3 x 503 UO with x-envoy-overloaded',
    upstreams: { app: slow(120) },
    config: { app: breakers({ max_connections: 1, max_pending_requests: 1 }) },
    steps: [{ send: get('/warm') }, [1, 2, 3, 4, 5].map(() => ({ send: get('/x') }))],
    except: {
      why: 'which of five parallel requests is refused is chance: the answers are compared as a set',
      drop: sortAnswers,
    },
    sane: envoy => {
      if (envoy.stats['cluster.app.upstream_rq_pending_overflow'] !== 3)
        throw new Error('Envoy did not overflow three times')
    },
  },
  {
    name: 'no request may pend',
    covers: 'max_pending_requests 0: every cold request fails',
    config: { app: breakers({ max_pending_requests: 0 }) },
    steps: [{ send: get('/') }],
  },
  {
    name: 'one request at a time',
    covers: 'max_requests: overflow counted as upstream_rq_active_overflow when warm',
    upstreams: { app: slow(120) },
    config: { app: breakers({ max_requests: 1 }) },
    steps: [{ send: get('/warm') }, [1, 2].map(() => ({ send: get('/x') }))],
    except: { why: 'which of two parallel requests is refused is chance', drop: sortAnswers },
  },
  {
    name: 'connections for a while',
    covers: 'max_requests_per_connection of the upstream',
    config: {
      app: {
        typed_extension_protocol_options: {
          'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
            '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
            common_http_protocol_options: { max_requests_per_connection: 2 },
            explicit_http_config: { http_protocol_options: {} },
          },
        },
      },
    },
    steps: [{ send: get('/1') }, { send: get('/2') }, { wait: 30 }, { send: get('/3') }],
  },
]

function sortAnswers(observation: { answers: unknown[]; accessLog: string[]; closed: boolean[] }): void {
  observation.answers.sort((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)))
  observation.accessLog.sort()
}
