import { type Case, get } from '../harness/case.ts'
import { cluster, endpoint, type Ports } from '../harness/config.ts'
import type { Observation } from '../harness/observe.ts'
import { ok } from '../harness/upstream.ts'

type Fields = Record<string, unknown>

const resolver = (ports: Ports): Fields => ({
  typed_dns_resolver_config: {
    name: 'cares',
    typed_config: {
      '@type': 'type.googleapis.com/envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig',
      resolvers: [{ socket_address: { address: '127.0.0.1', port_value: ports.names } }],
      dns_resolver_options: { no_default_search_domain: true },
    },
  },
})

const named =
  (name: string, fields: Fields = {}) =>
  (ports: Ports) => ({
    clusters: [
      cluster('named', 1, {
        type: 'STRICT_DNS',
        ...resolver(ports),
        load_assignment: {
          cluster_name: 'named',
          endpoints: [{ lb_endpoints: [endpoint(ports.upstream.app!, name)] }],
        },
        ...fields,
      }),
    ],
    routes: [{ match: { prefix: '/' }, route: { cluster: 'named', auto_host_rewrite: true } }],
  })

const STATS = { admin: '/stats?filter=^cluster\\.named\\.(update|membership)' }
const CLUSTERS = { admin: '/clusters?filter=^named$' }

/** Envoy lists the addresses of a name in the order of its own hash table. */
const IN_ANY_ORDER = {
  why: 'hosts of one name come in any order',
  drop: (observation: Observation) => {
    observation.admin = observation.admin.map(({ body, ...page }) => ({
      ...page,
      body: body
        .replace(/(::(?:cx|rq)_\w+::)\d+/g, '$1<n>')
        .split('\n')
        .sort()
        .join('\n'),
    }))
    observation.accessLog = []
    observation.stats = {}
  },
}

export const nameCases: Case[] = [
  {
    name: 'a resolver of its own',
    covers: '6.4: typed_dns_resolver_config, STRICT_DNS; hostname is the name, auto_host_rewrite',
    upstreams: { app: ok() },
    names: { 'svc.test': ['127.0.0.1'] },
    config: named('svc.test'),
    steps: [{ send: get('/') }, STATS, CLUSTERS],
  },
  {
    name: 'every address is a host',
    covers: 'STRICT_DNS, membership_total 3',
    upstreams: { app: ok() },
    names: { 'svc.test': ['127.0.0.1', '127.0.0.2', '127.0.0.3'] },
    config: named('svc.test'),
    steps: [STATS, CLUSTERS],
    except: IN_ANY_ORDER,
  },
  {
    name: 'a name that the resolver does not know',
    covers: 'NXDOMAIN: no hosts, UH',
    upstreams: { app: ok() },
    names: { 'other.test': ['127.0.0.1'] },
    config: named('svc.test'),
    steps: [{ send: get('/') }],
  },
  {
    name: 'one logical host',
    covers: 'LOGICAL_DNS: one host at the first address',
    upstreams: { app: ok() },
    names: { 'svc.test': ['127.0.0.1'] },
    config: named('svc.test', { type: 'LOGICAL_DNS' }),
    steps: [{ send: get('/') }, { send: get('/') }, STATS, CLUSTERS],
  },
  {
    name: 'a logical host that has no address',
    covers: 'LOGICAL_DNS without an answer: UH',
    upstreams: { app: ok() },
    names: {},
    config: named('svc.test', { type: 'LOGICAL_DNS' }),
    // Envoy's resolver calls it a failure or an empty success, by chance.
    steps: [{ send: get('/') }],
  },
  {
    name: 'the older way to name a resolver',
    covers: 'dns_resolvers',
    upstreams: { app: ok() },
    names: { 'svc.test': ['127.0.0.1'] },
    config: (ports: Ports) => {
      const { typed_dns_resolver_config: _, ...older } = named('svc.test')(ports).clusters[0]!
      const dns_resolvers = [{ socket_address: { address: '127.0.0.1', port_value: ports.names } }]
      return { ...named('svc.test')(ports), clusters: [{ ...older, dns_resolvers }] }
    },
    steps: [{ send: get('/') }, STATS],
  },
  {
    name: 'a way to name a resolver from between',
    covers: 'dns_resolution_config, before dns_resolvers',
    upstreams: { app: ok() },
    names: { 'svc.test': ['127.0.0.1'] },
    config: (ports: Ports) => {
      const { typed_dns_resolver_config: _, ...older } = named('svc.test')(ports).clusters[0]!
      const at = (port_value: number | undefined) => [{ socket_address: { address: '127.0.0.1', port_value } }]
      const options = { no_default_search_domain: true }
      const dns_resolution_config = { resolvers: at(ports.names), dns_resolver_options: options }
      const clusters = [{ ...older, dns_resolution_config, dns_resolvers: at(ports.dead) }]
      return { ...named('svc.test')(ports), clusters }
    },
    steps: [{ send: get('/') }, STATS],
  },
  {
    name: 'a resolver for all clusters',
    covers: 'typed_dns_resolver_config of the bootstrap, for clusters without one',
    upstreams: { app: ok() },
    names: { 'svc.test': ['127.0.0.1'] },
    config: (ports: Ports) => {
      const { typed_dns_resolver_config: _, ...without } = named('svc.test')(ports).clusters[0]!
      return { ...named('svc.test')(ports), clusters: [without], bootstrap: resolver(ports) }
    },
    steps: [{ send: get('/') }, STATS, CLUSTERS],
  },
]
