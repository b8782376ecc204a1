import type { FieldReader, Path } from './field-reader.ts'
import { nearest } from './nearest.ts'
import type { Knob } from './scenario.ts'

/** `variable` and a list of `values`, or a map: what each value sets. */
export function readKnob(reader: FieldReader, value: unknown, path: Path): Knob {
  const fields = reader.map(value, path)
  reader.known(fields, path, ['about', 'variable', 'values'])
  const about = reader.text(fields.about, [...path, 'about'])
  const at: Path = [...path, 'values']
  let variables: Record<string, Record<string, string>>
  let values: string[]
  if (fields.variable === undefined && fields.values !== undefined && !Array.isArray(fields.values)) {
    variables = reader.mapOf(fields.values, at, (item, place) =>
      reader.mapOf(item, place, (one, where) => reader.text(one, where)),
    )
    values = Object.keys(variables)
  } else {
    const variable = reader.text(fields.variable, [...path, 'variable'])
    values = reader.list(fields.values, at).map((item, i) => reader.text(item, [...at, i]))
    variables = Object.fromEntries(values.map(one => [one, { [variable]: one }]))
  }
  if (values.length < 2) reader.problem(at, 'expected at least two values, the first is the default')
  return { about, values, variables }
}

export function readSettings(
  reader: FieldReader,
  value: unknown,
  path: Path,
  knobs: Readonly<Record<string, Knob>>,
): Record<string, string> {
  const settings = reader.mapOf(value, path, (item, at) => reader.text(item, at))
  for (const [name, setting] of Object.entries(settings)) {
    const knob = knobs[name]
    if (knob === undefined)
      reader.problem([...path, name], `there is no knob ${name}${nearest(name, Object.keys(knobs))}`)
    else if (!knob.values.includes(setting))
      reader.problem([...path, name], `expected ${knob.values.join(', ')}, got ${setting}`)
  }
  return settings
}
