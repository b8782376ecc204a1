import type {
  CompressorDirection,
  CompressorFilter,
  CompressorLibrary,
  CompressorOfRoute,
  DecompressorDirection,
  DecompressorFilter,
  DecompressorLibrary,
} from '../../http-filters/compression.ts'
import type { Message } from '../../schema/message.ts'
import type { ParseContext } from '../context.ts'
import { parseStringMatcher } from '../matchers.ts'
import { parseRuntimeFlag } from '../percent.ts'

const COMPRESSION = 'envoy.extensions.compression.'

/** Of an envoy.extensions.filters.http.compressor.v3.Compressor. */
export function parseCompressor(message: Message, context: ParseContext): CompressorFilter {
  const response = message.message('response_direction_config')
  const request = message.message('request_direction_config')
  return {
    type: 'compressor',
    library: parseCompressorLibrary(message.message('compressor_library')),
    ...(request && { request: parseCompressorDirection(request, context) }),
    response: parseCompressorDirection(response, context),
    disableOnEtagHeader: response?.boolean('disable_on_etag_header') ?? false,
    weakenEtagOnCompress: response?.boolean('weaken_etag_on_compress') ?? false,
    removeAcceptEncodingHeader: response?.boolean('remove_accept_encoding_header') ?? false,
    uncompressibleResponseCodes: (response?.scalars('uncompressible_response_codes') ?? []).map(one =>
      Number(one.value),
    ),
    namesResponses: response !== undefined,
    chooseFirst: message.boolean('choose_first'),
  }
}

/** Of a RequestDirectionConfig or ResponseDirectionConfig. */
function parseCompressorDirection(message: Message | undefined, context: ParseContext): CompressorDirection {
  const common = message?.message('common_config')
  const contentTypes = common?.strings('content_type') ?? []
  return {
    enabled: parseRuntimeFlag(common?.message('enabled'), true),
    minContentLength: common?.number('min_content_length', 30) ?? 30,
    contentTypes: contentTypes.length > 0 ? contentTypes : DEFAULT_CONTENT_TYPES,
    contentTypeMatchers: (common?.messages('content_type_matcher') ?? []).map(one => parseStringMatcher(one, context)),
  }
}

/** Of a CompressorPerRoute. */
export function parseCompressorOfRoute(message: Message): CompressorOfRoute {
  const response = message.message('overrides')?.message('response_direction_config')
  return {
    type: 'compressor_of_route',
    disabled: message.boolean('disabled'),
    ...(response?.has('remove_accept_encoding_header')
      ? { removeAcceptEncodingHeader: response.boolean('remove_accept_encoding_header') }
      : {}),
  }
}

/** Of an envoy.extensions.filters.http.decompressor.v3.Decompressor. */
export function parseDecompressor(message: Message): DecompressorFilter {
  const request = message.message('request_direction_config')
  return {
    type: 'decompressor',
    library: parseDecompressorLibrary(message.message('decompressor_library')),
    request: {
      ...parseDirection(request),
      advertiseAcceptEncoding: request?.boolean('advertise_accept_encoding', true) ?? true,
    },
    response: parseDirection(message.message('response_direction_config')),
  }
}

function parseDirection(message: Message | undefined): DecompressorDirection {
  const common = message?.message('common_config')
  return {
    enabled: parseRuntimeFlag(common?.message('enabled'), true),
    ignoreNoTransformHeader: common?.boolean('ignore_no_transform_header') ?? false,
  }
}

function parseCompressorLibrary(message: Message | undefined): CompressorLibrary {
  const name = message?.string('name') ?? ''
  const config = message?.message('typed_config')
  if (config?.type === `${COMPRESSION}brotli.compressor.v3.Brotli`) {
    return {
      name,
      encoding: 'br',
      quality: config.number('quality', 3),
      windowBits: config.number('window_bits', 18),
      mode: BROTLI_MODES[config.enum<keyof typeof BROTLI_MODES>('encoder_mode', 'DEFAULT')] ?? 0,
      blockBits: config.number('input_block_bits', 24),
      literalContext: !config.boolean('disable_literal_context_modeling'),
    }
  }
  if (config?.type === `${COMPRESSION}zstd.compressor.v3.Zstd`) {
    return {
      name,
      encoding: 'zstd',
      level: config.number('compression_level', 3),
      checksum: config.boolean('enable_checksum'),
      strategy: ZSTD_STRATEGIES.indexOf(config.enum('strategy', 'DEFAULT')),
    }
  }
  return {
    name,
    encoding: 'gzip',
    level: GZIP_LEVELS[config?.enum<string>('compression_level', 'DEFAULT_COMPRESSION') ?? ''] ?? -1,
    memoryLevel: config?.number('memory_level', 5) ?? 5,
    windowBits: config?.number('window_bits', 12) ?? 12,
    strategy: GZIP_STRATEGIES.indexOf(config?.enum<string>('compression_strategy', 'DEFAULT_STRATEGY') ?? ''),
  }
}

function parseDecompressorLibrary(message: Message | undefined): DecompressorLibrary {
  const name = message?.string('name') ?? ''
  const config = message?.message('typed_config')
  const chunkSize = config?.number('chunk_size', 4096) ?? 4096
  if (config?.type === `${COMPRESSION}brotli.decompressor.v3.Brotli`) return { name, chunkSize, encoding: 'br' }
  if (config?.type === `${COMPRESSION}zstd.decompressor.v3.Zstd`) return { name, chunkSize, encoding: 'zstd' }
  return {
    name,
    encoding: 'gzip',
    windowBits: config?.number('window_bits', 15) ?? 15,
    chunkSize,
    maxInflateRatio: config?.number('max_inflate_ratio', 100) ?? 100,
  }
}

const GZIP_STRATEGIES = ['DEFAULT_STRATEGY', 'FILTERED', 'HUFFMAN_ONLY', 'RLE', 'FIXED']
const GZIP_LEVELS: Readonly<Record<string, number>> = {
  BEST_SPEED: 1,
  BEST_COMPRESSION: 9,
  ...Object.fromEntries([1, 2, 3, 4, 5, 6, 7, 8, 9].map(level => [`COMPRESSION_LEVEL_${level}`, level])),
}
const BROTLI_MODES = { DEFAULT: 0, GENERIC: 0, TEXT: 1, FONT: 2 } as const
const ZSTD_STRATEGIES = [
  'DEFAULT',
  'FAST',
  'DFAST',
  'GREEDY',
  'LAZY',
  'LAZY2',
  'BTLAZY2',
  'BTOPT',
  'BTULTRA',
  'BTULTRA2',
]

/** Of Envoy's compressor. */
const DEFAULT_CONTENT_TYPES = [
  'application/javascript',
  'application/json',
  'application/xhtml+xml',
  'image/svg+xml',
  'text/css',
  'text/html',
  'text/plain',
  'text/xml',
]
