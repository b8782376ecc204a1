import type { Milliseconds, QueryRequest } from '@hopscope/model'

/** What a query is in SQL: of the spans in a group (a trace), each condition counts those that meet it. */
export interface SearchSql {
  having: string
  parameters: Record<string, string | number>
}

/** Every criterion, each met by some span of the searched service. What lies when is looked at elsewhere. */
export function searchSql(request: QueryRequest): SearchSql {
  const parameters: Record<string, string | number> = {}
  const ofService: string[] = []
  const { serviceName, spanName, remoteServiceName, minDuration, maxDuration, annotationQuery } = request
  if (serviceName !== undefined) {
    parameters.service = serviceName
    ofService.push('service = {service:String}')
  }
  const conditions: string[] = ofService.length > 0 ? [some([])] : []
  if (spanName !== undefined) {
    parameters.name = spanName
    conditions.push(some(['name = {name:String}']))
  }
  if (remoteServiceName !== undefined) {
    parameters.remote = remoteServiceName
    conditions.push(some(['remote = {remote:String}']))
  }
  if (minDuration !== undefined) {
    parameters.min = minDuration
    const range = ['duration >= {min:Int64}']
    if (maxDuration !== undefined) {
      parameters.max = maxDuration
      range.push('duration <= {max:Int64}')
    }
    conditions.push(some(range))
  }
  let term = 0
  for (const [key, value] of annotationQuery ?? []) {
    parameters[`key${term}`] = key
    if (value === '') {
      conditions.push(some([`(mapContains(tags, {key${term}:String}) OR has(annotations, {key${term}:String}))`]))
    } else {
      parameters[`value${term}`] = value
      conditions.push(some([`tags[{key${term}:String}] = {value${term}:String}`]))
    }
    term++
  }
  return { having: conditions.join(' AND ') || '1', parameters }

  function some(these: string[]): string {
    return `countIf(${[...ofService, ...these].join(' AND ') || '1'}) > 0`
  }
}

/**
 * The window in slices, newest first, each four times as long as the one before: who wants the newest ten reads little, who
 * wants what is rare reads all in a dozen queries.
 */
export function* slices(
  endTs: Milliseconds,
  lookback: Milliseconds,
): Generator<[from: Milliseconds, to: Milliseconds]> {
  const start = endTs - lookback
  let length = 60_000
  for (let to = endTs; to >= start; ) {
    const from = Math.max(start, to - length)
    yield [from, to]
    to = from - 1
    length *= 4
  }
}
