import type { HttpConnectionManager } from '@hopscope/envoy-config'
import type { Output } from '../transport/output.ts'
import type { BytesMeter } from './bytes-meter.ts'
import { CHUNK_END, chunkHeader, LAST_CHUNK, lastChunk } from './codec/chunk.ts'
import { encodeResponseHead, properCase } from './codec/encode-response.ts'
import type { HeaderMap, ResponseHeaders } from './headers.ts'
import { statusText } from './status-text.ts'

/** The responses of one connection as bytes, each framed as its request and its head ask for; a meter counts what that comes to. */
export class ResponseWriter {
  readonly #output: Output
  readonly #config: Pick<HttpConnectionManager, 'properCaseHeaders' | 'enableTrailers'>
  #chunked = false

  constructor(output: Output, config: Pick<HttpConnectionManager, 'properCaseHeaders' | 'enableTrailers'>) {
    this.#output = output
    this.#config = config
  }

  /** A new response begins. */
  begin(): void {
    this.#chunked = false
  }

  /** A 1xx. */
  interim(status: number, headers: ResponseHeaders | undefined, bytes: BytesMeter): void {
    const fields = headers?.format(this.#config.properCaseHeaders ? properCase : undefined) ?? ''
    const text = `HTTP/1.1 ${status} ${statusText(status)}\r\n${fields}\r\n`
    bytes.wireSent += text.length
    bytes.headerSent += fields.length
    this.#output.push(text)
  }

  /** True: the body ends with the connection. */
  head(headers: ResponseHeaders, isHead: boolean, isHttp10: boolean, endStream: boolean, bytes: BytesMeter): boolean {
    const { properCaseHeaders } = this.#config
    const head = encodeResponseHead(headers, { isHead, isHttp10, properCase: properCaseHeaders }, endStream)
    this.#chunked = head.chunked
    bytes.wireSent += head.bytes.length
    bytes.headerSent += head.fieldBytes
    this.#output.push(head.bytes, true)
    return head.untilClose
  }

  /** False: wait for the output's `onDrain`. */
  data(chunk: Uint8Array, bytes: BytesMeter): boolean {
    bytes.wireSent += chunk.length
    if (!this.#chunked) return this.#output.push(chunk, true)
    if (chunk.length === 0) return true
    const header = chunkHeader(chunk.length)
    bytes.wireSent += header.length + CHUNK_END.length
    this.#output.push(header)
    this.#output.push(chunk, true)
    return this.#output.push(CHUNK_END)
  }

  end(trailers: HeaderMap | undefined, bytes: BytesMeter): void {
    if (!this.#chunked) return
    const last = this.#config.enableTrailers ? lastChunk(trailers) : LAST_CHUNK
    bytes.wireSent += last.length
    bytes.headerSent += last.length - LAST_CHUNK.length
    this.#output.push(last)
  }
}
