import type { AccessLogFilter, SubstitutionFormat } from './access-log.ts'
import type { HeaderValueOption } from './header-mutations.ts'

/** HttpConnectionManager.local_reply_config: what becomes of the answers that the proxy itself gives. */
export interface LocalReplyConfig {
  /** The first whose filter fits counts. */
  mappers: readonly ResponseMapper[]
  /** Of all bodies that their mapper does not format. */
  bodyFormat?: SubstitutionFormat
}

/** envoy.extensions.filters.network.http_connection_manager.v3.ResponseMapper: what changes in the replies that `filter` takes. */
export interface ResponseMapper {
  filter: AccessLogFilter
  statusCode?: number
  body?: Uint8Array
  bodyFormatOverride?: SubstitutionFormat
  headersToAdd: readonly HeaderValueOption[]
}
