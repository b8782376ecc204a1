/** Mulberry32: numbers in [0, 1), the same for the same seed. */
export function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

export const REQUESTS = [
  'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET /x?y=1 HTTP/1.1\r\nhost: a\r\naccept: */*\r\nx-b3-traceid: 463ac35c9f6413ad\r\n\r\n',
  'POST /p HTTP/1.1\r\nhost: a\r\ncontent-length: 11\r\n\r\nhello world',
  'POST /c HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n\r\n',
  'PUT /t HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\ntrailer: x\r\n\r\n1\r\na\r\n0\r\nx: 1\r\n\r\n',
  'POST /1 HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabcGET /2 HTTP/1.1\r\nhost: a\r\n\r\n',
  'POST /1 HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nPOST /2 HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\n\r\nz',
  'POST /0 HTTP/1.0\r\nhost: a\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\nhi',
  'GET /fold HTTP/1.1\r\nhost: a\r\nx: 1\r\n  2\r\ncontent-length: 1\r\n\r\na',
  'DELETE http://b.test/d HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n',
]

export const RESPONSES = [
  'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello',
  'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
  'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3;a\r\nabc\r\n0\r\nx: 1\r\n\r\n',
  'HTTP/1.1 204 No Content\r\nserver: x\r\n\r\n',
  'HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n',
  'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\nhi',
  'HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 1\r\n\r\na',
  'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhiHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n',
  'HTTP/1.1 503 Service Unavailable\r\nset-cookie: a=1\r\nset-cookie: b=2\r\ncontent-length: 4\r\nconnection: close\r\n\r\nbusy',
]

/** What has broken parsers before. */
const PIECES = [
  '\r', '\n', '\r\n', '\r\n\r\n', '\n\n', '\r\r\n', ' ', '\t', '\v', '\f', '\0', '\x7f', '\x85', '\xa0', '\xff', ':', ';', ',', '"', '+', '-', '0x', '0', '1', 'a', 'F',
  'content-length: 1\r\n', 'Content-Length: 5\r\n', 'content-length:\r\n 5\r\n', 'content-length : 5\r\n', 'content-length: 1, 1\r\n', ' content-length: 5\r\n',
  'content_length: 5\r\n', 'content-length\0: 5\r\n', 'transfer-encoding: chunked\r\n', 'Transfer-Encoding: CHUNKED\r\n', 'transfer-encoding: identity\r\n',
  'transfer-encoding:\r\n chunked\r\n', 'transfer-encoding: gzip, chunked\r\n', 'transfer-encoding: chunked, identity\r\n', 'transfer-encoding: "chunked"\r\n',
  'transfer-encoding: xchunked\r\n', 'transfer-encoding: chunked \r\n', 'transfer-encoding:\x0bchunked\r\n', 'x: a\r\n b\r\n', 'connection: close\r\n',
  'connection: upgrade\r\nupgrade: websocket\r\n', 'expect: 100-continue\r\n', '0\r\n\r\n', '1\r\n', '00000001\r\n', 'ffffffffffffffff\r\n', '5 \r\n', '5;\r\n', '5;a="\r\n"\r\n',
  'GET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n', 'HTTP/1.1', 'HTTP/1.0', 'HTTP/1.2', 'HTTP/2.0', 'HEAD', 'CONNECT',
] // biome-ignore format: a table

export function mutate(text: string, all: readonly string[], random: () => number): string {
  const below = (limit: number) => Math.floor(random() * limit)
  const one = (list: readonly string[]) => list[below(list.length)]!
  let mutated = text
  for (let times = 1 + below(3); times > 0; times--) {
    const at = below(mutated.length + 1)
    switch (below(8)) {
      case 0:
        mutated = mutated.slice(0, at) + String.fromCharCode(below(256)) + mutated.slice(at + 1)
        break
      case 1:
        mutated = mutated.slice(0, at) + mutated.slice(at + 1 + below(4))
        break
      case 2:
        mutated = mutated.slice(0, at) + one(PIECES) + mutated.slice(at)
        break
      case 3: {
        // At the beginning of a line, where fields stand.
        const line = mutated.indexOf('\n', at) + 1
        mutated = mutated.slice(0, line) + one(PIECES) + mutated.slice(line)
        break
      }
      case 4: {
        // A line twice, perhaps elsewhere.
        const lines = mutated.split('\r\n')
        lines.splice(below(lines.length), 0, one(lines))
        mutated = lines.join('\r\n')
        break
      }
      case 5:
        mutated = mutated.slice(0, at) + one(all).slice(below(20))
        break
      case 6:
        mutated += one(all)
        break
      case 7: {
        const from = below(mutated.length)
        const to = from + below(8)
        const piece = mutated.slice(from, to)
        const turned = piece === piece.toUpperCase() ? piece.toLowerCase() : piece.toUpperCase()
        mutated = mutated.slice(0, from) + turned + mutated.slice(to)
        break
      }
    }
  }
  return mutated
}
