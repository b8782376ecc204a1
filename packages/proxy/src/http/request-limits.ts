import type { HttpConnectionManager } from '@hopscope/envoy-config'
import type { RequestLimits } from './codec/request-decoder.ts'

/** What the codec takes of a connection manager's clients. */
export function requestLimits(config: HttpConnectionManager): RequestLimits {
  return {
    maxHeadBytes: config.maxRequestHeadersKb * 1024,
    maxFields: config.maxHeadersCount,
    acceptHttp10: config.acceptHttp10,
    keepTrailers: config.enableTrailers,
    defaultHostForHttp10: config.defaultHostForHttp10,
    allowAbsoluteUrl: config.allowAbsoluteUrl,
    allowChunkedLength: config.allowChunkedLength,
    headersWithUnderscores: config.headersWithUnderscoresAction,
  }
}
