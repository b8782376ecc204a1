import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { parse } from 'yaml'
import { checkout } from '../checkout.ts'
import { findScenario, scenarioNames } from './find-scenario.ts'
import { readScenario } from './read-scenario.ts'

interface Schema {
  properties?: Record<string, Schema>
  additionalProperties?: boolean | Schema
  items?: Schema
  $ref?: string
  required?: string[]
}

const schema = JSON.parse(readFileSync(join(checkout, 'docs/scenario.schema.json'), 'utf8')) as Schema & {
  $defs: Record<string, Schema>
}

test.each(scenarioNames())('%s is read, and has only fields that the schema knows', async name => {
  const scenario = await findScenario(name)
  expect(scenario.steps.length).toBeGreaterThan(0)
  expect(unknownFields(parse(readFileSync(join(scenario.folder, 'scenario.yaml'), 'utf8')), schema, '')).toEqual([])
})

test('found by number, by slug, by folder', async () => {
  for (const name of ['4', '04', 'broken-propagation', '04-broken-propagation']) {
    expect((await findScenario(name)).name).toBe('04-broken-propagation')
  }
  expect((await findScenario(undefined)).name).toBe('tour')
})

/** Every field there is. */
const EVERYTHING = `
title: T
teaches: t
compose: compose.yaml
entry: { service: a, port: 1, path: / }
collector: { service: c, port: 2 }
admins: { a: 3 }
knobs: { k: { about: x, variable: K, values: [b, 1, a] }, m: { about: y, values: { c: { C: 1, D: 2 }, e: {} } } }
steps:
  - name: one
    calls: { path: / }
  - name: two
    knobs: { k: b }
    stop: [b]
    start: [b]
    runtime: { a: { key: 1 } }
    wait_for: { a: { up: 1 } }
    before: [{ call: { service: b, port: 4, path: /first } }]
    during:
      - until: { a: { held: ">= 1" } }
      - call: { service: b, port: 4, path: /go }
      - stop: [b]
      - start: [b]
      - knobs: { k: a }
    calls: { to: { service: b, port: 6 }, method: POST, path: /, headers: { x: y }, body: z, count: 2, parallel: 2, threads: 1 }
    only: { proxy: hopscope, reason: r }
    expect:
      status: { 200: 2 }
      statuses: [200, 200]
      took: { min_ms: 1, max_ms: 9 }
      counts: { body.name: { b: 1..2 }, header.x: { y: 2 } }
      spread: { body.name: [2, 1] }
      headers: { x: y, z: null }
      body: { a: 1 }
      stats: { a: { b: ">= 1", c: 0 } }
      trace: a  *  ..
      nested: true
      overlap: [{ spans: { kind: CLIENT }, most: <=3 }]
      gaps: [{ spans: { kind: CLIENT }, ms: [0..9, 1] }]
      critical_path: [{ spans: { kind: SERVER }, count: 6, ms: ">= 1" }]
      traces: [a  *  ..]
      spans: [{ kind: CLIENT }]
      links: { a -> b: 1 }
      p99: { of: one, factor: 2, plus_ms: 20 }
      p95: { of: one, factor: 1, plus_ms: 0 }
      p80: { of: one, factor: 3, plus_ms: 1 }
      p50: { of: one, factor: 4, plus_ms: 2 }
      output: { a: [line], b: { other: <=2 } }
compare:
  path: /x
  runs:
    plain: { knobs: { k: a }, entry: { service: a, port: 5 } }
    other: { knobs: { k: b } }
`

test('the reader takes every field of the schema, and no field but those', () => {
  const used = new Set<string>()
  expect(unknownFields(parse(EVERYTHING), schema, '', used)).toEqual([])
  expect([...fieldsOf(schema, '')].filter(field => !used.has(field))).toEqual([])
  const read = readText(EVERYTHING)
  const { critical_path: criticalPath, ...expected } = parse(EVERYTHING).steps[1].expect
  expect(read.steps[1]?.expect).toEqual({
    ...expected,
    criticalPath,
    took: { minMs: 1, maxMs: 9 },
    p50: { of: 'one', factor: 4, plusMs: 2 },
    p80: { of: 'one', factor: 3, plusMs: 1 },
    p95: { of: 'one', factor: 1, plusMs: 0 },
    p99: { of: 'one', factor: 2, plusMs: 20 },
    output: { a: { line: '>= 1' }, b: { other: '<=2' } },
  })
  expect(read.knobs).toEqual({
    k: { about: 'x', values: ['b', '1', 'a'], variables: { a: { K: 'a' }, 1: { K: '1' }, b: { K: 'b' } } },
    m: { about: 'y', values: ['c', 'e'], variables: { c: { C: '1', D: '2' }, e: {} } },
  })
  expect(read.compare).toEqual({
    path: '/x',
    runs: [
      { name: 'plain', knobs: { k: 'a' }, entry: { service: 'a', port: 5 } },
      { name: 'other', knobs: { k: 'b' }, entry: { service: 'a', port: 1, path: '/' } },
    ],
  })
})

test('names that lead nowhere are told with their place', () => {
  expect(() => readText(EVERYTHING.replace('of: one', 'of: oen'))).toThrow(
    /:44:14: steps\[1\]\.expect\.p99\.of: no earlier step with calls is called oen, did you mean one\?$/,
  )
  expect(() => readText(EVERYTHING.replace('runtime: { a:', 'runtime: { aa:'))).toThrow(
    /:16:16: steps\[1\]\.runtime\.aa: admins does not name the port of aa/,
  )
  expect(() => readText(EVERYTHING.replace('until: { a:', 'until: { aa:'))).toThrow(
    /:20:18: steps\[1\]\.during\[0\]\.until\.aa: admins does not name the port of aa/,
  )
})

test.each([
  [
    'b: 1..2',
    'b: 2...1',
    /:31:30: steps\[1\]\.expect\.counts\.body\.name\.b: expected a number, ">= N", "<= N" or "N\.\.M", got "2\.\.\.1"$/,
  ],
  ['header.x:', 'heder.x:', /:31:41: steps\[1\]\.expect\.counts\.heder\.x: expected body\.FIELD or header\.NAME$/],
  ['up: 1', 'up: soon', /:17:22: steps\[1\]\.wait_for\.a\.up: expected a number/],
  ['until:', 'unless:', /:20:9: steps\[1\]\.during\[0\]\.unless: unknown field/],
])('%s for %s is told with its place', (right, wrong, message) => {
  expect(() => readText(EVERYTHING.replace(right, wrong))).toThrow(message)
})

const folder = mkdtempSync(join(tmpdir(), 'scenario-'))
afterAll(() => rmSync(folder, { recursive: true }))

function readText(text: string) {
  const file = join(folder, 'scenario.yaml')
  writeFileSync(file, text)
  return readScenario(file)
}

/** All paths of fields: `steps[].calls.path`; the keys of a map with free keys are `*`. */
function* fieldsOf(given: Schema, path: string): Generator<string> {
  const here = resolved(given)
  if (here.items !== undefined) yield* fieldsOf(here.items, `${path}[]`)
  for (const [key, inside] of Object.entries(here.properties ?? {})) {
    yield `${path}.${key}`
    yield* fieldsOf(inside, `${path}.${key}`)
  }
  if (typeof here.additionalProperties === 'object') yield* fieldsOf(here.additionalProperties, `${path}.*`)
}

function resolved(given: Schema): Schema {
  return given.$ref === undefined ? given : schema.$defs[given.$ref.slice('#/$defs/'.length)]!
}

/** Fields of a value that the schema does not know, and those that it misses; `used` gets those that it knows. */
function unknownFields(value: unknown, given: Schema, path: string, used = new Set<string>()): string[] {
  const here = resolved(given)
  if (Array.isArray(value)) {
    return here.items === undefined ? [] : value.flatMap(item => unknownFields(item, here.items!, `${path}[]`, used))
  }
  if (
    value === null ||
    typeof value !== 'object' ||
    (here.properties === undefined && here.additionalProperties === undefined)
  )
    return []
  const missing = (here.required ?? []).filter(name => !(name in value)).map(name => `${path}.${name} is missing`)
  const inside = Object.entries(value).flatMap(([key, item]) => {
    const property = here.properties?.[key]
    if (property !== undefined) used.add(`${path}.${key}`)
    const known = property ?? (typeof here.additionalProperties === 'object' ? here.additionalProperties : undefined)
    const at = property === undefined ? `${path}.*` : `${path}.${key}`
    return known === undefined ? [`${path}.${key}`] : unknownFields(item, known, at, used)
  })
  return [...missing, ...inside]
}
