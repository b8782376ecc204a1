import { findScenario, scenarioNames } from '../scenario/find-scenario.ts'

/** `hopscope ls`: the scenarios, what they teach, their knobs. */
export async function list(): Promise<number> {
  for (const name of scenarioNames()) {
    const { title, teaches, knobs, steps } = await findScenario(name)
    console.log(`${name}  ${title}`)
    console.log(`  ${teaches}`)
    for (const [knob, { about, values }] of Object.entries(knobs))
      console.log(`  --set ${knob}=${values.join('|')}  ${about}`)
    console.log(`  ${steps.length} steps to verify\n`)
  }
  return 0
}
