import type { ServiceConfig } from '../config.ts'
import type { Random } from './random.ts'

/** Tells for each request in turn whether it fails: every n-th surely, any by chance. */
export function createErrors({ every, rate }: ServiceConfig['errors'], random: Random): () => boolean {
  let served = 0
  return () => {
    served++
    if (every > 0 && served % every === 0) return true
    return rate > 0 && random() < rate
  }
}
