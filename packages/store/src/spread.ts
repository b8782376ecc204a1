const GOLDEN = (Math.sqrt(5) - 1) / 2

/** 0 to count - 1, each once, in an order of which any beginning is spread evenly. (golden ratio sequence) */
export function* spread(count: number): Generator<number> {
  // A step that has no divisor in common with the count comes to every place.
  let step = Math.max(1, Math.round(count * GOLDEN))
  while (divisor(step, count) > 1) step++
  for (let i = 0, at = 0; i < count; i++) {
    yield at
    at = (at + step) % count
  }
}

function divisor(a: number, b: number): number {
  return b === 0 ? a : divisor(b, a % b)
}
