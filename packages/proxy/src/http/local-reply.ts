import type { LocalReplyConfig, SubstitutionFormat } from '@hopscope/envoy-config'
import { compileAccessLogFilter, type FilterServices } from '../access-log/compile-filter.ts'
import { compileSubstitution } from '../format/compile-substitution.ts'
import { compileAdditions } from '../route/header-mutations.ts'
import type { StreamInfo } from '../stream-info.ts'
import type { ResponseHeaders } from './headers.ts'

/** The body of a local reply; `contentType` undefined: that of the reply is left as it is. */
export interface LocalBody {
  bytes: Uint8Array
  contentType: string | undefined
}

/** Rewrites an answer of the proxy itself before it leaves: its status and headers in place, its body by what it returns. */
export type RewriteLocalReply = (headers: ResponseHeaders, body: Uint8Array, info: StreamInfo) => LocalBody

/** The first mapper whose filter fits changes the reply; then its format, or the common one, makes the body. (Envoy `LocalReplyImpl`) */
export function compileLocalReply(config: LocalReplyConfig, services: FilterServices): RewriteLocalReply {
  const common = config.bodyFormat && compileBody(config.bodyFormat)
  const mappers = config.mappers.map(mapper => ({
    takes: compileAccessLogFilter(mapper.filter, services),
    statusCode: mapper.statusCode,
    body: mapper.body,
    mutate: compileAdditions(mapper.headersToAdd, 'response'),
    format: mapper.bodyFormatOverride && compileBody(mapper.bodyFormatOverride),
  }))
  return (headers, given, info) => {
    let body = given
    let format = common
    info.responseCode = headers.status
    info.responseHeaders = headers
    const mapper = mappers.find(({ takes }) => takes(info))
    if (mapper !== undefined) {
      body = mapper.body ?? body
      mapper.mutate?.(headers, info)
      if (mapper.statusCode !== undefined) {
        headers.status = mapper.statusCode
        info.responseCode = mapper.statusCode
      }
      format = mapper.format ?? common
    }
    return format === undefined ? { bytes: body, contentType: undefined } : format(body, info)
  }
}

/** A body as a format string makes it of the one that is there (`%LOCAL_REPLY_BODY%`). */
export function compileBody(config: SubstitutionFormat): (body: Uint8Array, info: StreamInfo) => LocalBody {
  const format = compileSubstitution(config)
  const contentType = config.contentType || ('json' in config ? 'application/json' : 'text/plain')
  return (body, info) => {
    info.localReplyBody = Buffer.from(body).toString('latin1')
    const bytes = Buffer.from(format(info), 'latin1')
    info.localReplyBody = ''
    return { bytes, contentType }
  }
}
