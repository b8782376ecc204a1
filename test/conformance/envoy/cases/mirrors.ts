import { type Case, get, request } from '../harness/case.ts'
import { cluster, type Ports } from '../harness/config.ts'
import { type Behaviour, close, hang, ok, sequence, status } from '../harness/upstream.ts'

type Fields = Record<string, unknown>

const mirrored = (policies: Fields[], action: Fields = {}) => ({
  routes: [{ match: { prefix: '/' }, route: { cluster: 'app', request_mirror_policies: policies, ...action } }],
})
const POLICY = { cluster: 'copy' }
/** After the request itself, so that the spans end in an order. */
const later: Behaviour = (message, socket, index) => void setTimeout(() => ok()(message, socket, index), 60)
const both = { app: ok(), copy: ok('nobody hears this') }

export const mirrorCases: Case[] = [
  {
    name: 'a copy of each request',
    covers: '7.3: -shadow host, x-envoy-internal, x-forwarded-for, internal.* numbers of the other cluster',
    upstreams: both,
    config: mirrored([POLICY]),
    steps: [{ send: get('/a?b=c', { 'x-one': '1' }) }, { send: get('/again') }],
  },
  {
    name: 'the suffix goes before the port',
    covers: 'trap: shadow host suffix; host:port',
    upstreams: both,
    config: mirrored([POLICY]),
    steps: [{ send: get('/', { host: 'svc:8080' }) }, { send: get('/', { host: '10.0.0.1:80' }) }],
  },
  {
    name: 'without the suffix',
    covers: 'disable_shadow_host_suffix_append',
    upstreams: both,
    config: mirrored([{ ...POLICY, disable_shadow_host_suffix_append: true }]),
    steps: [{ send: get('/') }],
  },
  {
    name: 'another host',
    covers: 'host_rewrite_literal of a mirror policy',
    upstreams: both,
    config: mirrored([{ ...POLICY, host_rewrite_literal: 'other.test' }]),
    steps: [{ send: get('/') }],
  },
  {
    name: 'none by fraction',
    covers: 'runtime_fraction 0; a runtime key wins over it',
    upstreams: both,
    config: {
      ...mirrored([
        { ...POLICY, runtime_fraction: { default_value: { numerator: 100 }, runtime_key: 'mirror.share' } },
      ]),
      runtime: { mirror: { share: 0 } },
    },
    steps: [{ send: get('/') }],
  },
  {
    name: 'all by fraction',
    covers: 'runtime_fraction 100',
    upstreams: both,
    config: mirrored([{ ...POLICY, runtime_fraction: { default_value: { numerator: 100 } } }]),
    steps: [{ send: get('/') }],
  },
  {
    name: 'the request names the cluster',
    covers: 'cluster_header: known, unknown and absent',
    upstreams: both,
    config: mirrored([{ cluster_header: 'x-copy-to' }]),
    steps: [
      { send: get('/known', { 'x-copy-to': 'copy' }) },
      { send: get('/unknown', { 'x-copy-to': 'nobody' }) },
      { send: get('/absent') },
    ],
  },
  ...['', 'rewritten.test'].map(
    (host_rewrite_literal): Case => ({
      name: `with other headers${host_rewrite_literal === '' ? '' : ' and another host'}`,
      covers: 'request_headers_mutations: of the copy alone, one after the other',
      upstreams: both,
      config: mirrored([
        {
          ...POLICY,
          host_rewrite_literal,
          request_headers_mutations: [
            { remove: 'x-secret' },
            { append: { header: { key: 'x-copied', value: '%REQ(:PATH)% of %REQ(x-secret)%' } } },
            { append: { header: { key: 'x-team', value: 'b' }, append_action: 'OVERWRITE_IF_EXISTS_OR_ADD' } },
          ],
        },
      ]),
      steps: [{ send: get('/a', { 'x-secret': 's', 'x-team': 'a' }) }],
    }),
  ),
  {
    name: 'two copies',
    covers: 'several policies',
    upstreams: { ...both, third: ok('3') },
    config: mirrored([POLICY, { cluster: 'third' }]),
    steps: [{ send: get('/') }],
  },
  {
    name: 'its body, too',
    covers: 'content-length and chunked bodies are copied',
    upstreams: both,
    config: mirrored([POLICY]),
    steps: [
      { send: request('POST', '/', {}, 'the body') },
      { send: request('POST', '/', { 'transfer-encoding': 'chunked' }, '3\r\nabc\r\n0\r\n\r\n') },
    ],
  },
  {
    name: 'the copy fails',
    covers: 'an error of the mirror is not the client’s',
    upstreams: { app: ok(), copy: sequence(status(500), close, ok()) },
    config: mirrored([POLICY]),
    steps: [
      { send: get('/500') },
      { until: 'cluster.copy.upstream_rq_500: 1' },
      { send: get('/closed') },
      { until: 'cluster.copy.upstream_rq_503: 1' },
      { settled: 'stats' },
      { send: get('/') },
    ],
  },
  {
    name: 'the mirror refuses connections',
    covers: 'internal.upstream_rq_503 of its cluster',
    upstreams: { app: ok() },
    config: (ports: Ports) => ({ ...mirrored([POLICY]), clusters: [cluster('copy', ports.dead)] }),
    steps: [{ send: get('/') }, { until: 'cluster.copy.upstream_rq_503: 1' }],
  },
  {
    name: 'the mirror has no hosts',
    covers: 'upstream_cx_none_healthy of its cluster',
    upstreams: { app: ok() },
    config: {
      ...mirrored([POLICY]),
      clusters: [cluster('copy', 1, { load_assignment: { cluster_name: 'copy', endpoints: [] } })],
    },
    steps: [{ send: get('/') }, { until: 'cluster.copy.upstream_rq_503: 1' }],
  },
  {
    name: 'the mirror takes too long',
    covers: 'timeout of the route: upstream_rq_timeout and 504 of its cluster; the client waits for none of it',
    upstreams: { app: ok(), copy: hang },
    config: mirrored([POLICY], { timeout: '0.2s' }),
    steps: [{ send: get('/') }, { until: 'cluster.copy.upstream_rq_timeout: 1' }],
  },
  {
    name: 'retries are not copied',
    covers: 'a retried primary is mirrored once',
    upstreams: { app: sequence(status(503), ok()), copy: ok() },
    config: mirrored([POLICY], { retry_policy: { retry_on: '5xx', num_retries: 2 } }),
    steps: [{ send: request('POST', '/', {}, 'once') }],
  },
  {
    name: 'no host, no copy',
    covers: 'UH of the primary',
    upstreams: { copy: ok() },
    config: {
      ...mirrored([POLICY]),
      app: { load_assignment: { cluster_name: 'app', endpoints: [] } },
    },
    steps: [{ send: get('/') }],
  },
  {
    name: 'for a whole virtual host',
    covers: 'request_mirror_policies of a virtual host; a route’s own replace them',
    upstreams: { ...both, third: ok('3') },
    config: {
      virtualHosts: [
        {
          name: 'any',
          domains: ['*'],
          request_mirror_policies: [POLICY],
          include_request_attempt_count: true,
          routes: [
            { match: { prefix: '/own' }, route: { cluster: 'app', request_mirror_policies: [{ cluster: 'third' }] } },
            { match: { prefix: '/' }, route: { cluster: 'app' } },
          ],
        },
      ],
    },
    steps: [{ send: get('/own') }, { send: get('/') }],
  },
  {
    name: 'for all routes',
    covers: 'request_mirror_policies of the route configuration',
    upstreams: both,
    config: { routeConfig: { request_mirror_policies: [POLICY] } },
    steps: [{ send: get('/') }],
  },
  {
    name: 'rewritten first',
    covers: 'the copy has the finalised headers, path and host',
    upstreams: both,
    config: {
      routes: [
        {
          match: { prefix: '/a' },
          request_headers_to_add: [{ header: { key: 'x-added', value: 'yes' } }],
          route: {
            cluster: 'app',
            prefix_rewrite: '/b',
            host_rewrite_literal: 'new.test',
            request_mirror_policies: [POLICY],
          },
        },
      ],
    },
    steps: [{ send: get('/a/x') }],
  },
  {
    name: 'its span',
    covers: 'a child named mirror',
    upstreams: { ...both, copy: later },
    config: { ...mirrored([POLICY]), tracing: {} },
    steps: [{ send: get('/') }],
    spans: 2,
  },
  {
    name: 'its span, with a span for each attempt',
    covers: 'spawn_upstream_span: mirror beside router app egress',
    upstreams: { ...both, copy: later },
    config: { ...mirrored([POLICY]), tracing: { spawn_upstream_span: true } },
    steps: [{ send: get('/') }],
    spans: 3,
  },
  {
    name: 'its span is not sampled',
    covers: 'trace_sampled false: x-b3-sampled 0',
    upstreams: { ...both, copy: later },
    config: { ...mirrored([{ ...POLICY, trace_sampled: false }]), tracing: {} },
    steps: [{ send: get('/') }],
    spans: 1,
  },
]
