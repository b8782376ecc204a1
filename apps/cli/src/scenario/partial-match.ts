/**
 * Whether a value has at least what is expected: every expected key of a map, every expected item of a list in its place, the
 * same scalar. An expected text between slashes is a regular expression. Returns what differs, with its path; undefined: nothing.
 */
export function partialMismatch(expected: unknown, actual: unknown, path = ''): string | undefined {
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual)) return `${path || 'it'}: expected a list, got ${show(actual)}`
    if (actual.length !== expected.length)
      return `${path || 'it'}: expected ${expected.length} items, got ${actual.length}`
    return first(expected.map((item, i) => partialMismatch(item, actual[i], `${path}[${i}]`)))
  }
  if (expected !== null && typeof expected === 'object') {
    if (actual === null || typeof actual !== 'object') return `${path || 'it'}: expected a map, got ${show(actual)}`
    const fields = actual as Record<string, unknown>
    return first(
      Object.entries(expected).map(([key, item]) =>
        partialMismatch(item, fields[key], path === '' ? key : `${path}.${key}`),
      ),
    )
  }
  if (typeof expected === 'string')
    return textMatches(expected, actual) ? undefined : `${path || 'it'}: expected ${expected}, got ${show(actual)}`
  return expected === actual ? undefined : `${path || 'it'}: expected ${show(expected)}, got ${show(actual)}`
}

export function textMatches(expected: string, actual: unknown): boolean {
  const pattern = /^\/(.*)\/$/s.exec(expected)?.[1]
  if (pattern !== undefined) return typeof actual === 'string' && new RegExp(pattern).test(actual)
  return actual === expected || (typeof actual === 'number' && String(actual) === expected)
}

function first(mismatches: (string | undefined)[]): string | undefined {
  return mismatches.find(mismatch => mismatch !== undefined)
}

function show(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value)
}
