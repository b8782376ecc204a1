import type { StringMatcher } from '../matchers.ts'

/** As in Content-Encoding and Accept-Encoding. */
export type ContentEncoding = 'gzip' | 'br' | 'zstd'

/** envoy.extensions.filters.http.compressor.v3.Compressor */
export interface CompressorFilter {
  type: 'compressor'
  library: CompressorLibrary
  /** Absent: requests stay as they are. */
  request?: CompressorDirection
  response: CompressorDirection
  disableOnEtagHeader: boolean
  weakenEtagOnCompress: boolean
  removeAcceptEncodingHeader: boolean
  uncompressibleResponseCodes: readonly number[]
  /** The file has a configuration of this direction: stats are named after it. */
  namesResponses: boolean
  /** Among equal wishes of a client this one. */
  chooseFirst: boolean
}

/** Compressor.CommonDirectionConfig */
export interface CompressorDirection {
  enabled: RuntimeFlag
  minContentLength: number
  /** Without parameters, as listed or by default. */
  contentTypes: readonly string[]
  contentTypeMatchers: readonly StringMatcher[]
}

/** envoy.extensions.filters.http.compressor.v3.CompressorPerRoute */
export interface CompressorOfRoute {
  type: 'compressor_of_route'
  disabled: boolean
  removeAcceptEncodingHeader?: boolean
}

/** envoy.extensions.filters.http.decompressor.v3.Decompressor */
export interface DecompressorFilter {
  type: 'decompressor'
  library: DecompressorLibrary
  request: DecompressorDirection & { advertiseAcceptEncoding: boolean }
  response: DecompressorDirection
}

/** What is decompressed of one direction: of requests, of responses. */
export interface DecompressorDirection {
  enabled: RuntimeFlag
  ignoreNoTransformHeader: boolean
}

/** envoy.config.core.v3.RuntimeFeatureFlag */
export interface RuntimeFlag {
  defaultValue: boolean
  runtimeKey: string
}

/** `name` is of the library's TypedExtensionConfig: stats are named after it. */
export type CompressorLibrary = { name: string } & (
  | { encoding: 'gzip'; level: number; memoryLevel: number; windowBits: number; strategy: number }
  | { encoding: 'br'; quality: number; windowBits: number; mode: number; blockBits: number; literalContext: boolean }
  | { encoding: 'zstd'; level: number; checksum: boolean; strategy: number }
)

/** `chunkSize`: bytes of output at a time; `windowBits`, `maxInflateRatio`: as of zlib, and output by input at most. */
export type DecompressorLibrary = { name: string; chunkSize: number } & (
  | { encoding: 'gzip'; windowBits: number; maxInflateRatio: number }
  | { encoding: 'br' | 'zstd' }
)
