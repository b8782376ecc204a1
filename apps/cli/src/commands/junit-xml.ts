import type { ScenarioResult } from './scenario-result.ts'

/** The results as JUnit XML: a suite a scenario, a case a step. */
export function junitXml(results: readonly ScenarioResult[]): string {
  const suites = results.map(({ scenario, proxy, mesh, run, seconds, memory, processes, steps }) => {
    const failed = steps.filter(step => step.failure !== undefined).length
    const skipped = steps.filter(step => step.skipped !== undefined).length
    const cases = steps.map(step => {
      const time = (step.milliseconds / 1000).toFixed(3)
      const inside =
        step.failure !== undefined
          ? `<failure message="${quoted(step.failure.split('\n')[0]!)}">${quoted(step.failure)}${quoted(step.link ?? '')}</failure>`
          : step.skipped !== undefined
            ? `<skipped message="${quoted(step.skipped)}"/>`
            : ''
      return `    <testcase classname="${quoted(scenario)}" name="${quoted(step.name)}" time="${time}">${inside}</testcase>`
    })
    const counts = `tests="${steps.length}" failures="${failed}" skipped="${skipped}" time="${seconds.toFixed(3)}"`
    const facts = {
      proxy,
      mesh,
      run,
      memory,
      ...Object.fromEntries(Object.entries(processes).map(([k, v]) => [`memory.${k}`, v])),
    }
    const properties = Object.entries(facts).map(
      ([name, value]) => `      <property name="${quoted(name)}" value="${quoted(String(value))}"/>`,
    )
    const inside = [`    <properties>\n${properties.join('\n')}\n    </properties>`, ...cases].join('\n')
    return `  <testsuite name="${quoted(scenario)}" ${counts}>\n${inside}\n  </testsuite>`
  })
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n${suites.join('\n')}\n</testsuites>\n`
}

function quoted(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd]/g, '?')
}
