import { UserError } from '../user-error.ts'
import { nearest } from './nearest.ts'
import type { Scenario } from './scenario.ts'

/** Values of the compose file's variables for `--set knob=value` settings, the others at their defaults. @throws UserError */
export function knobVariables(scenario: Scenario, settings: readonly string[]): Record<string, string> {
  const variables = defaultVariables(scenario)
  for (const setting of settings) {
    const equals = setting.indexOf('=')
    const name = equals < 0 ? setting : setting.slice(0, equals)
    const value = setting.slice(equals + 1)
    const knob = scenario.knobs[name]
    const known = Object.keys(scenario.knobs)
    if (knob === undefined) {
      const list = known.length === 0 ? 'it has none' : `it has ${known.join(', ')}`
      throw new UserError(`${scenario.name} has no knob ${name}${nearest(name, known)} (${list})`)
    }
    if (equals < 0 || !knob.values.includes(value)) {
      throw new UserError(`knob ${name} is one of ${knob.values.join(', ')}, as in --set ${name}=${knob.values[1]}`)
    }
    Object.assign(variables, knob.variables[value])
  }
  return variables
}

export function defaultVariables(scenario: Scenario): Record<string, string> {
  return Object.assign({}, ...Object.values(scenario.knobs).map(({ variables, values }) => variables[values[0]!]))
}
