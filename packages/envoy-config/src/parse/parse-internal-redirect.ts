import type { InternalRedirectPolicy, InternalRedirectPredicate } from '../internal-redirect.ts'
import type { Message } from '../schema/message.ts'
import type { ParseContext } from './context.ts'

/** Codes of an answer that says where to go instead; others in a policy say nothing, as in Envoy. */
const REDIRECT_CODES: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])

/** Of an envoy.config.route.v3.InternalRedirectPolicy. */
export function parseInternalRedirectPolicy(message: Message, context: ParseContext): InternalRedirectPolicy {
  const codes = message.scalars('redirect_response_codes').map(code => Number(code.value))
  return {
    maxInternalRedirects: message.number('max_internal_redirects', 1),
    responseCodes: codes.length === 0 ? [302] : codes.filter(code => REDIRECT_CODES.has(code)),
    predicates: message.messages('predicates').flatMap(predicate => parsePredicate(predicate)),
    allowCrossScheme: message.boolean('allow_cross_scheme_redirect'),
    responseHeadersToCopy: message.scalars('response_headers_to_copy').map(item => {
      const name = String(item.value).toLowerCase()
      if (name.startsWith(':') || name === 'host') {
        context.problems.add('invalid', item, "expected a header's name: ':' headers and Host are not copied")
      }
      return name
    }),
  }
}

const PREDICATES = 'envoy.extensions.internal_redirect.'

function parsePredicate(predicate: Message): InternalRedirectPredicate[] {
  const config = predicate.message('typed_config')
  switch (config?.type) {
    case `${PREDICATES}previous_routes.v3.PreviousRoutesConfig`:
      return [{ type: 'previous_routes' }]
    case `${PREDICATES}allow_listed_routes.v3.AllowListedRoutesConfig`:
      return [{ type: 'allow_listed_routes', names: config.strings('allowed_route_names') }]
    case `${PREDICATES}safe_cross_scheme.v3.SafeCrossSchemeConfig`:
      return [{ type: 'safe_cross_scheme' }]
    default:
      return []
  }
}
