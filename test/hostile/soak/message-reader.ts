/** The head of one HTTP/1 message; names in lower case. */
export interface Head {
  line: string
  fields: Map<string, string>
  /** Of all of it, with the empty line. */
  bytes: number
}

export interface MessageSink {
  onHead(head: Head): void
  /** The message is complete. */
  onMessage(head: Head, body: Buffer, trailers: ReadonlyMap<string, string>): void
  /** The bytes are no HTTP. */
  onWrong(what: string): void
}

type State = 'head' | 'length' | 'size' | 'chunk' | 'chunk end' | 'trailers' | 'until close' | 'wrong'

/** Cuts bytes into messages, whichever way the pieces come, and takes nothing that is not exactly right. */
export class MessageReader {
  /** Of a request that an answer belongs to: HEAD's has no body. */
  nextIsHead: () => boolean = () => false
  readonly #sink: MessageSink
  readonly #kind: 'request' | 'answer'
  #state: State = 'head'
  #rest: Buffer = Buffer.alloc(0)
  #head: Head = { line: '', fields: new Map(), bytes: 0 }
  #body: Buffer[] = []
  #left = 0

  constructor(kind: 'request' | 'answer', sink: MessageSink) {
    this.#kind = kind
    this.#sink = sink
  }

  /** Between two messages. */
  get isIdle(): boolean {
    return this.#state === 'head' && this.#rest.length === 0
  }

  /** How far the present message has come, for words about it. */
  get progress(): string {
    const body = this.#body.reduce((sum, piece) => sum + piece.length, 0)
    return `${this.#state}, ${body} bytes of body, ${this.#left} left, rest ${JSON.stringify(this.#rest.toString('latin1', 0, 80))}`
  }

  /** A head of the present message is here. */
  get insideBody(): boolean {
    return this.#state !== 'head' && this.#state !== 'wrong'
  }

  push(chunk: Buffer): void {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    this.#rest = Buffer.alloc(0)
    while (bytes.length > 0 && this.#state !== 'wrong') {
      const used = this.#step(bytes)
      if (used < 0) {
        this.#rest = Buffer.from(bytes)
        return
      }
      bytes = bytes.subarray(used)
    }
  }

  /** The connection ends. */
  end(): void {
    if (this.#state === 'until close') this.#done(new Map())
  }

  /** How many bytes it took; negative: more are needed. */
  #step(bytes: Buffer): number {
    switch (this.#state) {
      case 'head': {
        const end = bytes.indexOf('\r\n\r\n')
        if (end === -1) return this.#couldBe(bytes) ? -1 : this.#wrong(bytes)
        const head = parseHead(bytes.toString('latin1', 0, end), this.#kind)
        if (head === undefined) return this.#wrong(bytes)
        this.#head = head
        this.#begin()
        return end + 4
      }
      case 'length':
      case 'chunk':
      case 'until close': {
        const size = this.#state === 'until close' ? bytes.length : Math.min(this.#left, bytes.length)
        this.#body.push(Buffer.from(bytes.subarray(0, size)))
        this.#left -= size
        if (this.#left === 0) {
          if (this.#state === 'length') this.#done(new Map())
          else if (this.#state === 'chunk') this.#state = 'chunk end'
        }
        return size
      }
      case 'chunk end':
        if (bytes.length < 2) return -1
        if (bytes.toString('latin1', 0, 2) !== '\r\n') return this.#wrong(bytes)
        this.#state = 'size'
        return 2
      case 'size': {
        const end = bytes.indexOf('\r\n')
        const line = bytes.toString('latin1', 0, end === -1 ? bytes.length : end)
        if (!/^[0-9a-f]{0,8}\r?$/i.test(line) || line === '' || end === 0) return this.#wrong(bytes)
        if (end === -1) return -1
        this.#left = Number.parseInt(line, 16)
        this.#state = this.#left === 0 ? 'trailers' : 'chunk'
        return end + 2
      }
      case 'trailers': {
        if (bytes.length < 2) return -1
        if (bytes.toString('latin1', 0, 2) === '\r\n') {
          this.#done(new Map())
          return 2
        }
        const end = bytes.indexOf('\r\n\r\n')
        if (end === -1) return -1
        const trailers = parseFields(bytes.toString('latin1', 0, end).split('\r\n'))
        if (trailers === undefined) return this.#wrong(bytes)
        this.#done(trailers)
        return end + 4
      }
      case 'wrong':
        return bytes.length
    }
  }

  #begin(): void {
    const { line, fields } = this.#head
    const status = this.#kind === 'answer' ? Number(line.split(' ')[1]) : 0
    this.#body = []
    this.#sink.onHead(this.#head)
    if (status >= 100 && status < 200) return
    const length = fields.get('content-length')
    const isHead = this.#kind === 'answer' && this.nextIsHead()
    if (isHead || status === 204 || status === 304) this.#done(new Map())
    else if (fields.get('transfer-encoding') === 'chunked') this.#state = 'size'
    else if (length !== undefined) {
      this.#left = Number(length)
      this.#state = 'length'
      if (this.#left === 0) this.#done(new Map())
    } else if (this.#kind === 'request') this.#done(new Map())
    else {
      this.#left = -1
      this.#state = 'until close'
    }
  }

  #done(trailers: ReadonlyMap<string, string>): void {
    const body = Buffer.concat(this.#body)
    this.#body = []
    this.#state = 'head'
    this.#sink.onMessage(this.#head, body, trailers)
  }

  #couldBe(bytes: Buffer): boolean {
    return bytes.length < 96 * 1024 && /^[A-Z/]/.test(bytes.toString('latin1', 0, 1))
  }

  #wrong(bytes: Buffer): number {
    const before = this.#state
    this.#state = 'wrong'
    this.#sink.onWrong(`${this.#kind} in state ${before}: ${JSON.stringify(bytes.toString('latin1', 0, 300))}`)
    return bytes.length
  }
}

function parseHead(text: string, kind: 'request' | 'answer'): Head | undefined {
  const [line = '', ...rest] = text.split('\r\n')
  const right = kind === 'request' ? /^[A-Z]+ \/[!-~]* HTTP\/1\.1$/ : /^HTTP\/1\.1 [1-5]\d\d [ -~]*$/
  const fields = parseFields(rest)
  return right.test(line) && fields !== undefined ? { line, fields, bytes: text.length + 4 } : undefined
}

/** Repeated ones are joined with commas. */
function parseFields(lines: readonly string[]): Map<string, string> | undefined {
  const fields = new Map<string, string>()
  for (const line of lines) {
    const match = /^([a-z0-9-]+): ?([ -~]*)$/i.exec(line)
    if (match === null) return undefined
    const name = match[1]!.toLowerCase()
    const before = fields.get(name)
    fields.set(name, before === undefined ? match[2]! : `${before},${match[2]}`)
  }
  return fields
}
