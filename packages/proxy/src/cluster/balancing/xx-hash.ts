const P1 = 11400714785074694791n
const P2 = 14029467366897019727n
const P3 = 1609587929392839161n
const P4 = 9650029242287828579n
const P5 = 2870177450012600261n

const u64 = (n: bigint): bigint => BigInt.asUintN(64, n)
const rotl = (n: bigint, bits: bigint): bigint => u64((n << bits) | (n >> (64n - bits)))
const round = (sum: bigint, lane: bigint): bigint => u64(rotl(u64(sum + lane * P2), 31n) * P1)
const merge = (hash: bigint, sum: bigint): bigint => u64((hash ^ round(0n, sum)) * P1 + P4)

/** xxHash64 of a text's bytes: what Envoy hashes hosts, headers and cookies with. (github.com/Cyan4973/xxHash, the specification) */
export function xxHash64(text: string, seed = 0n): bigint {
  const bytes = Buffer.from(text, 'latin1')
  let at = 0
  let hash: bigint
  if (bytes.length >= 32) {
    const sums = [u64(seed + P1 + P2), u64(seed + P2), seed, u64(seed - P1)]
    for (; at + 32 <= bytes.length; at += 32)
      for (let i = 0; i < 4; i++) sums[i] = round(sums[i]!, bytes.readBigUInt64LE(at + 8 * i))
    const [a, b, c, d] = sums as [bigint, bigint, bigint, bigint]
    hash = u64(rotl(a, 1n) + rotl(b, 7n) + rotl(c, 12n) + rotl(d, 18n))
    for (const sum of sums) hash = merge(hash, sum)
  } else hash = u64(seed + P5)
  hash = u64(hash + BigInt(bytes.length))
  for (; at + 8 <= bytes.length; at += 8) hash = u64(rotl(hash ^ round(0n, bytes.readBigUInt64LE(at)), 27n) * P1 + P4)
  if (at + 4 <= bytes.length) {
    hash = u64(rotl(hash ^ u64(BigInt(bytes.readUInt32LE(at)) * P1), 23n) * P2 + P3)
    at += 4
  }
  for (; at < bytes.length; at++) hash = u64(rotl(hash ^ u64(BigInt(bytes[at]!) * P5), 11n) * P1)
  hash = u64((hash ^ (hash >> 33n)) * P2)
  hash = u64((hash ^ (hash >> 29n)) * P3)
  return hash ^ (hash >> 32n)
}
