import type { ContentEncoding, DecompressorDirection, DecompressorFilter } from '@hopscope/envoy-config'
import type { Exchange, RequestHandler, ResponseSink } from '../../http/exchange.ts'
import type { HeaderMap } from '../../http/headers.ts'
import type { Runtime } from '../../runtime.ts'
import type { Counter, Stats } from '../../stats/stats.ts'
import type { CreateFilter, HttpFilter } from '../http-filter.ts'
import { BodyTransform, type TransformTarget } from './body-transform.ts'
import { createDecompressor } from './codecs.ts'
import { transformRequest } from './transform-request.ts'

export interface DecompressorServices {
  stats: Stats
  runtime: Runtime
}

/** Bytes that may come of one; of gzip the file may say another number. */
const MOST_OF_A_BYTE = 100

/** What Envoy's libraries count: the first is of all that goes wrong here; brotli's second, of bombs as well. */
const MISTAKES: Readonly<Record<ContentEncoding, readonly string[]>> = {
  gzip: [
    'zlib_data_error',
    'zlib_buf_error',
    'zlib_errno',
    'zlib_mem_error',
    'zlib_stream_error',
    'zlib_version_error',
  ],
  br: ['brotli_error', 'brotli_output_overflow', 'brotli_redundant_input'],
  zstd: ['zstd_generic_error', 'zstd_checksum_wrong_error', 'zstd_dictionary_error', 'zstd_memory_error'],
}

const COUNTERS = ['decompressed', 'not_decompressed', 'total_uncompressed_bytes', 'total_compressed_bytes'] as const
type Numbers = Readonly<Record<(typeof COUNTERS)[number], Counter>>

/** `envoy.filters.http.decompressor`: of requests and responses. (Behaviour: Envoy 1.40) */
export function createDecompressorFilter(
  config: DecompressorFilter,
  statPrefix: string,
  { stats, runtime }: DecompressorServices,
): CreateFilter {
  const { library } = config
  const short = library.encoding === 'br' ? 'brotli' : library.encoding
  const prefix = `http.${statPrefix}.decompressor.${library.name}.${short}.`
  const numbersOf = (direction: string) =>
    Object.fromEntries(COUNTERS.map(one => [one, stats.counter(`${prefix}${direction}.${one}`)])) as unknown as Numbers
  const numbers = { request: numbersOf('request'), response: numbersOf('response') }
  const mistakes = MISTAKES[library.encoding].map(one => stats.counter(`${prefix}decompressor_library.${one}`))
  const isOn = ({ enabled }: DecompressorDirection) => runtime.flag(enabled.runtimeKey, enabled.defaultValue)
  return exchange =>
    new DecompressedExchange(
      exchange,
      config,
      { request: isOn(config.request), response: isOn(config.response) },
      numbers,
      mistakes,
    )
}

class DecompressedExchange implements HttpFilter {
  readonly #exchange: Exchange
  readonly #config: DecompressorFilter
  readonly #on: { request: boolean; response: boolean }
  readonly #numbers: { request: Numbers; response: Numbers }
  readonly #mistakes: readonly Counter[]
  readonly #transforms: BodyTransform[] = []
  #requestIsEncoded = false

  constructor(
    exchange: Exchange,
    config: DecompressorFilter,
    on: { request: boolean; response: boolean },
    numbers: { request: Numbers; response: Numbers },
    mistakes: readonly Counter[],
  ) {
    this.#exchange = exchange
    this.#config = config
    this.#on = on
    this.#numbers = numbers
    this.#mistakes = mistakes
  }

  decode(next: () => void): void {
    const { headers, hasBody } = this.#exchange
    if (this.#on.response && this.#config.request.advertiseAcceptEncoding) {
      headers.appendJoined('accept-encoding', this.#config.library.encoding, ',')
    }
    if (hasBody) this.#requestIsEncoded = this.#unwrap(headers, 'request')
    next()
  }

  decodeBody(handler: RequestHandler): RequestHandler {
    if (!this.#requestIsEncoded) return handler
    return transformRequest(this.#exchange, handler, target => this.#start('request', target))
  }

  encode(sink: ResponseSink): ResponseSink {
    let transform: BodyTransform | undefined
    return {
      sendHead: (headers, endStream) => {
        if (!endStream && this.#unwrap(headers, 'response')) {
          transform = this.#start('response', {
            data: chunk => void sink.sendData(chunk),
            end: () => sink.sendEnd(),
            drained: () => this.#exchange.handler?.onDrain(),
          })
        }
        sink.sendHead(headers, endStream)
      },
      sendData: chunk => transform?.write(chunk) ?? sink.sendData(chunk),
      sendEnd: () => {
        if (transform === undefined) sink.sendEnd()
        else transform.end()
      },
    }
  }

  destroy(): void {
    for (const transform of this.#transforms) transform.stop()
  }

  /** Whether the body is in our encoding; then the head says so no more. */
  #unwrap(headers: HeaderMap, direction: 'request' | 'response'): boolean {
    const { ignoreNoTransformHeader } = this.#config[direction]
    const encodings = headers.getAll('content-encoding').join(',').split(',')
    const outermost = encodings[0]!.trim().toLowerCase()
    const kept = !ignoreNoTransformHeader && /no-transform/i.test(headers.getAll('cache-control').join(','))
    if (!this.#on[direction] || kept || outermost !== this.#config.library.encoding) {
      this.#numbers[direction].not_decompressed.add()
      return false
    }
    this.#numbers[direction].decompressed.add()
    headers.remove('content-length')
    const rest = encodings.slice(1).join(',').trim()
    if (rest === '') headers.remove('content-encoding')
    else headers.set('content-encoding', rest)
    return true
  }

  #start(direction: 'request' | 'response', target: TransformTarget): BodyTransform {
    const { library } = this.#config
    const numbers = this.#numbers[direction]
    const most = library.encoding === 'gzip' ? library.maxInflateRatio : MOST_OF_A_BYTE
    const transform: BodyTransform = new BodyTransform({
      codec: createDecompressor(library),
      target: {
        data: chunk => {
          target.data(chunk)
          // A bomb is cut off.
          if (transform.given <= most * transform.taken) return
          if (library.encoding === 'br') this.#mistakes[1]!.add()
          transform.breakOff()
        },
        end: () => {
          numbers.total_compressed_bytes.add(transform.taken)
          numbers.total_uncompressed_bytes.add(transform.given)
          target.end()
        },
        drained: () => target.drained(),
      },
      onBroken: () => this.#mistakes[0]!.add(),
    })
    this.#transforms.push(transform)
    return transform
  }
}
