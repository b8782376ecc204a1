/** A number in [0, 1). */
export type Random = () => number

/** A small generator (mulberry32) that gives the same numbers for the same seed, everywhere. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** An integer in [0, below). */
export function randomInteger(random: Random, below: number): number {
  return Math.floor(random() * below)
}

export function pick<T>(random: Random, values: readonly T[]): T {
  return values[randomInteger(random, values.length)]!
}

/** Lower hex, never all zero. */
export function randomHex(random: Random, length: number): string {
  let text = ''
  while (text.length < length) text += (1 + randomInteger(random, 15)).toString(16)
  return text
}
