import { expect, test } from 'vitest'
import { messageType } from '../schema/schema.ts'
import { extensionPoints, supported } from './supported.ts'

test('the table speaks of messages and fields that Envoy has', () => {
  const wrong: string[] = []
  for (const [name, fields] of Object.entries(supported)) {
    const type = messageType(name)
    if (type === undefined) wrong.push(name)
    for (const field of Object.keys(fields)) if (!type?.fields.has(field)) wrong.push(`${name}.${field}`)
  }
  expect(wrong).toEqual([])
})

test('every message that a supported field leads to is in the table', () => {
  const missing: string[] = []
  for (const [name, fields] of Object.entries(supported)) {
    for (const field of Object.keys(fields)) {
      const type = messageType(name)!.fields.get(field)!.type
      if (messageType(type) !== undefined && supported[type] === undefined) missing.push(`${name}.${field}: ${type}`)
    }
  }
  expect(missing).toEqual([])
})

test('extension points are fields of the table, and their types are in it', () => {
  for (const [field, point] of Object.entries(extensionPoints)) {
    const dot = field.lastIndexOf('.')
    const type = messageType(field.slice(0, dot))?.fields.get(field.slice(dot + 1))?.type
    expect(
      ['google.protobuf.Any', 'envoy.config.core.v3.TypedExtensionConfig', 'xds.core.v3.TypedExtensionConfig'],
      field,
    ).toContain(type)
    for (const type of point.types) expect(supported[type], type).toBeDefined()
  }
})
