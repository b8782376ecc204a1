import { type Case, get } from '../harness/case.ts'
import { cluster, endpoint, type Ports } from '../harness/config.ts'
import type { Observation } from '../harness/observe.ts'
import { ok } from '../harness/upstream.ts'

type Fields = Record<string, unknown>

const N = 60
/** One turn more or less is the draw of the start; the first turn of the young host was weighed when it was younger still. */
const SPREAD = 3

/**
 * One host that is well, and so begins slowly, and two that are not, which never do: in panic all three are asked, by weights that
 * depend on nothing but the age of the one.
 */
const beginning =
  (policy: 'ROUND_ROBIN' | 'LEAST_REQUEST', slowStart: Fields, runtime: Fields = {}) =>
  (ports: Ports) => {
    const ill = (name: string) => ({ ...endpoint(ports.upstream[name]!), health_status: 'UNHEALTHY' })
    return {
      clusters: [
        cluster('many', 0, {
          lb_policy: policy,
          [`${policy.toLowerCase()}_lb_config`]: { slow_start_config: slowStart },
          common_lb_config: { update_merge_window: '0s' },
          load_assignment: {
            cluster_name: 'many',
            endpoints: [{ lb_endpoints: [endpoint(ports.upstream.young!), ill('old1'), ill('old2')] }],
          },
        }),
      ],
      routes: [{ match: { prefix: '/' }, route: { cluster: 'many' } }],
      accessLog: '%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS%\n',
      runtime,
    }
  }

/** Of 60 requests the young host got about so many, the others the rest in equal parts. */
const shared = (young: number) => (observation: Observation) => {
  const expected: Record<string, number> = { young, old1: (N - young) / 2, old2: (N - young) / 2 }
  for (const [name, share] of Object.entries(expected)) {
    const count = observation.upstream[name]!.length
    if (Math.abs(count - share) > SPREAD) throw new Error(`${name} got ${count} of ${N}, expected about ${share}`)
  }
}

const growing = (
  name: string,
  covers: string,
  young: number,
  config: Case['config'],
  first: Case['steps'] = [],
): Case => ({
  name,
  covers,
  upstreams: { young: ok(), old1: ok(), old2: ok() },
  config: config!,
  steps: [...first, ...Array.from({ length: N }, () => ({ send: get('/') }))],
  sane: shared(young),
  except: {
    why: 'which host has the first turn is drawn: each must get its share, a turn more or less is not compared',
    drop: observation => {
      shared(young)(observation)
      observation.upstream = {}
    },
  },
})

export const slowStartCases: Case[] = [
  growing(
    'a host that has just come',
    'slow_start_window: min_weight_percent 10 of its weight, 1 turn in 21',
    N / 21,
    beginning('ROUND_ROBIN', { slow_start_window: '3600s' }),
  ),
  growing(
    'another least weight',
    'min_weight_percent 40: 1 turn in 6',
    N / 6,
    beginning('ROUND_ROBIN', { slow_start_window: '3600s', min_weight_percent: { value: 40 } }),
  ),
  growing(
    'the least busy begins slowly, too',
    'slow_start_config of LEAST_REQUEST, min_weight_percent 50: 1 turn in 5',
    N / 5,
    beginning('LEAST_REQUEST', { slow_start_window: '3600s', min_weight_percent: { value: 50 } }),
  ),
  growing(
    'how it grows',
    'aggression 20: (age / window) ^ (1 / 20); of a millionth of the window that is a half, seconds more or less',
    // 0.3 s of 1,000,000 s: 0.472; 5 s: 0.543.
    11.5,
    beginning('ROUND_ROBIN', {
      slow_start_window: '1000000s',
      aggression: { default_value: 20, runtime_key: 'slow.aggression' },
      min_weight_percent: { value: 1 },
    }),
  ),
  growing(
    'how it grows, by the runtime',
    'aggression of the runtime, with min_weight_percent 1: 1 turn in 5 as well',
    11.5,
    beginning(
      'ROUND_ROBIN',
      {
        slow_start_window: '1000000s',
        aggression: { default_value: 1, runtime_key: 'slow.aggression' },
        min_weight_percent: { value: 1 },
      },
      { slow: { aggression: 20 } },
    ),
  ),
  growing(
    'at the end of the window',
    'slow_start_window 1s, over: 1 turn in 3, but for the first, which was due after ten of the others',
    17,
    beginning('ROUND_ROBIN', { slow_start_window: '1s' }),
    [{ wait: 1100 }],
  ),
]
