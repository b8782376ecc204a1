import { type Case, get, request } from '../harness/case.ts'
import { cluster, endpoint } from '../harness/config.ts'
import { echo, ok, sequence, status } from '../harness/upstream.ts'

const metadata = {
  metadata: {
    filter_metadata: {
      ns: {
        text: 'größe "x"',
        number: 5,
        part: 1.5,
        yes: true,
        object: { b: 1, a: { c: 'd' } },
        list: [1, 'a', null],
        none: null,
      },
    },
  },
}
/** `a=%A% b=%B%` of what is listed. */
const line = (...operators: string[]) => `${operators.map(one => `${one.replaceAll('%', '')}=%${one}%`).join(' ')}\n`
const METADATA = [
  'text',
  'text):3',
  'number',
  'part',
  'yes',
  'object',
  'object:a',
  'object:a:c',
  'list',
  'none',
  'absent',
  'text:x',
]

const routes = [
  { match: { prefix: '/app' }, route: { cluster: 'app' }, ...metadata },
  { match: { prefix: '/' }, direct_response: { status: 200, body: { inline_string: 'direct' } } },
]

export const formatOperatorCases: Case[] = [
  {
    name: 'metadata of a route',
    covers:
      'METADATA(ROUTE:…): texts, numbers, objects, lists, paths into them, lengths; of nothing; of a virtual host and a cluster',
    config: {
      accessLog: line(
        ...METADATA.map(key => `METADATA(ROUTE:ns:${key}${key.includes(')') ? '' : ')'}`),
        'METADATA(ROUTE:ns)',
        'METADATA(ROUTE:other)',
        'METADATA(VIRTUAL_HOST:ns:number)',
        'METADATA(CLUSTER:ns:text)',
        'CLUSTER_METADATA(ns:object:a)',
        'METADATA(DYNAMIC:ns:text)',
        'DYNAMIC_METADATA(ns:text)',
      ),
      virtualHosts: [{ name: 'v', domains: ['*'], routes, ...metadata }],
      app: metadata,
    },
    steps: [{ send: get('/app') }, { send: get('/direct') }],
  },
  {
    name: 'metadata in JSON and in headers',
    covers: 'types of metadata in a JSON log; their text in headers',
    upstreams: { app: echo },
    config: {
      accessLogFormat: {
        json_format: Object.fromEntries(
          ['text', 'number', 'part', 'yes', 'object', 'list', 'none'].map(key => [key, `%METADATA(ROUTE:ns:${key})%`]),
        ),
      },
      routes: [
        {
          ...routes[0],
          request_headers_to_add: ['text', 'number', 'yes', 'object', 'none'].map(key => ({
            header: { key: `x-${key}`, value: `%METADATA(ROUTE:ns:${key})%` },
          })),
        },
      ],
    },
    steps: [{ send: get('/app') }],
  },
  {
    name: 'the first that is there',
    covers: 'COALESCE: operators by name and with parameters, lengths, none of them',
    config: {
      accessLog: `${[
        '{"operators":[{"command":"REQ","param":"x-none"},{"command":"REQ","param":"x-a","max_length":3},"PROTOCOL"]}',
        '{"operators":[{"command":"REQ","param":"x-none"},{"command":"RESP","param":"none"}]}',
        '{"operators":["RESPONSE_CODE"]}',
      ]
        .map(argument => `%COALESCE(${argument})%`)
        .join(' ')}\n`,
    },
    steps: [{ send: get('/', { 'x-a': 'abcdef' }) }, { send: get('/') }],
  },
  {
    name: 'parts of addresses',
    covers: 'masks of …_ADDRESS_WITHOUT_PORT; the direct local address',
    config: {
      accessLog: line(
        'DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT(16)',
        'DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT(9)',
        'DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT(32)',
        'DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT(0)',
        'DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT(8)',
        'DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT(24)',
        'DOWNSTREAM_DIRECT_LOCAL_ADDRESS_WITHOUT_PORT',
        'UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT(24)',
        'UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT(24)',
      ),
    },
    steps: ['10.1.255.3', '2001:db8:1:ff00::1:2', '::ffff:1.2.3.4', '1::'].map(address => ({
      send: get('/', { 'x-forwarded-for': address }),
    })),
  },
  {
    name: 'sizes of heads, and queries',
    covers:
      'REQUEST_HEADERS_BYTES, RESPONSE_HEADERS_BYTES, RESPONSE_TRAILERS_BYTES, QUERY_PARAMS, GRPC_STATUS_NUMBER, the longer names of REQ and RESP',
    config: {
      // A service time has as many digits as it takes.
      router: { suppress_envoy_headers: true },
      accessLog: line(
        'REQUEST_HEADERS_BYTES',
        'RESPONSE_HEADERS_BYTES',
        'RESPONSE_TRAILERS_BYTES',
        'QUERY_PARAMS',
        'GRPC_STATUS_NUMBER',
        'REQUEST_HEADER(X-None?x-a):2',
        'RESPONSE_HEADER(x-b)',
        'RESPONSE_TRAILER(x-b)',
      ),
      routes,
    },
    upstreams: { app: ok('hi', 'x-b: 1\r\n') },
    steps: [
      { send: get('/app?a=1&b', { 'x-a': 'abc' }) },
      { send: get('/app?', { 'content-type': 'application/grpc' }) },
      { send: request('POST', '/direct', {}, 'hello') },
      { send: 'GET / HTTP/1.1\r\nhost: a b\r\n\r\n' },
    ],
  },
  {
    name: 'TLS that is not there',
    covers: 'DOWNSTREAM_PEER_*, DOWNSTREAM_TLS_*, fingerprints, FILTER_STATE: absent on plain connections',
    config: {
      accessLog: line(
        'DOWNSTREAM_PEER_SUBJECT',
        'DOWNSTREAM_PEER_URI_SAN',
        'DOWNSTREAM_PEER_FINGERPRINT_256',
        'DOWNSTREAM_PEER_CERT_V_START(%Y)',
        'DOWNSTREAM_PEER_CERT_V_END',
        'DOWNSTREAM_TLS_VERSION',
        'DOWNSTREAM_TLS_CIPHER',
        'DOWNSTREAM_TLS_SESSION_ID',
        'DOWNSTREAM_TRANSPORT_FAILURE_REASON',
        'TLS_JA3_FINGERPRINT',
        'UPSTREAM_TLS_VERSION',
        'UPSTREAM_PEER_SUBJECT',
        'FILTER_STATE(a)',
        'FILTER_STATE(a:PLAIN):3',
      ),
    },
    steps: [{ send: get('/') }],
  },
  {
    name: 'durations between moments',
    covers: 'COMMON_DURATION: of moments that did not happen, in the other order, of names that nobody sets',
    config: {
      accessLog: line(
        'COMMON_DURATION(US_TX_BEG:US_RX_END:us)',
        'COMMON_DURATION(DS_TX_END:DS_RX_BEG:ns)',
        'COMMON_DURATION(DS_RX_BEG:MINE)',
        'COMMON_DURATION(MINE:DS_TX_END:ms)',
      ),
      routes: routes.slice(1),
    },
    steps: [{ send: get('/direct') }],
  },
  {
    name: 'a log that leaves out what is empty',
    covers: 'omit_empty_values: keys, elements, objects of nothing; texts with and without values',
    config: {
      accessLogFormat: {
        omit_empty_values: true,
        json_format: {
          there: '%REQ(x-a)%',
          absent: '%REQ(x-none)%',
          mixed: 'a-%REQ(x-none)%-b',
          only: '%REQ(x-none)%%REQ(x-none)%',
          nested: { absent: '%REQ(x-none)%', there: 1 },
          empty: { absent: '%REQ(x-none)%' },
          list: ['%REQ(x-none)%', '%REQ(x-a)%', null, 'text'],
          gone: ['%REQ(x-none)%'],
          null: null,
          literal: '',
          number: 1.5,
        },
      },
    },
    steps: [{ send: get('/', { 'x-a': '1' }) }],
  },
  {
    name: 'lists and null in a JSON log',
    covers: 'json_format with lists, null, whole and other numbers, nesting',
    config: {
      accessLogFormat: {
        json_format: {
          list: ['%REQ(x-none)%', '%RESPONSE_CODE%', null, 2, 2.5, true, { b: 1, a: '%PROTOCOL%' }, []],
          null: null,
          object: {},
        },
      },
    },
    steps: [{ send: get('/') }],
  },
  {
    name: 'a text log that leaves out what is empty',
    covers: 'omit_empty_values with a text: nothing in place of a dash',
    config: {
      accessLogFormat: {
        omit_empty_values: true,
        text_format_source: { inline_string: '[%REQ(x-none)%] [%RESPONSE_FLAGS%] [%RESPONSE_CODE%]\n' },
      },
    },
    steps: [{ send: get('/') }],
  },
  {
    name: 'where a request came in',
    covers: 'LISTENER_NAME, FILTER_CHAIN_NAME, METADATA of both; of a request that was refused',
    config: {
      listener: { name: 'front door', ...metadata },
      accessLog: line(
        'LISTENER_NAME',
        'FILTER_CHAIN_NAME',
        'METADATA(LISTENER:ns:object)',
        'METADATA(LISTENER:ns:text)',
        'METADATA(LISTENER:none)',
        'METADATA(LISTENER_FILTER_CHAIN:ns:text)',
      ),
    },
    steps: [{ send: get('/') }, { send: 'bad\r\n\r\n' }],
  },
  {
    name: 'metadata of a host',
    covers: 'UPSTREAM_METADATA, METADATA(UPSTREAM_HOST:…), a custom tag of MetadataKind.Host; without a host',
    config: ports => ({
      app: {
        load_assignment: {
          cluster_name: 'app',
          endpoints: [{ lb_endpoints: [{ ...endpoint(ports.upstream.app!), ...metadata }] }],
        },
      },
      routes: [
        { match: { prefix: '/nobody' }, route: { cluster: 'nobody' } },
        { match: { prefix: '/direct' }, direct_response: { status: 200 } },
        { match: { prefix: '/' }, route: { cluster: 'app' } },
      ],
      clusters: [{ name: 'nobody', type: 'STATIC' }],
      routeConfig: {
        response_headers_to_add: [{ header: { key: 'x-host', value: '%UPSTREAM_METADATA(ns:object:a)%' } }],
      },
      tracing: {
        custom_tags: [
          { tag: 'host', metadata: { kind: { host: {} }, metadata_key: { key: 'ns', path: [{ key: 'text' }] } } },
          {
            tag: 'host.default',
            metadata: { kind: { host: {} }, metadata_key: { key: 'no', path: [{ key: 'x' }] }, default_value: 'd' },
          },
        ],
      },
      accessLog: line(
        ...METADATA.filter(key => !key.includes(')')).map(key => `UPSTREAM_METADATA(ns:${key})`),
        'METADATA(UPSTREAM_HOST:ns:list)',
      ),
    }),
    steps: [{ send: get('/') }, { send: get('/nobody') }, { send: get('/direct') }],
    spans: 3,
  },
  {
    name: 'hosts that were tried',
    covers: 'UPSTREAM_HOSTS_ATTEMPTED and its kin: the last one with a connection, after others, after failures, none',
    config: ports => ({
      clusters: [
        cluster('pair', ports.dead, {
          load_assignment: {
            cluster_name: 'pair',
            endpoints: [
              { lb_endpoints: [{ endpoint: { ...(endpoint(ports.dead).endpoint as object), hostname: 'gone.test' } }] },
            ],
          },
        }),
      ],
      routes: [
        { match: { prefix: '/none' }, direct_response: { status: 200 } },
        {
          match: { prefix: '/pair' },
          route: { cluster: 'pair', retry_policy: { retry_on: 'connect-failure', num_retries: 2 } },
        },
        { match: { prefix: '/' }, route: { cluster: 'app', retry_policy: { retry_on: '5xx', num_retries: 2 } } },
      ],
      accessLog: line(
        'UPSTREAM_HOSTS_ATTEMPTED',
        'UPSTREAM_HOSTS_ATTEMPTED_WITHOUT_PORT',
        'UPSTREAM_HOST_NAMES_ATTEMPTED',
        'UPSTREAM_HOST_NAMES_ATTEMPTED_WITHOUT_PORT',
      ),
    }),
    upstreams: { app: sequence(ok(), status(503), status(503), ok()) },
    steps: [{ send: get('/') }, { send: get('/') }, { send: get('/pair') }, { send: get('/none') }],
  },
  {
    name: 'what this side does not have',
    covers:
      'BYTES_RETRANSMITTED, CUSTOM_FLAGS, …_ENDPOINT_ID, …_TLS_GROUP, handshakes and issuers on plain connections',
    config: {
      accessLog: line(
        'BYTES_RETRANSMITTED',
        'CUSTOM_FLAGS',
        'DOWNSTREAM_LOCAL_ADDRESS_ENDPOINT_ID',
        'DOWNSTREAM_DIRECT_LOCAL_ADDRESS_ENDPOINT_ID',
        'UPSTREAM_REMOTE_ADDRESS_ENDPOINT_ID',
        'DOWNSTREAM_TLS_GROUP',
        'UPSTREAM_TLS_GROUP',
        'UPSTREAM_SERVER_NAME',
        'DOWNSTREAM_HANDSHAKE_DURATION',
        'DOWNSTREAM_PEER_ISSUER_SERIAL',
        'DOWNSTREAM_PEER_ISSUER_FINGERPRINT_256',
      ),
      routes,
    },
    steps: [{ send: get('/app') }, { send: get('/') }],
  },
]
