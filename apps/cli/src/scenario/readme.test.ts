import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { checkout } from '../checkout.ts'
import { findScenario, scenarioNames } from './find-scenario.ts'
import { knobVariables } from './knob-variables.ts'

/** What readers are told to type: commands that exist, scenarios and knobs that they name, files that are there. */
const documents = [
  'README.md',
  'CONTRIBUTING.md',
  'docs/scenarios.md',
  'docs/viewer.md',
  ...readdirSync(join(checkout, 'scenarios')).map(name => `scenarios/${name}/README.md`),
  ...(existsSync(join(checkout, 'docs/posta.md')) ? ['docs/posta.md'] : []),
]
const help = readFileSync(join(checkout, 'apps/cli/src/main.ts'), 'utf8')
const known = [...help.matchAll(/\.command\('([a-z]+)/g)].map(match => match[1]!)

test.each(documents)('%s: its commands are ones', async document => {
  const text = readFileSync(join(checkout, document), 'utf8')
  const wrong: string[] = []
  for (const line of commandsIn(text)) {
    try {
      await check(line)
    } catch (error) {
      wrong.push(`./hopscope ${line}: ${(error as Error).message}`)
    }
  }
  expect(wrong).toEqual([])
})

test.each(scenarioNames().filter(name => name !== 'tour'))(
  'the README of %s is one screen, and says what it must',
  name => {
    const text = readFileSync(join(checkout, 'scenarios', name, 'README.md'), 'utf8')
    expect(text.split('\n').length).toBeLessThanOrEqual(46)
    expect(text).toMatch(/^# \d\d · /)
    for (const part of [
      '```\n',
      '\n## Run it\n',
      '\n## Look at\n',
      '\n## Break next\n',
      `./hopscope verify ${name.slice(0, 2)}`,
      'docker compose up --build -d',
    ])
      expect(text).toContain(part)
  },
)

/** `up 04 --set forward=none`, without comments and what stands for something else. */
function commandsIn(text: string): string[] {
  return [...text.matchAll(/\.\/hopscope ((?:[^\s`;|]+ ?)*)/g)]
    .map(match => match[1]!.replace(/ #.*$/, '').trim())
    .filter(line => !/[A-Z[…]/.test(line.replace(/-H .*|--url \S+/, '')))
}

async function check(line: string): Promise<void> {
  const [command, ...words] = line.split(/\s+/)
  if (command === 'help' || command === undefined || command === '') return
  if (!known.includes(command)) throw new Error('no such command')
  if (!['up', 'verify', 'compare'].includes(command)) return
  const settings: string[] = []
  const names: string[] = []
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!
    if (word === '#') break
    if (word === '--set') settings.push(words[++i]!)
    else if (['--proxy', '--ports', '--junit', '--calls'].includes(word)) i++
    else if (!word.startsWith('-')) names.push(word)
  }
  for (const name of names.filter(one => !one.startsWith('./') && !/^\d\d-my-/.test(one))) {
    const scenario = await findScenario(name)
    knobVariables(scenario, settings)
  }
}
