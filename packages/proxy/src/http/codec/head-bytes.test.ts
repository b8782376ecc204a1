import { expect, test } from 'vitest'
import { headBytes } from './head-bytes.ts'

function write(fields: readonly (readonly [name: string, value: string])[]): Buffer {
  headBytes.begin()
  headBytes.text('HTTP/1.1 200 OK\r\n')
  for (const [name, value] of fields) headBytes.field(name, value)
  headBytes.text('\r\n')
  return headBytes.end()
}

const textOf = (fields: readonly (readonly [name: string, value: string])[]) =>
  `HTTP/1.1 200 OK\r\n${fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`

test('texts are latin1, one byte a character, short or long', () => {
  const fields = [['a', ''], ['b', 'caf\u00e9 \u00ff'], ['c', 'x\u00fe'.repeat(300)]] as const // biome-ignore format: one line
  expect(write(fields).toString('latin1')).toBe(textOf(fields))
})

test('heads that were written stay what they are, whatever is written after them', () => {
  // Several slabs of them, and some that are larger than one.
  const heads = Array.from({ length: 400 }, (_, i) => {
    const fields: [name: string, value: string][] = []
    for (let n = 0; n <= i % 7; n++) fields.push([`x-${i}-${n}`, `${n}`.repeat((i * 37) % 300)])
    if (i % 90 === 89) fields.push(['cookie', `${i}`.repeat(20_000)])
    return { bytes: write(fields), text: textOf(fields) }
  })
  for (const { bytes, text } of heads) expect(bytes.toString('latin1') === text).toBe(true)
})
