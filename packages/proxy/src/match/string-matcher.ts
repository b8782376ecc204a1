import { compileRegex, type StringMatcher } from '@hopscope/envoy-config'

/** Says of a text (bytes, one a character, as header values are held) whether it matches. */
export type MatchText = (text: string) => boolean

export function compileStringMatcher({ type, value, ignoreCase }: StringMatcher): MatchText {
  if (type === 'regex') {
    const regex = compileRegex(value)
    return text => regex.matches(text)
  }
  const bytes = Buffer.from(value, 'utf8').toString('latin1')
  if (ignoreCase) {
    const matches = compileText(type, lowerAscii(bytes))
    return text => matches(lowerAscii(text))
  }
  return compileText(type, bytes)
}

function compileText(type: Exclude<StringMatcher['type'], 'regex'>, wanted: string): MatchText {
  switch (type) {
    case 'exact':
      return text => text === wanted
    case 'prefix':
      return text => text.startsWith(wanted)
    case 'suffix':
      return text => text.endsWith(wanted)
    case 'contains':
      return text => text.includes(wanted)
  }
}

const HIGH = /[\x80-\xff]/

/** A to Z alone: what is beyond ASCII are pieces of UTF-8. */
export function lowerAscii(text: string): string {
  return HIGH.test(text) ? text.replace(/[A-Z]+/g, letters => letters.toLowerCase()) : text.toLowerCase()
}
