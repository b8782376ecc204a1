import { expect, test } from 'vitest'
import { Problems } from '../problems.ts'
import { toPlain } from './node.ts'
import { readJson } from './read-json.ts'
import { Sources } from './sources.ts'

function read(text: string) {
  const sources = new Sources()
  const problems = new Problems(sources)
  const node = readJson(text, sources.add('f.json', text), problems)
  return { plain: node && toPlain(node), problems: problems.sorted().map(p => `${p.line}:${p.column} ${p.message}`) }
}

test.each(['{"a":[1,-2.5e3,true,null,"\\u00e9\\n"],"b":{}}', '[]', ' "x" ', '0'])(
  'reads %s as JSON.parse does',
  text => {
    expect(read(text).plain).toEqual(JSON.parse(text))
  },
)

test('takes trailing commas and single quotes, as protobuf does', () => {
  expect(read(`{'a"b': ['it\\'s',],}`).plain).toEqual({ 'a"b': ["it's"] })
})

test.each([
  ['{"a":1', "1:7 not valid JSON: expected ',' or '}', found the end of the file"],
  ['{a:1}', "1:2 not valid JSON: expected a quoted field name, found 'a'"],
  ['{"a":01}', "1:7 not valid JSON: expected ',' or '}', found '1'"],
  ['{} x', "1:4 not valid JSON: expected the end of the file, found 'x'"],
  ['{"a":"b\n"}', '1:6 not valid JSON: a bad escape or a control character in this string'],
  ['', "1:1 not valid JSON: expected '{', found the end of the file"],
])('refuses %s', (text, problem) => {
  expect(read(text)).toEqual({ plain: undefined, problems: [problem] })
})
