const MULTIPLIER = 0xc6a4a7935bd1e995n
const SEED = 0xc70f6907n

const u64 = (n: bigint): bigint => BigInt.asUintN(64, n)
const mix = (n: bigint): bigint => n ^ (n >> 47n)

/** MurmurHash2, 64 bits, as `std::hash` of GNU's C++ library has it: rings that were made before Envoy took xxHash. */
export function murmurHash64(text: string): bigint {
  const bytes = Buffer.from(text, 'latin1')
  let hash = u64(SEED ^ u64(BigInt(bytes.length) * MULTIPLIER))
  let at = 0
  for (; at + 8 <= bytes.length; at += 8) {
    const data = u64(mix(u64(bytes.readBigUInt64LE(at) * MULTIPLIER)) * MULTIPLIER)
    hash = u64((hash ^ data) * MULTIPLIER)
  }
  if (at < bytes.length) {
    let rest = 0n
    for (let i = bytes.length - 1; i >= at; i--) rest = (rest << 8n) | BigInt(bytes[i]!)
    hash = u64((hash ^ rest) * MULTIPLIER)
  }
  return mix(u64(mix(hash) * MULTIPLIER))
}
