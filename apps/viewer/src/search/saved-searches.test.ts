import { expect, it } from 'vitest'
import { parseSavedSearches } from './saved-searches.ts'

it('takes only searches from what is stored', () => {
  const good = { name: 'slow', url: 'search?q=duration%3E1s' }
  const stored = [good, { name: 'x', url: 'javascript:1' }, { name: '', url: 'search' }, null, 3, { name: 'y' }]
  expect(parseSavedSearches(JSON.stringify(stored))).toEqual([good])
  expect(parseSavedSearches('{"a":1}')).toEqual([])
  expect(parseSavedSearches('nonsense')).toEqual([])
})
