import { type Case, get } from '../harness/case.ts'
import { cluster, endpoint, type Ports } from '../harness/config.ts'
import type { Observation } from '../harness/observe.ts'
import { ok } from '../harness/upstream.ts'

type Labels = Record<string, unknown>

const labels = (of: Labels) => ({ filter_metadata: { 'envoy.lb': of } })
const host = (port: number, of: Labels, fields: Record<string, unknown> = {}) => ({
  ...endpoint(port),
  metadata: labels(of),
  ...fields,
})
/** Each path asks for its own labels. */
const asking = (...wanted: (Labels | undefined)[]) =>
  wanted.map((of, i) => ({
    match: { path: `/${i}` },
    route: { cluster: 'app', ...(of === undefined ? {} : { metadata_match: labels(of) }) },
  }))
const all = (...wanted: unknown[]) => wanted.map((_, i) => ({ send: get(`/${i}`) }))
const times = (count: number, path: string) => Array.from({ length: count }, () => ({ send: get(path) }))

const STATS = { admin: '/stats?filter=^cluster\\.app\\.lb_subsets' }

const UPSTREAMS = { app: ok('a'), second: ok('b'), third: ok('c') }
const selector = (...keys: string[]) => ({ keys })

/** Three hosts: version 1 in production, version 2 in production and in development. */
const three = (ports: Ports, config: Record<string, unknown>, fields: Record<string, unknown> = {}) => ({
  load_assignment: {
    cluster_name: 'app',
    endpoints: [
      {
        lb_endpoints: [
          host(ports.upstream.app!, { version: 1, stage: 'prod' }),
          host(ports.upstream.second!, { version: 2, stage: 'prod' }),
          host(ports.upstream.third!, { version: 2, stage: 'dev' }),
        ],
      },
    ],
  },
  lb_subset_config: config,
  ...fields,
})

const ANY_ORDER = {
  why: 'hosts take turns from a random start: the distribution is compared, not the order',
  drop: (observation: Observation) => {
    observation.answers.sort((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)))
    observation.accessLog.sort()
    for (const requests of Object.values(observation.upstream)) {
      for (const request of requests) request.head = request.head.map(line => line.replace(/<uuid \d+/, '<uuid'))
    }
  },
}

const single = (
  name: string,
  covers: string,
  config: Record<string, unknown>,
  wanted: (Labels | undefined)[],
): Case => ({
  name,
  covers,
  upstreams: UPSTREAMS,
  config: ports => ({ app: three(ports, config), routes: asking(...wanted) }),
  steps: [...all(...wanted), STATS],
  except: ANY_ORDER,
})

const BY_BOTH = [selector('version'), selector('stage', 'version')]

export const subsetCases: Case[] = [
  single(
    'hosts by their labels',
    'lb_subset_config NO_FALLBACK: the subset that has the labels of metadata_match, no other, else 503 UH; its stats',
    { subset_selectors: BY_BOTH },
    [
      { version: 1 },
      { version: 2, stage: 'dev' },
      { stage: 'prod', version: 1 },
      { stage: 'prod', version: 2 },
      { stage: 'prod' },
      { version: 3 },
      { version: '1' },
      { version: 1, stage: 'prod', more: true },
      {},
      undefined,
    ],
  ),
  {
    name: 'turns within a subset',
    covers: 'a subset has a balancer of its own',
    upstreams: UPSTREAMS,
    config: ports => ({
      app: three(ports, { subset_selectors: BY_BOTH }),
      routes: asking({ version: 2 }),
    }),
    steps: [...times(6, '/0'), STATS],
    except: ANY_ORDER,
    sane: envoy => {
      if (envoy.upstream.second!.length !== 3) throw new Error('Envoy did not take turns within the subset')
    },
  },
  {
    name: 'any host instead',
    covers: 'fallback_policy ANY_ENDPOINT, lb_subsets_fallback',
    upstreams: UPSTREAMS,
    config: ports => ({
      app: three(ports, { fallback_policy: 'ANY_ENDPOINT', subset_selectors: BY_BOTH }),
      routes: asking({ version: 3 }, undefined),
    }),
    steps: [...times(3, '/0'), ...times(3, '/1'), STATS],
    except: ANY_ORDER,
  },
  single(
    'the default subset instead',
    'fallback_policy DEFAULT_SUBSET',
    {
      fallback_policy: 'DEFAULT_SUBSET',
      default_subset: { stage: 'dev', version: 2 },
      subset_selectors: BY_BOTH,
    },
    [{ version: 3 }, undefined, { version: 1 }, { stage: 'dev' }],
  ),
  single(
    'an empty default subset',
    'a default_subset that no host matches: 503, as without fallback',
    { fallback_policy: 'DEFAULT_SUBSET', default_subset: { stage: 'none' }, subset_selectors: BY_BOTH },
    [{ version: 3 }, undefined, { version: 1 }],
  ),
  {
    name: 'panic of subsets',
    covers: 'panic_mode_any: any host, where the default subset has none; lb_subsets_fallback_panic',
    upstreams: UPSTREAMS,
    config: ports => ({
      app: three(ports, {
        fallback_policy: 'DEFAULT_SUBSET',
        default_subset: { stage: 'none' },
        panic_mode_any: true,
        subset_selectors: BY_BOTH,
      }),
      routes: asking({ version: 3 }),
    }),
    steps: [...times(3, '/0'), STATS],
    except: ANY_ORDER,
  },
  single(
    'panic without a fallback',
    'panic_mode_any with NO_FALLBACK: 503 all the same',
    { panic_mode_any: true, subset_selectors: BY_BOTH },
    [{ version: 3 }, undefined],
  ),
  single(
    'fallbacks of selectors',
    'fallback_policy and fallback_keys_subset of a selector, by the keys that are asked for',
    {
      fallback_policy: 'DEFAULT_SUBSET',
      default_subset: { version: 1 },
      subset_selectors: [
        { keys: ['version'], fallback_policy: 'NO_FALLBACK' },
        { keys: ['stage', 'version'], fallback_policy: 'KEYS_SUBSET', fallback_keys_subset: ['version'] },
        { keys: ['stage'], fallback_policy: 'DEFAULT_SUBSET' },
        { keys: ['zone'] },
        {
          keys: ['rack', 'stage', 'version'],
          fallback_policy: 'KEYS_SUBSET',
          fallback_keys_subset: ['stage', 'version'],
        },
      ],
    },
    [
      { version: 3 },
      { version: 1, stage: 'none' },
      { version: 3, stage: 'none' },
      { stage: 'none' },
      { stage: 'dev' },
      { zone: 'a' },
      { other: 'a' },
      { rack: 1, stage: 'dev', version: 2 },
      { rack: 1, stage: 'none', version: 1 },
    ],
  ),
  {
    name: 'a selector falls back to any host',
    covers: 'fallback_policy ANY_ENDPOINT of a selector: not counted as a fallback',
    upstreams: UPSTREAMS,
    config: ports => ({
      app: three(ports, { subset_selectors: [{ keys: ['version'], fallback_policy: 'ANY_ENDPOINT' }] }),
      routes: asking({ version: 3 }),
    }),
    steps: [...times(3, '/0'), STATS],
    except: ANY_ORDER,
  },
  single(
    'selectors that begin alike',
    'of two selectors the one whose keys begin the other’s, and comes after it, has no fallback of its own',
    {
      fallback_policy: 'DEFAULT_SUBSET',
      default_subset: { version: 1 },
      subset_selectors: [
        { keys: ['stage', 'version'], fallback_policy: 'NO_FALLBACK' },
        { keys: ['stage'], fallback_policy: 'NO_FALLBACK' },
        { keys: ['version'], fallback_policy: 'NO_FALLBACK' },
        { keys: ['version'], fallback_policy: 'DEFAULT_SUBSET' },
      ],
    },
    [{ stage: 'none' }, { version: 5 }, { stage: 'none', version: 1 }],
  ),
  single(
    'lists of fallback labels',
    'metadata_fallback_policy FALLBACK_LIST: the labels of fallback_list one after the other',
    { metadata_fallback_policy: 'FALLBACK_LIST', subset_selectors: BY_BOTH },
    [
      { fallback_list: [{ version: 3 }, { version: 1 }] },
      { stage: 'dev', fallback_list: [{ version: 1 }, { version: 2 }] },
      { version: 1, fallback_list: [] },
      { version: 1, fallback_list: 'text' },
      { fallback_list: [{ version: 3 }, 'text', {}] },
      { version: 1 },
    ],
  ),
  single(
    'a list of fallback labels that is none',
    'fallback_list without metadata_fallback_policy is a label like others',
    { subset_selectors: [...BY_BOTH, selector('fallback_list')] },
    [{ fallback_list: [{ version: 1 }] }, { version: 1, fallback_list: [] }],
  ),
  {
    name: 'labels that are lists',
    covers: 'list_as_any: a host is in the subset of each item, and of each combination',
    upstreams: UPSTREAMS,
    config: ports => ({
      app: {
        load_assignment: {
          cluster_name: 'app',
          endpoints: [
            {
              lb_endpoints: [
                host(ports.upstream.app!, { version: ['1', '2'], stage: ['prod', 'dev'] }),
                host(ports.upstream.second!, { version: '3', stage: [] }),
                host(ports.upstream.third!, { version: { major: 4, minor: 0 }, stage: 'dev' }),
              ],
            },
          ],
        },
        lb_subset_config: {
          list_as_any: true,
          subset_selectors: BY_BOTH,
          fallback_policy: 'DEFAULT_SUBSET',
          default_subset: { version: '2' },
        },
      },
      routes: asking(
        { version: '1' },
        { version: '2', stage: 'dev' },
        { version: ['1', '2'] },
        { version: '3' },
        { version: { minor: 0, major: 4 } },
        { version: '3', stage: 'dev' },
      ),
    }),
    steps: [...all(1, 2, 3, 4, 5, 6), STATS],
  },
  {
    name: 'lists are values',
    covers: 'without list_as_any a list equals a list',
    upstreams: { app: ok('a') },
    config: ports => ({
      app: {
        load_assignment: {
          cluster_name: 'app',
          endpoints: [{ lb_endpoints: [host(ports.upstream.app!, { version: ['1', '2'] })] }],
        },
        lb_subset_config: { subset_selectors: [selector('version')] },
      },
      routes: asking({ version: '1' }, { version: ['1', '2'] }, { version: ['2', '1'] }),
    }),
    steps: [...all(1, 2, 3), STATS],
  },
  {
    name: 'single hosts',
    covers: 'single_host_per_subset: the first host, whatever its health and the others; its gauge of duplicates',
    upstreams: UPSTREAMS,
    config: ports => ({
      app: {
        load_assignment: {
          cluster_name: 'app',
          endpoints: [
            {
              lb_endpoints: [
                host(ports.upstream.app!, { id: 1 }, { health_status: 'UNHEALTHY' }),
                host(ports.upstream.second!, { id: 1 }),
                host(ports.upstream.third!, { id: 2 }),
              ],
            },
          ],
        },
        lb_subset_config: { subset_selectors: [{ keys: ['id'], single_host_per_subset: true }] },
      },
      routes: asking({ id: 1 }, { id: 2 }, { id: 3 }),
    }),
    steps: [...times(2, '/0'), { send: get('/1') }, { send: get('/2') }, STATS],
  },
  {
    name: 'single hosts of priorities',
    covers: 'single_host_per_subset: the host of the first priority that has one',
    upstreams: UPSTREAMS,
    config: ports => ({
      app: {
        load_assignment: {
          cluster_name: 'app',
          endpoints: [
            { lb_endpoints: [host(ports.upstream.third!, { id: 2, rack: 1 })] },
            {
              priority: 1,
              lb_endpoints: [
                host(ports.upstream.app!, { id: 1, rack: 1 }),
                host(ports.upstream.second!, { id: 2, rack: 1 }),
                host(ports.upstream.second!, { id: 1, rack: 1 }),
              ],
            },
          ],
        },
        lb_subset_config: { subset_selectors: [{ keys: ['id', 'rack'], single_host_per_subset: true }] },
      },
      routes: asking({ id: 1, rack: 1 }, { id: 2, rack: 1 }),
    }),
    steps: [...all(1, 2), STATS],
  },
  {
    name: 'a subset that is ill',
    covers: 'a subset has a panic of its own: its hosts are used, no others',
    upstreams: UPSTREAMS,
    config: ports => ({
      app: {
        load_assignment: {
          cluster_name: 'app',
          endpoints: [
            {
              lb_endpoints: [
                host(ports.upstream.app!, { version: 1 }, { health_status: 'UNHEALTHY' }),
                host(ports.upstream.second!, { version: 2 }),
                host(ports.upstream.third!, { version: 2 }, { health_status: 'UNHEALTHY' }),
              ],
            },
          ],
        },
        lb_subset_config: { subset_selectors: [selector('version')], fallback_policy: 'ANY_ENDPOINT' },
      },
      routes: asking({ version: 1 }, { version: 2 }),
    }),
    steps: [...times(2, '/0'), ...times(3, '/1'), STATS],
  },
  {
    name: 'subsets over priorities',
    covers: 'a subset has the priorities of its cluster: the first that has hosts of it',
    upstreams: UPSTREAMS,
    config: ports => ({
      app: {
        load_assignment: {
          cluster_name: 'app',
          endpoints: [
            {
              lb_endpoints: [
                host(ports.upstream.app!, { version: 1 }),
                host(ports.upstream.second!, { version: 2 }, { health_status: 'UNHEALTHY' }),
              ],
            },
            { priority: 1, lb_endpoints: [host(ports.upstream.third!, { version: 2 })] },
          ],
        },
        lb_subset_config: { subset_selectors: [selector('version')] },
      },
      routes: asking({ version: 1 }, { version: 2 }),
    }),
    steps: [...times(2, '/0'), ...times(3, '/1'), STATS],
  },
  ...[false, true].map(
    (scaled): Case => ({
      name: `weights of localities in subsets, ${scaled ? 'scaled' : 'as they are'}`,
      covers: `locality_weight_aware${scaled ? ', scale_locality_weight' : ''}`,
      upstreams: { ...UPSTREAMS, fourth: ok('d') },
      config: ports => ({
        app: {
          load_assignment: {
            cluster_name: 'app',
            endpoints: [
              {
                locality: { zone: 'a' },
                load_balancing_weight: 3,
                lb_endpoints: [
                  host(ports.upstream.app!, { version: 1 }),
                  host(ports.upstream.second!, { version: 2 }),
                  host(ports.upstream.third!, { version: 2 }),
                ],
              },
              {
                locality: { zone: 'b' },
                load_balancing_weight: 1,
                lb_endpoints: [host(ports.upstream.fourth!, { version: 1 })],
              },
            ],
          },
          common_lb_config: { locality_weighted_lb_config: {} },
          lb_subset_config: {
            subset_selectors: [selector('version')],
            locality_weight_aware: true,
            scale_locality_weight: scaled,
          },
        },
        routes: asking({ version: 1 }),
      }),
      steps: [...times(8, '/0'), STATS],
      except: ANY_ORDER,
    }),
  ),
  {
    name: 'weights of localities that subsets pass over',
    covers: 'locality_weighted_lb_config without locality_weight_aware: hosts by turns',
    upstreams: UPSTREAMS,
    config: ports => ({
      app: {
        load_assignment: {
          cluster_name: 'app',
          endpoints: [
            {
              locality: { zone: 'a' },
              load_balancing_weight: 9,
              lb_endpoints: [host(ports.upstream.app!, { version: 1 }), host(ports.upstream.third!, { version: 2 })],
            },
            {
              locality: { zone: 'b' },
              load_balancing_weight: 1,
              lb_endpoints: [host(ports.upstream.second!, { version: 1 })],
            },
          ],
        },
        common_lb_config: { locality_weighted_lb_config: {} },
        lb_subset_config: { subset_selectors: [selector('version')] },
      },
      routes: asking({ version: 1 }),
    }),
    steps: [...times(6, '/0'), STATS],
    except: ANY_ORDER,
  },
  ...['RING_HASH', 'MAGLEV'].map(
    (policy): Case => ({
      name: `${policy} within subsets`,
      covers: 'a subset has a table of its own',
      upstreams: UPSTREAMS,
      config: ports => ({
        app: three(
          ports,
          { subset_selectors: [selector('version')], fallback_policy: 'ANY_ENDPOINT' },
          { lb_policy: policy },
        ),
        routes: [
          {
            match: { prefix: '/' },
            route: {
              cluster: 'app',
              metadata_match: labels({ version: 1 }),
              hash_policy: [{ header: { header_name: 'x-key' } }],
            },
          },
        ],
      }),
      steps: [...['a', 'b', 'c'].map(key => ({ send: get('/', { 'x-key': key }) })), STATS],
    }),
  ),
  {
    name: 'labels of weighted clusters',
    covers: 'metadata_match of a weighted cluster over that of its route, label by label',
    upstreams: UPSTREAMS,
    config: ports => ({
      app: three(ports, { subset_selectors: BY_BOTH }),
      routes: [
        {
          match: { prefix: '/merged' },
          route: {
            metadata_match: labels({ version: 1, stage: 'dev' }),
            weighted_clusters: { clusters: [{ name: 'app', weight: 1, metadata_match: labels({ version: 2 }) }] },
          },
        },
        {
          match: { prefix: '/own' },
          route: {
            weighted_clusters: { clusters: [{ name: 'app', weight: 1, metadata_match: labels({ version: 1 }) }] },
          },
        },
        {
          match: { prefix: '/inherited' },
          route: {
            metadata_match: labels({ version: 1 }),
            weighted_clusters: {
              clusters: [{ name: 'app', weight: 1, metadata_match: { filter_metadata: { other: { version: 2 } } } }],
            },
          },
        },
        {
          match: { prefix: '/none' },
          route: {
            metadata_match: { filter_metadata: { other: { version: 2 } } },
            weighted_clusters: { clusters: [{ name: 'app', weight: 1 }] },
          },
        },
      ],
    }),
    steps: [...['/merged', '/own', '/inherited', '/none'].map(path => ({ send: get(path) })), STATS],
  },
  {
    name: 'subsets as an extension',
    covers: 'load_balancing_policy Subset with a policy of its own within',
    upstreams: UPSTREAMS,
    config: ports => ({
      app: {
        ...three(ports, {}),
        lb_subset_config: undefined,
        load_balancing_policy: extension({ subset_selectors: BY_BOTH, fallback_policy: 'ANY_ENDPOINT' }),
      },
      routes: asking({ version: 1 }, { version: 2 }, { version: 3 }),
    }),
    steps: [{ send: get('/0') }, ...times(4, '/1'), ...times(3, '/2'), STATS],
    except: ANY_ORDER,
  },
  {
    name: 'more labels than a selector has keys',
    covers: 'allow_redundant_keys: the selector with most keys, all of which are asked for',
    upstreams: UPSTREAMS,
    config: ports => ({
      app: {
        ...three(ports, {}),
        lb_subset_config: undefined,
        load_balancing_policy: extension({
          allow_redundant_keys: true,
          subset_selectors: [
            selector('version'),
            { keys: ['stage', 'version'], fallback_policy: 'KEYS_SUBSET', fallback_keys_subset: ['version'] },
          ],
        }),
      },
      routes: asking(
        { version: 1, more: 1 },
        { version: 2, stage: 'dev', more: 1 },
        { version: 1, stage: 'none', more: 1 },
        { more: 1 },
        { stage: 'dev', more: 1 },
      ),
    }),
    steps: [...all(1, 2, 3, 4, 5), STATS],
  },
  {
    name: 'an extension without selectors',
    covers: 'Subset without subset_selectors: the fallback for all',
    upstreams: UPSTREAMS,
    config: ports => ({
      app: { ...three(ports, {}), lb_subset_config: undefined, load_balancing_policy: extension({}) },
      routes: asking({ version: 1 }, undefined),
    }),
    steps: [...all(1, 2), STATS],
    except: ANY_ORDER,
  },
  {
    name: 'subsets without selectors',
    covers: 'lb_subset_config without subset_selectors does nothing',
    upstreams: UPSTREAMS,
    config: ports => ({ app: three(ports, {}), routes: asking({ version: 1 }, undefined) }),
    steps: [...times(3, '/0'), ...times(3, '/1'), STATS],
    except: ANY_ORDER,
  },
  {
    name: 'selectors without keys',
    covers: 'a selector without keys selects nothing',
    upstreams: UPSTREAMS,
    config: ports => ({
      app: three(ports, { subset_selectors: [{ keys: [], fallback_policy: 'ANY_ENDPOINT' }] }),
      routes: asking({ version: 1 }, undefined),
    }),
    steps: [...all(1, 2), STATS],
  },
  {
    name: 'copies of requests for subsets',
    covers: 'a copy asks for the labels that its request asks for',
    upstreams: { app: ok('a'), second: ok('b'), third: ok('c') },
    config: ports => ({
      clusters: [
        {
          ...cluster('copies', 1),
          ...three(ports, {
            subset_selectors: [selector('stage', 'version')],
            fallback_policy: 'DEFAULT_SUBSET',
            default_subset: { stage: 'dev' },
          }),
        },
      ],
      routes: [
        {
          match: { prefix: '/' },
          route: {
            metadata_match: labels({ version: 2, stage: 'prod' }),
            weighted_clusters: { clusters: [{ name: 'app', weight: 1, metadata_match: labels({ version: 1 }) }] },
            request_mirror_policies: [{ cluster: 'copies' }],
          },
        },
      ],
    }),
    steps: [{ send: get('/') }, { admin: '/stats?filter=^cluster\\.copies\\.lb_subsets' }],
  },
  {
    name: 'labels of names',
    covers: 'STRICT_DNS: the labels of a name are those of its hosts',
    names: { 'app.test': ['127.0.0.1'] },
    config: ports => ({
      clusters: [
        {
          ...cluster('named', 1),
          type: 'STRICT_DNS',
          dns_lookup_family: 'V4_ONLY',
          dns_resolvers: [{ socket_address: { address: '127.0.0.1', port_value: ports.names } }],
          load_assignment: {
            cluster_name: 'named',
            endpoints: [
              { lb_endpoints: [{ ...endpoint(ports.upstream.app!, 'app.test'), metadata: labels({ version: 1 }) }] },
            ],
          },
          lb_subset_config: { subset_selectors: [selector('version')] },
        },
      ],
      routes: [{ match: { prefix: '/' }, route: { cluster: 'named', metadata_match: labels({ version: 1 }) } }],
    }),
    steps: [{ send: get('/') }, { admin: '/stats?filter=^cluster\\.named\\.lb_subsets' }],
  },
]

function extension(config: Record<string, unknown>) {
  const typed = (type: string, fields: Record<string, unknown>) => ({
    policies: [
      {
        typed_extension_config: {
          name: 'a label',
          typed_config: { '@type': `type.googleapis.com/envoy.extensions.load_balancing_policies.${type}`, ...fields },
        },
      },
    ],
  })
  return typed('subset.v3.Subset', { ...config, subset_lb_policy: typed('round_robin.v3.RoundRobin', {}) })
}
