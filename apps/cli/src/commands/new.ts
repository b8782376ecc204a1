import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join, relative, resolve } from 'node:path'
import { checkout } from '../checkout.ts'
import { isPath } from '../scenario/find-scenario.ts'
import { UserError } from '../user-error.ts'

const NAME = /^[a-z0-9][a-z0-9-]*$/

/** `hopscope new NAME`: a working scenario as scenarios/NAME, or in the folder that a path names. @throws UserError */
export function newScenario(name: string): number {
  const folder = isPath(name) ? resolve(name) : join(checkout, 'scenarios', name)
  if (!NAME.test(basename(folder)))
    throw new UserError(`expected a name of small letters, digits and dashes (21-my-mesh), got ${basename(folder)}`)
  if (existsSync(folder) && readdirSync(folder).length > 0)
    throw new UserError(`${shown(folder)} exists and is not empty: choose another name`)
  cpSync(join(checkout, 'apps/cli/template'), folder, { recursive: true })
  const argument = isPath(name) ? name : basename(folder)
  const words: Record<string, string> = {
    __NAME__: basename(folder),
    __ARGUMENT__: argument,
    __CHECKOUT__: relative(folder, checkout),
  }
  for (const file of ['README.md', 'compose.yaml', 'scenario.yaml']) {
    const path = join(folder, file)
    writeFileSync(
      path,
      readFileSync(path, 'utf8').replace(/__[A-Z]+__/g, word => words[word]!),
    )
  }
  console.log(`${shown(folder)}: README.md, compose.yaml, envoy/client.yaml, scenario.yaml

  ./hopscope verify ${argument}    it works as it is
  ./hopscope up ${argument}        and docs/scenarios.md has the rest`)
  return 0
}

function shown(folder: string): string {
  const short = relative(process.cwd(), folder)
  return short.startsWith('..') ? folder : short
}
