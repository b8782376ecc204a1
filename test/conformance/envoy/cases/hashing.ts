import { type Case, get } from '../harness/case.ts'
import { cluster, endpoint, type Ports } from '../harness/config.ts'
import { hang, ok } from '../harness/upstream.ts'

type Fields = Record<string, unknown>

/** Hosts are hashed by their names, which are the same in both runs; their ports are not. */
const hashing =
  (lb: Fields, hash_policy: Fields[], names = ['a', 'b', 'c']) =>
  (ports: Ports) => ({
    clusters: [
      cluster('many', 1, {
        // The only type whose hosts Envoy hashes by name.
        type: 'STRICT_DNS',
        dns_lookup_family: 'V4_ONLY',
        common_lb_config: { consistent_hashing_lb_config: { use_hostname_for_hashing: true } },
        ...lb,
        load_assignment: {
          cluster_name: 'many',
          endpoints: [{ lb_endpoints: names.map(name => named(name, ports.upstream[name]!)) }],
        },
      }),
    ],
    routes: [{ match: { prefix: '/' }, route: { cluster: 'many', hash_policy } }],
  })

function named(hostname: string, port: number): Fields {
  const { endpoint: plain } = endpoint(port) as { endpoint: Fields }
  return { endpoint: { ...plain, hostname } }
}

const RING = { lb_policy: 'RING_HASH' }
const MAGLEV = { lb_policy: 'MAGLEV' }
const three = { a: ok('a'), b: ok('b'), c: ok('c') }
const header = (name: string, fields: Fields = {}) => ({ header: { header_name: name }, ...fields })
const users = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ send: get('/', { 'x-user': `user-${i}` }) }))
const LB_STATS = { admin: '/stats?filter=^cluster.many.(ring_hash|maglev)_lb' }

/** All three hang: requests pile up. */
function piledUp(name: string, covers: string, lb: Fields, factor: number): Case {
  const consistent = { use_hostname_for_hashing: true, hash_balance_factor: factor }
  return {
    name,
    covers,
    upstreams: { a: hang, b: hang, c: hang },
    config: ports => ({
      ...hashing({ ...lb, common_lb_config: { consistent_hashing_lb_config: consistent } }, [header('x-user')])(ports),
      accessLog: '%RESPONSE_CODE%\n',
    }),
    steps: Array.from({ length: 20 }, (_, i): Case['steps'] => [
      { send: get(`/${i}`, { 'x-user': `user-${i % 2}` }), answers: 0 },
      { until: `cluster.many.upstream_rq_total: ${i + 1}` },
    ]).flat(),
    logLines: 0,
    except: {
      why: 'the requests end with the clients, when the log is read: a line may be there or not',
      drop: observation => {
        observation.accessLog = []
      },
    },
    sane: envoy => {
      if (Object.values(envoy.upstream).some(requests => requests.length === 0)) throw new Error('Envoy did not spread')
    },
  }
}

export const hashingCases: Case[] = [
  piledUp('a ring that bounds the load', 'hash_balance_factor 100 with RING_HASH: whom others go to', RING, 100),
  piledUp('a table that bounds the load', 'hash_balance_factor 120 with MAGLEV', MAGLEV, 120),
  {
    name: 'a ring, by a header',
    covers: '6.2: RING_HASH: the host that Envoy chooses, for each key',
    upstreams: three,
    config: hashing(RING, [header('X-User')]),
    steps: [...users(20), LB_STATS],
  },
  {
    name: 'a ring of another size and hash',
    covers: 'ring_hash_lb_config: minimum_ring_size, hash_function MURMUR_HASH_2',
    upstreams: three,
    config: hashing({ ...RING, ring_hash_lb_config: { minimum_ring_size: 100, hash_function: 'MURMUR_HASH_2' } }, [
      header('x-user'),
    ]),
    steps: [...users(12), LB_STATS],
  },
  {
    name: 'a table, by a header',
    covers: 'MAGLEV: the host that Envoy chooses, for each key',
    upstreams: three,
    config: hashing(MAGLEV, [header('x-user')]),
    steps: [...users(20), LB_STATS],
  },
  {
    name: 'a smaller table',
    covers: 'maglev_lb_config.table_size',
    upstreams: three,
    config: hashing({ ...MAGLEV, maglev_lb_config: { table_size: 251 } }, [header('x-user')]),
    steps: [...users(12), LB_STATS],
  },
  {
    name: 'several values of a header',
    covers: 'in any order the same host; regex_rewrite before the hash',
    upstreams: three,
    config: hashing(RING, [
      {
        header: {
          header_name: 'x-user',
          regex_rewrite: { pattern: { regex: '-.*$' }, substitution: '' },
        },
      },
    ]),
    steps: [
      { send: get('/', { 'x-user': 'one-x\r\nx-user: two-y' }) },
      { send: get('/', { 'x-user': 'two-z\r\nx-user: one' }) },
      { send: get('/', { 'x-user': 'three' }) },
    ],
  },
  {
    name: 'by a parameter of the query',
    covers: 'hash_policy.query_parameter',
    upstreams: three,
    config: hashing(RING, [{ query_parameter: { name: 'k' } }]),
    steps: ['/?k=1', '/?a=b&k=2', '/?k=3&k=4', '/?k=', '/x?k=5'].map(path => ({ send: get(path) })),
  },
  {
    name: 'by several, one after the other',
    covers: 'hashes are mixed; a terminal one ends the list',
    upstreams: three,
    config: hashing(RING, [
      header('x-first', { terminal: true }),
      header('x-user'),
      { query_parameter: { name: 'k' } },
      { connection_properties: { source_ip: true } },
    ]),
    steps: [
      { send: get('/?k=1', { 'x-first': '1', 'x-user': 'a' }) },
      { send: get('/?k=2', { 'x-first': '1', 'x-user': 'b' }) },
      { send: get('/?k=1', { 'x-user': 'a' }) },
      { send: get('/?k=2', { 'x-user': 'a' }) },
      { send: get('/', { 'x-user': 'b' }) },
      { send: get('/') },
    ],
  },
  {
    name: 'by a cookie',
    covers: 'hash_policy.cookie without ttl: none is made',
    upstreams: three,
    config: hashing(RING, [{ cookie: { name: 'session' } }]),
    steps: ['session=1', 'a=b; session="2"', 'session=3; session=4'].map(cookie => ({ send: get('/', { cookie }) })),
  },
  {
    name: 'a cookie that is made',
    covers: 'trap: cookie with ttl: set-cookie name="hex"; Max-Age; Path; attributes; HttpOnly',
    upstreams: { a: ok('a') },
    config: hashing(
      RING,
      [
        {
          cookie: {
            name: 'session',
            ttl: '60s',
            path: '/p',
            attributes: [{ name: 'SameSite', value: 'Strict' }, { name: 'Secure' }],
          },
        },
      ],
      ['a'],
    ),
    steps: [{ send: get('/') }, { send: get('/', { cookie: 'session=1' }) }],
  },
  {
    name: 'a cookie of the session',
    covers: 'ttl 0: no Max-Age',
    upstreams: { a: ok('a') },
    config: hashing(MAGLEV, [{ cookie: { name: 's', ttl: '0s' } }], ['a']),
    steps: [{ send: get('/') }],
  },
  {
    name: 'no cookie without a balancer that asks',
    covers: 'ROUND_ROBIN makes none',
    upstreams: { a: ok('a') },
    config: hashing({}, [{ cookie: { name: 's', ttl: '9s' } }], ['a']),
    steps: [{ send: get('/') }],
  },
]
