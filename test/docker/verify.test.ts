import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { scenarioNames } from '../../apps/cli/src/scenario/find-scenario.ts'
import { dockerHere } from './compose.ts'

/** The scenarios with docker compose: the same steps and expectations as without. */
const cli = join(import.meta.dirname, '../../apps/cli/src/main.ts')

test.skipIf(!dockerHere).each(scenarioNames())('hopscope verify %s --docker', name => {
  const repeat = process.env.HOPSCOPE_REPEAT ?? '1'
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [cli, 'verify', name, '--docker', '--repeat', repeat],
    {
      encoding: 'utf8',
    },
  )
  expect(status, stdout + stderr).toBe(0)
})
