import { expect, test } from 'vitest'
import { Problems } from '../problems.ts'
import { toPlain } from './node.ts'
import { plainScalar, readYaml } from './read-yaml.ts'
import { Sources } from './sources.ts'

// What Envoy 1.40 took each for, seen in its error texts.
test.each([
  ['yes', true],
  ['Off', false],
  ['y', true],
  ['~', null],
  ['', null],
  ['10', 10],
  ['-1', -1],
  ['0x1F', 31],
  ['010', 8],
  ['4294967296', '4294967296'],
  ['1.5', '1.5'],
  ['1e3', '1e3'],
  ['127.0.0.1', '127.0.0.1'],
  ['1s', '1s'],
  ['yEs', 'yEs'],
])('%s unquoted', (text, value) => {
  expect(plainScalar(text)).toBe(value)
})

function read(text: string) {
  const sources = new Sources()
  const problems = new Problems(sources)
  const node = readYaml(text, sources.add('f.yaml', text), problems)
  return { plain: node && toPlain(node), problems: problems.sorted().map(p => `${p.line}:${p.column} ${p.message}`) }
}

test('quoted and block scalars are text', () => {
  expect(read('a: "1"\nb: \'yes\'\nc: |\n  2\n').plain).toEqual({ a: '1', b: 'yes', c: '2\n' })
})

test('an alias is what its anchor is', () => {
  expect(read('a: &x { b: 1 }\nc: *x').plain).toEqual({ a: { b: 1 }, c: { b: 1 } })
})

test('an alias to nothing, or to what it is in, is an error', () => {
  expect(read('a: *x').problems).toEqual(['1:4 not valid YAML: the referenced anchor is not defined: x'])
  expect(read('a: &x [1, *x]').problems).toEqual(['1:11 not valid YAML: the referenced anchor contains itself: x'])
})
