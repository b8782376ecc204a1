import type { RuntimeLayer, RuntimeValue } from '@hopscope/envoy-config'

/** Envoy's layered runtime: later layers win; the admin layer is written by `POST /runtime_modify`. */
export class Runtime {
  readonly layers: readonly RuntimeLayer[]
  /** What `modify` wrote, in place of the admin layer's (always empty) own values. */
  readonly #overrides = new Map<string, RuntimeValue>()
  /** What counts of all layers: asked several times for every request. */
  #merged = new Map<string, RuntimeValue>()
  /** Another one after every change, for those who keep what they were told. */
  version = 0

  constructor(layers: readonly RuntimeLayer[]) {
    this.layers = layers.map(layer => (layer.kind === 'admin' ? { ...layer, values: this.#overrides } : layer))
    this.#merge()
  }

  get(key: string): RuntimeValue | undefined {
    return this.#merged.size === 0 ? undefined : this.#merged.get(key)
  }

  #merge(): void {
    this.#merged = new Map(this.layers.flatMap(layer => [...layer.values]))
    this.version++
  }

  /** The number at `key`, or the default when there is none. */
  number(key: string, defaultValue: number): number {
    const value = this.get(key)
    const number =
      typeof value === 'number' ? value : typeof value === 'string' && value !== '' ? Number(value) : Number.NaN
    return Number.isFinite(number) ? number : defaultValue
  }

  /**
   * Whether `draw` (a whole number, 0 up) falls into the share at `key`, or into `share` when the runtime has nothing there.
   * A runtime value is a percentage; anything above 100 is always (Envoy's `featureEnabled`).
   */
  enabled(key: string, share: Share, draw: number): boolean {
    const value = this.get(key)
    const percent =
      typeof value === 'number' ? value : typeof value === 'string' ? Number.parseFloat(value) : Number.NaN
    if (percent > 100) return true
    if (percent >= 0) return inShare(shareOf(percent), draw)
    return inShare(share, draw)
  }

  /** A switch: `true` or `false`; whatever else is there leaves the default. */
  flag(key: string, defaultValue: boolean): boolean {
    const value = key === '' ? undefined : this.get(key)
    return typeof value === 'boolean' ? value : defaultValue
  }

  /** Writes into the admin layer; an empty value takes the key out of it. */
  modify(changes: Iterable<readonly [key: string, value: string]>): 'ok' | 'no admin layer' {
    if (!this.layers.some(layer => layer.kind === 'admin')) return 'no admin layer'
    for (const [key, value] of changes) {
      if (value === '') this.#overrides.delete(key)
      else this.#overrides.set(key, parseRuntimeValue(value))
    }
    this.#merge()
    return 'ok'
  }
}

/** `numerator` of `denominator`. */
export interface Share {
  numerator: number
  denominator: 100 | 10_000 | 1_000_000
}

/** A percentage as Envoy holds it: whole ones of 100, others of 10 000. Which one it is decides for whom the share is. */
export function shareOf(percent: number): Share {
  return Number.isInteger(percent)
    ? { numerator: percent, denominator: 100 }
    : { numerator: Math.round(percent * 100), denominator: 10_000 }
}

export function inShare(share: Share, draw: number): boolean {
  return draw % share.denominator < share.numerator
}

function parseRuntimeValue(text: string): RuntimeValue {
  if (text === 'true' || text === 'false') return text === 'true'
  const number = Number(text)
  return text.trim() !== '' && Number.isFinite(number) ? number : text
}
