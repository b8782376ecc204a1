import { describe, expect, it } from 'vitest'
import { decodeRuns, encodeRuns, parseMeasurement } from './measured-runs.ts'

const at = (value: number) => ({ value, low: value - 1, high: value + 1 })
const RUN = { name: 'traced', n: 100, failed: 0, p50: at(5), p95: at(9), p99: at(12), costs: at(1) }
const FILE = { scenario: '05-partial-mesh', path: '/', runs: [RUN] }

describe('a link to what was measured', () => {
  it('is read as it is written', () => {
    const named = { ...FILE, runs: [{ ...RUN, name: 'über alles ÷ 2' }, RUN] }
    expect(encodeRuns(named)).toMatch(/^[\w-]+$/)
    expect(decodeRuns(encodeRuns(named))).toEqual(named)
    // as the command line writes it
    expect(decodeRuns(Buffer.from(JSON.stringify(named)).toString('base64url'))).toEqual(named)
  })
  it.each(['?', 'a', 'e30', ''])('says what is wrong with %j', text =>
    expect(() => decodeRuns(text)).toThrow(/xpected/),
  )
})

describe('the file of hopscope compare', () => {
  it('is read as it is written', () => expect(parseMeasurement(JSON.stringify(FILE))).toEqual(FILE))
  it.each([
    ['nonsense', 'not JSON'],
    ['[]', 'Expected scenario, path and runs'],
    ['null', 'the document: expected an object'],
    [JSON.stringify({ ...FILE, runs: [{ ...RUN, n: 'x' }] }), 'runs[0]: expected a name'],
    [JSON.stringify({ ...FILE, runs: [{ ...RUN, p95: { value: 1 } }] }), 'runs[0].p95: expected the numbers'],
  ])('says what is wrong with %s', (text, message) => expect(() => parseMeasurement(text)).toThrow(message))
})
