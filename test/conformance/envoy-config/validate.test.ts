import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { formatProblems, loadBootstrap } from '@hopscope/envoy-config'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findEnvoy, HOW_TO_GET_ENVOY } from '../envoy/harness/program.ts'
import { balancing, constraints, formats, references, shapes, texts, type ValidateCase } from './cases.ts'
import { inTheWild } from './in-the-wild.ts'

/** Small files through `envoy --mode validate` and through ours: what one takes the other takes, or says that it is unsupported. */
const groups = { texts, shapes, constraints, references, balancing, formats, 'in the wild': inTheWild }
const all = Object.values(groups).flat()
const envoy = findEnvoy()
if (envoy === undefined) console.warn(`skipped: Envoy's half of the validation ${HOW_TO_GET_ENVOY}`)

let folder: string
const envoySays = new Map<ValidateCase, { ok: boolean; text: string }>()

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hopscope-validate-'))
  for (const one of all) writeFileSync(pathOf(one), one.text)
  if (envoy === undefined) return
  // Two at a time: each takes about 0.1 s of CPU.
  const waiting = [...all]
  const work = async (): Promise<void> => {
    for (let one = waiting.pop(); one !== undefined; one = waiting.pop())
      envoySays.set(one, await validate(pathOf(one)))
  }
  await Promise.all([work(), work()])
  // Hundreds of starts, on a machine that may have other things to do.
}, 900_000)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

for (const [group, cases] of Object.entries(groups)) {
  describe(group, () => {
    for (const one of cases) {
      test(`${one.name}: ${one.expected}`, () => {
        const result = loadBootstrap({ path: pathOf(one) })
        const said = result.ok ? '' : formatProblems(result.problems)
        const verdict = result.ok
          ? 'accepted'
          : result.problems.every(p => p.kind === 'unsupported')
            ? 'unsupported'
            : 'refused'
        expect(verdict, said).toBe(one.expected)
        if (one.says) expect(said).toMatch(one.says)
      })
      test.skipIf(envoy === undefined)(`${one.name}: as Envoy`, () => {
        const { ok, text } = envoySays.get(one)!
        expect(ok, text).toBe(one.expected !== 'refused')
      })
    }
  })
}

function pathOf(one: ValidateCase): string {
  return join(folder, `${all.indexOf(one)}.${one.extension ?? 'yaml'}`)
}

function validate(path: string): Promise<{ ok: boolean; text: string }> {
  const args = ['--mode', 'validate', '-c', path, '--concurrency', '1', '--disable-hot-restart', '-l', 'critical']
  return new Promise(resolve =>
    execFile(envoy!, args, (error, stdout, stderr) => resolve({ ok: error === null, text: stdout + stderr })),
  )
}
