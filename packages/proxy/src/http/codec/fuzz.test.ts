import { createRequire } from 'node:module'
import { isDeepStrictEqual } from 'node:util'
import { expect, test } from 'vitest'
import type { CodecError } from './codec-error.ts'
import { RequestDecoder } from './request-decoder.ts'
import { ResponseDecoder } from './response-decoder.ts'
import { createRandom, mutate, REQUESTS, RESPONSES } from './testing/mutations.ts'

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
  const decoder = new ResponseDecoder(
    {
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
    },
    { headersCount: 100 },
  )
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
