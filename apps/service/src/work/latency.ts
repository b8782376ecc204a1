import type { ServiceConfig } from '../config.ts'
import type { Milliseconds } from '../duration.ts'
import type { Random } from './random.ts'

/**
 * How long a request works. Half of them take p50, the next 40 % p90, the last 10 % p99 (fake-service), each longer or
 * shorter by up to the variance.
 */
export function drawLatency(timing: ServiceConfig['timing'], random: Random): Milliseconds {
  const rank = random()
  const base = rank < 0.5 ? timing.p50 : rank < 0.9 ? timing.p90 : timing.p99
  if (timing.variancePercent === 0) return base
  return base * (1 + ((random() * 2 - 1) * timing.variancePercent) / 100)
}
