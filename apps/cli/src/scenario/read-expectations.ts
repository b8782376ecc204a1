import type { FieldReader, Fields, Path } from './field-reader.ts'
import { type AgainstEarlier, type Bound, type Calls, type Expectations, PERCENTILES } from './scenario.ts'

export function readExpectations(
  reader: FieldReader,
  value: unknown,
  path: Path,
  calls: Calls | undefined,
): Expectations {
  const fields = reader.map(value, path)
  const ofAnswers = [
    'status',
    'statuses',
    'took',
    'headers',
    'body',
    'counts',
    'spread',
    'trace',
    'nested',
    'overlap',
    'gaps',
    'critical_path',
    ...PERCENTILES.map(percent => `p${percent}`),
  ]
  reader.known(fields, path, [...ofAnswers, 'stats', 'traces', 'spans', 'links', 'output'])
  if (calls === undefined) {
    for (const name of ofAnswers) {
      if (fields[name] !== undefined) reader.problem([...path, name], 'this step makes no calls')
    }
  }
  const at = (name: string): Path => [...path, name]
  const expect: { -readonly [K in keyof Expectations]: Expectations[K] } = {}
  if (fields.status !== undefined)
    expect.status = reader.mapOf(fields.status, at('status'), (item, place) => reader.number(item, place))
  if (fields.statuses !== undefined) {
    expect.statuses = reader
      .list(fields.statuses, at('statuses'))
      .map((item, i) => reader.number(item, [...at('statuses'), i]))
  }
  if (fields.took !== undefined) {
    const took = reader.map(fields.took, at('took'))
    reader.known(took, at('took'), ['min_ms', 'max_ms'])
    expect.took = {
      minMs: reader.number(took.min_ms ?? 0, [...at('took'), 'min_ms']),
      maxMs:
        took.max_ms === undefined ? Number.POSITIVE_INFINITY : reader.number(took.max_ms, [...at('took'), 'max_ms']),
    }
  }
  if (fields.counts !== undefined) {
    expect.counts = reader.bounds(fields.counts, at('counts'))
    checkPlaces(reader, expect.counts, at('counts'))
  }
  if (fields.spread !== undefined) {
    expect.spread = reader.mapOf(fields.spread, at('spread'), (item, place) =>
      reader.list(item, place).map((count, i) => reader.number(count, [...place, i])),
    )
    checkPlaces(reader, expect.spread, at('spread'))
  }
  if (fields.headers !== undefined) {
    expect.headers = reader.mapOf(fields.headers, at('headers'), (item, place) =>
      item === null ? null : reader.text(item, place),
    )
  }
  if (fields.body !== undefined) expect.body = fields.body
  if (fields.stats !== undefined) {
    expect.stats = reader.bounds(fields.stats, at('stats'))
  }
  if (fields.trace !== undefined) expect.trace = reader.text(fields.trace, at('trace'))
  if (fields.nested !== undefined) {
    if (fields.nested !== true) reader.problem(at('nested'), `expected true, got ${JSON.stringify(fields.nested)}`)
    expect.nested = true
  }
  if (fields.overlap !== undefined) {
    expect.overlap = readOfSpans(reader, fields.overlap, at('overlap'), 'most', (one, place) => ({
      most: reader.bound(one, place),
    }))
  }
  if (fields.gaps !== undefined) {
    expect.gaps = readOfSpans(reader, fields.gaps, at('gaps'), 'ms', (one, place) => ({
      ms: reader.list(one, place).map((bound, i) => reader.bound(bound, [...place, i])),
    }))
  }
  if (fields.critical_path !== undefined) {
    expect.criticalPath = readCriticalPath(reader, fields.critical_path, at('critical_path'))
  }
  if (fields.traces !== undefined) expect.traces = reader.texts(fields.traces, at('traces'))
  if (fields.spans !== undefined) expect.spans = reader.list(fields.spans, at('spans'))
  if (fields.links !== undefined)
    expect.links = reader.mapOf(fields.links, at('links'), (item, place) => reader.number(item, place))
  for (const name of PERCENTILES.map(percent => `p${percent}` as const)) {
    if (fields[name] !== undefined) expect[name] = readAgainstEarlier(reader, fields[name], at(name))
  }
  if (fields.output !== undefined)
    expect.output = reader.mapOf(fields.output, at('output'), (item, place) => readOutput(reader, item, place))
  return expect
}

/** A list of `{ spans: part of a span, NAME: what of those that are like it }`. */
function readOfSpans<T>(
  reader: FieldReader,
  value: unknown,
  path: Path,
  name: string,
  read: (value: unknown, path: Path) => T,
) {
  return reader.list(value, path).map((item, i) => {
    const place = [...path, i]
    const one = reader.map(item, place)
    reader.known(one, place, ['spans', name])
    return { spans: reader.map(one.spans, [...place, 'spans']), ...read(one[name], [...place, name]) }
  })
}

/** What must be said of the spans on the path is how many they are, how long they have the word, or both. */
function readCriticalPath(reader: FieldReader, value: unknown, path: Path): NonNullable<Expectations['criticalPath']> {
  return reader.list(value, path).map((item, i) => {
    const place = [...path, i]
    const one = reader.map(item, place)
    reader.known(one, place, ['spans', 'count', 'ms'])
    if (one.count === undefined && one.ms === undefined) reader.problem(place, 'expected a count, ms, or both')
    return {
      spans: reader.map(one.spans, [...place, 'spans']),
      ...(one.count === undefined ? {} : { count: reader.bound(one.count, [...place, 'count']) }),
      ...(one.ms === undefined ? {} : { ms: reader.bound(one.ms, [...place, 'ms']) }),
    }
  })
}

function checkPlaces(reader: FieldReader, values: Fields, path: Path): void {
  for (const name of Object.keys(values))
    if (!/^(body|header)\../.test(name)) reader.problem([...path, name], 'expected body.FIELD or header.NAME')
}

function readAgainstEarlier(reader: FieldReader, value: unknown, path: Path): AgainstEarlier {
  const fields = reader.map(value, path)
  reader.known(fields, path, ['of', 'factor', 'plus_ms'])
  return {
    of: reader.text(fields.of, [...path, 'of']),
    factor: reader.number(fields.factor ?? 1, [...path, 'factor']),
    plusMs: reader.number(fields.plus_ms ?? 0, [...path, 'plus_ms']),
  }
}

/** A list of lines that must be there, or how many of each there must be. */
function readOutput(reader: FieldReader, value: unknown, path: Path): Record<string, Bound> {
  if (!Array.isArray(value)) return reader.mapOf(value, path, (item, at) => reader.bound(item, at))
  return Object.fromEntries(reader.texts(value, path).map(text => [text, '>= 1']))
}
