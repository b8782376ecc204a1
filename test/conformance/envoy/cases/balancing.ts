import { type Case, get } from '../harness/case.ts'
import { cluster, endpoint, type Ports } from '../harness/config.ts'
import type { Observation } from '../harness/observe.ts'
import { hang, ok } from '../harness/upstream.ts'

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

const policy = (type: string, config: Record<string, unknown>) => ({
  policies: [
    {
      typed_extension_config: {
        name: 'a label',
        typed_config: { '@type': `type.googleapis.com/envoy.extensions.load_balancing_policies.${type}`, ...config },
      },
    },
  ],
})

/** Who got a request at all is compared, and that each was answered. */
const DRAWN = {
  why: 'hosts are drawn at random: compared is who got any',
  drop: (observation: Observation) => {
    observation.answers = []
    observation.closed = []
    observation.accessLog = []
    observation.stats = {}
    for (const [name, requests] of Object.entries(observation.upstream))
      observation.upstream[name] = requests.slice(0, 1)
    WHERE_IT_BEGINS.drop(observation)
  },
}

const CALLS = 160

/** By turns the busy host would get half; drawn twice, a quarter (40 ± 5.5); of all, one. */
const LESS = {
  why: 'hosts are drawn at random: compared is that the busy one got clearly less than by turns',
  drop: (observation: Observation) => {
    const busy = observation.upstream.app!.length
    DRAWN.drop(observation)
    observation.stats = { 'the busy host got 1': Number(busy === 1), 'got less than 76': Number(busy < 76) }
    observation.upstream = {}
  },
}

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
  ...['ROUND_ROBIN', 'LEAST_REQUEST'].map((lb_policy): Case => {
    const field = lb_policy === 'ROUND_ROBIN' ? 'round_robin_lb_config' : 'least_request_lb_config'
    const slow = { slow_start_window: '3600s', min_weight_percent: { value: 1 } }
    return {
      name: `hosts that all begin slowly, ${lb_policy}`,
      covers: 'slow_start_config: all hosts are as new, so that their weights count as ever',
      upstreams: { app: ok('a'), second: ok('b') },
      config: ports => ({
        app: {
          ...hosts(weighted(ports.upstream.app!, 3), weighted(ports.upstream.second!, 1)),
          lb_policy,
          [field]: { slow_start_config: slow },
        },
      }),
      steps: many(8),
      except: WHERE_IT_BEGINS,
    }
  }),
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
  {
    name: 'the least busy of two',
    covers:
      'LEAST_REQUEST: the host that hangs gets no second request while the other is free (both are drawn sooner or later)',
    upstreams: { app: hang, second: ok('b') },
    config: ports => ({
      app: { ...hosts(endpoint(ports.upstream.app!), endpoint(ports.upstream.second!)), lb_policy: 'LEAST_REQUEST' },
      routes: [{ match: { prefix: '/' }, route: { cluster: 'app', timeout: '0s' } }],
      accessLog: '%RESPONSE_CODE%\n',
    }),
    steps: Array.from({ length: CALLS }, () => ({ send: get('/'), patience: 200 })),
    except: LESS,
    logLines: 0,
  },
  {
    name: 'the least busy of all',
    covers: 'LeastRequest extension with FULL_SCAN: the busy host gets one request, the others all',
    upstreams: { app: hang, second: ok('b') },
    config: ports => ({
      app: {
        ...hosts(endpoint(ports.upstream.app!), endpoint(ports.upstream.second!)),
        load_balancing_policy: policy('least_request.v3.LeastRequest', { selection_method: 'FULL_SCAN' }),
      },
      routes: [{ match: { prefix: '/' }, route: { cluster: 'app', timeout: '0s' } }],
      accessLog: '%RESPONSE_CODE%\n',
    }),
    steps: Array.from({ length: CALLS }, () => ({ send: get('/'), patience: 200 })),
    except: LESS,
    logLines: 0,
  },
  {
    name: 'the least busy by weight',
    covers: 'LEAST_REQUEST with weights: a schedule by weight / (active + 1)',
    upstreams: { app: ok('a'), second: ok('b') },
    config: ports => ({
      app: {
        ...hosts(weighted(ports.upstream.app!, 3), weighted(ports.upstream.second!, 1)),
        lb_policy: 'LEAST_REQUEST',
      },
    }),
    steps: many(8),
    except: WHERE_IT_BEGINS,
  },
  {
    name: 'any host',
    covers: 'RANDOM: everyone gets some of 40',
    upstreams: { app: ok('a'), second: ok('b') },
    config: ports => ({
      app: { ...hosts(endpoint(ports.upstream.app!), endpoint(ports.upstream.second!)), lb_policy: 'RANDOM' },
      accessLog: '%RESPONSE_CODE%\n',
    }),
    steps: many(40),
    except: DRAWN,
  },
  {
    name: 'round robin as an extension',
    covers: 'load_balancing_policy: the first policy that is known',
    upstreams: { app: ok('a'), second: ok('b') },
    config: ports => ({
      app: {
        ...hosts(endpoint(ports.upstream.app!), endpoint(ports.upstream.second!)),
        load_balancing_policy: policy('round_robin.v3.RoundRobin', {}),
      },
    }),
    steps: many(4),
    except: WHERE_IT_BEGINS,
  },
  {
    name: 'connections of another priority',
    covers: 'priority HIGH: pools and breakers of its own',
    upstreams: { app: ok('a') },
    config: {
      app: {
        circuit_breakers: {
          thresholds: [
            { priority: 'DEFAULT', max_requests: 0 },
            { priority: 'HIGH', max_requests: 1 },
          ],
        },
      },
      routes: [
        { match: { prefix: '/high' }, route: { cluster: 'app', priority: 'HIGH' } },
        { match: { prefix: '/' }, route: { cluster: 'app' } },
      ],
    },
    steps: [{ send: get('/high') }, { send: get('/') }, { send: get('/high') }],
  },
]
