import { randomFillSync } from 'node:crypto'

/** Makes span and trace ids: 64 random bits as 16 lower-hex characters, never all zero. */
export interface IdGenerator {
  next(): string
}

const POOL_BYTES = 4096

/** Random bytes are fetched by the pool, not by the id: a call to the system for every 512 ids. `fill` is for tests. */
export function createIdGenerator(fill: (bytes: Uint8Array) => void = randomFillSync): IdGenerator {
  const pool = Buffer.alloc(POOL_BYTES)
  let at = POOL_BYTES
  return {
    next() {
      for (;;) {
        if (at === POOL_BYTES) {
          fill(pool)
          at = 0
        }
        at += 8
        const id = pool.toString('hex', at - 8, at)
        if (id !== '0000000000000000') return id
      }
    },
  }
}
