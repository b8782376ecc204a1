import { createRequire } from 'node:module'
import { isDeepStrictEqual } from 'node:util'
import { expect, test } from 'vitest'
import type { CodecError } from './codec-error.ts'
import { RequestDecoder } from './request-decoder.ts'
import { ResponseDecoder } from './response-decoder.ts'

/**
 * Mutated messages through our decoders, whole and in pieces, and through the parser inside Node (llhttp). Smuggling needs two
 * parsers that both accept the same bytes and see different messages in them: that is what must not be.
 * Seeds are fixed; a failure prints the bytes. A long run: HOPSCOPE_FUZZ_CASES=5000000 HOPSCOPE_FUZZ_SEED=7 npm test -- unit fuzz
 */
const CASES = Number(process.env.HOPSCOPE_FUZZ_CASES ?? 12_000)
const SEED = Number(process.env.HOPSCOPE_FUZZ_SEED ?? 1)
/** Milliseconds: ten times what it takes on a slow machine. */
const PATIENCE = 20_000 + CASES

interface Message {
  /** To tell them apart in a failure: `GET /path` or `200`. */
  line: string
  body: string
  complete: boolean
}

interface Verdict {
  messages: Message[]
  failed: boolean
}

// ── our decoders ───────────────────────────────────────────────────────────────────────────────────────────────────────────

function ourRequests(pieces: readonly Buffer[]): Verdict {
  const verdict: Verdict = { messages: [], failed: false }
  const decoder = new RequestDecoder(
    { maxHeadBytes: 60 * 1024, maxFields: 100, acceptHttp10: true },
    {
      onHead({ headers }) {
        if (verdict.failed) throw new Error('a head after a failure')
        const lengths = headers.getAll('content-length').length
        if (lengths > 1 || (lengths === 1 && headers.has('transfer-encoding'))) throw new Error('two framings')
        verdict.messages.push({ line: `${headers.method} ${headers.path}`, body: '', complete: false })
      },
      onData: chunk => {
        verdict.messages.at(-1)!.body += chunk.toString('latin1')
      },
      onEnd: () => {
        verdict.messages.at(-1)!.complete = true
      },
      onError(error: CodecError) {
        if (verdict.failed) throw new Error('failed twice')
        if (![400, 426, 431, 501].includes(error.status)) throw new Error(`status ${error.status}`)
        verdict.failed = true
      },
    },
  )
  for (const piece of pieces) {
    decoder.execute(piece)
    while (decoder.isDone) decoder.next()
  }
  return verdict
}

/** One response; `isHead` says to what. A verdict fails, too, when bytes are left over: the connection then ends. */
function ourResponse(pieces: readonly Buffer[], isHead: boolean): Verdict {
  const verdict: Verdict = { messages: [], failed: false }
  const decoder = new ResponseDecoder({
    onInformational() {},
    onHead({ headers }) {
      if (verdict.failed || verdict.messages.length > 0) throw new Error('a head too many')
      const lengths = headers.getAll('content-length').length
      if (lengths > 1 || (lengths === 1 && headers.has('transfer-encoding'))) throw new Error('two framings')
      verdict.messages.push({ line: String(headers.status), body: '', complete: false })
    },
    onData: chunk => {
      verdict.messages.at(-1)!.body += chunk.toString('latin1')
    },
    onEnd: () => {
      verdict.messages.at(-1)!.complete = true
    },
    onProtocolError() {
      if (verdict.failed) throw new Error('failed twice')
      verdict.failed = true
    },
  })
  decoder.expect(isHead)
  for (const piece of pieces) if (!decoder.execute(piece)) verdict.failed = true
  return verdict
}

// ── Node's ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** The part of Node's parser that is used here; what node:http itself is built on. */
interface NativeParser {
  [callback: number]: unknown
  initialize(type: number, resource: object): void
  execute(bytes: Buffer): number | Error
  close(): void
}

interface NativeParserClass {
  new (): NativeParser
  readonly REQUEST: number
  readonly RESPONSE: number
  readonly kOnHeaders: number
  readonly kOnHeadersComplete: number
  readonly kOnBody: number
  readonly kOnMessageComplete: number
}

const { HTTPParser } = createRequire(import.meta.url)('node:_http_common') as { HTTPParser: NativeParserClass }

function nodes(bytes: Buffer, kind: 'requests' | 'response', isHead = false): Verdict {
  const verdict: Verdict = { messages: [], failed: false }
  const parser = new HTTPParser()
  parser.initialize(kind === 'requests' ? HTTPParser.REQUEST : HTTPParser.RESPONSE, {})
  let informational = false
  let switched = false
  parser[HTTPParser.kOnHeaders] = () => {}
  parser[HTTPParser.kOnHeadersComplete] = (
    _major: number,
    _minor: number,
    _headers: string[],
    _method: number,
    url: string,
    status: number,
    _reason: string,
    upgrade: boolean,
  ): number => {
    // What follows an upgrade is no HTTP to llhttp. (The sidecar answers 403, or takes the wish out.)
    if (upgrade) switched = true
    informational = kind === 'response' && status < 200 && status !== 101
    if (informational) return 1
    const line = kind === 'requests' ? url : String(status)
    verdict.messages.push({ line, body: '', complete: false })
    // As node:http answers here: 1 is for no body.
    return kind === 'response' && (isHead || status === 101) ? 1 : 0
  }
  parser[HTTPParser.kOnBody] = (chunk: Buffer) => {
    verdict.messages.at(-1)!.body += chunk.toString('latin1')
  }
  parser[HTTPParser.kOnMessageComplete] = () => {
    if (!informational) verdict.messages.at(-1)!.complete = true
    informational = false
  }
  const outcome = parser.execute(bytes)
  verdict.failed = switched || typeof outcome !== 'number'
  parser.close()
  return verdict
}

// ── mutation ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Mulberry32: numbers in [0, 1), the same for the same seed. */
function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

const REQUESTS = [
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

const RESPONSES = [
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

function mutate(text: string, all: readonly string[], random: () => number): string {
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

function splitAtRandom(bytes: Buffer, random: () => number): Buffer[] {
  const pieces: Buffer[] = []
  for (let at = 0; at < bytes.length; ) {
    const end = at + 1 + Math.floor(random() * (random() < 0.3 ? 2 : bytes.length))
    pieces.push(bytes.subarray(at, end))
    at = end
  }
  return pieces
}

// ── comparison ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** What stood before a bad chunk may or may not have been handed on, as the reads fall: such a body says nothing. */
function settled({ messages, failed }: Verdict): Verdict {
  return {
    failed,
    messages: messages.map(message => (failed && !message.complete ? { ...message, body: '' } : message)),
  }
}

/**
 * llhttp takes a tab at the end of a value for a part of it, so that a response's `chunked<tab>` is no chunking to it. A tab there is a
 * blank (RFC 9110 §5.5), to Envoy as to us; and the framing of what we pass on is written anew.
 */
const TAB_AFTER_CHUNKED = /chunked[ \t]*\t[ \t]*\r?\n/i

/** Both say a message is there: then it is the same one. The reason why not, or undefined. */
function disagreement(ours: Verdict, theirs: Verdict): string | undefined {
  for (let i = 0; i < Math.min(ours.messages.length, theirs.messages.length); i++) {
    const a = ours.messages[i]!
    const b = theirs.messages[i]!
    if (a.complete !== b.complete) {
      // The one that did not see the end has refused it, or the two are at odds over where it is.
      const incomplete = a.complete ? theirs : ours
      return incomplete.failed ? undefined : `message ${i} is complete for one alone`
    }
    if (a.complete && a.body !== b.body) return `message ${i} has two bodies`
    if (!a.complete) return undefined
  }
  const [fewer, more] = ours.messages.length < theirs.messages.length ? [ours, theirs] : [theirs, ours]
  if (fewer.messages.length === more.messages.length || fewer.failed) return undefined
  return `${fewer.messages.length} and ${more.messages.length} messages`
}

const shown = (text: string, ours: Verdict, theirs?: Verdict) =>
  `${JSON.stringify(text)}\nours: ${JSON.stringify(ours)}${theirs === undefined ? '' : `\nNode's: ${JSON.stringify(theirs)}`}`

/** More than one Content-Length, or one and Transfer-Encoding, in the first head as a simple reader would see it. */
function framedTwice(text: string): boolean {
  const head = text.replace(/^[\r\n]+/, '').split(/\n\r?\n/, 1)[0]!
  const names = head.split(/\r?\n/).map(line => line.split(':', 1)[0]!.toLowerCase())
  const lengths = names.filter(name => name === 'content-length').length
  return lengths > 1 || (lengths === 1 && names.includes('transfer-encoding'))
}

test('mutated requests: one verdict however they arrive, one framing, and that is the one llhttp sees', {
  timeout: PATIENCE,
}, () => {
  const random = createRandom(SEED)
  let accepted = 0
  let compared = 0
  for (let i = 0; i < CASES; i++) {
    const text = mutate(REQUESTS[i % REQUESTS.length]!, REQUESTS, random)
    const bytes = Buffer.from(text, 'latin1')
    const whole = ourRequests([bytes])
    const split = ourRequests(splitAtRandom(bytes, random))
    if (!isDeepStrictEqual(settled(split), settled(whole))) expect.fail(`split: ${shown(text, whole, split)}`)
    const theirs = nodes(bytes, 'requests')
    const problem = disagreement(whole, theirs)
    if (problem !== undefined) expect.fail(`${problem}: ${shown(text, whole, theirs)}`)
    if (whole.messages.length > 0) {
      accepted++
      if (framedTwice(text)) expect.fail(`accepted with two framings: ${shown(text, whole)}`)
      if (theirs.messages.length > 0) compared++
    }
  }
  // The mutations are neither all harmless nor all fatal.
  expect(accepted).toBeGreaterThan(CASES / 5)
  expect(accepted).toBeLessThan((CASES * 4) / 5)
  expect(compared).toBeGreaterThan(CASES / 5)
})

test('mutated responses: likewise', { timeout: PATIENCE }, () => {
  const random = createRandom(SEED + 1)
  let accepted = 0
  let compared = 0
  for (let i = 0; i < CASES; i++) {
    const isHead = i % 11 === 0
    const text = mutate(RESPONSES[i % RESPONSES.length]!, RESPONSES, random)
    const bytes = Buffer.from(text, 'latin1')
    const whole = ourResponse([bytes], isHead)
    const split = ourResponse(splitAtRandom(bytes, random), isHead)
    if (!isDeepStrictEqual(settled(split), settled(whole))) expect.fail(`split: ${shown(text, whole, split)}`)
    const theirs = nodes(bytes, 'response', isHead)
    // Ours reads one response and then expects silence; node:http, too, lets go of a connection that says more.
    theirs.messages.splice(1)
    if (TAB_AFTER_CHUNKED.test(text)) continue
    const problem = disagreement(whole, theirs)
    if (problem !== undefined) expect.fail(`${problem}: ${shown(text, whole, theirs)}`)
    if (whole.messages.length > 0) {
      accepted++
      if (theirs.messages.length > 0) compared++
    }
  }
  expect(accepted).toBeGreaterThan(CASES / 5)
  expect(accepted).toBeLessThan((CASES * 4) / 5)
  expect(compared).toBeGreaterThan(CASES / 5)
})
