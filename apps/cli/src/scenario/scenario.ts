/** A scenario as its scenario.yaml says it (docs/scenarios.md), with defaults filled in. */
export interface Scenario {
  /** Name of its folder: `04-broken-propagation`. */
  name: string
  folder: string
  composeFile: string
  title: string
  teaches: string
  /** Where calls go in; `path` is what `up` proposes to try. */
  entry: { service: string; port: number; path: string }
  collector: { service: string; port: number }
  /** Proxies by service name, with the port of their admin interface. */
  admins: Readonly<Record<string, number>>
  knobs: Readonly<Record<string, Knob>>
  steps: readonly Step[]
  /** What `hopscope compare` holds side by side; undefined: nothing. */
  compare: Comparison | undefined
}

/** The same call on several forms of the mesh. */
export interface Comparison {
  path: string
  /** In the order of the report; each is held against the one before it. */
  runs: readonly ComparedRun[]
}

export interface ComparedRun {
  name: string
  knobs: Readonly<Record<string, string>>
  /** Where its calls go in; the scenario's entry unless said. */
  entry: { service: string; port: number }
}

export interface Knob {
  about: string
  /** The first is the default. */
  values: readonly string[]
  /** By value: the variables of the compose file that it sets. */
  variables: Readonly<Record<string, Readonly<Record<string, string>>>>
}

export interface Step {
  name: string
  knobs: Readonly<Record<string, string>>
  /** Services ended, then services started, before the calls. */
  stop: readonly string[]
  start: readonly string[]
  /** Values set in the runtime of proxies, by service. */
  runtime: Readonly<Record<string, Readonly<Record<string, string>>>>
  /** Done one after the other before the calls, and before what `waitFor` waits for. */
  before: readonly Call[]
  /** By proxy: what its stats must say before the calls are made: a host is back, a health check has passed. */
  waitFor: Readonly<Record<string, Readonly<Record<string, Bound>>>>
  calls?: Calls
  /** Done one after the other while the calls are on their way. */
  during: readonly Meanwhile[]
  expect: Expectations
  /** `hopscope`: holds for our sidecar alone, for this reason. */
  only?: { proxy: 'hopscope'; reason: string }
}

/** A number, or `>= 3`, `<= 3`, `3..5`. */
export type Bound = number | string

/** One request beside those of the step. */
export interface Call {
  service: string
  port: number
  path: string
}

/**
 * While calls are on their way, or held somewhere: wait until stats have grown so far since the step began, make a call beside
 * them, end or start services, turn knobs.
 */
export type Meanwhile =
  | { until: Readonly<Record<string, Readonly<Record<string, Bound>>>> }
  | { call: Call }
  | { stop: readonly string[] }
  | { start: readonly string[] }
  | { knobs: Readonly<Record<string, string>> }

export interface Calls {
  /** Where they go; the scenario's entry unless said. */
  to?: { service: string; port: number }
  method: string
  path: string
  headers: Readonly<Record<string, string>>
  body?: string
  count: number
  /** How many at a time. */
  parallel: number
  /** So many make all of these calls, each for itself. */
  threads: number
}

/**
 * What must come out. Texts may hold `$traceId` and `$requestId`: what the last answer said in x-b3-traceid and
 * x-request-id. A text between slashes is a regular expression.
 */
export interface Expectations {
  /** How many answers had which status. */
  status?: Readonly<Record<string, number>>
  /** The statuses in the order of the calls. */
  statuses?: readonly number[]
  /** Milliseconds from the call to the end of its answer, of each of them. */
  took?: { minMs: number; maxMs: number }
  /** Headers of every answer; null: absent. */
  headers?: Readonly<Record<string, string | null>>
  /** A text for the whole body, or a part of the JSON that it is. */
  body?: unknown
  /** `body.name` or `header.x-served-by`: how many answers had which value there. */
  counts?: Readonly<Record<string, Readonly<Record<string, Bound>>>>
  /** `body.name` or `header.x-served-by`: how often each value came, whichever values they are; the most frequent first. */
  spread?: Readonly<Record<string, readonly number[]>>
  /** By proxy: what its counters must have grown by since the step began. */
  stats?: Readonly<Record<string, Readonly<Record<string, Bound>>>>
  /** The trace of the last call, in trace text. */
  trace?: string
  /**
   * Spans of the trace of the last call begin within the time of their parent (two processes' clocks may be 5 ms apart),
   * and end at most 2 s after it: a proxy notes the end of a call after its peer has read the answer.
   */
  nested?: boolean
  /** In the trace of the last call: how many of the spans that are like `spans` (parts of Zipkin JSON) were open at once, at most. */
  overlap?: readonly { spans: unknown; most: Bound }[]
  /** In the trace of the last call: ms from the end of each span that is like `spans` to the beginning of the next. */
  gaps?: readonly { spans: unknown; ms: readonly Bound[] }[]
  /**
   * In the trace of the last call: how many of the spans that are like `spans` its end waited for, and for how many ms it was they
   * that were waited for, and none of their children.
   */
  criticalPath?: readonly { spans: unknown; count?: Bound; ms?: Bound }[]
  /** All traces that began since the step began, in any order, and no other. */
  traces?: readonly string[]
  /** Parts of spans (Zipkin JSON): each must be found in the traces that began since the step began. */
  spans?: readonly unknown[]
  /** `client -> orders`: calls since the step began; all links that there are. */
  links?: Readonly<Record<string, number>>
  /** A percentile of the calls is at most factor × that of an earlier step + plus_ms. */
  p50?: AgainstEarlier
  p80?: AgainstEarlier
  p95?: AgainstEarlier
  p99?: AgainstEarlier
  /** By service: how many lines like this it must have written since the step began. */
  output?: Readonly<Record<string, Readonly<Record<string, Bound>>>>
}

/** Those that can be expected. */
export const PERCENTILES = [50, 80, 95, 99] as const

export interface AgainstEarlier {
  of: string
  factor: number
  plusMs: number
}
