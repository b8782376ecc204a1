import type { HeaderMutationFilter, QueryParameterMutation } from '@hopscope/envoy-config'
import type { ResponseSink } from '../../http/exchange.ts'
import type { ResponseHeaders } from '../../http/headers.ts'
import type { Mutate } from '../../route/header-mutations.ts'
import { allConfigsOf, type CreateFilter, type HttpFilter } from '../http-filter.ts'
import { compileRules } from './compile-rules.ts'
import { compileQueryMutation, type MutateQuery } from './query-mutation.ts'

interface Compiled {
  request: readonly Mutate[]
  response: readonly Mutate[]
  query: readonly MutateQuery[]
}

/**
 * `envoy.filters.http.header_mutation`: changes headers one after the other, each change seeing what those before it did. All levels
 * have their say. (Behaviour: Envoy 1.40)
 */
export function createHeaderMutation(name: string, config: HeaderMutationFilter): CreateFilter {
  const compiled = new Map<HeaderMutationFilter, Compiled>()
  const compile = (one: HeaderMutationFilter): Compiled => {
    let found = compiled.get(one)
    if (found === undefined) {
      found = {
        request: compileRules(one.request, 'request'),
        response: compileRules(one.response, 'response'),
        query: one.queryParameters.map((mutation: QueryParameterMutation) => compileQueryMutation(mutation)),
      }
      compiled.set(one, found)
    }
    return found
  }
  compile(config)
  return exchange => {
    const ofRoutes = allConfigsOf<HeaderMutationFilter>(exchange, name, 'header_mutation')
    if (config.mostSpecificWins) ofRoutes.reverse()
    const levels = [config, ...ofRoutes].map(compile)
    const filter: HttpFilter = {
      decode(next) {
        const { headers, info } = exchange
        for (const { request, query } of levels) {
          for (const mutate of request) mutate(headers, info)
          for (const mutate of query) mutate(headers, info)
        }
        next()
      },
    }
    if (levels.every(({ response }) => response.length === 0)) return filter
    const mutateResponse = (headers: ResponseHeaders): void => {
      exchange.info.responseHeaders = headers
      exchange.info.responseCode = headers.status
      for (const { response } of levels) for (const mutate of response) mutate(headers, exchange.info)
    }
    return { ...filter, encode: sink => mutating(sink, mutateResponse) }
  }
}

function mutating(sink: ResponseSink, mutate: (headers: ResponseHeaders) => void): ResponseSink {
  return {
    sendHead(headers, endStream) {
      mutate(headers)
      sink.sendHead(headers, endStream)
    },
    sendData: chunk => sink.sendData(chunk),
    sendEnd: () => sink.sendEnd(),
  }
}
