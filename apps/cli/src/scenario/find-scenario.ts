import { existsSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { checkout } from '../checkout.ts'
import { UserError } from '../user-error.ts'
import { nearest } from './nearest.ts'
import { readScenario } from './read-scenario.ts'
import type { Scenario } from './scenario.ts'

export type { Scenario } from './scenario.ts'

/** What `hopscope up` runs without a name: the root docker-compose.yml. */
const TOUR = 'tour'

/**
 * By folder name (`04-broken-propagation`), number (`04`, `4`), slug (`broken-propagation`), or the path of a folder anywhere
 * (`./my-mesh`).
 *
 * @throws UserError
 */
export async function findScenario(name: string = TOUR): Promise<Scenario> {
  if (isPath(name)) return readScenario(resolve(name, 'scenario.yaml'))
  const names = scenarioNames()
  const wanted = /^\d$/.test(name) ? `0${name}` : name
  const found = names.find(
    folder => folder === wanted || folder.startsWith(`${wanted}-`) || folder.replace(/^\d+-/, '') === wanted,
  )
  if (found !== undefined) return readScenario(join(checkout, 'scenarios', found, 'scenario.yaml'))
  const slugs = names.flatMap(folder => [folder, folder.replace(/^\d+-/, '')])
  throw new UserError(`there is no scenario ${name}${nearest(name, slugs)}\nThere are: ${names.join(', ')}`)
}

/** Said with a slash, it is a folder and not a name. */
export function isPath(name: string): boolean {
  return name.includes('/')
}

/** Folders of scenarios/ that hold a scenario, the tour last. */
export function scenarioNames(): string[] {
  const folder = join(checkout, 'scenarios')
  return readdirSync(folder)
    .filter(name => existsSync(join(folder, name, 'scenario.yaml')))
    .sort((a, b) => Number(a === TOUR) - Number(b === TOUR) || a.localeCompare(b))
}
