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
    // With proxies in front whose word counts one of them may have ended TLS.
    refuseHttpsUrls: config.useRemoteAddress && config.xffNumTrustedHops === 0,
    allowChunkedLength: config.allowChunkedLength,
    headersWithUnderscores: config.headersWithUnderscoresAction,
  }
}
