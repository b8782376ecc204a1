import { expect, test } from 'vitest'
import { renderLookups } from './recent-lookups.ts'
import { Stats } from './stats.ts'

test('all are counted, names are kept while they are wanted', () => {
  const stats = new Stats()
  stats.counter('a')
  expect(renderLookups([stats.lookups.dump()])).toBe(
    'Lookup tracking is not enabled. Use /stats/recentlookups/enable to enable.\n\ntotal: 1\n',
  )
  stats.lookups.track(true)
  for (const name of ['c', 'b', 'b']) stats.counter(name)
  stats.histogram('b')
  stats.gauge('a')
  expect(renderLookups([stats.lookups.dump()])).toBe(
    '   Count Lookup\n       1 a\n       1 c\n       3 b\n\ntotal: 6\n',
  )
  stats.lookups.clear()
  expect(renderLookups([stats.lookups.dump()])).toBe('   Count Lookup\n\ntotal: 0\n')
})

test('the names asked for last are kept', () => {
  const { lookups } = new Stats()
  lookups.track(true)
  lookups.note('first')
  for (let i = 0; i < 99; i++) lookups.note(`n${i}`)
  lookups.note('first')
  lookups.note('one more')
  const names = lookups.dump().counts.map(([name]) => name)
  expect([names.length, names.includes('n0'), names.includes('first')]).toEqual([100, false, true])
})

test('several processes add up', () => {
  const dump = (count: number) => ({ total: count, tracking: true, counts: [['a', count] as const] })
  expect(renderLookups([dump(1), dump(2)])).toBe('   Count Lookup\n       3 a\n\ntotal: 3\n')
})
