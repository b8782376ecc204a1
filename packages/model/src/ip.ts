import type { Endpoint } from './span.ts'

const DOTTED_QUAD = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/
/** Mapped (`::ffff:1.2.3.4`) or compatible (`::1.2.3.4`, `::0000:1.2.3.4`): IPv4 to Zipkin. No other dotted tail is read. */
const V4_TAIL = /^::(?:ffff:|0000:)?(\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3})$/i
const V6_GROUP = /^[0-9a-f]{1,4}$/i

/**
 * An IP literal as Zipkin files it: `{ipv4}` as written, or `{ipv6}` in lower case, shortened. Undefined when the text
 * is no literal (host name, brackets, zone, port), which Zipkin ignores without a word.
 *
 *     010.001.1.1        → ipv4 010.001.1.1
 *     ::FFFF:43.0.192.2  → ipv4 43.0.192.2
 *     ::ffff:2b00:c002   → ipv6 ::ffff:2b00:c002
 *     2001:DB8::C001     → ipv6 2001:db8::c001
 */
export function parseIp(text: string): Pick<Endpoint, 'ipv4' | 'ipv6'> | undefined {
  if (isIpv4(text)) return { ipv4: text }
  const tail = V4_TAIL.exec(text)?.[1]
  if (tail !== undefined && isIpv4(tail)) return { ipv4: tail }
  const groups = parseIpv6Groups(text)
  return groups && { ipv6: formatIpv6(groups) }
}

/**
 * 16 bytes, as protobuf and thrift carry them: 96 zero bits before an IPv4 address (but not `::1`) mean IPv4,
 * everything else, mapped addresses too, is IPv6. All zero is no address.
 */
export function ipFromV6Bytes(bytes: Uint8Array): Pick<Endpoint, 'ipv4' | 'ipv6'> | undefined {
  if (bytes.length !== 16) return undefined
  const groups: number[] = []
  for (let i = 0; i < 16; i += 2) groups.push((bytes[i]! << 8) | bytes[i + 1]!)
  const leadingZeros = groups.findIndex(group => group !== 0)
  const isLoopback = leadingZeros === 7 && groups[7] === 1
  if ((leadingZeros === 6 || leadingZeros === 7) && !isLoopback) return { ipv4: bytes.subarray(12).join('.') }
  return { ipv6: formatIpv6(groups) }
}

function isIpv4(text: string): boolean {
  const parts = DOTTED_QUAD.exec(text)
  return parts !== null && [1, 2, 3, 4].every(i => Number(parts[i]) <= 255)
}

function parseIpv6Groups(text: string): number[] | undefined {
  if (text.length < 2 || text.length > 45) return undefined
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const left = parseGroups(halves[0]!)
  const right = halves.length === 2 ? parseGroups(halves[1]!) : []
  if (!left || !right) return undefined
  const missing = 8 - left.length - right.length
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined
  return [...left, ...new Array<number>(missing).fill(0), ...right]
}

function parseGroups(text: string): number[] | undefined {
  if (text === '') return []
  const groups: number[] = []
  for (const part of text.split(':')) {
    if (!V6_GROUP.test(part)) return undefined
    groups.push(Number.parseInt(part, 16))
  }
  return groups
}

/**
 * Zipkin's own shortening, which is not RFC 5952: a run of zeros that reaches the end counts only when there is no
 * earlier one, and a single zero group may be the run.
 */
function formatIpv6(groups: readonly number[]): string {
  let bestStart = -1
  let bestLength = 0
  for (let i = 0; i < 8; ) {
    if (groups[i] !== 0) {
      i++
      continue
    }
    const start = i
    while (i < 8 && groups[i] === 0) i++
    const reachesEnd = i === 8
    if (reachesEnd ? bestStart === -1 : i - start > bestLength) {
      bestStart = start
      bestLength = i - start
    }
  }
  const hex = groups.map(group => group.toString(16))
  if (bestStart === -1) return hex.join(':')
  return `${hex.slice(0, bestStart).join(':')}::${hex.slice(bestStart + bestLength).join(':')}`
}
