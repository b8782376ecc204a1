import { expect, test } from 'vitest'
import { textOfWireBytes } from './text-of-wire-bytes.ts'

const FFFD = '\ufffd'

/** What spans of the real Envoy had for these bytes in a header. */
test.each([
  ['a word', '<a>', '<a>'],
  ['two, three, four bytes', '<\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80>', '<é€😀>'],
  ['a sequence that ends too early', '<\xe9"\\z>', '< \\z>'],
  ['after a byte of its own', '<\xe9\x80a>', '< >'],
  ['after two', '<\xf0\x9f\x98a>', '< >'],
  ['at the end', '<\xe2\x82', '< '],
  ['before another', '<\xe2\x82\xc3\xa9>', '<  >'],
  ['Latin-1 twice', '<\xe9\xe9a>', '< a>'],
  ['a byte that continues nothing', '<\x80a>', '< a>'],
  ['bytes that begin nothing', '<\xf8ab\xff>', '< ab >'],
  ['beyond Unicode', '<\xf4\x90\x80\x80a\xf5\x80\x80\x80>', '< a >'],
  ['NUL in two, three and four bytes', '<\xc0\x80\xe0\x80\x80\xf0\x80\x80\x80>', '<\0\0\0>'],
  ['a slash in two', '<\xc0\xafa>', `<${FFFD}${FFFD}a>`],
  ['half of a pair', '<\xed\xa0\x80a>', `<${FFFD}${FFFD}${FFFD}a>`],
  ['U+FFFD, a mark of byte order, a tag', '<\xef\xbf\xbd\xef\xbb\xbf\xf3\xa0\x80\x81>', '<\ufffd\ufeff\u{e0001}>'],
])('%s', (_name, bytes, text) => {
  expect(textOfWireBytes(bytes)).toBe(text)
})
