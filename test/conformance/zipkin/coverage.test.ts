import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { coverage } from './coverage.ts'
import { skipReason } from './pair.ts'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))

/** `suite > title` of every check of this folder, as the test runner lists them: it leaves out what is skipped. */
async function titlesOfChecks(): Promise<string[]> {
  const vitest = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url))
  const filters = ['test/conformance/zipkin/', '--config', 'test/vitest.config.ts', '--project', 'conformance']
  // A run inside a run: it must not take itself for one of this one's workers.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('VITEST')))
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [vitest, 'list', ...filters, '--staticParse=false', '--json'],
    {
      cwd: ROOT,
      env,
      maxBuffer: 64 * 1024 * 1024,
      timeout: 140_000,
    },
  )
  const tests = JSON.parse(stdout.slice(stdout.indexOf('['))) as { name: string }[]
  return tests.map(({ name }) => name.replace(' beside zipkin-server', ''))
}

test.skipIf(skipReason)(
  'every row of what zipkin-server does has a check',
  async () => {
    const { table, missing } = coverage(await titlesOfChecks())
    console.log(`zipkin-server's behaviour and the checks for it\n${table}`)
    expect(missing).toEqual([])
  },
  150_000,
)
