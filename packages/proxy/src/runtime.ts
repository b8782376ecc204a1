import type { RuntimeLayer, RuntimeValue } from '@hopscope/envoy-config'

/** Envoy's layered runtime: later layers win; the admin layer is written by `POST /runtime_modify`. */
export class Runtime {
  readonly layers: readonly RuntimeLayer[]

  constructor(layers: readonly RuntimeLayer[]) {
    this.layers = layers
  }

  get(key: string): RuntimeValue | undefined {
    for (let i = this.layers.length - 1; i >= 0; i--) {
      const value = this.layers[i]!.values.get(key)
      if (value !== undefined) return value
    }
    return undefined
  }

  /** The number at `key`, or the default when there is none. */
  number(key: string, defaultValue: number): number {
    const value = this.get(key)
    const number = typeof value === 'number' ? value : typeof value === 'string' ? Number(value) : Number.NaN
    return Number.isFinite(number) ? number : defaultValue
  }
}
