import type { HttpService } from '../listener.ts'
import type { Message } from '../schema/message.ts'
import { checkCluster, type ParseContext } from './context.ts'

/** Of an envoy.config.core.v3.HttpService. `who` names the user of it in problems, as Envoy does. */
export function parseHttpService(message: Message, who: string, context: ParseContext): HttpService {
  const uri = message.message('http_uri')
  return {
    ...parseHttpUri(uri, who, context),
    headersToAdd: message.messages('request_headers_to_add').map(option => {
      const header = option.message('header')
      const value = header?.string('value') ?? ''
      if (header !== undefined && value.includes('%')) {
        const what = 'Envoy knows formats here; Hopscope supports only plain text so far'
        context.problems.add('unsupported', header.valuePlace('value'), what)
      }
      return [(header?.string('key') ?? '').toLowerCase(), value] as const
    }),
  }
}

/** Of an envoy.config.core.v3.HttpUri: where a request goes by its cluster, its host and path are those of the URI. */
export function parseHttpUri(
  message: Message | undefined,
  who: string,
  context: ParseContext,
): Pick<HttpService, 'cluster' | 'host' | 'path' | 'timeout'> {
  const cluster = message?.string('cluster') ?? ''
  if (message !== undefined && cluster !== '') checkCluster(cluster, message.valuePlace('cluster'), who, context)
  const [, host = '', path = ''] = /^(?:[a-z]+:\/\/)?([^/]*)(.*)$/i.exec(message?.string('uri') ?? '') ?? []
  return { cluster, host, path: path === '' ? '/' : path, timeout: message?.duration('timeout') ?? 0 }
}
