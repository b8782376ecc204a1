import type { RuntimeFlag } from '../http-filters/compression.ts'
import type { Fraction, Percent, RuntimeFraction } from '../quantities.ts'
import type { Message } from '../schema/message.ts'

/** Of an envoy.type.v3.Percent. */
export function parsePercent(message: Message | undefined, absent: Percent): Percent {
  return message === undefined ? absent : message.number('value')
}

const denominators = { HUNDRED: 100, TEN_THOUSAND: 10_000, MILLION: 1_000_000 }

/** Of an envoy.type.v3.FractionalPercent. */
export function parseFractionalPercent(message: Message | undefined, absent: Percent): Percent {
  if (message === undefined) return absent
  const denominator = denominators[message.enum<keyof typeof denominators>('denominator', 'HUNDRED')] ?? 100
  return (message.number('numerator') * 100) / denominator
}

/** Of an envoy.type.v3.FractionalPercent, with its denominator. */
export function parseFraction(message: Message | undefined, absent: Fraction): Fraction {
  if (message === undefined) return absent
  const denominator = denominators[message.enum<keyof typeof denominators>('denominator', 'HUNDRED')] ?? 100
  return { numerator: message.number('numerator'), denominator: denominator as Fraction['denominator'] }
}

/** Of an envoy.config.core.v3.RuntimeFractionalPercent. */
export function parseRuntimeFraction(message: Message | undefined, absent: Fraction): RuntimeFraction {
  return {
    defaultValue: parseFraction(message?.message('default_value'), absent),
    runtimeKey: message?.string('runtime_key') ?? '',
  }
}

/** Of an envoy.config.core.v3.RuntimeFeatureFlag. */
export function parseRuntimeFlag(message: Message | undefined, absent: boolean): RuntimeFlag {
  return {
    defaultValue: message?.boolean('default_value', absent) ?? absent,
    runtimeKey: message?.string('runtime_key') ?? '',
  }
}
