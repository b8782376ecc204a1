/** One HTTP/1 message off the wire, its lines untouched. */
export interface Message {
  /** Start line, then header lines, as received. */
  head: string[]
  body: string
  framing: 'length' | 'chunked' | 'close' | 'none'
}

/**
 * Cuts a byte stream into HTTP/1 messages, without opinions: what stands in the lines is for the comparison to judge.
 * Interim (1xx) answers are messages of their own.
 */
export class HttpReader {
  readonly #kind: 'request' | 'response'
  #buffer = ''
  /** Methods of the requests that the next responses answer (HEAD has no body). */
  readonly expected: string[] = []

  constructor(kind: 'request' | 'response') {
    this.#kind = kind
  }

  /** Bytes that are no whole message yet. */
  get rest(): string {
    return this.#buffer
  }

  push(chunk: Uint8Array): Message[] {
    this.#buffer += Buffer.from(chunk).toString('latin1')
    const messages: Message[] = []
    for (let message = this.#take(false); message !== undefined; message = this.#take(false)) messages.push(message)
    return messages
  }

  /** The stream ended: a close-delimited body ends here, a cut-off message is returned as far as it came. */
  end(): Message[] {
    const last = this.#take(true)
    return last === undefined ? [] : [last]
  }

  #take(ended: boolean): Message | undefined {
    const end = this.#buffer.indexOf('\r\n\r\n')
    if (end === -1) {
      if (!ended || this.#buffer === '') return undefined
      const cut: Message = { head: [`(cut off) ${this.#buffer}`], body: '', framing: 'none' }
      this.#buffer = ''
      return cut
    }
    const head = this.#buffer.slice(0, end).split('\r\n')
    const field = (name: string) =>
      head
        .slice(1)
        .find(line => line.toLowerCase().startsWith(`${name}:`))
        ?.slice(name.length + 1)
        .trim()
    const start = end + 4
    const code = this.#kind === 'response' ? Number(head[0]!.split(' ')[1]) : 0
    const interim = code >= 100 && code < 200
    const method = interim ? undefined : this.expected[0]
    const done = (body: string, framing: Message['framing'], next: number): Message => {
      this.#buffer = this.#buffer.slice(next)
      if (this.#kind === 'response' && !interim) this.expected.shift()
      return { head, body, framing }
    }
    if (interim || method === 'HEAD' || code === 204 || code === 304) return done('', 'none', start)
    if (/chunked/i.test(field('transfer-encoding') ?? '')) {
      const chunked = readChunked(this.#buffer, start)
      if (chunked !== undefined) return done(chunked.body, 'chunked', chunked.next)
      return ended ? done(`(cut off) ${this.#buffer.slice(start)}`, 'chunked', this.#buffer.length) : undefined
    }
    const length = field('content-length')
    if (length !== undefined) {
      const next = start + Number(length)
      if (this.#buffer.length >= next) return done(this.#buffer.slice(start, next), 'length', next)
      return ended ? done(`(cut off) ${this.#buffer.slice(start)}`, 'length', this.#buffer.length) : undefined
    }
    if (this.#kind === 'request') return done('', 'none', start)
    return ended ? done(this.#buffer.slice(start), 'close', this.#buffer.length) : undefined
  }
}

function readChunked(buffer: string, start: number): { body: string; next: number } | undefined {
  let body = ''
  for (let at = start; ; ) {
    const line = buffer.indexOf('\r\n', at)
    if (line === -1) return undefined
    const size = Number.parseInt(buffer.slice(at, line), 16)
    if (Number.isNaN(size)) return { body: `${body}(bad chunk size)`, next: buffer.length }
    if (size === 0) {
      const end = buffer.indexOf('\r\n', line + 2) === line + 2 ? line + 4 : buffer.indexOf('\r\n\r\n', line) + 4
      if (end <= 3 || end > buffer.length) return undefined
      const trailers = buffer.slice(line + 2, end - 4)
      return { body: trailers === '' ? body : `${body} (trailers) ${trailers}`, next: end }
    }
    if (buffer.length < line + 2 + size + 2) return undefined
    body += buffer.slice(line + 2, line + 2 + size)
    at = line + 2 + size + 2
  }
}
