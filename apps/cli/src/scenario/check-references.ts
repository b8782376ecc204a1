import type { FieldReader, Path } from './field-reader.ts'
import { nearest } from './nearest.ts'
import { PERCENTILES, type Scenario } from './scenario.ts'

/** What steps refer to by name: proxies in `admins`, earlier steps. */
export function checkReferences(reader: FieldReader, { admins, steps }: Scenario): void {
  for (const [i, { runtime, waitFor, during, expect }] of steps.entries()) {
    const path = ['steps', i] as const
    const proxies: [Path, string][] = [
      ...Object.keys(runtime).map((name): [Path, string] => [[...path, 'runtime', name], name]),
      ...Object.keys(waitFor).map((name): [Path, string] => [[...path, 'wait_for', name], name]),
      ...during.flatMap((one, j) =>
        Object.keys('until' in one ? one.until : {}).map((name): [Path, string] => [
          [...path, 'during', j, 'until', name],
          name,
        ]),
      ),
      ...Object.keys(expect.stats ?? {}).map((name): [Path, string] => [[...path, 'expect', 'stats', name], name]),
    ]
    for (const [at, name] of proxies) {
      if (!(name in admins))
        reader.problem(at, `admins does not name the port of ${name}${nearest(name, Object.keys(admins))}`)
    }
    const earlier = steps.slice(0, i).flatMap(step => (step.calls === undefined ? [] : step.name))
    for (const percent of PERCENTILES) {
      const of = expect[`p${percent}`]?.of
      if (of !== undefined && !earlier.includes(of))
        reader.problem(
          [...path, 'expect', `p${percent}`, 'of'],
          `no earlier step with calls is called ${of}${nearest(of, earlier)}`,
        )
    }
  }
}
