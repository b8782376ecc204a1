import { expect, test } from 'vitest'
import { atTurnEnd } from './turn-end.ts'

const turn = () => new Promise<void>(resolve => setImmediate(resolve))

test('what waits runs once, in order, after what else there is to do in the turn', async () => {
  const done: string[] = []
  atTurnEnd(() => done.push('a'))
  atTurnEnd(() => done.push('b'))
  await Promise.resolve().then(() => done.push('the rest of the turn'))
  await turn()
  await turn()
  expect(done).toEqual(['the rest of the turn', 'a', 'b'])
})

test('many do not wait for the end', async () => {
  const done: number[] = []
  for (let i = 0; i < 40; i++) {
    atTurnEnd(() => done.push(i))
    await Promise.resolve()
  }
  expect(done.length).toBeGreaterThan(20)
  await turn()
  expect(done).toEqual(Array.from({ length: 40 }, (_, i) => i))
})

test('who comes while the others run has a turn of its own', async () => {
  const done: string[] = []
  atTurnEnd(() => {
    atTurnEnd(() => done.push('later'))
    done.push('first')
  })
  await turn()
  expect(done).toEqual(['first'])
  await turn()
  expect(done).toEqual(['first', 'later'])
})
