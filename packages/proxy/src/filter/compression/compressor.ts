import type { CompressorDirection, CompressorFilter, CompressorOfRoute } from '@hopscope/envoy-config'
import type { Exchange, RequestHandler, ResponseSink } from '../../http/exchange.ts'
import type { HeaderMap, RequestHeaders, ResponseHeaders } from '../../http/headers.ts'
import { compileStringMatcher } from '../../match/string-matcher.ts'
import type { Runtime } from '../../runtime.ts'
import type { Counter, Stats } from '../../stats/stats.ts'
import { type CreateFilter, configOf, type HttpFilter } from '../http-filter.ts'
import { chooseEncoding } from './accept-encoding.ts'
import { BodyTransform, type TransformTarget } from './body-transform.ts'
import { createCompressor, FLUSH } from './codecs.ts'
import { transformRequest } from './transform-request.ts'

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
type DirectionNumbers = Readonly<Record<(typeof OF_DIRECTION)[number], Counter>>
type Numbers = DirectionNumbers & Readonly<Record<(typeof OF_RESPONSES)[number], Counter>>

function createNumbers<T>(stats: Stats, prefix: string, names: readonly string[]): T {
  return Object.fromEntries(names.map(name => [name, stats.counter(prefix + name)])) as T
}

/** The compressors of one request's chain, which choose among themselves; the first in the list is the nearest to the client. */
const compressorsOf = new WeakMap<Exchange, { config: CompressorFilter; suits(type: string): boolean }[]>()

/** `envoy.filters.http.compressor`: of responses, and of requests where the file asks for it, with gzip, brotli or zstd. (Behaviour: Envoy 1.40) */
export function createCompressorFilter(
  name: string,
  config: CompressorFilter,
  statPrefix: string,
  { stats, runtime }: CompressorServices,
): CreateFilter {
  const { library } = config
  const short = library.encoding === 'br' ? 'brotli' : library.encoding
  const prefix = `http.${statPrefix}.compressor.${library.name}.${short}.`
  const numbers: Numbers = {
    ...createNumbers<DirectionNumbers>(stats, config.namesResponses ? `${prefix}response.` : prefix, OF_DIRECTION),
    ...createNumbers<Omit<Numbers, keyof DirectionNumbers>>(stats, prefix, OF_RESPONSES),
  }
  const requestNumbers = createNumbers<DirectionNumbers>(stats, `${prefix}request.`, OF_DIRECTION)
  const suits = compileContentTypes(config.response)
  const request = config.request && { ...config.request, suits: compileContentTypes(config.request) }
  const isOn = ({ enabled }: CompressorDirection) => runtime.flag(enabled.runtimeKey, enabled.defaultValue)
  return (exchange, answered) => {
    const ofRoute = configOf<CompressorOfRoute>(exchange, name, 'compressor_of_route')
    const offered = compressorsOf.get(exchange) ?? []
    offered.push({ config, suits })
    compressorsOf.set(exchange, offered)
    const enabled = ofRoute?.disabled !== true && isOn(config.response)
    const removes = ofRoute?.removeAcceptEncodingHeader ?? config.removeAcceptEncodingHeader
    const settings = { enabled, removes, suits, request: request && isOn(request) ? request : undefined }
    return new CompressedExchange(exchange, config, settings, numbers, requestNumbers, answered)
  }
}

function compileContentTypes(config: CompressorDirection): (type: string) => boolean {
  const matchers = config.contentTypeMatchers.map(compileStringMatcher)
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
  /** undefined: requests stay as they are. */
  request: (CompressorDirection & { suits(type: string): boolean }) | undefined
}

class CompressedExchange implements HttpFilter {
  readonly #exchange: Exchange
  readonly #config: CompressorFilter
  readonly #settings: Settings
  readonly #numbers: Numbers
  readonly #requestNumbers: DirectionNumbers
  readonly #acceptEncoding: string | undefined
  #compressesRequest = false
  #requestTransform: BodyTransform | undefined
  #transform: BodyTransform | undefined

  constructor(
    exchange: Exchange,
    config: CompressorFilter,
    settings: Settings,
    numbers: Numbers,
    requestNumbers: DirectionNumbers,
    answered: boolean,
  ) {
    this.#exchange = exchange
    this.#config = config
    this.#settings = settings
    this.#numbers = numbers
    this.#requestNumbers = requestNumbers
    // Of a request that has not come to it Envoy's does not know what its client takes.
    const accepts = answered ? [] : exchange.headers.getAll('accept-encoding')
    this.#acceptEncoding = accepts.length === 0 ? undefined : accepts.join(',')
  }

  decode(next: () => void): void {
    const { headers, hasBody } = this.#exchange
    this.#compressesRequest = hasBody && this.#isCompressibleRequest(headers)
    if (this.#compressesRequest) {
      headers.remove('content-length')
      headers.set('content-encoding', this.#config.library.encoding)
      this.#requestNumbers.compressed.add()
    } else this.#requestNumbers.not_compressed.add()
    if (this.#settings.enabled && this.#settings.removes) this.#exchange.headers.remove('accept-encoding')
    next()
  }

  decodeBody(handler: RequestHandler): RequestHandler {
    if (!this.#compressesRequest) return handler
    return transformRequest(this.#exchange, handler, target => {
      this.#requestTransform = this.#compress(this.#requestNumbers, target)
      return this.#requestTransform
    })
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
    this.#requestTransform?.stop()
  }

  #answer(headers: ResponseHeaders, endStream: boolean, sink: ResponseSink): void {
    const { enabled } = this.#settings
    const bigEnough = enabled && isBigEnough(headers, this.#config.response, this.#numbers)
    const compressible = bigEnough && this.#isCompressible(headers)
    const accepted = !endStream && bigEnough && this.#isAccepted(headers)
    if (accepted && compressible && isPlain(headers.get('transfer-encoding'))) this.#start(headers, sink)
    else this.#numbers.not_compressed.add()
    // A cache in front must know that another client may get it otherwise.
    if (compressible) addVary(headers)
  }

  #isCompressibleRequest(headers: RequestHeaders): boolean {
    const { request } = this.#settings
    if (request === undefined || !isBigEnough(headers, request, this.#requestNumbers)) return false
    const type = headers.get('content-type')
    return (type === undefined || request.suits(type)) && !headers.has('content-encoding')
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
    this.#transform = this.#compress(this.#numbers, {
      data: chunk => void sink.sendData(chunk),
      end: () => sink.sendEnd(),
      drained: () => this.#exchange.handler?.onDrain(),
    })
  }

  #compress(numbers: DirectionNumbers, target: TransformTarget): BodyTransform {
    const { library } = this.#config
    const transform: BodyTransform = new BodyTransform({
      codec: createCompressor(library),
      flush: FLUSH[library.encoding],
      target: {
        ...target,
        end: () => {
          numbers.total_uncompressed_bytes.add(transform.taken)
          numbers.total_compressed_bytes.add(transform.given)
          target.end()
        },
      },
    })
    return transform
  }
}

function isBigEnough(
  headers: HeaderMap,
  { minContentLength }: CompressorDirection,
  numbers: DirectionNumbers,
): boolean {
  const length = headers.get('content-length')
  if (length === undefined) return true
  const enough = /^\d+$/.test(length) && Number(length) >= minContentLength
  if (!enough) numbers.content_length_too_small.add()
  return enough
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
