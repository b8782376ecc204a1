import { type Case, get } from '../harness/case.ts'
import { cluster, endpoint, type Ports } from '../harness/config.ts'
import type { Observation } from '../harness/observe.ts'
import { ok } from '../harness/upstream.ts'

const hosts = (...lbEndpoints: Record<string, unknown>[]) => ({
  load_assignment: { cluster_name: 'app', endpoints: [{ lb_endpoints: lbEndpoints }] },
})
const weighted = (port: number, weight: number) => ({ ...endpoint(port), load_balancing_weight: weight })
const many = (count: number) => Array.from({ length: count }, () => ({ send: get('/') }))

const WHERE_IT_BEGINS = {
  why: 'the first host is drawn at random (ROUND_ROBIN starts anywhere): the distribution is compared, not the order',
  drop: (observation: Observation) => {
    observation.answers.sort((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)))
    observation.accessLog.sort()
    // Numbered by their order over all hosts.
    for (const requests of Object.values(observation.upstream)) {
      for (const request of requests) request.head = request.head.map(line => line.replace(/<uuid \d+/, '<uuid'))
    }
  },
}

const named = (address: string) => (ports: Ports) => ({
  clusters: [
    {
      ...cluster('named', 1),
      type: 'STRICT_DNS',
      dns_lookup_family: 'V4_ONLY',
      load_assignment: {
        cluster_name: 'named',
        endpoints: [{ lb_endpoints: [endpoint(ports.upstream.app!, address)] }],
      },
    },
  ],
  routes: [{ match: { prefix: '/' }, route: { cluster: 'named' } }],
})
const DNS_STATS = { admin: '/stats?filter=^cluster\\.named\\.(update|membership)' }

export const balancingCases: Case[] = [
  {
    name: 'hosts by turns',
    covers: 'equal weights: each host the same number of requests',
    upstreams: { app: ok('a'), second: ok('b'), third: ok('c') },
    config: ports => ({
      app: hosts(endpoint(ports.upstream.app!), endpoint(ports.upstream.second!), endpoint(ports.upstream.third!)),
    }),
    steps: many(6),
    except: WHERE_IT_BEGINS,
    sane: envoy => {
      if (envoy.upstream.second!.length !== 2) throw new Error('Envoy did not take turns')
    },
  },
  {
    name: 'hosts by weight',
    covers: 'load_balancing_weight 3 : 1, exact over whole rounds',
    upstreams: { app: ok('a'), second: ok('b') },
    config: ports => ({ app: hosts(weighted(ports.upstream.app!, 3), weighted(ports.upstream.second!, 1)) }),
    steps: many(8),
    except: WHERE_IT_BEGINS,
    sane: envoy => {
      if (envoy.upstream.app!.length !== 6) throw new Error('Envoy did not weigh the hosts')
    },
  },
  {
    name: 'hosts by uneven weight',
    covers: 'load_balancing_weight 2 : 5 : 3',
    upstreams: { app: ok('a'), second: ok('b'), third: ok('c') },
    config: ports => ({
      app: hosts(
        weighted(ports.upstream.app!, 2),
        weighted(ports.upstream.second!, 5),
        weighted(ports.upstream.third!, 3),
      ),
    }),
    steps: many(20),
    except: WHERE_IT_BEGINS,
  },
  {
    name: 'a name that does not resolve',
    covers: '503 UH; the answer "no such name" is an update like others, of no hosts',
    config: named('absent.invalid'),
    steps: [{ send: get('/') }, DNS_STATS],
  },
  {
    name: 'a name that is none',
    covers: '503 UH, update_failure',
    config: named('a..b'),
    steps: [{ send: get('/') }, DNS_STATS],
  },
]
