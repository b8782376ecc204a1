import {
  constants,
  createBrotliCompress,
  createBrotliDecompress,
  createGunzip,
  createGzip,
  createZstdCompress,
  createZstdDecompress,
} from 'node:zlib'
import type { CompressorLibrary, ContentEncoding, DecompressorLibrary } from '@hopscope/envoy-config'
import type { Codec } from './body-transform.ts'

/** As Envoy flushes: each piece of a body can be read when it is there. */
export const FLUSH: Readonly<Record<ContentEncoding, number>> = {
  gzip: constants.Z_SYNC_FLUSH,
  br: constants.BROTLI_OPERATION_FLUSH,
  zstd: constants.ZSTD_e_flush,
}

export function createCompressor(library: CompressorLibrary): Codec {
  switch (library.encoding) {
    case 'gzip': {
      const { level, memoryLevel: memLevel, windowBits, strategy } = library
      return createGzip({ level, memLevel, windowBits, strategy })
    }
    case 'br':
      return createBrotliCompress({
        params: {
          [constants.BROTLI_PARAM_QUALITY]: library.quality,
          [constants.BROTLI_PARAM_LGWIN]: library.windowBits,
          [constants.BROTLI_PARAM_MODE]: library.mode,
          [constants.BROTLI_PARAM_LGBLOCK]: library.blockBits,
          [constants.BROTLI_PARAM_DISABLE_LITERAL_CONTEXT_MODELING]: !library.literalContext,
        },
      })
    case 'zstd':
      return createZstdCompress({
        params: {
          [constants.ZSTD_c_compressionLevel]: library.level,
          [constants.ZSTD_c_checksumFlag]: library.checksum,
          ...(library.strategy === 0 ? {} : { [constants.ZSTD_c_strategy]: library.strategy }),
        },
      })
  }
}

export function createDecompressor(library: DecompressorLibrary): Codec {
  const { chunkSize } = library
  switch (library.encoding) {
    case 'gzip':
      // What the window leaves out can still be had from the chunk that is being filled.
      return createGunzip({ windowBits: library.windowBits, chunkSize })
    case 'br':
      return createBrotliDecompress({ chunkSize })
    case 'zstd':
      return createZstdDecompress({ chunkSize })
  }
}
