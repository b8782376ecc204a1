import type { FieldReader, Fields, Path } from './field-reader.ts'
import { readExpectations } from './read-expectations.ts'
import { readSettings } from './read-knobs.ts'
import type { Call, Calls, Knob, Meanwhile, Step } from './scenario.ts'

export function readStep(reader: FieldReader, value: unknown, path: Path, knobs: Readonly<Record<string, Knob>>): Step {
  const fields = reader.map(value, path)
  reader.known(fields, path, [
    'name',
    'knobs',
    'stop',
    'start',
    'runtime',
    'before',
    'wait_for',
    'calls',
    'during',
    'expect',
    'only',
  ])
  const settings = readSettings(reader, fields.knobs, [...path, 'knobs'], knobs)
  const only = fields.only === undefined ? undefined : readOnly(reader, fields.only, [...path, 'only'])
  const calls = fields.calls === undefined ? undefined : readCalls(reader, fields.calls, [...path, 'calls'])
  return {
    name: reader.text(fields.name, [...path, 'name']),
    knobs: settings,
    stop: reader.texts(fields.stop, [...path, 'stop']),
    start: reader.texts(fields.start, [...path, 'start']),
    runtime: reader.mapOf(fields.runtime, [...path, 'runtime'], (item, at) =>
      reader.mapOf(item, at, (one, place) => reader.text(one, place)),
    ),
    before: reader
      .list(fields.before ?? [], [...path, 'before'])
      .map((item, i) => readBefore(reader, item, [...path, 'before', i])),
    waitFor: reader.bounds(fields.wait_for, [...path, 'wait_for']),
    ...(calls === undefined ? {} : { calls }),
    during: reader
      .list(fields.during ?? [], [...path, 'during'])
      .map((item, i) => readMeanwhile(reader, item, [...path, 'during', i], knobs)),
    expect: readExpectations(reader, fields.expect ?? {}, [...path, 'expect'], calls),
    ...(only === undefined ? {} : { only }),
  }
}

function readBefore(reader: FieldReader, value: unknown, path: Path): Call {
  const fields = reader.map(value, path)
  reader.known(fields, path, ['call'])
  return readCall(reader, fields.call, [...path, 'call'])
}

function readMeanwhile(
  reader: FieldReader,
  value: unknown,
  path: Path,
  knobs: Readonly<Record<string, Knob>>,
): Meanwhile {
  const fields = reader.map(value, path)
  const kinds = ['until', 'call', 'stop', 'start', 'knobs']
  reader.known(fields, path, kinds)
  const [kind, ...more] = Object.keys(fields)
  if (kind === undefined || more.length > 0) reader.problem(path, `expected one of ${kinds.join(', ')}`)
  const at = [...path, kind ?? '']
  if (kind === 'until') return { until: reader.bounds(fields.until, at) }
  if (kind === 'stop') return { stop: reader.texts(fields.stop, at) }
  if (kind === 'start') return { start: reader.texts(fields.start, at) }
  if (kind === 'knobs') return { knobs: readSettings(reader, fields.knobs, at, knobs) }
  return { call: readCall(reader, fields.call, at) }
}

function readCall(reader: FieldReader, value: unknown, path: Path): Call {
  const place = reader.place(value ?? {}, path, ['path'])
  return { ...place, path: reader.text((value as Fields | undefined)?.path, [...path, 'path'], '/') }
}

function readCalls(reader: FieldReader, value: unknown, path: Path): Calls {
  const fields = reader.map(value, path)
  reader.known(fields, path, ['to', 'method', 'path', 'headers', 'body', 'count', 'parallel', 'threads'])
  return {
    ...(fields.to === undefined ? {} : { to: reader.place(fields.to, [...path, 'to'], []) }),
    method: reader.text(fields.method, [...path, 'method'], 'GET'),
    path: reader.text(fields.path, [...path, 'path'], '/'),
    headers: reader.mapOf(fields.headers, [...path, 'headers'], (item, at) => reader.text(item, at)),
    ...(fields.body === undefined ? {} : { body: reader.text(fields.body, [...path, 'body']) }),
    count: reader.number(fields.count ?? 1, [...path, 'count']),
    parallel: reader.number(fields.parallel ?? 1, [...path, 'parallel']),
    threads: reader.number(fields.threads ?? 1, [...path, 'threads']),
  }
}

function readOnly(reader: FieldReader, value: unknown, path: Path): Step['only'] {
  const fields = reader.map(value, path)
  reader.known(fields, path, ['proxy', 'reason'])
  if (fields.proxy !== 'hopscope')
    reader.problem([...path, 'proxy'], 'expected hopscope: what holds for Envoy alone has no place here')
  return { proxy: 'hopscope', reason: reader.text(fields.reason, [...path, 'reason']) }
}
