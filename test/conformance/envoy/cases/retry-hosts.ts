import { type Case, get } from '../harness/case.ts'
import { endpoint, type Ports } from '../harness/config.ts'
import type { Observation } from '../harness/observe.ts'
import { ok, sequence, status } from '../harness/upstream.ts'

type Labels = Record<string, unknown>

const metadata = (of: Labels) => ({ filter_metadata: { 'envoy.lb': of } })
const host = (port: number, labels: Labels, weight = 1) => ({
  ...endpoint(port),
  metadata: metadata(labels),
  load_balancing_weight: weight,
})
const among = (...lbEndpoints: Record<string, unknown>[]) => ({
  load_assignment: { cluster_name: 'app', endpoints: [{ lb_endpoints: lbEndpoints }] },
})
const typed = (type: string, fields: Record<string, unknown> = {}) => ({
  name: 'a label',
  typed_config: { '@type': `type.googleapis.com/envoy.extensions.retry.${type}`, ...fields },
})
const retrying = (policy: Record<string, unknown>) => [
  { match: { prefix: '/' }, route: { cluster: 'app', retry_policy: { retry_on: '5xx', num_retries: 1, ...policy } } },
]

const CALLS = 12
const many = Array.from({ length: CALLS }, () => ({ send: get('/') }))
/** Nearly every try goes to the heavy host unless the predicate keeps it away. */
const HEAVY = 100

const BY_WEIGHT = {
  why: 'where the schedule by weight begins is drawn at random: compared is that every request was answered in the end',
  drop: (observation: Observation) => {
    observation.answers = observation.answers.map(answers =>
      answers.map(answer => ({ ...answer, head: answer.head.slice(0, 1) })),
    )
    observation.upstream = {}
    observation.stats = {}
  },
}

function avoiding(name: string, covers: string, predicate: Record<string, unknown>, bad: Labels): Case {
  return {
    name,
    covers,
    upstreams: { app: status(503), second: ok('b') },
    config: ports => ({
      app: among(host(ports.upstream.app!, bad, HEAVY), host(ports.upstream.second!, {})),
      routes: retrying({ retry_host_predicate: [predicate], host_selection_retry_max_attempts: 10 * HEAVY }),
      accessLog: '%RESPONSE_CODE%\n',
    }),
    steps: many,
    except: BY_WEIGHT,
    sane: envoy => {
      if (envoy.answers.some(([answer]) => !answer!.head[0]!.includes('200'))) throw new Error('Envoy gave up')
    },
  }
}

/** A host a priority. */
const priorities = (...ports: number[]) => ({
  load_assignment: {
    cluster_name: 'app',
    endpoints: ports.map((port, priority) => ({ priority, lb_endpoints: [endpoint(port)] })),
  },
})

const otherPriorities = (updateFrequency: number) => ({
  retry_priority: typed('priority.previous_priorities.v3.PreviousPrioritiesConfig', {
    update_frequency: updateFrequency,
  }),
})

function overPriorities(
  name: string,
  covers: string,
  updateFrequency: number,
  retries: number,
  answers: Record<string, ReturnType<typeof status>>,
): Case {
  return {
    name,
    covers,
    upstreams: answers,
    config: (ports: Ports) => ({
      app: priorities(...Object.keys(answers).map(upstream => ports.upstream[upstream]!)),
      routes: retrying({
        ...otherPriorities(updateFrequency),
        num_retries: retries,
        retry_back_off: { base_interval: '0.001s' },
      }),
    }),
    steps: [{ send: get('/') }],
  }
}

export const retryHostCases: Case[] = [
  {
    name: 'a host that is a canary',
    covers: 'the label canary: canary.upstream_rq_*, /clusters, spans; of the word of its answer as well',
    upstreams: { app: sequence(ok('a'), status(503)), copies: ok() },
    config: ports => ({
      app: among(host(ports.upstream.app!, { canary: true })),
      clusters: [
        {
          name: 'copies',
          type: 'STATIC',
          load_assignment: {
            cluster_name: 'copies',
            endpoints: [{ lb_endpoints: [host(ports.upstream.copies!, { canary: true })] }],
          },
        },
      ],
      routes: [
        {
          match: { prefix: '/' },
          route: { cluster: 'app', request_mirror_policies: [{ cluster: 'copies' }] },
        },
      ],
      tracing: {},
    }),
    steps: [{ send: get('/') }, { send: get('/') }, { admin: '/clusters?filter=^app$' }],
    spans: 4,
  },
  {
    name: 'a canary that is none',
    covers: 'the label canary is a boolean',
    config: ports => ({ app: among(host(ports.upstream.app!, { canary: 'true' })) }),
    steps: [{ send: get('/') }],
  },
  {
    name: 'a canary that does not answer',
    covers: 'the label canary: local answers for it count as well',
    upstreams: {},
    config: ports => ({ app: among(host(ports.dead, { canary: true })) }),
    steps: [{ send: get('/') }],
  },
  avoiding(
    'retries without canaries',
    'omit_canary_hosts: another host, if one can be had',
    typed('host.omit_canary_hosts.v3.OmitCanaryHostsPredicate'),
    { canary: true },
  ),
  avoiding(
    'retries without some hosts',
    'omit_host_metadata: not one that has all the labels',
    typed('host.omit_host_metadata.v3.OmitHostMetadataConfig', {
      metadata_match: metadata({ stage: 'dev', version: 2 }),
    }),
    { stage: ['test', 'dev'], version: 2, more: true },
  ),
  {
    name: 'retries with canaries alone',
    covers: 'omit_canary_hosts where all are: one of them after all',
    upstreams: { app: sequence(status(503), ok()) },
    config: ports => ({
      app: among(host(ports.upstream.app!, { canary: true })),
      routes: retrying({ retry_host_predicate: [typed('host.omit_canary_hosts.v3.OmitCanaryHostsPredicate')] }),
    }),
    steps: [{ send: get('/') }],
  },
  {
    name: 'retries without hosts of no label',
    covers: 'omit_host_metadata without labels is about nobody',
    upstreams: { app: sequence(status(503), ok()) },
    config: {
      routes: retrying({
        retry_host_predicate: [
          typed('host.omit_host_metadata.v3.OmitHostMetadataConfig', { metadata_match: metadata({}) }),
        ],
      }),
    },
    steps: [{ send: get('/') }],
  },
  overPriorities('a retry at another priority', 'retry_priority previous_priorities: the next priority', 1, 1, {
    app: status(503),
    second: ok('b'),
  }),
  overPriorities('retries over all priorities', 'previous_priorities: one after the other, then all again', 1, 4, {
    app: status(503),
    second: status(503),
    third: status(503),
  }),
  overPriorities('another priority after two tries', 'previous_priorities with update_frequency 2', 2, 5, {
    app: status(503),
    second: status(503),
  }),
  {
    name: 'priorities of which one cannot be used',
    covers: 'previous_priorities: what is ill is not asked',
    upstreams: { app: status(503), second: status(503), third: ok('c') },
    config: ports => ({
      app: {
        load_assignment: {
          cluster_name: 'app',
          endpoints: [
            { lb_endpoints: [endpoint(ports.upstream.app!)] },
            { priority: 1, lb_endpoints: [{ ...endpoint(ports.upstream.second!), health_status: 'UNHEALTHY' }] },
            { priority: 2, lb_endpoints: [endpoint(ports.upstream.third!)] },
          ],
        },
      },
      routes: retrying(otherPriorities(1)),
    }),
    steps: [{ send: get('/') }],
  },
]
