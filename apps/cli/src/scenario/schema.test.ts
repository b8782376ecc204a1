import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { checkout } from '../checkout.ts'
import { findScenario, scenarioNames } from './find-scenario.ts'

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

function unknownFields(value: unknown, given: Schema, path: string): string[] {
  const here = given.$ref === undefined ? given : schema.$defs[given.$ref.slice('#/$defs/'.length)]!
  if (Array.isArray(value)) {
    return here.items === undefined ? [] : value.flatMap((item, i) => unknownFields(item, here.items!, `${path}[${i}]`))
  }
  if (
    value === null ||
    typeof value !== 'object' ||
    (here.properties === undefined && here.additionalProperties === undefined)
  )
    return []
  const missing = (here.required ?? []).filter(name => !(name in value)).map(name => `${path}.${name} is missing`)
  const inside = Object.entries(value).flatMap(([key, item]) => {
    const known =
      here.properties?.[key] ?? (typeof here.additionalProperties === 'object' ? here.additionalProperties : undefined)
    return known === undefined ? [`${path}.${key}`] : unknownFields(item, known, `${path}.${key}`)
  })
  return [...missing, ...inside]
}
