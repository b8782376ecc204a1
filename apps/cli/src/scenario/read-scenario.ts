import { basename, dirname, resolve } from 'node:path'
import { checkReferences } from './check-references.ts'
import { FieldReader, type Fields, type Path } from './field-reader.ts'
import { readKnob, readSettings } from './read-knobs.ts'
import { readStep } from './read-step.ts'
import type { ComparedRun, Comparison, Knob, Scenario } from './scenario.ts'

/** Reads a scenario.yaml. @throws UserError with every problem as `file:line:col: path: what` */
export function readScenario(file: string): Scenario {
  const reader = new FieldReader(file)
  const fields = reader.parse()
  reader.known(fields, [], ['title', 'teaches', 'compose', 'entry', 'collector', 'admins', 'knobs', 'steps', 'compare'])
  const folder = dirname(file)
  const knobs = reader.mapOf(fields.knobs, ['knobs'], (value, path) => readKnob(reader, value, path))
  const entry = readEntry(reader, fields.entry, ['entry'])
  const scenario: Scenario = {
    name: basename(folder),
    folder,
    composeFile: resolve(folder, reader.text(fields.compose, ['compose'], 'compose.yaml')),
    title: reader.text(fields.title, ['title']),
    teaches: reader.text(fields.teaches, ['teaches']),
    entry,
    collector: reader.place(fields.collector ?? { service: 'collector', port: 9411 }, ['collector'], []),
    admins: reader.mapOf(fields.admins, ['admins'], (value, path) => reader.number(value, path)),
    knobs,
    steps: reader.list(fields.steps, ['steps']).map((step, i) => readStep(reader, step, ['steps', i], knobs)),
    compare: fields.compare === undefined ? undefined : readComparison(reader, fields.compare, entry, knobs),
  }
  checkReferences(reader, scenario)
  reader.end()
  return scenario
}

function readEntry(reader: FieldReader, value: unknown, path: Path): Scenario['entry'] {
  const place = reader.place(value, path, ['path'])
  return { ...place, path: reader.text((value as Fields | null)?.path, [...path, 'path'], '/') }
}

function readComparison(
  reader: FieldReader,
  value: unknown,
  entry: Scenario['entry'],
  knobs: Readonly<Record<string, Knob>>,
): Comparison {
  const fields = reader.map(value, ['compare'])
  reader.known(fields, ['compare'], ['path', 'runs'])
  const runs = reader.mapOf(fields.runs, ['compare', 'runs'], (item, at): Omit<ComparedRun, 'name'> => {
    const run = reader.map(item, at)
    reader.known(run, at, ['knobs', 'entry'])
    return {
      knobs: readSettings(reader, run.knobs, [...at, 'knobs'], knobs),
      entry: run.entry === undefined ? entry : reader.place(run.entry, [...at, 'entry'], []),
    }
  })
  if (Object.keys(runs).length < 2) reader.problem(['compare', 'runs'], 'expected at least two, by name')
  return {
    path: reader.text(fields.path, ['compare', 'path'], entry.path),
    runs: Object.entries(runs).map(([name, run]) => ({ name, ...run })),
  }
}
