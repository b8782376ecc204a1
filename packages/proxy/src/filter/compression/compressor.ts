import type { CompressorFilter, CompressorOfRoute } from '@hopscope/envoy-config'
import type { Exchange, ResponseSink } from '../../http/exchange.ts'
import type { ResponseHeaders } from '../../http/headers.ts'
import { compileStringMatcher, type MatchText } from '../../match/string-matcher.ts'
import type { Runtime } from '../../runtime.ts'
import type { Counter, Stats } from '../../stats/stats.ts'
import { type CreateFilter, configOf, type HttpFilter } from '../http-filter.ts'
import { chooseEncoding } from './accept-encoding.ts'
import { BodyTransform } from './body-transform.ts'
import { createCompressor, FLUSH } from './codecs.ts'

export interface CompressorServices {
  stats: Stats
  runtime: Runtime
}

/** Of either direction; those of responses have their direction in their name when the file has a configuration for it. */
const OF_DIRECTION = [
  'compressed',
  'not_compressed',
  'content_length_too_small',
  'total_uncompressed_bytes',
  'total_compressed_bytes',
] as const
const OF_RESPONSES = [
  'no_accept_header',
  'header_identity',
  'header_compressor_used',
  'header_compressor_overshadowed',
  'header_wildcard',
  'header_not_valid',
  'not_compressed_etag',
] as const
type Numbers = Readonly<Record<(typeof OF_DIRECTION)[number] | (typeof OF_RESPONSES)[number], Counter>>

function createNumbers(stats: Stats, prefix: string, ofResponses: string): Numbers {
  return Object.fromEntries([
    ...OF_DIRECTION.map(name => [name, stats.counter(prefix + ofResponses + name)]),
    ...OF_RESPONSES.map(name => [name, stats.counter(prefix + name)]),
  ]) as unknown as Numbers
}

/** The compressors of one request's chain, which choose among themselves; the first in the list is the nearest to the client. */
const compressorsOf = new WeakMap<Exchange, { config: CompressorFilter; suits(type: string): boolean }[]>()

/** `envoy.filters.http.compressor`: of responses, with gzip, brotli or zstd. (Behaviour: Envoy 1.40) */
export function createCompressorFilter(
  name: string,
  config: CompressorFilter,
  statPrefix: string,
  { stats, runtime }: CompressorServices,
): CreateFilter {
  const { library } = config
  const short = library.encoding === 'br' ? 'brotli' : library.encoding
  const prefix = `http.${statPrefix}.compressor.${library.name}.${short}.`
  const numbers = createNumbers(stats, prefix, config.namesResponses ? 'response.' : '')
  const ofRequests = OF_DIRECTION.map(one => stats.counter(`${prefix}request.${one}`))
  const requestNotCompressed = ofRequests[OF_DIRECTION.indexOf('not_compressed')]!
  const matchers = config.contentTypeMatchers.map(compileStringMatcher)
  const suits = compileContentTypes(config, matchers)
  return exchange => {
    const ofRoute = configOf<CompressorOfRoute>(exchange, name, 'compressor_of_route')
    // Requests are not compressed here, and counted as what they are.
    requestNotCompressed.add()
    const offered = compressorsOf.get(exchange) ?? []
    offered.push({ config, suits })
    compressorsOf.set(exchange, offered)
    const enabled = ofRoute?.disabled !== true && runtime.flag(config.enabled.runtimeKey, config.enabled.defaultValue)
    const removes = ofRoute?.removeAcceptEncodingHeader ?? config.removeAcceptEncodingHeader
    return new CompressedResponse(exchange, config, { enabled, removes, suits }, numbers)
  }
}

function compileContentTypes(config: CompressorFilter, matchers: readonly MatchText[]): (type: string) => boolean {
  const listed = new Set(config.contentTypes.map(type => type.toLowerCase()))
  return type => {
    const bare = type.split(';')[0]!.trim().toLowerCase()
    return matchers.length > 0 ? matchers.some(matches => matches(bare)) : listed.has(bare)
  }
}

interface Settings {
  enabled: boolean
  removes: boolean
  suits(type: string): boolean
}

class CompressedResponse implements HttpFilter {
  readonly #exchange: Exchange
  readonly #config: CompressorFilter
  readonly #settings: Settings
  readonly #numbers: Numbers
  readonly #acceptEncoding: string | undefined
  #transform: BodyTransform | undefined

  constructor(exchange: Exchange, config: CompressorFilter, settings: Settings, numbers: Numbers) {
    this.#exchange = exchange
    this.#config = config
    this.#settings = settings
    this.#numbers = numbers
    const accepts = exchange.headers.getAll('accept-encoding')
    this.#acceptEncoding = accepts.length === 0 ? undefined : accepts.join(',')
  }

  decode(next: () => void): void {
    if (this.#settings.enabled && this.#settings.removes) this.#exchange.headers.remove('accept-encoding')
    next()
  }

  encode(sink: ResponseSink): ResponseSink {
    return {
      sendHead: (headers, endStream) => {
        this.#answer(headers, endStream, sink)
        sink.sendHead(headers, endStream)
      },
      sendData: chunk => this.#transform?.write(chunk) ?? sink.sendData(chunk),
      sendEnd: () => {
        if (this.#transform === undefined) sink.sendEnd()
        else this.#transform.end()
      },
    }
  }

  destroy(): void {
    this.#transform?.stop()
  }

  #answer(headers: ResponseHeaders, endStream: boolean, sink: ResponseSink): void {
    const { enabled } = this.#settings
    const bigEnough = enabled && this.#isBigEnough(headers)
    const compressible = bigEnough && this.#isCompressible(headers)
    const accepted = !endStream && bigEnough && this.#isAccepted(headers)
    if (accepted && compressible && isPlain(headers.get('transfer-encoding'))) this.#start(headers, sink)
    else this.#numbers.not_compressed.add()
    // A cache in front must know that another client may get it otherwise.
    if (compressible) addVary(headers)
  }

  #isBigEnough(headers: ResponseHeaders): boolean {
    const length = headers.get('content-length')
    if (length === undefined) return true
    const enough = /^\d+$/.test(length) && Number(length) >= this.#config.minContentLength
    if (!enough) this.#numbers.content_length_too_small.add()
    return enough
  }

  #isCompressible(headers: ResponseHeaders): boolean {
    const { disableOnEtagHeader, uncompressibleResponseCodes } = this.#config
    const type = headers.get('content-type')
    if (type !== undefined && !this.#settings.suits(type)) return false
    if (/no-transform/i.test(headers.getAll('cache-control').join(','))) return false
    if (disableOnEtagHeader && headers.has('etag')) {
      this.#numbers.not_compressed_etag.add()
      return false
    }
    return !headers.has('content-encoding') && !uncompressibleResponseCodes.includes(headers.status)
  }

  #isAccepted(headers: ResponseHeaders): boolean {
    const type = headers.get('content-type')
    const offers = (compressorsOf.get(this.#exchange) ?? []).filter(({ suits }) => type === undefined || suits(type))
    const choice = chooseEncoding(
      this.#acceptEncoding,
      offers.map(({ config }) => ({ encoding: config.library.encoding, chooseFirst: config.chooseFirst })),
    )
    const numbers = this.#numbers
    if (choice.type === 'none') numbers.no_accept_header.add()
    else if (choice.type === 'not_valid') numbers.header_not_valid.add()
    else if (choice.type !== 'encoding') numbers.header_identity.add()
    else {
      const ours = choice.encoding === this.#config.library.encoding
      if (choice.by === 'wildcard') numbers.header_wildcard.add()
      else if (ours) numbers.header_compressor_used.add()
      else numbers.header_compressor_overshadowed.add()
      return ours
    }
    return false
  }

  #start(headers: ResponseHeaders, sink: ResponseSink): void {
    const { library, weakenEtagOnCompress } = this.#config
    const etag = headers.get('etag')
    if (etag !== undefined && !etag.startsWith('W/')) {
      if (weakenEtagOnCompress) headers.set('etag', `W/${etag}`)
      else headers.remove('etag')
    }
    headers.remove('content-length')
    headers.set('content-encoding', library.encoding)
    this.#numbers.compressed.add()
    this.#transform = new BodyTransform({
      codec: createCompressor(library),
      flush: FLUSH[library.encoding],
      target: {
        data: chunk => void sink.sendData(chunk),
        end: () => {
          this.#numbers.total_uncompressed_bytes.add(this.#transform!.taken)
          this.#numbers.total_compressed_bytes.add(this.#transform!.given)
          sink.sendEnd()
        },
        drained: () => this.#exchange.handler?.onDrain(),
      },
    })
  }
}

function isPlain(transferEncoding: string | undefined): boolean {
  return transferEncoding === undefined || transferEncoding.toLowerCase() === 'chunked'
}

function addVary(headers: ResponseHeaders): void {
  const vary = headers.get('vary')
  if (vary === undefined || vary === '') headers.set('vary', 'Accept-Encoding')
  else if (!vary.split(',').some(one => one.trim() === 'Accept-Encoding'))
    headers.set('vary', `${vary}, Accept-Encoding`)
}
