import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'

const checkout = join(import.meta.dirname, '../..')
const cli = join(checkout, 'apps/cli/src/main.ts')
// Beside the checkout's own scenarios: Docker's build context is a path from there.
mkdirSync(join(checkout, '.cache'), { recursive: true })
const parent = mkdtempSync(join(checkout, '.cache/new-'))
afterAll(() => rmSync(parent, { recursive: true }))

function hopscope(...args: string[]) {
  const run = spawnSync(process.execPath, [cli, ...args], { encoding: 'utf8', timeout: 120_000 })
  return { code: run.status, said: run.stdout + run.stderr }
}

test('a new scenario works as it is, and is not written over', () => {
  const folder = join(parent, 'my-mesh')
  expect(hopscope('new', folder).said).toContain('README.md, compose.yaml, envoy/client.yaml, scenario.yaml')
  const { code, said } = hopscope('verify', folder)
  expect(code, said).toBe(0)
  expect(said).toContain('2 of 2 passed')
  expect(readFileSync(join(folder, 'README.md'), 'utf8')).toContain(`# my-mesh\n`)
  // A variable of the application, not the name of the mesh.
  expect(readFileSync(join(folder, 'compose.yaml'), 'utf8')).toContain('NAME: app')

  writeFileSync(join(folder, 'notes.txt'), 'mine')
  expect(hopscope('new', folder)).toEqual({ code: 1, said: expect.stringContaining('exists and is not empty') })
  expect(hopscope('new', join(parent, 'My Mesh')).said).toContain('expected a name of small letters')
})
