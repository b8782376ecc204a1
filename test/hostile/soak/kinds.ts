/** What may come of a request of one kind, and how its upstream behaves. */
export interface Kind {
  /** Statuses that may come beside 200. */
  mayBe: readonly number[]
  /** How often it is asked for, beside the others. */
  weight: number
  /** The answer may begin before the request's body has come; then the connection is over with it. */
  early?: boolean
  /** The answer may end in the middle. */
  mayBeCut?: boolean
  /** Answered by the sidecar itself. */
  local?: boolean
  /** The upstream sees it once and no more, unless the client leaves. */
  once?: boolean
  /** Lines in the access log and spans: each leg of an internal redirect has its own. */
  legs?: number
  /** Never with a body, or always an empty answer. */
  bodiless?: boolean
}

const KINDS_BY_NAME = {
  plain: { mayBe: [], weight: 20, once: true },
  slow: { mayBe: [], weight: 5, once: true },
  trickle: { mayBe: [], weight: 5, once: true },
  chunked: { mayBe: [], weight: 8, once: true },
  interim: { mayBe: [], weight: 3, once: true },
  unsized: { mayBe: [503], weight: 3 },
  early: { mayBe: [], weight: 4, early: true },
  once: { mayBe: [503], weight: 4 },
  rude: { mayBe: [500, 502, 503, 504], weight: 6, mayBeCut: true, early: true },
  flaky: { mayBe: [500, 503], weight: 5 },
  hedged: { mayBe: [], weight: 5 },
  mirrored: { mayBe: [], weight: 6, once: true },
  buffered: { mayBe: [413], weight: 5, early: true },
  gzip: { mayBe: [], weight: 5, once: true },
  moved: { mayBe: [], weight: 5, once: true, legs: 2 },
  delayed: { mayBe: [], weight: 3, once: true },
  tight: { mayBe: [503], weight: 4, early: true },
  empty: { mayBe: [204, 304], weight: 3, once: true, bodiless: true },
  direct: { mayBe: [], weight: 3, early: true, local: true },
  absent: { mayBe: [404], weight: 3, early: true, local: true },
  dead: { mayBe: [503], weight: 2, early: true, local: true },
} satisfies Record<string, Kind>

export type KindName = keyof typeof KINDS_BY_NAME

export const KINDS: Record<KindName, Kind> = KINDS_BY_NAME

export const KIND_NAMES = Object.keys(KINDS) as KindName[]

/** Of which kinds an upstream is wanted; each has a cluster of its own. */
export const UPSTREAM_KINDS = KIND_NAMES.filter(name => KINDS[name].local !== true)
