import { type Case, get } from '../harness/case.ts'
import { cluster, endpoint, type Ports } from '../harness/config.ts'
import type { Observation } from '../harness/observe.ts'
import { type Behaviour, ok } from '../harness/upstream.ts'

type Fields = Record<string, unknown>
/** Hosts are upstreams by name: `a1 a2`, with fields. */
type Hosts = readonly [names: string, fields?: Fields]
type Group = Fields & { hosts: readonly Hosts[] }

const many =
  (groups: Group[], fields: Fields = {}) =>
  (ports: Ports) => {
    const { policy, common_lb_config, ...rest } = fields
    const endpoints = groups.map(group => locality(group, ports))
    return {
      clusters: [
        cluster('many', 1, {
          common_lb_config: { update_merge_window: '0s', ...(common_lb_config as Fields) },
          ...rest,
          load_assignment: { cluster_name: 'many', endpoints, ...(policy === undefined ? {} : { policy }) },
        }),
      ],
      routes: [{ match: { prefix: '/' }, route: { cluster: 'many' } }],
      accessLog: '%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS%\n',
    }
  }

function locality({ hosts, ...group }: Group, ports: Ports): Fields {
  const lbEndpoints = hosts.flatMap(([names, fields]) =>
    names.split(' ').map(name => ({ ...endpoint(ports.upstream[name]!), ...fields })),
  )
  return { ...group, lb_endpoints: lbEndpoints }
}

/** Each answers with the first letter of its name. */
const upstreams = (names: string): Record<string, Behaviour> =>
  Object.fromEntries(names.split(' ').map(name => [name, ok(name.charAt(0))]))

const calls = (n: number) => Array.from({ length: n }, () => ({ send: get('/') }))
const CLUSTERS = { admin: '/clusters?filter=^many$' }
const JSON_CLUSTERS = { admin: '/clusters?filter=^many$&format=json' }

const unhealthy = { health_status: 'UNHEALTHY' }
const degraded = { health_status: 'DEGRADED' }

/** Which host is the first is drawn: how many each upstream got is compared, not which answer came when. */
const BY_CHANCE = {
  why: 'the first host is drawn at random: the distribution is compared, not the order',
  drop: (observation: Observation) => {
    observation.answers.sort((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)))
    for (const requests of Object.values(observation.upstream))
      for (const request of requests) request.head = request.head.map(line => line.replace(/<uuid \d+/, '<uuid'))
    observation.admin = observation.admin.map(({ body, ...page }) => ({
      ...page,
      // Which of the hosts got how many.
      body: body.replace(/(::(?:cx|rq)_\w+::)\d+/g, '$1<n>').replace(/"value": "\d+",\s*/g, ''),
    }))
  },
}

/** What is drawn by a share is only near it: compared are those between whom it was drawn. */
const BY_SHARE = {
  why: 'priorities and localities are drawn at random by their share: compared is who got any, and the sum',
  drop: (observation: Observation) => {
    BY_CHANCE.drop(observation)
    observation.answers = []
    observation.closed = []
    observation.accessLog = [...new Set(observation.accessLog)].sort()
    for (const [name, requests] of Object.entries(observation.upstream))
      observation.upstream[name] = requests.slice(0, 1)
    // Each host that was asked is a connection, each byte of a shorter body counts.
    for (const name of Object.keys(observation.stats))
      if (/upstream_(cx|rq_pending)|_cx_(rx|tx)_bytes|lb_zone_routing|\.zone\./.test(name))
        delete observation.stats[name]
  },
}

/** How many of the requests the upstreams of each letter got. */
function counts(observation: Observation): Record<string, number> {
  const sums: Record<string, number> = {}
  for (const [name, requests] of Object.entries(observation.upstream))
    sums[name.charAt(0)] = (sums[name.charAt(0)] ?? 0) + requests.length
  return sums
}

/** Envoy's own numbers lie about the share that the formula gives: 6 standard deviations. */
const near = (n: number, shares: Record<string, number>) => (observation: Observation) => {
  for (const [name, share] of Object.entries(shares)) {
    const expected = (n * share) / 100
    const off = Math.abs(counts(observation)[name]! - expected)
    if (off > 6 * Math.sqrt(n * (share / 100) * (1 - share / 100)))
      throw new Error(`${name} got ${counts(observation)[name]} of ${n}, expected about ${expected}`)
  }
}

const P = (priority: number, hosts: Group['hosts'], fields: Fields = {}): Group => ({ priority, hosts, ...fields })
const zone = (name: string) => ({ locality: { region: 'r', zone: name } })

/** Zones 1, 2, … of the proxies' cluster and of `many`; the proxy is in zone 1. */
const zoned =
  (proxies: string[], zones: string[], lb: Fields = {}) =>
  (ports: Ports) => {
    const groups = zones.map((names, i) => P(0, [[names]], zone(String(i + 1))))
    const options = many(groups, { common_lb_config: lb })(ports)
    const members = proxies.flatMap((name, i) =>
      name === '' ? [] : [locality(P(0, [[name]], zone(String(i + 1))), ports)],
    )
    const local = cluster('proxies', 1, { load_assignment: { cluster_name: 'proxies', endpoints: members } })
    return {
      ...options,
      clusters: [...options.clusters, local],
      node: zone('1'),
      bootstrap: { cluster_manager: { local_cluster_name: 'proxies' } },
    }
  }

export const priorityCases: Case[] = [
  {
    name: 'the first priority takes all',
    covers: '6.3: P0 100, P1 0',
    upstreams: upstreams('a1 a2 b1 b2'),
    config: many([P(0, [['a1 a2']]), P(1, [['b1 b2']])]),
    steps: [...calls(4), CLUSTERS, JSON_CLUSTERS],
    except: BY_CHANCE,
  },
  {
    name: 'none of the first is healthy',
    covers: 'P0 0, P1 100, no panic: together they can take all',
    upstreams: upstreams('a1 a2 b1 b2'),
    config: many([P(0, [['a1 a2', unhealthy]]), P(1, [['b1 b2']])]),
    steps: [...calls(4), CLUSTERS, JSON_CLUSTERS],
    except: BY_CHANCE,
  },
  {
    name: 'three quarters healthy are enough',
    covers: 'overprovisioning 1.4 · 75 % ≥ 100 %',
    upstreams: upstreams('a1 a2 a3 a4 b1 b2'),
    config: many([P(0, [['a1 a2 a3'], ['a4', unhealthy]]), P(1, [['b1 b2']])]),
    steps: calls(6),
    except: BY_CHANCE,
  },
  {
    name: 'half healthy',
    covers: '1.4 · 50 % = 70 : 30',
    upstreams: upstreams('a1 a2 b1 b2'),
    config: many([P(0, [['a1'], ['a2', unhealthy]]), P(1, [['b1 b2']])]),
    steps: calls(120),
    except: BY_SHARE,
    sane: near(120, { a: 70, b: 30 }),
  },
  {
    name: 'one in five healthy',
    covers: '1.4 · 20 % = 28 : 72, no panic while others can take the load',
    upstreams: upstreams('a1 a2 a3 a4 a5 b1 b2'),
    config: many([P(0, [['a1'], ['a2 a3 a4 a5', unhealthy]]), P(1, [['b1 b2']])]),
    steps: calls(120),
    except: BY_SHARE,
    sane: near(120, { a: 28, b: 72 }),
  },
  {
    name: 'another overprovisioning factor',
    covers: 'overprovisioning_factor 100: half healthy is half the load',
    upstreams: upstreams('a1 a2 b1 b2'),
    config: many([P(0, [['a1'], ['a2', unhealthy]]), P(1, [['b1 b2']])], { policy: { overprovisioning_factor: 100 } }),
    steps: calls(120),
    except: BY_SHARE,
    sane: near(120, { a: 50, b: 50 }),
  },
  {
    name: 'health by weight',
    covers: 'weighted_priority_health: a quarter of the weight is healthy, half of the hosts: 1.4 · 25 % = 35 : 65',
    upstreams: upstreams('a1 a2 b1 b2'),
    config: many([P(0, [['a1'], ['a2', { ...unhealthy, load_balancing_weight: 3 }]]), P(1, [['b1 b2']])], {
      policy: { weighted_priority_health: true },
    }),
    steps: calls(120),
    except: BY_SHARE,
    sane: near(120, { a: 35, b: 65 }),
  },
  {
    name: 'health by weight, enough of it',
    covers: 'weighted_priority_health: three quarters of the weight are healthy: P0 takes all',
    upstreams: upstreams('a1 a2 b1 b2'),
    config: many(
      [
        P(0, [
          ['a1', { load_balancing_weight: 3 }],
          ['a2', unhealthy],
        ]),
        P(1, [['b1 b2']]),
      ],
      {
        policy: { weighted_priority_health: true },
      },
    ),
    steps: calls(12),
    except: BY_CHANCE,
    sane: envoy => {
      if (counts(envoy).a !== 12) throw new Error('Envoy left its first priority')
    },
  },
  {
    name: 'nobody healthy anywhere',
    covers: 'total panic: all hosts by their number; lb_healthy_panic',
    upstreams: upstreams('a1 a2 a3 b1'),
    config: many([P(0, [['a1 a2 a3', unhealthy]]), P(1, [['b1', unhealthy]])]),
    steps: calls(120),
    except: BY_SHARE,
    sane: near(120, { a: 75, b: 25 }),
  },
  {
    name: 'nobody healthy, and no panic',
    covers: 'healthy_panic_threshold 0: UH',
    upstreams: upstreams('a1 b1'),
    config: many([P(0, [['a1', unhealthy]]), P(1, [['b1', unhealthy]])], {
      common_lb_config: { healthy_panic_threshold: { value: 0 } },
    }),
    steps: calls(2),
  },
  {
    name: 'panic fails',
    covers: 'fail_traffic_on_panic: UH, lb_healthy_panic',
    upstreams: upstreams('a1 a2'),
    config: many([P(0, [['a1 a2', unhealthy]])], {
      common_lb_config: { zone_aware_lb_config: { fail_traffic_on_panic: true } },
    }),
    steps: calls(2),
  },
  {
    name: 'degraded hosts are the last resort',
    covers: 'degraded hosts get what healthy ones cannot take: 1.4 · 50 % = 70 : 30',
    upstreams: upstreams('a1 a2 b1 b2'),
    config: many([P(0, [['a1 a2'], ['b1 b2', degraded]])]),
    steps: [...calls(120), JSON_CLUSTERS],
    except: BY_SHARE,
    sane: near(120, { a: 70, b: 30 }),
  },
  {
    name: 'only degraded hosts',
    covers: 'membership_degraded',
    upstreams: upstreams('a1 a2'),
    config: many([P(0, [['a1 a2', degraded]])]),
    steps: [...calls(4), CLUSTERS, { admin: '/stats?filter=^cluster.many.membership' }],
    except: BY_CHANCE,
  },
  {
    name: 'what the configuration says of health',
    covers: 'health_status of each kind on /clusters',
    upstreams: upstreams('a1 b1 c1 d1 e1'),
    config: many([
      P(0, [
        ['a1', { health_status: 'HEALTHY' }],
        ['b1', unhealthy],
        ['c1', { health_status: 'DRAINING' }],
        ['d1', { health_status: 'TIMEOUT' }],
        ['e1', degraded],
      ]),
    ]),
    steps: [CLUSTERS, JSON_CLUSTERS, { admin: '/stats?filter=^cluster.many.membership' }],
  },
  {
    name: 'draining hosts do not count',
    covers: 'health_status DRAINING: not a member for panic and priorities',
    upstreams: upstreams('a1 a2 a3 b1'),
    config: many([P(0, [['a1'], ['a2 a3', { health_status: 'DRAINING' }]]), P(1, [['b1']])]),
    steps: [...calls(6), CLUSTERS],
    except: BY_CHANCE,
    sane: envoy => {
      if (counts(envoy).a !== 6) throw new Error('Envoy counted a draining host')
    },
  },
  {
    name: 'localities by weight',
    covers: 'locality_weighted_lb_config: 1 : 3, exact over whole rounds; a locality without weight gets none',
    upstreams: upstreams('a1 a2 b1 b2 c1 c2'),
    config: many(
      [
        P(0, [['a1 a2']], { ...zone('1'), load_balancing_weight: 1 }),
        P(0, [['b1 b2']], { ...zone('2'), load_balancing_weight: 3 }),
        P(0, [['c1 c2']], zone('3')),
      ],
      { common_lb_config: { locality_weighted_lb_config: {} } },
    ),
    steps: [...calls(16), CLUSTERS],
    except: BY_CHANCE,
    sane: envoy => {
      const { a, b, c } = counts(envoy)
      if (a !== 4 || b !== 12 || c !== 0) throw new Error(`Envoy gave ${a}, ${b}, ${c}`)
    },
  },
  {
    name: 'weights without the configuration that uses them',
    covers: 'load_balancing_weight of a locality alone does nothing',
    upstreams: upstreams('a1 a2 b1 b2'),
    config: many([
      P(0, [['a1 a2']], { ...zone('1'), load_balancing_weight: 1 }),
      P(0, [['b1 b2']], { ...zone('2'), load_balancing_weight: 3 }),
    ]),
    steps: calls(8),
    except: BY_CHANCE,
  },
  {
    name: 'a locality in poor health weighs less',
    covers: 'effective weight: weight · min(1, 1.4 · healthy share): 1 · 0.7 : 1',
    upstreams: upstreams('a1 a2 b1 b2'),
    config: many(
      [
        P(0, [['a1'], ['a2', unhealthy]], { ...zone('1'), load_balancing_weight: 1 }),
        P(0, [['b1 b2']], { ...zone('2'), load_balancing_weight: 1 }),
      ],
      { common_lb_config: { locality_weighted_lb_config: {} } },
    ),
    steps: calls(34),
    except: BY_SHARE,
    sane: near(34, { a: 41, b: 59 }),
  },
  {
    name: 'the own zone first',
    covers: 'zone-aware: the own zone has its share of hosts: lb_zone_routing_all_directly',
    upstreams: upstreams('a1 a2 a3 b1 b2 b3 p1 q1'),
    config: zoned(['p1', 'q1'], ['a1 a2 a3', 'b1 b2 b3']),
    steps: calls(6),
    except: BY_CHANCE,
    sane: envoy => {
      if (counts(envoy).a !== 6) throw new Error('Envoy left its zone')
    },
  },
  {
    name: 'too few hosts in the own zone',
    covers: 'zone-aware: 1/6 of the hosts for 1/2 of the proxies: a third stays, the rest crosses',
    upstreams: upstreams('a1 b1 b2 b3 b4 b5 p1 q1'),
    config: zoned(['p1', 'q1'], ['a1', 'b1 b2 b3 b4 b5']),
    steps: calls(120),
    except: BY_SHARE,
    sane: near(120, { a: 33.3, b: 66.7 }),
  },
  {
    name: 'too few hosts for zones',
    covers: 'min_cluster_size 6: lb_zone_cluster_too_small at the start, all hosts by turns',
    upstreams: upstreams('a1 a2 b1 b2 p1 q1'),
    config: zoned(['p1', 'q1'], ['a1 a2', 'b1 b2']),
    steps: calls(8),
    except: BY_CHANCE,
    sane: near(8, { a: 50, b: 50 }),
  },
  {
    name: 'a smaller minimum',
    covers: 'zone_aware_lb_config.min_cluster_size',
    upstreams: upstreams('a1 a2 b1 b2 p1 q1'),
    config: zoned(['p1', 'q1'], ['a1 a2', 'b1 b2'], { zone_aware_lb_config: { min_cluster_size: 2 } }),
    steps: calls(6),
    except: BY_CHANCE,
    sane: envoy => {
      if (counts(envoy).a !== 6) throw new Error('Envoy left its zone')
    },
  },
  {
    name: 'zones off',
    covers: 'zone_aware_lb_config.routing_enabled 0',
    upstreams: upstreams('a1 a2 b1 b2 p1 q1'),
    config: zoned(['p1', 'q1'], ['a1 a2', 'b1 b2'], {
      zone_aware_lb_config: { min_cluster_size: 2, routing_enabled: { value: 0 } },
    }),
    steps: calls(8),
    except: BY_CHANCE,
  },
  {
    name: 'no proxy known in the own zone',
    covers: 'lb_local_cluster_not_ok: all hosts by turns',
    upstreams: upstreams('a1 a2 a3 b1 b2 b3 q1 r1'),
    config: zoned(['', 'q1', 'r1'], ['a1 a2 a3', 'b1 b2 b3']),
    steps: calls(6),
    except: BY_CHANCE,
  },
]
