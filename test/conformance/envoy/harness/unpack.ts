import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib'
import type { Observation } from './observe.ts'

const DECODERS: Readonly<Record<string, (bytes: Uint8Array) => Buffer>> = {
  gzip: gunzipSync,
  br: brotliDecompressSync,
  zstd: zstdDecompressSync,
}

/**
 * Puts what is in compressed bodies of either direction in their place, and takes out how many bytes they had but for this: whether
 * what comes again was found.
 */
export function unpack(observation: Observation): void {
  for (const answer of [...observation.answers.flat(), ...Object.values(observation.upstream).flat()]) {
    const encoding = answer.head.map(line => /^content-encoding: (.*)$/i.exec(line)?.[1]).find(one => one !== undefined)
    const decode = DECODERS[encoding ?? '']
    if (decode === undefined || answer.body === '') continue
    try {
      const { length } = answer.body
      answer.body = decode(Buffer.from(answer.body, 'latin1')).toString('latin1')
      if (length < answer.body.length / 2) answer.head.push('(less than half)')
    } catch {
      // Said to be encoded, and not: as it came.
    }
  }
  for (const name of Object.keys(observation.stats)) {
    if (/total_compressed_bytes$|(down|up)stream_cx_tx_bytes_total$/.test(name)) delete observation.stats[name]
  }
  observation.accessLog = observation.accessLog.map(line => line.replace(/ tx=\d+/, ' tx=<bytes>'))
}
