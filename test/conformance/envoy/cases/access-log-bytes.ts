import { type Case, get, request } from '../harness/case.ts'
import { cluster, endpoint } from '../harness/config.ts'
import type { Observation } from '../harness/observe.ts'
import { type Behaviour, NEVER_ACCEPTS, ok, status } from '../harness/upstream.ts'

/** `PATH code flags A=%A% B=%B%` */
const line = (operators: string[]) =>
  `%REQ(:PATH)% %RESPONSE_CODE% %RESPONSE_FLAGS% ${operators.map(one => `${one.replaceAll('%', '')}=%${one}%`).join(' ')}\n`

const BYTES = ['DOWNSTREAM', 'UPSTREAM'].flatMap(side =>
  ['WIRE_BYTES', 'HEADER_BYTES', 'DECOMPRESSED_HEADER_BYTES'].flatMap(what => [
    `${side}_${what}_RECEIVED`,
    `${side}_${what}_SENT`,
  ]),
)

/** Answers by the path. */
const app: Behaviour = (message, socket, index) => {
  const write = (text: string): void => void socket.write(text)
  switch (message.head[0]!.split(' ')[1]) {
    case '/chunks':
      return write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n')
    case '/trailers':
      return write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nx-t: 1\r\ny:  22  \r\n\r\n')
    case '/early':
      return write(
        'HTTP/1.1 103 Early\r\nlink: x\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nlink: xy\r\na: b\r\n\r\n' +
          'HTTP/1.1 200 OK\r\nA: b\r\ncontent-length: 2\r\n\r\nok',
      )
    case '/repeated':
      return write(
        'HTTP/1.1 200 OK\r\nset-cookie: a=b\r\nset-cookie: c=d\r\nvia: a\r\nvia: b\r\ncontent-length: 0\r\n\r\n',
      )
    case '/until':
      return void socket.end('HTTP/1.1 200 OK\r\n\r\nuntil')
    case '/bad':
      return write('SSH-2.0\r\n\r\n')
    case '/503':
      return write('HTTP/1.1 503 Busy\r\ncontent-length: 3\r\n\r\nbad')
    case '/cut':
      write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\ncut')
      return void setTimeout(() => socket.end(), 20)
    case '/slow':
      write('HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nok')
      return void setTimeout(() => write('ok'), 60)
    case '/close':
      return void socket.end()
    case '/reset':
      return void socket.resetAndDestroy()
    case '/hang':
      return
    case '/elsewhere':
      return write('HTTP/1.1 302 Found\r\nlocation: http://example.test/direct\r\ncontent-length: 0\r\n\r\n')
    default:
      ok('ok', 'A:   b   \r\n')(message, socket, index)
  }
}

const twice = { num_retries: 2, retry_back_off: { base_interval: '0.001s' } }
const routes = [
  { match: { path: '/direct' }, direct_response: { status: 200, body: { inline_string: 'direct' } } },
  { match: { path: '/nothing' }, direct_response: { status: 204 } },
  { match: { path: '/nobody' }, route: { cluster: 'nobody' } },
  { match: { path: '/refused' }, route: { cluster: 'gone', retry_policy: { retry_on: 'connect-failure', ...twice } } },
  { match: { path: '/elsewhere' }, route: { cluster: 'app', internal_redirect_policy: {} } },
  { match: { path: '/503' }, route: { cluster: 'app', retry_policy: { retry_on: '5xx', ...twice } } },
  {
    match: { path: '/again' },
    route: { cluster: 'app', prefix_rewrite: '/reset', retry_policy: { retry_on: 'reset', ...twice } },
  },
  { match: { prefix: '/' }, route: { cluster: 'app', timeout: '0.3s' } },
]

/** A field whose length is that of a duration. */
const routeConfig = { response_headers_to_remove: ['x-envoy-upstream-service-time'] }

const chunked = (trailers: string) =>
  request('POST', '/upload', { 'transfer-encoding': 'chunked' }, `5;a=b\r\nhello\r\n0\r\n${trailers}\r\n`)

/** Connections are numbered with those of the admin port, and how many there were is not the same: by first appearance. */
/** The client goes when its request is upstream. */
const leaving = (bytes: string): Case['steps'] => [
  { send: bytes, on: bytes, answers: 0 },
  { until: 'cluster.app.upstream_rq_active: 1' },
  { settled: 'stats' },
  { send: '', on: bytes, answers: 0, after: 'close' },
  { until: 'http.in.downstream_rq_active: 0' },
]

function renumber(observation: Observation): void {
  const seen: string[] = []
  observation.accessLog = observation.accessLog.map(one =>
    one.replace(/(CONNECTION_IDS?(?:_ATTEMPTED)?=)([1-9]\d*)/g, (_, name: string, id: string) => {
      if (!seen.includes(id)) seen.push(id)
      return `${name}<${seen.indexOf(id)}>`
    }),
  )
}

export const accessLogByteCases: Case[] = [
  {
    name: 'log: bytes on the wire',
    covers: '…_WIRE_BYTES_…, …_HEADER_BYTES_…, …_DECOMPRESSED_HEADER_BYTES_…: all that answers may look like',
    upstreams: { app },
    config: ports => ({
      routes,
      routeConfig,
      clusters: [cluster('gone', ports.dead), { name: 'nobody', type: 'STATIC' }],
      accessLog: line(BYTES),
    }),
    logLines: 30,
    steps: [
      ...['/x', '/chunks', '/trailers', '/early', '/repeated', '/until', '/bad', '/503', '/cut', '/close'].map(
        path => ({
          send: get(path),
        }),
      ),
      ...['/hang', '/direct', '/nothing', '/nobody', '/refused', '/elsewhere', '/again'].map(path => ({
        send: get(path),
      })),
      { send: request('HEAD', '/x') },
      { send: request('POST', '/upload', {}, 'hello') },
      { send: chunked('x-tr: 1\r\nz:  22 \r\n') },
      { send: request('POST', '/upload', { expect: '100-continue' }, 'hello') },
      { send: 'GET /direct HTTP/1.1\r\nHost:    a  \r\nvia: a\r\nvia: b\r\ncookie: a\r\ncookie: b\r\n\r\n' },
      ...leaving(get('/hang')),
      ...leaving(request('POST', '/half', { 'content-length': '10' }, '123')),
      // Both at once; the second while the first is under way; the first in pieces; a third that is none.
      { send: get('/x') + get('/chunks'), answers: 2 },
      { send: [get('/slow'), get('/direct')], answers: 2 },
      { send: ['\r\n\r\nPOST /x HTTP/1.1\r\nhost: a\r\n', 'content-length: 10\r\n\r\n12345', '67890'] },
      { send: `${get('/x')}GET / HTTP/1.1\r\nx y: z\r\n\r\n`, answers: 2 },
    ],
  },
  {
    name: 'log: bytes of trailers and interim answers',
    covers: 'the same where trailers and 1xx are passed on',
    upstreams: { app },
    config: {
      routes: routes.slice(-1),
      routeConfig,
      hcm: { http_protocol_options: { enable_trailers: true }, proxy_100_continue: true },
      app: {
        typed_extension_protocol_options: {
          'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
            '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
            explicit_http_config: { http_protocol_options: { enable_trailers: true } },
          },
        },
      },
      accessLog: line(BYTES),
    },
    steps: [
      { send: get('/trailers') },
      { send: get('/early') },
      { send: chunked('x-tr: 1\r\nz:  22 \r\n') },
      { send: request('POST', '/upload', { expect: '100-continue' }, 'hello') },
    ],
  },
  {
    name: 'log: bytes of what is refused',
    covers: 'the same for heads that the codec or the connection manager refuses',
    config: { routes: routes.slice(0, 1), accessLog: line(BYTES) },
    steps: [
      'bad\r\n\r\n',
      'GET / HTTP/1.1\r\nhost: a b\r\n\r\n',
      'GET /direct HTTP/1.1\r\nhost: b:80\r\nx y: z\r\n\r\n',
      'GET /direct HTTP/1.1\r\n\r\n',
      'GET /x HTTP/1.1\r\nhost: a\r\ntransfer-encoding: foo\r\n\r\n',
      'OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n',
      'CONNECT a:80 HTTP/1.1\r\nhost: a\r\n\r\n',
      get('/a#b'),
      get('/direct', { connection: 'x-forwarded-for' }),
      get('/direct', { connection: 'upgrade', upgrade: 'websocket' }),
    ].map(send => ({ send })),
  },
  {
    name: 'log: connections',
    covers:
      'UPSTREAM_CONNECTION_ID, …_IDS_ATTEMPTED, CONNECTION_ID, …_CLOSE_TYPE, …_CLOSE_REASON, POOL_READY_DURATION, ROUTE_RESOLUTION_COUNT, addresses after another try',
    upstreams: { app, busy: status(503), full: NEVER_ACCEPTS },
    config: ports => {
      const other = {
        retry_on: '5xx',
        num_retries: 1,
        retry_back_off: { base_interval: '0.001s' },
        retry_priority: {
          name: 'previous',
          typed_config: {
            '@type':
              'type.googleapis.com/envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig',
            update_frequency: 1,
          },
        },
      }
      const pair = (name: string, first: number, second: number) =>
        cluster(name, first, {
          load_assignment: {
            cluster_name: name,
            endpoints: [
              { priority: 0, lb_endpoints: [endpoint(first)] },
              { priority: 1, lb_endpoints: [endpoint(second)] },
            ],
          },
        })
      return {
        routes: [
          ...routes.slice(0, -1),
          { match: { path: '/busy' }, route: { cluster: 'busy then dead', retry_policy: other } },
          { match: { path: '/dead' }, route: { cluster: 'dead then busy', retry_policy: other } },
          { match: { path: '/full' }, route: { cluster: 'full', timeout: '0.5s' } },
          { match: { path: '/overflow' }, route: { cluster: 'none at a time' } },
          ...routes.slice(-1),
        ],
        clusters: [
          cluster('gone', ports.dead),
          { name: 'nobody', type: 'STATIC' },
          pair('busy then dead', ports.upstream.busy!, ports.dead),
          pair('dead then busy', ports.dead, ports.upstream.busy!),
          cluster('full', ports.upstream.full!, { connect_timeout: '0.1s' }),
          cluster('none at a time', ports.upstream.app!, {
            circuit_breakers: { thresholds: [{ max_pending_requests: 0 }] },
          }),
        ],
        accessLog: line([
          ...['CONNECTION_ID', 'UPSTREAM_CONNECTION_ID', 'UPSTREAM_CONNECTION_IDS_ATTEMPTED'],
          ...['DOWNSTREAM_DETECTED_CLOSE_TYPE', 'DOWNSTREAM_LOCAL_CLOSE_REASON'],
          ...['UPSTREAM_DETECTED_CLOSE_TYPE', 'UPSTREAM_LOCAL_CLOSE_REASON'],
          ...['UPSTREAM_LOCAL_ADDRESS', 'UPSTREAM_REMOTE_ADDRESS', 'UPSTREAM_HOST', 'UPSTREAM_PROTOCOL'],
          ...['UPSTREAM_CONNECTION_POOL_READY_DURATION', 'ROUTE_RESOLUTION_COUNT'],
          ...['UPSTREAM_FILTER_STATE(a)', 'ROUNDTRIP_DURATION', 'PACKETS_RETRANSMITTED'],
        ]),
      }
    },
    logLines: 18,
    steps: [
      ...['/x', '/direct', '/nobody', '/refused', '/busy', '/dead', '/full', '/overflow', '/elsewhere', '/503'].map(
        path => ({ send: get(path) }),
      ),
      ...['/close', '/reset', '/cut', '/a#b'].map(path => ({ send: get(path) })),
      { send: 'GET / HTTP/1.1\r\nhost: a b\r\n\r\n' },
      { send: get('/x') + get('/x'), answers: 2 },
    ],
    except: {
      why: 'ids are those of the run; how long the pool needed is a duration',
      drop(observation) {
        renumber(observation)
        observation.accessLog = observation.accessLog.map(one =>
          one.replace(/(READY_DURATION=)\d+/, (_, name: string) => `${name}<duration>`),
        )
      },
    },
  },
  {
    name: 'log: moments of connections and bodies',
    covers:
      'COMMON_DURATION with US_CX_BEG, US_CX_END, US_HS_END, US_RX_BODY_BEG, DS_CX_BEG, DS_RX_HDR_END: which there are',
    upstreams: { app },
    config: ports => ({
      routes,
      clusters: [cluster('gone', ports.dead), { name: 'nobody', type: 'STATIC' }],
      accessLog: line(
        [
          ...['DS_RX_BEG:US_CX_BEG', 'US_CX_BEG:US_CX_END', 'US_CX_END:DS_TX_END', 'US_CX_END:US_HS_END'],
          ...['DS_RX_BEG:US_RX_BODY_BEG', 'US_RX_BODY_BEG:DS_TX_END', 'US_RX_BEG:US_RX_BODY_BEG'],
          ...['DS_CX_BEG:DS_TX_END', 'DS_RX_BEG:DS_CX_BEG', 'DS_RX_BEG:DS_RX_HDR_END', 'DS_RX_HDR_END:DS_RX_END'],
          ...['DS_HS_BEG:DS_TX_END', 'DS_HS_END:DS_TX_END', 'DS_RX_BEG:DS_CX_END'],
        ].map(one => `COMMON_DURATION(${one}:us)`),
      ),
    }),
    logLines: 14,
    steps: [
      { send: get('/x'), on: 'kept' },
      { send: get('/x'), on: 'kept' },
      ...['/early', '/cut', '/503', '/close', '/hang', '/refused', '/nobody', '/direct'].map(path => ({
        send: get(path),
      })),
      { send: request('HEAD', '/x') },
      { send: request('POST', '/upload', {}, 'hello') },
      { send: ['POST /x HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\n12345', '67890'] },
      { send: 'GET / HTTP/1.1\r\nhost: a b\r\n\r\n' },
    ],
    except: {
      why: 'how long it took',
      drop(observation) {
        observation.accessLog = observation.accessLog.map(one => one.replace(/(:us\)=)\d+/g, '$1<duration>'))
      },
    },
  },
  {
    name: 'log: a server by its name',
    covers:
      'REQUESTED_SERVER_NAME without TLS: SNI_ONLY, SNI_FIRST, HOST_FIRST, of before and after a rewritten host; STREAM_INFO_REQ',
    config: {
      routes: [
        {
          match: { prefix: '/rewritten' },
          route: { cluster: 'app', host_rewrite_literal: 'other.test' },
        },
        { match: { prefix: '/' }, route: { cluster: 'app' } },
      ],
      accessLog: line([
        'REQUESTED_SERVER_NAME',
        ...['', ':ORIG', ':HOST', ':ORIG_OR_HOST'].flatMap(which =>
          ['SNI_ONLY', 'SNI_FIRST', 'HOST_FIRST', ''].map(first => `REQUESTED_SERVER_NAME(${first}${which})`),
        ),
        ...['STREAM_INFO_REQ(x-none?:METHOD)', 'STREAM_INFO_REQ(:path):2'],
      ]),
    },
    steps: [
      { send: get('/') },
      { send: get('/rewritten') },
      { send: get('/', { host: 'a.b:80' }) },
      { send: 'GET / HTTP/1.1\r\nhost: a b\r\n\r\n' },
    ],
  },
]
