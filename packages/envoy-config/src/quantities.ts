export type Milliseconds = number

/** 0..100, from a Percent or FractionalPercent of any denominator. */
export type Percent = number

/** envoy.type.v3.FractionalPercent: so many of so many. */
export interface Fraction {
  numerator: number
  denominator: 100 | 10_000 | 1_000_000
}

/** envoy.config.core.v3.RuntimeFractionalPercent */
export interface RuntimeFraction {
  defaultValue: Fraction
  /** "": the runtime has no word in it. */
  runtimeKey: string
}
