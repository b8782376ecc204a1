import { isIPv4 } from 'node:net'

/** `10.1.2.3` with 16 bits is `10.1.0.0/16`. */
export function maskedAddress(ip: string, bits: number): string {
  if (isIPv4(ip)) {
    const bytes = ip.split('.').map(Number)
    return `${bytes.map((byte, i) => byte & maskByte(bits - 8 * i)).join('.')}/${bits}`
  }
  const groups = expand(ip)
  const masked = groups.map((group, i) => {
    const high = maskByte(bits - 16 * i)
    const low = maskByte(bits - 16 * i - 8)
    return group & ((high << 8) | low)
  })
  return `${compress(masked)}/${bits}`
}

/** The byte that keeps its first `bits`. */
function maskByte(bits: number): number {
  return bits >= 8 ? 0xff : bits <= 0 ? 0 : (0xff << (8 - bits)) & 0xff
}

function expand(ip: string): number[] {
  const [head = '', tail] = ip.split('::')
  const read = (part: string): number[] => (part === '' ? [] : part.split(':').map(group => Number.parseInt(group, 16)))
  const first = read(head)
  const last = tail === undefined ? [] : read(tail)
  return [...first, ...new Array<number>(8 - first.length - last.length).fill(0), ...last]
}

/** As addresses are written: the longest row of zeros is `::`. */
function compress(groups: readonly number[]): string {
  const text = groups.map(group => group.toString(16)).join(':')
  const rows = [...text.matchAll(/(?:^|:)0(?::0)+(?=:|$)/g)].sort((a, b) => b[0].length - a[0].length)
  const row = rows[0]
  if (row === undefined) return text
  return `${text.slice(0, row.index)}::${text.slice(row.index + row[0].length).replace(/^:/, '')}`
}
