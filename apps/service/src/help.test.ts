import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { HELP } from './help.ts'

test('names every variable that README.md has', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  const table = readme.slice(readme.indexOf('## How it works'), readme.indexOf('A bad value'))
  const names = [...table.matchAll(/`([A-Z][A-Z0-9_]+)`/g)].map(([, name]) => name!)
  expect(names.length).toBeGreaterThan(15)
  for (const name of names) expect(HELP).toContain(name)
})
