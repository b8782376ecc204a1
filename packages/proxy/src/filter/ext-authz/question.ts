import type { ExtAuthzFilter, ExtAuthzService, StringMatcher } from '@hopscope/envoy-config'
import type { AsyncAnswer, AsyncClient } from '../../cluster/async-client.ts'
import type { Exchange } from '../../http/exchange.ts'
import { statusText } from '../../http/status-text.ts'
import { compileStringMatcher } from '../../match/string-matcher.ts'

type Fields = readonly (readonly [name: string, value: string])[]

/** What came of a question. */
export type Verdict =
  | { type: 'ok'; set: Fields; appended: Fields; removed: readonly string[]; clientHeaders: Fields; metadata: Fields }
  | { type: 'denied'; status: number; body: string; clientHeaders: Fields }
  | { type: 'error'; clientHeaders: Fields }

/** Asks about a request; `done` may be called at once. Returns how to give up. */
export type Ask = (
  exchange: Exchange,
  body: Buffer | undefined,
  partial: boolean,
  done: (verdict: Verdict) => void,
) => () => void

/** What the service sees in any case. */
const ALWAYS_SENT: ReadonlySet<string> = new Set(['authorization'])
/** What a refused client gets in any case, when it is said what it may get. */
const ALWAYS_TOLD: ReadonlySet<string> = new Set(['content-length', 'www-authenticate', 'location'])
const NEVER_TOLD: ReadonlySet<string> = new Set(['transfer-encoding', 'connection', 'keep-alive', 'host'])

/** The question to one HTTP service, and what its answers mean. */
export function compileQuestion(config: ExtAuthzFilter, service: ExtAuthzService, client: AsyncClient): Ask {
  const sends = any(config.allowedHeaders)
  const withholds = any(config.disallowedHeaders)
  const read = compileAnswer(service)
  return ({ headers, span }, body, partial, done) => {
    const fields: [string, string][] = [['content-length', String(body?.length ?? 0)]]
    for (const [name, value] of headers) {
      if (name === 'content-length' || name === 'transfer-encoding') continue
      if ((ALWAYS_SENT.has(name) || sends(name)) && !withholds(name)) fields.push([name, value])
    }
    if (body !== undefined) fields.push(['x-envoy-auth-partial-body', String(partial)])
    for (const [name, value] of service.headersToAdd) {
      const at = fields.findIndex(([one]) => one === name)
      if (at >= 0) fields.splice(at, 1)
      fields.push([name, value])
    }
    const request = {
      cluster: service.cluster,
      method: headers.method,
      path: service.pathOverride !== '' ? service.pathOverride : service.pathPrefix + headers.path,
      host: headers.authority,
      headers: fields,
      body: body ?? NOTHING,
      timeout: service.timeout,
      withoutForwardedFor: true,
      ...(span && { parent: { span, tagsOf } }),
    }
    return client.ask(request, answer => done(read(answer)))
  }
}

/** Any status but a 200, be it our own, says that nobody is authorized. */
function tagsOf({ status }: AsyncAnswer): [string, string][] {
  return [
    ['ext_authz_status', status === 200 ? 'ext_authz_ok' : 'ext_authz_unauthorized'],
    ['ext_authz_http_status', statusText(status)],
  ]
}

const NOTHING = new Uint8Array(0)

function compileAnswer(service: ExtAuthzService): (answer: AsyncAnswer) => Verdict {
  const sets = any(service.allowedUpstreamHeaders)
  const appends = any(service.allowedUpstreamHeadersToAppend)
  const tells = any(service.allowedClientHeaders)
  const tellsOnSuccess = any(service.allowedClientHeadersOnSuccess)
  const isMetadata = any(service.metadataFromHeaders)
  const tellsAll = service.allowedClientHeaders.length === 0
  return ({ status, headers, body }) => {
    if (headers === undefined || status >= 500) return { type: 'error', clientHeaders: [] }
    const fields = [...headers]
    const those = (matches: (name: string) => boolean) => fields.filter(([name]) => matches(name))
    if (status === 200) {
      return {
        type: 'ok',
        set: those(sets),
        appended: those(appends),
        removed: listOf(headers.getAll('x-envoy-auth-headers-to-remove')),
        clientHeaders: those(tellsOnSuccess),
        metadata: those(isMetadata),
      }
    }
    return {
      type: 'denied',
      status,
      body: body.toString('latin1'),
      clientHeaders: those(name => !NEVER_TOLD.has(name) && (tellsAll || ALWAYS_TOLD.has(name) || tells(name))),
    }
  }
}

function listOf(values: readonly string[]): string[] {
  return values
    .flatMap(value => value.split(','))
    .map(name => name.trim().toLowerCase())
    .filter(name => name !== '')
}

function any(matchers: readonly StringMatcher[]): (name: string) => boolean {
  const compiled = matchers.map(compileStringMatcher)
  return name => compiled.some(matches => matches(name))
}
