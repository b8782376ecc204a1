import { parseRuntimeValue, type RuntimeLayer, type RuntimeValue } from '@hopscope/envoy-config'
import { readDiskLayer } from './runtime-layers/read-disk-layer.ts'

/** What a reading of all layers came to. */
export interface RuntimeLoad {
  /** A disk layer could not be read, and is not there. */
  failed: boolean
  diskLayers: number
}

/** A layer as it counts now. */
export interface LoadedLayer {
  name: string
  kind: RuntimeLayer['kind']
  values: ReadonlyMap<string, RuntimeValue>
  /** What was written down, where that can be told from the value. */
  texts?: ReadonlyMap<string, string>
}

/**
 * Envoy's layered runtime: later layers win; the admin layer is written by `POST /runtime_modify`. Layers on the disk are those whose
 * directories are there.
 */
export class Runtime {
  #layers: readonly LoadedLayer[] = []
  readonly #configured: readonly RuntimeLayer[]
  /** What `modify` wrote, in place of the admin layer's (always empty) own values. */
  readonly #overrides = new Map<string, RuntimeValue>()
  /** What counts of all layers: asked several times for every request. */
  #merged = new Map<string, RuntimeValue>()
  /** Another number after every change, for those who keep what they have read. */
  version = 0
  lastLoad: RuntimeLoad
  onLoad: (load: RuntimeLoad) => void = () => {}

  constructor(layers: readonly RuntimeLayer[]) {
    this.#configured = layers
    this.lastLoad = this.load()
  }

  get layers(): readonly LoadedLayer[] {
    return this.#layers
  }

  /** Reads all layers anew, those on the disk too. */
  load(): RuntimeLoad {
    const load = { failed: false, diskLayers: 0 }
    this.#layers = this.#configured.flatMap((layer): LoadedLayer | [] => {
      const { name, kind, disk, values } = layer
      if (disk === undefined) return { name, kind, values: kind === 'admin' ? this.#overrides : values }
      try {
        const texts = readDiskLayer(disk.directory)
        if (texts === undefined) return []
        load.diskLayers++
        return { name, kind, texts, values: new Map([...texts].map(([key, text]) => [key, parseRuntimeValue(text)])) }
      } catch {
        load.failed = true
        return []
      }
    })
    this.#merged = new Map(this.#layers.flatMap(layer => [...layer.values]))
    this.version++
    this.lastLoad = load
    this.onLoad(load)
    return load
  }

  get(key: string): RuntimeValue | undefined {
    return this.#merged.size === 0 ? undefined : this.#merged.get(key)
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
    if (!this.#configured.some(layer => layer.kind === 'admin')) return 'no admin layer'
    for (const [key, value] of changes) {
      if (value === '') this.#overrides.delete(key)
      else this.#overrides.set(key, parseRuntimeValue(value))
    }
    this.load()
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
